//! Two ends in one thread, without the kernel.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::Transport;

/// Two ends that are connected, each direction holding up to `capacity` bytes.
///
/// # Panics
///
/// If the capacity is 0.
pub(crate) fn memory_pair(capacity: usize) -> (Memory, Memory) {
    assert!(capacity > 0, "a pipe without room carries nothing");
    let (there, back) = (Pipe::new(capacity), Pipe::new(capacity));
    let near = Memory {
        incoming: Rc::clone(&back),
        outgoing: Rc::clone(&there),
    };
    let far = Memory {
        incoming: there,
        outgoing: back,
    };
    (near, far)
}

/// One end of a pair in this thread.
#[derive(Debug)]
pub(crate) struct Memory {
    incoming: Rc<RefCell<Pipe>>,
    outgoing: Rc<RefCell<Pipe>>,
}

/// One direction.
#[derive(Debug)]
struct Pipe {
    bytes: VecDeque<u8>,
    capacity: usize,
    /// No more will be written.
    is_shut: bool,
    /// No more will be read.
    is_abandoned: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Pipe {
    fn new(capacity: usize) -> Rc<RefCell<Self>> {
        Rc::new(RefCell::new(Self {
            bytes: VecDeque::new(),
            capacity,
            is_shut: false,
            is_abandoned: false,
            reader: None,
            writer: None,
        }))
    }

    fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        if self.is_shut || self.is_abandoned {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let mut written = 0;
        for slice in slices {
            let room = self.capacity - self.bytes.len();
            let length = slice.len().min(room);
            self.bytes.extend(&slice[..length]);
            written += length;
        }
        if written == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        wake(&mut self.reader);
        Ok(written)
    }

    fn read(&mut self, buffer: &mut [u8]) -> Option<usize> {
        if self.bytes.is_empty() && !self.is_shut {
            return None;
        }
        let length = buffer.len().min(self.bytes.len());
        for (to, from) in buffer.iter_mut().zip(self.bytes.drain(..length)) {
            *to = from;
        }
        wake(&mut self.writer);
        Some(length)
    }
}

fn wake(waiting: &mut Option<Waker>) {
    if let Some(waker) = waiting.take() {
        waker.wake();
    }
}

impl Transport for Memory {
    fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut pipe = self.incoming.borrow_mut();
        match pipe.read(buffer) {
            Some(length) => Poll::Ready(Ok(length)),
            None => {
                pipe.reader = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    fn poll_write(&self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let mut pipe = self.outgoing.borrow_mut();
        match pipe.write(slices) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                pipe.writer = Some(cx.waker().clone());
                Poll::Pending
            }
            done => Poll::Ready(done),
        }
    }

    fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.outgoing.borrow_mut().write(slices)
    }

    fn shutdown(&self) {
        let mut pipe = self.outgoing.borrow_mut();
        pipe.is_shut = true;
        wake(&mut pipe.reader);
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.shutdown();
        let mut pipe = self.incoming.borrow_mut();
        pipe.is_abandoned = true;
        wake(&mut pipe.writer);
    }
}
