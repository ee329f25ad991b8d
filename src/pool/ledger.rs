//! What a pool and one worker know in common, and what is left when the worker dies: which
//! jobs it has begun, and what came of them.
//!
//! A window of slots says of each job how far it is. A job is [`Sent`](SENT) until the worker
//! begins it or the pool takes it back, whichever is first, by a compare-and-swap. Behind it is
//! a ring of answers, those of a job in blocks. A call's answer is in its block before the next
//! call is begun, so the answers that there are, in the ring and in the block that was not
//! ended, and the slot that is begun are the whole truth about a dead worker.

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
/// The longest entry of the ring, in bytes.
const LONGEST: usize = (1 << 13) - 1;
/// The same in whole words.
const MOST: u64 = LONGEST as u64 / 8;

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

/// What the ring says of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    /// [`Subject::Value`] stands for answers of any kind.
    pub(super) subject: Subject,
    pub(super) number: u32,
    /// How long the job took that ends with it, by [`pack_time`].
    pub(super) time: u16,
}

impl Entry {
    fn pack(self, length: usize) -> u64 {
        u64::from(self.number) << 32
            | u64::from(self.time) << 16
            | (self.subject as u64) << 13
            | length as u64
    }

    fn unpack(head: u64) -> Option<(Self, usize)> {
        let entry = Self {
            subject: Subject::from_number((head >> 13 & 0b111) as u8)?,
            number: (head >> 32) as u32,
            time: (head >> 16) as u16,
        };
        Some((entry, (head & LONGEST as u64) as usize))
    }
}

/// Answers to calls of one job, one behind the other. The pool takes them together when the
/// block has ended, or the worker.
#[derive(Debug, Default)]
pub(super) struct Block {
    number: u32,
    /// How many there are.
    words: u64,
}

impl Block {
    /// For the job of this number.
    pub(super) fn new(number: u32) -> Self {
        Self { number, words: 0 }
    }

    fn entry(&self, time: u16) -> Entry {
        Entry {
            subject: Subject::Value,
            number: self.number,
            time,
        }
    }
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

    /// The worker puts one thing into the ring; `None` if it has no room for it.
    pub(super) fn push(&self, entry: Entry, body: &[u8]) -> Option<Fill> {
        let words = body.len().div_ceil(8) as u64;
        if body.len() > LONGEST || !self.has_room(words) {
            return None;
        }
        let begin = self.position.load(Ordering::Relaxed);
        for (position, eight) in (begin + 1..).zip(body.chunks(8)) {
            let mut word = [0; 8];
            word[..eight.len()].copy_from_slice(eight);
            let word = u64::from_le_bytes(word);
            self.ring(position).store(word, Ordering::Relaxed);
        }
        let head = entry.pack(body.len());
        self.ring(begin).store(head, Ordering::Relaxed);
        Some(self.publish(begin + 1 + words))
    }

    /// The worker adds an answer to a block, in whole words. `false` if there is no room for it
    /// in the block, or none for a block.
    pub(super) fn add(&self, block: &mut Block, answer: &[u8]) -> bool {
        debug_assert!(answer.len().is_multiple_of(8), "answers are whole words");
        let begin = self.position.load(Ordering::Relaxed);
        let words = block.words + (answer.len() / 8) as u64;
        // A block that is begun has room until it is full.
        if words > MOST || (block.words == 0 && !self.has_room(MOST)) {
            return false;
        }
        let (eights, _) = answer.as_chunks::<8>();
        for (position, eight) in (begin + 1 + block.words..).zip(eights) {
            let word = u64::from_le_bytes(*eight);
            self.ring(position).store(word, Ordering::Relaxed);
        }
        block.words = words;
        // From here on the answer is given, also if the worker dies: see `unfinished`.
        let head = block.entry(0).pack(words as usize * 8);
        self.ring(begin).store(head, Ordering::Release);
        true
    }

    /// The worker ends a block, and the next one is of the same job. Nothing is done about one
    /// in which nothing is.
    pub(super) fn close(&self, block: &mut Block, time: u16) -> Option<Fill> {
        let words = std::mem::take(&mut block.words);
        if words == 0 {
            return None;
        }
        let begin = self.position.load(Ordering::Relaxed);
        let head = block.entry(time).pack(words as usize * 8);
        self.ring(begin).store(head, Ordering::Relaxed);
        Some(self.publish(begin + 1 + words))
    }

    /// Whether there is room for so many words, and the heads before and behind them.
    fn has_room(&self, words: u64) -> bool {
        let begin = self.position.load(Ordering::Relaxed);
        // What the pool has read it needs no more: its reading comes before this.
        let consumed = self.word(CONSUMED).load(Ordering::Acquire);
        begin - consumed.min(begin) + words + 2 <= RING
    }

    /// All before `end` is to be seen by the pool.
    fn publish(&self, end: u64) -> Fill {
        // There is nothing at the next head yet, whatever was there a round ago.
        self.ring(end).store(0, Ordering::Relaxed);
        // Whoever sees this sees what was written before. A worker that is killed before it
        // has left nothing but an unfinished block.
        self.word(PRODUCED).store(end, Ordering::Release);
        self.position.store(end, Ordering::Relaxed);
        let consumed = self.word(CONSUMED).load(Ordering::Relaxed);
        match end - consumed.min(end) > RING / 2 {
            true => Fill::High,
            false => Fill::Low,
        }
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
        mut take: impl FnMut(Entry, &[u8]) -> Result<(), Nonsense>,
    ) -> Result<bool, Nonsense> {
        let produced = self.word(PRODUCED).load(Ordering::Acquire);
        let begin = self.position.load(Ordering::Relaxed);
        if produced.wrapping_sub(begin) > RING {
            return Err(Nonsense);
        }
        let mut consumed = begin;
        while consumed < produced {
            let head = self.ring(consumed).load(Ordering::Relaxed);
            let (entry, length) = Entry::unpack(head).ok_or(Nonsense)?;
            let words = length.div_ceil(8) as u64;
            if consumed + 1 + words > produced {
                return Err(Nonsense);
            }
            self.copy(consumed + 1, words, body);
            consumed += 1 + words;
            // Whatever comes behind it, it is not taken a second time.
            self.position.store(consumed, Ordering::Relaxed);
            take(entry, &body[..length])?;
        }
        // The worker overwrites what lies before this, which was read.
        self.word(CONSUMED).store(consumed, Ordering::Release);
        Ok(consumed != begin)
    }

    /// The block of a job in which a worker has died, after all others were taken; `false` if
    /// there is none.
    pub(super) fn unfinished(&self, number: u32, body: &mut Vec<u8>) -> bool {
        let begin = self.position.load(Ordering::Relaxed);
        let head = self.ring(begin).load(Ordering::Acquire);
        match Entry::unpack(head) {
            Some((entry, length)) if entry == (Block { number, words: 0 }).entry(entry.time) => {
                self.copy(begin + 1, length.div_ceil(8) as u64, body);
                body.truncate(length);
                true
            }
            _ => false,
        }
    }

    fn copy(&self, begin: u64, words: u64, body: &mut Vec<u8>) {
        body.clear();
        body.reserve(words as usize * 8);
        for position in begin..begin + words {
            let word = self.ring(position).load(Ordering::Relaxed);
            body.extend_from_slice(&word.to_le_bytes());
        }
    }
}

#[cfg(test)]
mod tests;
