//! What a nursery costs, beside the floor of the same work without one.
//!
//! `cargo bench --bench nursery`. Each line is the median of several rounds; ours and the
//! floor take turns in the same run, so that their ratio holds on a noisy machine. What
//! never waits is measured in processor time of its thread, processes in real time.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints, and fails loudly"
)]

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use async_executor::LocalExecutor;
use futures_lite::future::{block_on, yield_now};
use rustix::time::{ClockId, clock_gettime};
use treewright::process::Command;
use treewright::{Nursery, Result, open_nursery, run};

const ROUNDS: usize = 11;

fn main() {
    println!("{:<44} {:>10} {:>10} {:>7}", "", "ours", "floor", "ratio");
    empty();
    tasks();
    for depth in [1, 2, 4, 8, 16] {
        wake(depth);
    }
    command();
}

/// Medians of `ours` and `floor`, per one of `count`.
fn compare(
    name: &str,
    clock: ClockId,
    count: u32,
    mut ours: impl FnMut(),
    mut floor: impl FnMut(),
) {
    let time = |work: &mut dyn FnMut()| {
        let began = now(clock);
        work();
        (now(clock) - began) / count
    };
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        first.push(time(&mut ours));
        second.push(time(&mut floor));
    }
    let (ours, floor) = (median(first), median(second));
    let ratio = ours.as_secs_f64() / floor.as_secs_f64();
    println!("{name:<44} {ours:>10.1?} {floor:>10.1?} {ratio:>6.2}x");
}

fn now(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// A nursery in which nothing is started; the floor is an executor that runs the same body.
fn empty() {
    const COUNT: u32 = 20_000;
    let ours = || {
        block_on(async {
            for _ in 0..COUNT {
                open_nursery(async |_| Ok(())).await.unwrap();
            }
        });
    };
    let floor = || {
        block_on(async {
            for _ in 0..COUNT {
                LocalExecutor::new().run(async {}).await;
            }
        });
    };
    compare(
        "empty nursery, opened and ended",
        ClockId::ThreadCPUTime,
        COUNT,
        ours,
        floor,
    );
}

/// Tasks that end at once; the floor is the bare executor.
fn tasks() {
    const COUNT: u32 = 20_000;
    let ours = || {
        block_on(open_nursery(async |n| {
            for _ in 0..COUNT {
                n.spawn(async {});
            }
            Ok(())
        }))
        .unwrap();
    };
    let floor = || {
        let executor = LocalExecutor::new();
        block_on(executor.run(async {
            let tasks: Vec<_> = (0..COUNT).map(|_| executor.spawn(async {})).collect();
            for task in tasks {
                task.await;
            }
        }));
    };
    compare(
        "local task, started and ended",
        ClockId::ThreadCPUTime,
        COUNT,
        ours,
        floor,
    );
}

/// A task that gives way many times, in nurseries `depth` deep; the floor is one executor.
fn wake(depth: u32) {
    const COUNT: u32 = 20_000;
    let ours = || block_on(nested(depth)).unwrap();
    let floor = || {
        let executor = LocalExecutor::new();
        block_on(executor.run(executor.spawn(give_way())));
    };
    let name = format!("wake of a task, {depth} deep");
    compare(&name, ClockId::ThreadCPUTime, COUNT, ours, floor);

    async fn give_way() {
        for _ in 0..COUNT {
            yield_now().await;
        }
    }

    fn nested(depth: u32) -> Pin<Box<dyn Future<Output = Result<()>>>> {
        Box::pin(open_nursery(async move |n: Nursery<'_>| match depth {
            1 => n.spawn(give_way()).result().await,
            _ => n.spawn(nested(depth - 1)).result().await,
        }))
    }
}

/// `true`, one after the other; the floor is the standard library.
fn command() {
    const COUNT: u32 = 200;
    let ours = || {
        run(async || {
            open_nursery(async |n| {
                for _ in 0..COUNT {
                    n.command(Command::new("true")).run().await?;
                }
                Ok(())
            })
            .await
        })
        .unwrap();
    };
    let floor = || {
        for _ in 0..COUNT {
            std::process::Command::new("true").status().unwrap();
        }
    };
    compare(
        "command `true`, started and reaped",
        ClockId::Monotonic,
        COUNT,
        ours,
        floor,
    );
}
