//! A transport that does what a transport may do, for tests.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::os::fd::BorrowedFd;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use super::{Arrived, Transport};

/// What a call does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// As it should.
    Pass,
    /// No more than so many bytes.
    Short(usize),
    /// It waits once, though it need not.
    Delay,
    /// It fails.
    Fail(io::ErrorKind),
    /// The peer has ended: for reading.
    End,
}

/// The calls of one method that are still to come; the last one is for all after it.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    faults: RefCell<VecDeque<Fault>>,
    is_cycle: bool,
}

impl Plan {
    /// These faults, and then none.
    pub(crate) fn once(faults: impl IntoIterator<Item = Fault>) -> Self {
        Self {
            faults: RefCell::new(faults.into_iter().collect()),
            is_cycle: false,
        }
    }

    /// These faults over and over.
    pub(crate) fn cycle(faults: impl IntoIterator<Item = Fault>) -> Self {
        Self {
            is_cycle: true,
            ..Self::once(faults)
        }
    }

    fn next(&self) -> Fault {
        let mut faults = self.faults.borrow_mut();
        let next = faults.pop_front();
        if self.is_cycle
            && let Some(fault) = next
        {
            faults.push_back(fault);
        }
        next.unwrap_or(Fault::Pass)
    }
}

/// A transport around another one that does by plan what a transport may do.
pub(crate) struct Faulty {
    inner: Box<dyn Transport>,
    pub(crate) reads: Plan,
    pub(crate) writes: Plan,
    pub(crate) tries: Plan,
    /// How often it was shut down.
    pub(crate) shutdowns: Rc<Cell<usize>>,
}

impl Faulty {
    /// No faults yet.
    pub(crate) fn new(inner: Box<dyn Transport>) -> Self {
        Self {
            inner,
            reads: Plan::once([]),
            writes: Plan::once([]),
            tries: Plan::once([]),
            shutdowns: Rc::default(),
        }
    }
}

/// The first bytes of `slices`, `length` of them at most.
fn cut<'a>(slices: &'a [IoSlice<'_>], mut length: usize) -> Vec<IoSlice<'a>> {
    let mut cut = Vec::new();
    for slice in slices {
        let part = &slice[..slice.len().min(length)];
        length -= part.len();
        cut.push(IoSlice::new(part));
    }
    cut
}

impl Transport for Faulty {
    fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        match self.reads.next() {
            Fault::Pass => self.inner.poll_read(cx, buffer),
            Fault::Short(length) => {
                let length = buffer.len().min(length);
                self.inner.poll_read(cx, &mut buffer[..length])
            }
            Fault::Delay => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Fault::Fail(kind) => Poll::Ready(Err(kind.into())),
            Fault::End => Poll::Ready(Ok(0)),
        }
    }

    fn poll_write(&self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        match self.writes.next() {
            Fault::Pass => self.inner.poll_write(cx, slices),
            Fault::Short(length) => {
                let written = ready!(self.inner.poll_write(cx, &cut(slices, length)));
                Poll::Ready(written)
            }
            Fault::Delay | Fault::End => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Fault::Fail(kind) => Poll::Ready(Err(kind.into())),
        }
    }

    fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self.tries.next() {
            Fault::Pass => self.inner.try_write(slices),
            Fault::Short(length) => self.inner.try_write(&cut(slices, length)),
            Fault::Delay | Fault::End => Err(io::ErrorKind::WouldBlock.into()),
            Fault::Fail(kind) => Err(kind.into()),
        }
    }

    fn shutdown(&self) {
        self.shutdowns.set(self.shutdowns.get() + 1);
        self.inner.shutdown();
    }

    fn passes_descriptors(&self) -> bool {
        self.inner.passes_descriptors()
    }

    fn poll_write_with(
        &self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
        descriptor: BorrowedFd<'_>,
    ) -> Poll<io::Result<usize>> {
        match self.writes.next() {
            Fault::Pass => self.inner.poll_write_with(cx, slices, descriptor),
            Fault::Short(length) => {
                self.inner
                    .poll_write_with(cx, &cut(slices, length), descriptor)
            }
            Fault::Delay | Fault::End => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Fault::Fail(kind) => Poll::Ready(Err(kind.into())),
        }
    }

    fn take_descriptor(&self) -> Option<Arrived> {
        self.inner.take_descriptor()
    }
}
