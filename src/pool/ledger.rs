//! What a pool and one worker know in common, and what is left when the worker dies: which
//! jobs it has begun, and what came of them.
//!
//! A window of slots says of each job how far it is. A job is [`Sent`](SENT) until the worker
//! begins it or the pool takes it back, whichever is first, by a compare-and-swap. Behind it is
//! a ring of answers. A call's answer is in the ring before the next call is begun, so
//! the answers that there are and the slot that is begun are the whole truth about a dead worker.

use std::io;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering, fence};

use super::message::Subject;
use crate::process::SharedWords;

/// How many jobs can be with a worker at once.
pub(super) const WINDOW: u32 = 1024;
/// How many words the ring of answers has.
const RING: u64 = 16 * 1024;
/// The longest answer that goes into the ring, in bytes.
const LONGEST: usize = (1 << 13) - 1;

// Words that different sides write are not in one line of a cache.
const CONSUMED: usize = 0;
const PRODUCED: usize = 8;
const IS_RUNG: usize = 16;
const SLOTS: usize = 24;
const ANSWERS: usize = SLOTS + WINDOW as usize;
const COUNT: NonZeroUsize =
    NonZeroUsize::new(ANSWERS + RING as usize).expect("invariant: it is more than none");

const SENT: u64 = 1;
const BEGUN: u64 = 2;
const TAKEN_BACK: u64 = 3;

fn slot(number: u32, call: u32, state: u64) -> u64 {
    u64::from(number) << 32 | u64::from(call) << 2 | state
}

/// An answer in the ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) subject: Subject,
    pub(super) number: u32,
    /// How long its job took, by [`pack_time`].
    pub(super) time: u16,
}

/// How full the ring is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fill {
    Low,
    /// It is time that the pool took answers out.
    High,
}

/// A time as an answer has it, to three digits or so: the upper half of a float of
/// nanoseconds.
pub(super) fn pack_time(nanos: u64) -> u16 {
    ((nanos as f32).to_bits() >> 16) as u16
}

/// The nanoseconds that were packed.
pub(super) fn unpack_time(time: u16) -> u64 {
    let nanos = f32::from_bits(u32::from(time) << 16);
    if nanos.is_finite() && nanos > 0.0 {
        nanos as u64
    } else {
        0
    }
}

/// What came in the ring is none of this protocol.
#[derive(Debug, thiserror::Error)]
#[error("a worker has written nonsense into the shared memory")]
pub(super) struct Nonsense;

/// The shared memory of a pool and one worker.
///
/// Each side writes how far it is in the ring, and goes by what it remembers itself: a worker
/// that writes where it has no business to does not lead the pool astray.
#[derive(Debug)]
pub(super) struct Ledger {
    words: SharedWords,
    /// How far this side is in the ring. One thread of each side uses the ring.
    position: AtomicU64,
}

impl Ledger {
    /// A new one, and the descriptor by which the worker gets it.
    pub(super) fn create() -> io::Result<(Self, OwnedFd)> {
        let (words, file) = SharedWords::create(COUNT)?;
        Ok((Self::at_the_beginning(words), file))
    }

    /// That of the pool.
    pub(super) fn open(file: &OwnedFd) -> io::Result<Self> {
        SharedWords::open(file.as_fd(), COUNT).map(Self::at_the_beginning)
    }

    fn at_the_beginning(words: SharedWords) -> Self {
        let position = AtomicU64::new(0);
        Self { words, position }
    }

    fn word(&self, index: usize) -> &AtomicU64 {
        &self.words.words()[index]
    }

    fn slot(&self, number: u32) -> &AtomicU64 {
        self.word(SLOTS + (number % WINDOW) as usize)
    }

    fn ring(&self, position: u64) -> &AtomicU64 {
        self.word(ANSWERS + (position % RING) as usize)
    }

    /// The pool sends the job. The one that had its slot before has ended.
    pub(super) fn send(&self, number: u32) {
        self.slot(number)
            .store(slot(number, 0, SENT), Ordering::Release);
    }

    /// The pool wants the job back; `false` if the worker has begun it.
    pub(super) fn take_back(&self, number: u32) -> bool {
        self.decide(number, TAKEN_BACK)
    }

    /// The worker begins the job; `false` if it was taken back.
    pub(super) fn begin(&self, number: u32) -> bool {
        self.decide(number, BEGUN)
    }

