//! Two pipes, one for each direction: the standard streams of a launcher or of a child.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::os::fd::OwnedFd;
use std::task::{Context, Poll, ready};

use rustix::io::Errno;

use crate::rt::Async;

use super::Transport;

/// Two pipes, one for each direction.
///
/// A pipe whose reader has gone raises SIGPIPE, which Rust's runtime ignores; where it
/// has not been started the owner has to.
#[derive(Debug)]
pub(crate) struct Pipes {
    incoming: Async<OwnedFd>,
    /// Gone after the shutdown, which for a pipe is to be closed.
    outgoing: RefCell<Option<Async<OwnedFd>>>,
}

impl Pipes {
    /// Takes the end to read from and the end to write to, and makes them non-blocking.
    /// They may be sockets, too, but no files.
    pub(crate) fn new(incoming: OwnedFd, outgoing: OwnedFd) -> io::Result<Self> {
        Ok(Self {
            incoming: Async::new(incoming)?,
            outgoing: RefCell::new(Some(Async::new(outgoing)?)),
        })
    }
}

fn write(pipe: &OwnedFd, slices: &[IoSlice<'_>]) -> rustix::io::Result<usize> {
    loop {
        match rustix::io::writev(pipe, slices) {
            Err(Errno::INTR) => {}
            done => return done,
        }
    }
}

impl Transport for Pipes {
    fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            match rustix::io::read(self.incoming.get_ref(), &mut *buffer) {
                Err(Errno::WOULDBLOCK) => {}
                Err(Errno::INTR) => continue,
                done => return Poll::Ready(Ok(done?)),
            }
            ready!(self.incoming.poll_readable(cx))?;
        }
    }

    fn poll_write(&self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let outgoing = self.outgoing.borrow();
        let Some(pipe) = outgoing.as_ref() else {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        };
        loop {
            match write(pipe.get_ref(), slices) {
                Err(Errno::WOULDBLOCK) => {}
                done => return Poll::Ready(Ok(done?)),
            }
            ready!(pipe.poll_writable(cx))?;
        }
    }

    fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self.outgoing.borrow().as_ref() {
            Some(pipe) => Ok(write(pipe.get_ref(), slices)?),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn shutdown(&self) {
        drop(self.outgoing.take());
    }
}
