//! Calls of a function in an actor: one at a time on one core and on two, and many at once.

use std::cell::Cell;
use std::time::Instant;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde::{Deserialize, Serialize};
use treewright::{Portal, Result, open_nursery};

use crate::{floor, median, print_line};

const ROUNDS: usize = 5;
const CALLS: usize = 20_000;
const CALLS_AT_ONCE: usize = 200_000;

/// Of 64 bytes, as is what the floor sends.
#[derive(Serialize, Deserialize)]
struct Message {
    id: u64,
    verb: u64,
    #[serde(with = "serde_bytes")]
    body: Vec<u8>,
}

#[treewright::task]
async fn answer(message: Message) -> Message {
    message
}

pub(crate) fn measure() {
    let all = sched_getaffinity(None).unwrap();
    let mut one = CpuSet::new();
    one.set((0..CpuSet::MAX_CPU).find(|core| all.is_set(*core)).unwrap());
    sched_setaffinity(None, &one).unwrap();
    one_at_a_time("a call and its answer, one at a time, one core");
    sched_setaffinity(None, &all).unwrap();
    one_at_a_time("the same, all cores");
    at_once();
}

/// Calls of ours with `callers` at a time, for who looks with a profiler.
pub(crate) fn profile(callers: usize) {
    let (mut times, seconds) = calls(callers, CALLS_AT_ONCE);
    let a_second = CALLS_AT_ONCE as f64 / seconds;
    println!(
        "{a_second:.0} /s, {:.1} µs in the median",
        median(&mut times)
    );
}

fn one_at_a_time(title: &str) {
    let (mut floors, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        floors.push(median(&mut floor::calls(1, CALLS).0));
        ours.push(median(&mut calls(1, CALLS).0));
    }
    let floor = median(&mut floors);
    println!("\n{title}; medians of {ROUNDS} times {CALLS}");
    print_line("floor: smol, CBOR, answers by id", floor, "µs", floor);
    print_line("ours: Portal::run", median(&mut ours), "µs", floor);
}

fn at_once() {
    let per_second = |(_, seconds): (Vec<f64>, f64)| CALLS_AT_ONCE as f64 / seconds;
    let (mut floors, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        floors.push(per_second(floor::calls(64, CALLS_AT_ONCE)));
        ours.push(per_second(calls(64, CALLS_AT_ONCE)));
    }
    let floor = median(&mut floors);
    println!("\ncalls per second, 64 at a time; medians of {ROUNDS} times {CALLS_AT_ONCE}");
    print_line("floor: smol, CBOR, answers by id", floor, "/s", floor);
    print_line("ours: Portal::run", median(&mut ours), "/s", floor);
}

/// How long each of `total` calls takes, in microseconds, with `callers` at a time; and all.
fn calls(callers: usize, total: usize) -> (Vec<f64>, f64) {
    treewright::run(async || {
        open_nursery(async |n| {
            let portal = n.start_actor("answers").await?;
            let begin = Instant::now();
            let times = call_all(&portal, callers, total).await?;
            let seconds = begin.elapsed().as_secs_f64();
            portal.cancel_actor().await?;
            Ok((times, seconds))
        })
        .await
    })
    .unwrap()
}

async fn call_all(portal: &Portal, callers: usize, total: usize) -> Result<Vec<f64>> {
    let left = Cell::new(total);
    let times = std::cell::RefCell::new(Vec::with_capacity(total));
    let (left, times_of_all) = (&left, &times);
    open_nursery(async |n| {
        for _ in 0..callers {
            n.spawn(async move {
                while left.get() > 0 {
                    left.set(left.get() - 1);
                    let id = left.get() as u64;
                    let message = Message {
                        id,
                        verb: 7,
                        body: vec![5; 48],
                    };
                    let begin = Instant::now();
                    let message = portal.run(answer(message)).await?;
                    times_of_all
                        .borrow_mut()
                        .push(begin.elapsed().as_secs_f64() * 1e6);
                    assert_eq!(message.id, id);
                }
                Ok::<_, treewright::Error>(())
            });
        }
        Ok(())
    })
    .await?;
    Ok(times.into_inner())
}
