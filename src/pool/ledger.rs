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
#[derive(Debug)]
pub(super) struct Ledger(SharedWords);

impl Ledger {
    /// A new one, and the descriptor by which the worker gets it.
    pub(super) fn create() -> io::Result<(Self, OwnedFd)> {
        let (words, file) = SharedWords::create(COUNT)?;
        Ok((Self(words), file))
    }

    /// That of the pool.
    pub(super) fn open(file: &OwnedFd) -> io::Result<Self> {
        SharedWords::open(file.as_fd(), COUNT).map(Self)
    }

    fn word(&self, index: usize) -> &AtomicU64 {
        &self.0.words()[index]
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

    /// Which call of the job was begun last, if the job was.
    pub(super) fn begun(&self, number: u32) -> Option<u32> {
        let word = self.slot(number).load(Ordering::Acquire);
        let is_begun = word >> 32 == u64::from(number) && word & 0b11 == BEGUN;
        is_begun.then_some((word as u32) >> 2)
    }

    /// The worker puts an answer into the ring; `None` if it has no room for it.
    pub(super) fn push(&self, answer: Answer, body: &[u8]) -> Option<Fill> {
        let words = 1 + body.len().div_ceil(8) as u64;
        let produced = self.word(PRODUCED).load(Ordering::Relaxed);
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
        // Whoever sees this sees what was written before.
        self.word(PRODUCED)
            .store(produced + words, Ordering::Release);
        Some(match filled > RING / 2 {
            true => Fill::High,
            false => Fill::Low,
        })
    }

    /// Whether the worker is to tell the pool of answers: nobody has done so since the pool
    /// began to wait for it.
    pub(super) fn ring_up(&self) -> bool {
        // What was put into the ring comes before the look at whether it was rung, as the
        // pool waits for that before its last look into the ring: so one sees the other.
        fence(Ordering::SeqCst);
        let is_rung = self.word(IS_RUNG).load(Ordering::SeqCst) != 0;
        !is_rung && self.word(IS_RUNG).swap(1, Ordering::SeqCst) == 0
    }

    /// From now on the pool waits to be told of answers. It looks for some once more after
    /// that: one that came just before was not told.
    pub(super) fn listen(&self) {
        self.word(IS_RUNG).swap(0, Ordering::SeqCst);
        fence(Ordering::SeqCst);
    }

    /// The pool takes the answers that there are; `body` is used for their bytes.
    pub(super) fn drain(
        &self,
        body: &mut Vec<u8>,
        mut take: impl FnMut(Answer, &[u8]),
    ) -> Result<bool, Nonsense> {
        let produced = self.word(PRODUCED).load(Ordering::SeqCst);
        let begin = self.word(CONSUMED).load(Ordering::Relaxed);
        let mut consumed = begin;
        if produced.wrapping_sub(consumed) > RING {
            return Err(Nonsense);
        }
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
            take(answer, &body[..length]);
            consumed += 1 + words;
        }
        self.word(CONSUMED).store(consumed, Ordering::Release);
        Ok(consumed != begin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUE: Answer = Answer {
        subject: Subject::Value,
        number: 3,
        time: 0,
    };

    fn pair() -> (Ledger, Ledger) {
        let (pool, file) = Ledger::create().unwrap();
        (pool, Ledger::open(&file).unwrap())
    }

    #[test]
    fn job_is_either_begun_or_taken_back() {
        let (pool, worker) = pair();
        pool.send(1);
        assert_eq!(pool.begun(1), None);
        assert!(worker.begin(1) && !pool.take_back(1));
        assert_eq!(pool.begun(1), Some(0));
        worker.begin_call(1, 7);
        assert_eq!(pool.begun(1), Some(7));
        pool.send(2);
        assert!(pool.take_back(2) && !worker.begin(2));
        assert_eq!(pool.begun(2), None);
    }

    #[test]
    fn slot_of_a_later_job_says_nothing_of_an_earlier_one() {
        let (pool, worker) = pair();
        pool.send(1);
        assert!(worker.begin(1));
        pool.send(1 + WINDOW);
        assert_eq!(pool.begun(1), None);
        assert!(!pool.take_back(1));
    }

    #[test]
    fn answers_arrive_in_order_around_the_end_of_the_ring() {
        let (pool, worker) = pair();
        let mut scratch = Vec::new();
        for round in 0..3000_u32 {
            let body = vec![round as u8; (round % 100) as usize];
            let answer = Answer {
                number: round,
                ..VALUE
            };
            assert_eq!(worker.push(answer, &body), Some(Fill::Low));
            let mut seen = Vec::new();
            let drained = pool.drain(&mut scratch, |answer, body| {
                seen.push((answer.number, body.to_vec()));
            });
            assert!(drained.unwrap());
            assert_eq!(seen, [(round, body)]);
        }
    }

    #[test]
    fn full_ring_takes_no_more_until_it_is_read() {
        let (pool, worker) = pair();
        let body = [7; 4000];
        let fills: Vec<Fill> = std::iter::from_fn(|| worker.push(VALUE, &body)).collect();
        assert_eq!(fills.len(), RING as usize / 501);
        let low = fills.iter().take_while(|fill| **fill == Fill::Low).count();
        assert_eq!(low, RING as usize / 2 / 501);
        pool.drain(&mut Vec::new(), |_, _| {}).unwrap();
        assert_eq!(worker.push(VALUE, &body), Some(Fill::Low));
        assert_eq!(worker.push(VALUE, &[0; LONGEST + 1]), None);
    }

    #[test]
    fn one_ring_at_the_door_is_enough_until_the_pool_listens_again() {
        let (pool, worker) = pair();
        assert!(worker.ring_up() && !worker.ring_up());
        pool.listen();
        assert!(worker.ring_up());
    }

    #[test]
    fn nonsense_in_the_ring_is_refused() {
        let (pool, worker) = pair();
        worker.word(PRODUCED).store(RING + 1, Ordering::SeqCst);
        assert!(pool.drain(&mut Vec::new(), |_, _| {}).is_err());
        worker.word(PRODUCED).store(1, Ordering::SeqCst);
        worker.ring(0).store(u64::from(u16::MAX), Ordering::SeqCst);
        assert!(pool.drain(&mut Vec::new(), |_, _| {}).is_err());
    }

    #[test]
    fn time_keeps_its_first_digits() {
        for nanos in [0, 1, 300, 1_000_000, 60_000_000_000] {
            let back = unpack_time(pack_time(nanos));
            assert!(back.abs_diff(nanos) <= nanos / 100, "{nanos} {back}");
        }
    }
}
