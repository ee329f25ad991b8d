//! A tree of processes within processes: each opens a nursery of its own.
//!
//! `cargo run --example 22_nested_tree`, with `watch pstree -a $$` in another terminal.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use treewright::{Result, current_actor, open_nursery};

/// Grows two branches below this actor, side by side, and gives the tree as lines.
#[treewright::task]
async fn grow(height: u32) -> Result<Vec<String>> {
    let name = current_actor()?.name().to_owned();
    let mut lines = vec![name.clone()];
    if height == 0 {
        return Ok(lines);
    }
    // A function that calls itself over other processes is a future within itself.
    let branches = Box::pin(open_nursery(async |n| {
        let left = n
            .actor(format!("{name}.left"))
            .run(grow(height - 1))
            .await?;
        let right = n
            .actor(format!("{name}.right"))
            .run(grow(height - 1))
            .await?;
        Ok([left.result().await?, right.result().await?])
    }));
    for branch in branches.await? {
        lines.extend(branch.into_iter().map(|line| format!("  {line}")));
    }
    Ok(lines)
}

#[treewright::main]
async fn main() -> Result<()> {
    // Called here, not in another process: this one is the root of the tree.
    for line in grow(2).await? {
        println!("{line}");
    }
    Ok(())
}
