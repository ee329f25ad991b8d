//! Jobs that do no harm when they run twice are run again when their worker dies.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::fs;
use std::io;
use std::path::PathBuf;

use treewright::ProcessPool;

/// Takes its worker down with it, so many times; then it gives which attempt that was.
#[treewright::task]
async fn crash(times: usize, attempts: PathBuf) -> io::Result<usize> {
    // What it remembers has to be outside of the worker.
    let before = fs::read(&attempts).map_or(0, |bytes| bytes.len());
    fs::write(&attempts, vec![b'x'; before + 1])?;
    match before < times {
        true => std::process::abort(),
        false => Ok(before + 1),
    }
}

#[treewright::task]
async fn double(n: u64) -> u64 {
    2 * n
}

fn main() -> treewright::Result<()> {
    treewright::bootstrap();
    let directory = tempfile::tempdir()?;
    let file = |name: &str| directory.path().join(name);
    let pool = ProcessPool::builder().workers(2).build()?;

    // Up to three times again, unless said.
    let job = pool.job(crash(2, file("a"))).idempotent().submit();
    println!("it went well in attempt {}", job.result_blocking()?);

    // Poison is not swallowed for ever.
    let job = pool.job(crash(100, file("b"))).retries(2).submit();
    if let Err(error) = job.result_blocking() {
        let attempts = error.worker_lost().map(|lost| lost.attempt());
        println!("given up after attempt {}", attempts.unwrap_or(0));
    }

    // Who does not say that it does no harm is not run again.
    let job = pool.submit(crash(1, file("c")));
    if let Err(error) = job.result_blocking() {
        let is_lost = error.worker_lost().is_some();
        println!("its worker died: {is_lost}");
    }

    // The pool has not suffered.
    println!(
        "and the pool? {}",
        pool.submit(double(21)).result_blocking()?
    );
    Ok(())
}
