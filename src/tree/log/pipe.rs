//! One pipe from a child, and the one task that reads it.

use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Arc;

use rustix::io::Errno;

use super::child::Channel;
use super::cutter::{Cutter, MAX_LINE};
use super::error::LogReport;
use super::line::OutputStream;
use super::pace::{Next, Pace};
use crate::rt::{self, Async, Latch};

/// Bytes one pipe is read for before the others have their turn.
const TURN: usize = 64 * 1024;

/// The size of a pipe that was found full. The usual one is 64 KiB.
const FLOOD_PIPE: usize = 1024 * 1024;

/// The buffer all pipes of a tree are read into. It is used only between two waits.
pub(crate) type Scratch = Rc<RefCell<Vec<u8>>>;

pub(crate) fn scratch() -> Scratch {
    Rc::new(RefCell::new(vec![0; TURN]))
}

/// One pipe from a child.
#[derive(Debug)]
pub(crate) struct Pipe {
    channel: Rc<Channel>,
    stream: OutputStream,
    end: Async<OwnedFd>,
    cutter: RefCell<Cutter>,
    drain: Cell<Drain>,
    pace: Cell<Pace>,
    is_grown: Cell<bool>,
    drained: Latch,
    ended: Latch,
}

/// How far the output of an ended child has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Drain {
    /// The child runs, as far as we know.
    NotAsked,
    /// The child has ended; so many of its bytes are still in the pipe.
    Left(usize),
    /// All of it is passed on.
    Done,
}

/// What a turn of reading came to.
enum Turn {
    Read(Next),
    Empty,
    Ended,
}

impl Pipe {
    pub(crate) fn new(
        channel: Rc<Channel>,
        stream: OutputStream,
        end: OwnedFd,
    ) -> io::Result<Self> {
        Ok(Self {
            channel,
            stream,
            end: Async::new(end)?,
            cutter: RefCell::new(Cutter::new(MAX_LINE)),
            drain: Cell::new(Drain::NotAsked),
            pace: Cell::default(),
            is_grown: Cell::new(false),
            drained: Latch::new(),
            ended: Latch::new(),
        })
    }

    /// Reads until the pipe ends, a bounded number of bytes at a time.
    pub(crate) async fn read_on(self: Rc<Self>, scratch: Scratch) {
        self.read_to_end(scratch).await;
        self.finish_drain();
        self.ended.set();
    }

    async fn read_to_end(&self, scratch: Scratch) {
        // A new child has written nothing yet, so its pipe is not looked into first.
        let mut next = Next::Wait;
        loop {
            match next {
                Next::Again => futures_lite::future::yield_now().await,
                Next::Pause(pause) => rt::sleep(pause).await,
                Next::Wait => {
                    if let Err(error) = rt::readable(&self.end).await {
                        return self.give_up(error);
                    }
                }
            }
            // Nothing has been read yet, so a wait for room keeps the bytes in the pipe: that
            // is what holds up the child where the policy is to block.
            let has_room = self.channel.room(self.stream).await;
            let turn = self.read_turn(&mut scratch.borrow_mut(), has_room);
            next = match turn {
                Ok(Turn::Read(next)) => next,
                Ok(Turn::Empty) => Next::Wait,
                Ok(Turn::Ended) => return,
                Err(error) => return self.give_up(error),
            };
        }
    }

    /// Notes how much the ended child left in the pipe.
    ///
    /// A process that outlived the child may write on for ever; only what is there now is
    /// waited for.
    pub(crate) fn begin_drain(&self) {
        if self.drain.get() != Drain::NotAsked || self.drained.is_set() {
            return;
        }
        match rustix::io::ioctl_fionread(&self.end) {
            Ok(left) if left > 0 => {
                let left = usize::try_from(left).unwrap_or(usize::MAX);
                self.drain.set(Drain::Left(left));
            }
            _ => self.finish_drain(),
        }
    }

    pub(crate) async fn drained(&self) {
        self.drained.wait().await;
    }

    pub(crate) async fn ended(&self) {
        self.ended.wait().await;
    }

    fn read_turn(&self, buffer: &mut [u8], has_room: bool) -> io::Result<Turn> {
        let count = match rustix::io::read(&self.end, &mut *buffer) {
            Ok(0) => return Ok(Turn::Ended),
            Ok(count) => count,
            Err(Errno::AGAIN) => return Ok(Turn::Empty),
            Err(Errno::INTR) => return Ok(Turn::Read(Next::Again)),
            Err(error) => return Err(error.into()),
        };
        let mut bytes = &buffer[..count];
        if let Drain::Left(left) = self.drain.get() {
            let (of_child, of_others) = bytes.split_at(left.min(count));
            self.pass_on(of_child, has_room);
            bytes = of_others;
            match left - of_child.len() {
                0 => self.finish_drain(),
                left => self.drain.set(Drain::Left(left)),
            }
        }
        self.pass_on(bytes, has_room);
        let mut pace = self.pace.get();
        let next = pace.step(count, buffer.len());
        if pace.is_flood() && !self.is_grown.replace(true) {
            // It and we stop for each other less often with a larger pipe. The pipes of a user
            // may be limited in all; then this one stays as it is.
            let _ = rustix::pipe::fcntl_setpipe_size(&self.end, FLOOD_PIPE);
        }
        self.pace.set(pace);
        Ok(Turn::Read(next))
    }

    fn pass_on(&self, bytes: &[u8], has_room: bool) {
        self.cutter.borrow_mut().push(bytes, |run| {
            self.channel.deliver(self.stream, &run, has_room);
        });
    }

    /// The output of the child is complete: an unfinished line is one all the same.
    ///
    /// It is not asked for room: it is less than one line's worth.
    fn finish_drain(&self) {
        self.cutter.borrow_mut().finish(|run| {
            self.channel.deliver(self.stream, &run, true);
        });
        self.drain.set(Drain::Done);
        self.drained.set();
    }

    fn give_up(&self, error: io::Error) {
        (self.channel.report)(LogReport::ReadFailed {
            name: self.channel.name.to_string(),
            stream: self.stream,
            error: Arc::new(error),
        });
    }
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Channel")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
