//! A tree of processes that destroys itself: one error, and no process is left.
//!
//! `cargo run --example 21_self_destruct`, with `watch pstree -a $$` in another terminal.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::time::Duration;

use treewright::{Error, Result, current_actor, open_nursery, sleep};

/// Says who it is, and would then run for ever.
#[treewright::task]
async fn target() -> Result<()> {
    println!("{} is up", current_actor()?.name());
    sleep(Duration::MAX).await;
    Ok(())
}

#[treewright::main]
async fn main() {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let outcome = open_nursery(async |n| {
        for i in 0..workers {
            n.actor(format!("worker_{i}")).run(target()).await?;
        }
        println!("this process tree will self-destruct in 1 s…");
        sleep(Duration::from_secs(1)).await;
        Err::<(), _>(Error::other("self-destructed"))
    })
    .await;
    // Every process is reaped by now.
    if let Err(error) = outcome {
        println!("zombies contained: {error}");
    }
}
