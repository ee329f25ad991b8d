//! Runs a function in a process of its own, and the same function here beside it.
//!
//! `cargo run --example 20_run_function`, with `watch pstree -a $$` in another terminal.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::time::Duration;

use treewright::{open_nursery, sleep};

/// Works in many small steps, and says in which process.
#[treewright::task]
async fn burn_cpu(steps: u32) -> u32 {
    for _ in 0..steps {
        sleep(Duration::from_micros(20)).await;
    }
    std::process::id()
}

#[treewright::main]
async fn main() -> treewright::Result<()> {
    let pid = open_nursery(async |n| {
        let burner = n.run_in_actor(burn_cpu(500)).await?;
        // Burn rubber in the parent, too.
        burn_cpu(500).await;
        burner.result().await
    })
    .await?;
    assert_ne!(pid, std::process::id());
    println!("collected the process that ran the function");
    Ok(())
}
