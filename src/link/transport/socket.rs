//! A connected stream socket: one of a pair, a named one, or TCP.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::task::{Context, Poll, ready};

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags,
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, Shutdown, sockopt,
};

use crate::rt::Watched;

use super::{Arrived, Transport};

/// How many descriptors one reception takes; of more at once the kernel closes the rest.
const MOST_AT_ONCE: usize = 4;

/// How many descriptors may wait for the frames that they belong to. Each comes with the first
/// byte of its frame, so that an honest peer never has a second one waiting.
const MOST_WAITING: usize = 8;

/// A connected stream socket.
#[derive(Debug)]
pub(crate) struct Socket {
    socket: Watched,
    /// The last read took all there was, so that the next one would find nothing. Asking
    /// the kernel for news instead is what has to be done then anyway.
    is_drained: Cell<bool>,
    /// What came with bytes and has not been asked for.
    arrived: RefCell<VecDeque<Arrived>>,
}

impl Socket {
    /// Takes a connected stream socket of any family, and makes it non-blocking.
    pub(crate) fn new(socket: OwnedFd) -> io::Result<Self> {
        Ok(Self {
            socket: Watched::new(socket)?,
            is_drained: Cell::new(false),
            arrived: RefCell::default(),
        })
    }

    /// Two that are connected with each other, the second one to be handed to a child.
    pub(crate) fn pair() -> io::Result<(Self, OwnedFd)> {
        let (ours, theirs) = UnixStream::pair()?;
        Ok((Self::new(ours.into())?, theirs.into()))
    }

    /// Reads bytes, and keeps the descriptors that come with them.
    fn receive(&self, buffer: &mut [u8]) -> rustix::io::Result<usize> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_AT_ONCE))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let received = rustix::net::recvmsg(
            self.socket.get_ref(),
            &mut [IoSliceMut::new(buffer)],
            &mut control,
            RecvFlags::CMSG_CLOEXEC,
        )?;
        // The kernel stops reading behind the bytes that descriptors came with.
        let mut is_drained = received.bytes < buffer.len();
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                is_drained = false;
                let mut arrived = self.arrived.borrow_mut();
                arrived.extend(descriptors.map(Arrived::Open));
            }
        }
        if received.flags.contains(ReturnFlags::CTRUNC) {
            is_drained = false;
            self.arrived.borrow_mut().push_back(Arrived::Lost);
        }
        self.is_drained.set(is_drained);
        Ok(received.bytes)
    }

    fn send(
        &self,
        slices: &[IoSlice<'_>],
        control: &mut SendAncillaryBuffer<'_, '_, '_>,
    ) -> rustix::io::Result<usize> {
        loop {
            // A peer that has gone is an error and not a signal, whatever the program
            // does about SIGPIPE.
            let sent =
                rustix::net::sendmsg(self.socket.get_ref(), slices, control, SendFlags::NOSIGNAL);
            match sent {
                Err(Errno::INTR) => {}
                done => return done.inspect(|sent| self.socket.note_written(*sent)),
            }
        }
    }
}

impl Transport for Socket {
    fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        if self.arrived.borrow().len() > MOST_WAITING {
            let message = "more descriptors than frames that announce them";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, message)));
        }
        loop {
            if self.is_drained.get() {
                ready!(self.socket.poll_readable(cx))?;
                self.is_drained.set(false);
            }
            match self.receive(buffer) {
                Err(Errno::WOULDBLOCK) => self.is_drained.set(true),
                Err(Errno::INTR) => {}
                done => return Poll::Ready(Ok(done?)),
            }
        }
    }

    fn poll_write(&self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        loop {
            match self.try_write(slices) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => return Poll::Ready(done),
            }
            ready!(self.socket.poll_writable(cx))?;
        }
    }

    fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        // One slice is what most writes have, and costs less.
        let [slice] = slices else {
            return Ok(self.send(slices, &mut SendAncillaryBuffer::default())?);
        };
        loop {
            match rustix::net::send(self.socket.get_ref(), slice, SendFlags::NOSIGNAL) {
                Err(Errno::INTR) => {}
                done => return Ok(done.inspect(|sent| self.socket.note_written(*sent))?),
            }
        }
    }

    fn shutdown(&self) {
        // It fails only where the peer has gone already.
        let _ = rustix::net::shutdown(self.socket.get_ref(), Shutdown::Write);
    }

    fn passes_descriptors(&self) -> bool {
        sockopt::socket_domain(self.socket.get_ref()) == Ok(AddressFamily::UNIX)
    }

    fn poll_write_with(
        &self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
        descriptor: BorrowedFd<'_>,
    ) -> Poll<io::Result<usize>> {
        if !self.passes_descriptors() {
            return Poll::Ready(Err(io::ErrorKind::Unsupported.into()));
        }
        let descriptors = [descriptor.as_fd()];
        loop {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut control = SendAncillaryBuffer::new(&mut space);
            let is_room = control.push(SendAncillaryMessage::ScmRights(&descriptors));
            debug_assert!(is_room, "there is room for one descriptor");
            match self.send(slices, &mut control) {
                Err(Errno::WOULDBLOCK) => {}
                // This user has too many in flight, at all of its processes together.
                Err(Errno::TOOMANYREFS) => {
                    return Poll::Ready(Err(io::ErrorKind::Unsupported.into()));
                }
                done => return Poll::Ready(Ok(done?)),
            }
            ready!(self.socket.poll_writable(cx))?;
        }
    }

    fn take_descriptor(&self) -> Option<Arrived> {
        self.arrived.borrow_mut().pop_front()
    }
}
