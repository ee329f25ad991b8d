//! A job that never ends is ended, with the worker that runs it; the others do not notice.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::time::Duration;

use treewright::ProcessPool;

/// Runs away: it never comes to an await, so only its process can be stopped.
#[treewright::task]
async fn run_away(from: u64) -> u64 {
    let mut n = from;
    loop {
        n = std::hint::black_box(n.wrapping_mul(3));
    }
}

#[treewright::task]
async fn square(n: u64) -> u64 {
    n * n
}

fn main() -> treewright::Result<()> {
    treewright::bootstrap();
    let pool = ProcessPool::builder().workers(2).build()?;

    // The time before it begins does not count.
    let runaway = pool
        .job(run_away(1))
        .timeout(Duration::from_millis(200))
        .submit();
    let squares = pool.map((1..=5).map(square)).blocking();
    let squares: Vec<u64> = squares.collect::<treewright::Result<_>>()?;
    println!("squares: {squares:?}");
    if let Err(error) = runaway.result_blocking() {
        println!("runaway: timed out: {}", error.is_timeout());
    }

    // To wait for a limited time only is something else: the job goes on meanwhile.
    let mut job = pool.submit(run_away(2));
    let outcome = job.result_timeout_blocking(Duration::from_millis(50));
    let is_timeout = outcome.is_err_and(|error| error.is_timeout());
    println!(
        "waited: {is_timeout}, and it goes on: {}",
        !job.is_finished()
    );
    // Dropped, it is cancelled; it does not listen, but no process outlives its pool.
    drop(job);
    println!("3 squared is {}", pool.submit(square(3)).result_blocking()?);
    Ok(())
}
