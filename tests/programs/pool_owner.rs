//! A program with a pool whose workers are at work, and have pools themselves:
//! `pool_owner plain|scope POST`. It runs until a signal ends it.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of tests fails when it cannot do what it is for"
)]

use std::fs::OpenOptions;
use std::future::pending;
use std::io::Write;
use std::process::ExitCode;

use treewright::{PoolBuilder, ProcessPool, Result, Runtime, open_pool};

/// Tells who waits for it which process this is.
fn say_pid(post: &str) {
    let mut post = OpenOptions::new()
        .read(true)
        .write(true)
        .open(post)
        .unwrap();
    let line = format!("pid {}\n", std::process::id());
    post.write_all(line.as_bytes()).unwrap();
}

/// Says where it runs, and has a pool in which another does.
#[treewright::task]
async fn hold(post: String, levels: u32) -> Result<()> {
    say_pid(&post);
    if levels == 0 {
        return pending().await;
    }
    let pool = ProcessPool::builder().workers(1).build()?;
    pool.submit(hold(post, levels - 1)).await
}

/// Says where it runs, and lets go of nothing.
#[treewright::task]
async fn spin(post: String) {
    say_pid(&post);
    loop {
        std::hint::spin_loop();
    }
}

fn settings() -> PoolBuilder {
    ProcessPool::builder().workers(2)
}

async fn keep(pool: ProcessPool, post: String) -> Result<()> {
    let spinning = pool.submit(spin(post.clone()));
    pool.submit(hold(post, 1)).await?;
    spinning.await
}

fn main() -> ExitCode {
    treewright::bootstrap();
    let mut arguments = std::env::args().skip(1);
    let (how, post) = (arguments.next().unwrap(), arguments.next().unwrap());
    let outcome = match how.as_str() {
        "plain" => {
            let pool = settings().build().unwrap();
            futures_lite::future::block_on(keep(pool, post))
        }
        _ => Runtime::builder()
            .run(async || open_pool(settings(), async |pool| keep(pool, post).await).await),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
