//! A connected stream socket: one of a pair, a named one, or TCP.

use std::cell::Cell;
use std::io::{self, IoSlice};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::task::{Context, Poll, ready};

use rustix::net::{SendAncillaryBuffer, SendFlags, Shutdown};

use crate::rt::Watched;

use super::Transport;

/// A connected stream socket.
#[derive(Debug)]
pub(crate) struct Socket {
    socket: Watched,
    /// The last read took all there was, so that the next one would find nothing. Asking
    /// the kernel for news instead is what has to be done then anyway.
    is_drained: Cell<bool>,
}

impl Socket {
    /// Takes a connected stream socket of any family, and makes it non-blocking.
    pub(crate) fn new(socket: OwnedFd) -> io::Result<Self> {
        Ok(Self {
            socket: Watched::new(socket)?,
            is_drained: Cell::new(false),
        })
    }

    /// Two that are connected with each other, the second one to be handed to a child.
    pub(crate) fn pair() -> io::Result<(Self, OwnedFd)> {
        let (ours, theirs) = UnixStream::pair()?;
        Ok((Self::new(ours.into())?, theirs.into()))
    }
}

impl Transport for Socket {
    fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            if self.is_drained.get() {
                ready!(self.socket.poll_readable(cx))?;
                self.is_drained.set(false);
            }
            match rustix::io::read(self.socket.get_ref(), &mut *buffer) {
                Err(rustix::io::Errno::WOULDBLOCK) => self.is_drained.set(true),
                Err(rustix::io::Errno::INTR) => {}
                Ok(length) => {
                    self.is_drained.set(length < buffer.len());
                    return Poll::Ready(Ok(length));
                }
                Err(errno) => return Poll::Ready(Err(errno.into())),
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
        loop {
            // A peer that has gone is an error and not a signal, whatever the program
            // does about SIGPIPE. One slice is what most writes have, and costs less.
            let written = match slices {
                [slice] => rustix::net::send(self.socket.get_ref(), slice, SendFlags::NOSIGNAL),
                _ => rustix::net::sendmsg(
                    self.socket.get_ref(),
                    slices,
                    &mut SendAncillaryBuffer::default(),
                    SendFlags::NOSIGNAL,
                ),
            };
            match written {
                Err(rustix::io::Errno::INTR) => {}
                done => return Ok(done?),
            }
        }
    }

    fn shutdown(&self) {
        // It fails only where the peer has gone already.
        let _ = rustix::net::shutdown(self.socket.get_ref(), Shutdown::Write);
    }
}
