//! A connected stream socket: one of a pair, a named one, or TCP.

use std::io::{self, IoSlice};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::task::{Context, Poll, ready};

use rustix::net::{SendAncillaryBuffer, SendFlags, Shutdown};

use crate::rt::Async;

use super::Transport;

/// A connected stream socket.
#[derive(Debug)]
pub(crate) struct Socket(Async<OwnedFd>);

impl Socket {
    /// Takes a connected stream socket of any family, and makes it non-blocking.
    pub(crate) fn new(socket: OwnedFd) -> io::Result<Self> {
        Ok(Self(Async::new(socket)?))
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
            match rustix::io::read(self.0.get_ref(), &mut *buffer) {
                Err(rustix::io::Errno::WOULDBLOCK) => {}
                Err(rustix::io::Errno::INTR) => continue,
                done => return Poll::Ready(Ok(done?)),
            }
            ready!(self.0.poll_readable(cx))?;
        }
    }

    fn poll_write(&self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        loop {
            match self.try_write(slices) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => return Poll::Ready(done),
            }
            ready!(self.0.poll_writable(cx))?;
        }
    }

    fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        loop {
            // A peer that has gone is an error and not a signal, whatever the program
            // does about SIGPIPE.
            let written = rustix::net::sendmsg(
                self.0.get_ref(),
                slices,
                &mut SendAncillaryBuffer::default(),
                SendFlags::NOSIGNAL,
            );
            match written {
                Err(rustix::io::Errno::INTR) => {}
                done => return Ok(done?),
            }
        }
    }

    fn shutdown(&self) {
        // It fails only where the peer has gone already.
        let _ = rustix::net::shutdown(self.0.get_ref(), Shutdown::Write);
    }
}