    fn decide(&self, number: u32, state: u64) -> bool {
        let (sent, decided) = (slot(number, 0, SENT), slot(number, 0, state));
        self.slot(number)
            .compare_exchange(sent, decided, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    /// The worker begins this call of a job that it has begun.
    pub(super) fn begin_call(&self, number: u32, call: u32) {
        self.slot(number)
            .store(slot(number, call, BEGUN), Ordering::Release);
    }

    /// Which call of the job that was sent was begun last, if the job was.
    ///
    /// A slot that says neither is of a later job, for which this one has ended, or was
    /// overwritten by a worker out of its mind, which may have begun anything.
    pub(super) fn begun(&self, number: u32) -> Option<u32> {
        let word = self.slot(number).load(Ordering::Acquire);
        let (owner, call, state) = (word >> 32, (word as u32) >> 2, word & 0b11);
        match (owner == u64::from(number), state) {
            (true, SENT | TAKEN_BACK) => None,
            (true, BEGUN) => Some(call),
            _ => Some(u32::MAX),
        }
    }

    /// The worker puts an answer into the ring; `None` if it has no room for it.
    pub(super) fn push(&self, answer: Answer, body: &[u8]) -> Option<Fill> {
        let words = 1 + body.len().div_ceil(8) as u64;
        let produced = self.position.load(Ordering::Relaxed);
        // What the pool has read it needs no more: its reading comes before this.
        let consumed = self.word(CONSUMED).load(Ordering::Acquire);
        let filled = produced - consumed.min(produced) + words;
        if body.len() > LONGEST || filled > RING {
            return None;
        }
        let head = u64::from(answer.number) << 32
            | u64::from(answer.time) << 16
            | (answer.subject as u64) << 13
            | body.len() as u64;
        self.ring(produced).store(head, Ordering::Relaxed);
        for (position, eight) in (produced + 1..).zip(body.chunks(8)) {
            let mut word = [0; 8];
            word[..eight.len()].copy_from_slice(eight);
            let word = u64::from_le_bytes(word);
            self.ring(position).store(word, Ordering::Relaxed);
        }
        // Whoever sees this sees what was written before. A worker that is killed before it
        // has left nothing.
        self.word(PRODUCED)
            .store(produced + words, Ordering::Release);
        self.position.store(produced + words, Ordering::Relaxed);
        Some(match filled > RING / 2 {
            true => Fill::High,
            false => Fill::Low,
        })
    }

    /// Whether the worker is to tell the pool of answers: nobody has done so since the pool
    /// began to wait for it.
    pub(super) fn ring_up(&self) -> bool {
        // The worker writes `PRODUCED` and then reads `IS_RUNG`; the pool, in `listen`, writes
        // `IS_RUNG` and then reads `PRODUCED`. Without the fence on either side both could read
        // what was there before, and nobody would ever ring. With them one fence comes before
        // the other, and whoever has the later one sees what the other wrote before its own.
        fence(Ordering::SeqCst);
        let is_rung = self.word(IS_RUNG).load(Ordering::Relaxed) != 0;
        !is_rung && self.word(IS_RUNG).swap(1, Ordering::AcqRel) == 0
    }

    /// From now on the pool waits to be told of answers. It looks for some once more after
    /// that: one that came just before was not told.
    pub(super) fn listen(&self) {
        self.word(IS_RUNG).store(0, Ordering::Relaxed);
        // As in `ring_up`.
        fence(Ordering::SeqCst);
    }

    /// The pool takes the answers that there are; `body` is used for their bytes. `true` if
    /// there were some.
    ///
    /// # Errors
    ///
    /// If what is there is no answer, or `take` says so of one. All before it were taken.
    pub(super) fn drain(
        &self,
        body: &mut Vec<u8>,
        mut take: impl FnMut(Answer, &[u8]) -> Result<(), Nonsense>,
    ) -> Result<bool, Nonsense> {
        let produced = self.word(PRODUCED).load(Ordering::Acquire);
        let begin = self.position.load(Ordering::Relaxed);
        if produced.wrapping_sub(begin) > RING {
            return Err(Nonsense);
        }
        let mut consumed = begin;
        while consumed < produced {
            let head = self.ring(consumed).load(Ordering::Relaxed);
            let length = (head & LONGEST as u64) as usize;
            let words = length.div_ceil(8) as u64;
            let subject = Subject::from_number((head >> 13 & 0b111) as u8).ok_or(Nonsense)?;
            if consumed + 1 + words > produced {
                return Err(Nonsense);
            }
            body.clear();
            for position in consumed + 1..=consumed + words {
                let word = self.ring(position).load(Ordering::Relaxed);
                body.extend_from_slice(&word.to_le_bytes());
            }
            let answer = Answer {
                subject,
                number: (head >> 32) as u32,
                time: (head >> 16) as u16,
            };
            consumed += 1 + words;
            // Whatever comes behind it, it is not taken a second time.
            self.position.store(consumed, Ordering::Relaxed);
            take(answer, &body[..length])?;
        }
        // The worker overwrites what lies before this, which was read.
        self.word(CONSUMED).store(consumed, Ordering::Release);
        Ok(consumed != begin)
    }
}

#[cfg(test)]
mod tests;
