//! What the two sides make of the shared memory, one after the other and at the same time.

use std::hint::spin_loop;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use super::*;

const VALUE: Entry = Entry {
    subject: Subject::Value,
    number: 3,
    time: 0,
};

/// So many answers the two sides exchange at the same time.
const MANY: u32 = 50_000;

/// For a thread that waits to be told.
const LONG: Duration = Duration::from_secs(20);

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
fn slot_of_a_later_job_is_not_that_of_an_earlier_one_which_has_ended() {
    let (pool, worker) = pair();
    pool.send(1);
    assert!(worker.begin(1));
    pool.send(1 + WINDOW);
    assert!(pool.begun(1).is_some());
    assert_eq!(pool.begun(1 + WINDOW), None);
    assert!(!pool.take_back(1));
}

#[test]
fn job_whose_slot_was_overwritten_counts_as_begun() {
    let (pool, worker) = pair();
    for scribble in [0, 1, u64::MAX, slot(2, 0, SENT)] {
        pool.send(1);
        worker.slot(1).store(scribble, Ordering::SeqCst);
        assert!(pool.begun(1).is_some() && !pool.take_back(1), "{scribble}");
    }
}

#[test]
fn answers_arrive_in_order_around_the_end_of_the_ring() {
    let (pool, worker) = pair();
    let mut scratch = Vec::new();
    for round in 0..3000_u32 {
        let body = vec![round as u8; (round % 100) as usize];
        let answer = Entry {
            number: round,
            ..VALUE
        };
        assert_eq!(worker.push(answer, &body), Some(Fill::Low));
        let mut seen = Vec::new();
        let drained = pool.drain(&mut scratch, |answer, body| {
            seen.push((answer.number, body.to_vec()));
            Ok(())
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
    assert_eq!(fills.len(), (RING as usize - 1) / 501);
    let low = fills.iter().take_while(|fill| **fill == Fill::Low).count();
    assert_eq!(low, RING as usize / 2 / 501);
    pool.drain(&mut Vec::new(), |_, _| Ok(())).unwrap();
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
    assert!(pool.drain(&mut Vec::new(), |_, _| Ok(())).is_err());
    worker.word(PRODUCED).store(1, Ordering::SeqCst);
    worker.ring(0).store(u64::from(u16::MAX), Ordering::SeqCst);
    assert!(pool.drain(&mut Vec::new(), |_, _| Ok(())).is_err());
}

#[test]
fn answers_before_nonsense_are_taken_once() {
    let (pool, worker) = pair();
    assert!(worker.push(VALUE, &[1]).is_some());
    worker.ring(2).store(0, Ordering::SeqCst);
    worker.word(PRODUCED).store(3, Ordering::SeqCst);
    let mut taken = 0;
    for _ in 0..2 {
        let drained = pool.drain(&mut Vec::new(), |_, _| {
            taken += 1;
            Ok(())
        });
        assert!(drained.is_err());
    }
    assert_eq!(taken, 1);
}

#[test]
fn pool_goes_by_its_own_position_and_not_by_that_in_the_memory() {
    let (pool, worker) = pair();
    worker.word(CONSUMED).store(u64::MAX - 1, Ordering::SeqCst);
    worker.word(PRODUCED).store(u64::MAX, Ordering::SeqCst);
    worker
        .ring(u64::MAX - 1)
        .store(1 << 15 | 8, Ordering::SeqCst);
    assert!(pool.drain(&mut Vec::new(), |_, _| Ok(())).is_err());
}

#[test]
fn answer_of_a_worker_that_was_killed_while_it_wrote_is_none() {
    let (pool, worker) = pair();
    pool.send(1);
    assert!(worker.begin(1) && worker.push(VALUE, &[1; 20]).is_some());
    worker.begin_call(1, 1);
    // All of the answer but the last word written.
    worker.ring(4).store(u64::MAX, Ordering::SeqCst);
    let mut answers = 0;
    let drained = pool.drain(&mut Vec::new(), |_, _| {
        answers += 1;
        Ok(())
    });
    assert!(drained.unwrap());
    assert_eq!((answers, pool.begun(1)), (1, Some(1)));
}

#[test]
fn block_is_seen_when_it_is_closed_and_before_that_only_of_a_dead_worker() {
    let (pool, worker) = pair();
    let (mut block, mut body) = (Block::new(7), Vec::new());
    assert!(!pool.unfinished(7, &mut body));
    for round in 0..2000_u64 {
        assert!(worker.add(&mut block, &round.to_le_bytes()));
        assert!(worker.add(&mut block, &[1; 16]));
        assert!(!pool.drain(&mut Vec::new(), |_, _| Ok(())).unwrap());
        assert!(pool.unfinished(7, &mut body) && !pool.unfinished(8, &mut Vec::new()));
        assert_eq!((body.len(), &body[..8]), (24, &round.to_le_bytes()[..]));
        worker.close(&mut block, 5).unwrap();
        let drained = pool.drain(&mut Vec::new(), |entry, seen| {
            assert_eq!((entry.number, entry.time, seen), (7, 5, &body[..]));
            Ok(())
        });
        assert!(drained.unwrap());
        // Whatever was there a round ago.
        assert!(!pool.unfinished(7, &mut Vec::new()));
    }
}

#[test]
fn block_takes_what_an_entry_can_hold_and_no_more() {
    let (_pool, worker) = pair();
    let mut block = Block::new(1);
    let added = std::iter::repeat_with(|| worker.add(&mut block, &[0; 8]));
    assert_eq!(added.take_while(|is_in| *is_in).count() as u64, MOST);
    assert!(worker.close(&mut block, 0).is_some() && worker.close(&mut block, 0).is_none());
    assert!(worker.add(&mut block, &[0; 8]));
}

/// Spends a moment, or none, that differs from one to the next.
struct Pauses(u32);

impl Pauses {
    fn pause(&mut self) {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        match self.0 % 64 {
            0 => thread::yield_now(),
            1..16 => (0..self.0 % 256).for_each(|_| spin_loop()),
            _ => {}
        }
    }
}

fn is_unread(worker: &Ledger) -> bool {
    let produced = worker.position.load(Ordering::Relaxed);
    worker.word(CONSUMED).load(Ordering::Acquire) < produced
}

/// A worker that rings as it is to, and now and then has no more answers until those there
/// are were taken: if nobody was told of the last, both wait.
fn answer_many(worker: &Ledger, door: &Sender<()>, pool_is_there: &Arc<()>) {
    let mut pauses = Pauses(1);
    for number in 0..MANY {
        let body = number.to_le_bytes().repeat((number % 9) as usize);
        let answer = Entry { number, ..VALUE };
        while worker.push(answer, &body).is_none() && Arc::strong_count(pool_is_there) > 1 {
            thread::yield_now();
        }
        if worker.ring_up() {
            door.send(()).unwrap();
        }
        pauses.pause();
        // Waits long enough for a pool that runs, and then lets it run.
        for round in 0.. {
            if pauses.0.is_multiple_of(4)
                || !is_unread(worker)
                || Arc::strong_count(pool_is_there) == 1
            {
                break;
            }
            match round % 256 {
                255 => thread::yield_now(),
                _ => spin_loop(),
            }
        }
    }
}

/// A pool that takes answers when it is told to, and not otherwise.
fn take_many(pool: &Ledger, door: &Receiver<()>, _is_there: Arc<()>) {
    let (mut pauses, mut scratch, mut next) = (Pauses(2), Vec::new(), 0);
    let mut drain = || {
        let drained = pool.drain(&mut scratch, |answer, body| {
            assert_eq!(answer.number, next);
            assert_eq!(body, next.to_le_bytes().repeat((next % 9) as usize));
            next += 1;
            Ok(())
        });
        drained.unwrap();
        next
    };
    while drain() < MANY {
        pauses.pause();
        pool.listen();
        pauses.pause();
        if drain() < MANY {
            let told = (0..1000).find_map(|_| door.try_recv().ok());
            let told = told.or_else(|| door.recv_timeout(LONG).ok());
            told.expect("there are answers that nobody has told of");
        }
    }
}

#[test]
fn worker_and_pool_at_the_same_time_miss_no_answer_and_no_ring() {
    let (pool, worker) = pair();
    let (tx, rx) = channel();
    let is_there = Arc::new(());
    let pool_is_there = Arc::clone(&is_there);
    thread::scope(|scope| {
        scope.spawn(|| answer_many(&worker, &tx, &pool_is_there));
        take_many(&pool, &rx, is_there);
    });
}

#[test]
fn job_that_both_want_at_the_same_time_goes_to_one() {
    let (pool, worker) = pair();
    let (tx, rx) = channel();
    let begun = thread::scope(|scope| {
        let begun = scope.spawn(|| {
            let mut pauses = Pauses(3);
            let begin = |number| {
                pauses.pause();
                worker.begin(number)
            };
            rx.into_iter().map(begin).collect::<Vec<bool>>()
        });
        let mut pauses = Pauses(4);
        let mut back = Vec::new();
        for number in 0..WINDOW {
            pool.send(number);
            tx.send(number).unwrap();
            pauses.pause();
            back.push(pool.take_back(number));
        }
        drop(tx);
        (begun.join().unwrap(), back)
    });
    let (begun, back) = begun;
    assert!(begun.iter().zip(&back).all(|(begun, back)| begun != back));
}

#[test]
fn time_keeps_its_first_digits() {
    for nanos in [0, 1, 300, 1_000_000, 60_000_000_000] {
        let back = unpack_time(pack_time(nanos));
        assert!(back.abs_diff(nanos) <= nanos / 100, "{nanos} {back}");
    }
}
