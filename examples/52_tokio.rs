//! A program of tokio that leaves hard work to a pool, and goes on meanwhile.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::io;
use std::time::Duration;

use futures_lite::future::{or, zip};
use treewright::{ProcessPool, Shutdown, as_completed};

/// The length of the way to 1 by the rule of Collatz.
#[treewright::task]
async fn steps(start: u64) -> u32 {
    let next = |n: &u64| match n % 2 {
        _ if *n == 1 => None,
        0 => Some(n / 2),
        _ => Some(3 * n + 1),
    };
    let way = std::iter::successors(Some(start), next);
    u32::try_from(way.count() - 1).unwrap_or(u32::MAX)
}

/// Takes its time.
#[treewright::task]
async fn dawdle() {
    treewright::sleep(Duration::from_secs(3600)).await;
}

async fn compute(pool: ProcessPool) -> treewright::Result<()> {
    // A job is a future like any other: tokio can spawn it, join it, or drop it.
    let there = tokio::spawn(pool.submit(steps(27)));
    let (one, other) = zip(pool.submit(steps(97)), pool.submit(steps(871))).await;
    println!("97 takes {} steps, 871 takes {}", one?, other?);
    println!("27 takes {} steps", there.await.map_err(io::Error::other)??);

    let mut longest = (0, 0);
    let mut results = pool.map((1..10_000).map(steps));
    let mut start = 1;
    while let Some(steps) = results.try_next().await? {
        longest = longest.max((steps, start));
        start += 1;
    }
    println!("{} takes {} steps", longest.1, longest.0);

    let mut jobs = as_completed([1, 2, 4, 8].map(|n| pool.submit(steps(n))));
    let mut total = 0;
    while let Some((_, steps)) = jobs.next().await {
        total += steps?;
    }
    println!("powers of two: {total} steps in all");

    // What loses the race is dropped, and so cancelled.
    let slow = async { pool.submit(dawdle()).await.map(|()| "the sleeper") };
    let fast = async { pool.submit(steps(6)).await.map(|_| "the quick one") };
    println!("{} was faster", or(slow, fast).await?);
    Ok(())
}

fn main() -> treewright::Result<()> {
    treewright::bootstrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let pool = ProcessPool::builder().workers(2).build()?;
    runtime.block_on(async {
        compute(pool.clone()).await?;
        pool.shutdown(Shutdown::Wait).await;
        Ok(())
    })
}
