//! A pool that is a child of a tree, trees/primes.toml, and is shared by the actors beside it.
//!
//! The pool is one process with workers of its own. Whoever is in the tree finds it by its name and
//! submits jobs as to a pool of his own. A worker that dies costs the job that it ran; the pool
//! itself is started again by its supervisor, as any child is.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::process::ExitCode;

use treewright::{ProcessPool, Result, Runtime, Tree};

#[treewright::task]
async fn is_prime(n: u64) -> bool {
    n > 1
        && (2..)
            .take_while(|d| d * d <= n)
            .all(|d| !n.is_multiple_of(d))
}

#[treewright::task]
async fn crash() {
    std::process::abort();
}

/// Counts primes, many at a time in whichever workers have time.
#[treewright::task]
async fn counter(to: u64) -> Result<()> {
    let pool = ProcessPool::connect("sieve").await?;
    let mut results = pool.map((0..to).map(is_prime)).unordered();
    let mut count = 0;
    while let Some(is_prime) = results.try_next().await? {
        count += u64::from(is_prime);
    }
    println!("{count} primes below {to}");
    Ok(())
}

/// Costs the pool a worker, and goes on.
#[treewright::task]
async fn careless() -> Result<()> {
    let pool = ProcessPool::connect("sieve").await?;
    let bad = pool.submit(crash());
    let good = pool.submit(is_prime(112_272_535_095_293));
    if let Err(error) = bad.await {
        let lost = error.worker_lost().map(|lost| lost.exit().to_string());
        println!("the bad job: its worker {}", lost.unwrap_or_default());
    }
    println!("the good job: {}", good.await?);
    Ok(())
}

fn main() -> Result<ExitCode> {
    treewright::bootstrap();
    let tree = Tree::load(concat!(env!("CARGO_MANIFEST_DIR"), "/trees/primes.toml"))?;
    // Ctrl-C stops the tree in order, a second one kills it.
    let runtime = Runtime::builder().handle_signals(false);
    let outcome = runtime.run(async || tree.run_in_foreground(None, |_| {}).await)?;
    Ok(ExitCode::from(outcome.exit_code()))
}
