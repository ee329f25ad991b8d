//! An error two processes away: it ends everything around it, and comes back whole.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "an example shows what it does, and fails when it does something else"
)]

use std::time::Duration;

use treewright::{ErrorContext, Result, open_nursery, sleep};

/// Fails for a reason that the standard library knows.
#[treewright::task]
async fn read_settings(path: String) -> Result<String> {
    std::fs::read_to_string(&path).with_context(|| format!("cannot read settings `{path}`"))
}

/// Would run for ever.
#[treewright::task]
async fn idle() {
    sleep(Duration::MAX).await;
}

/// Has two actors below it. One of them fails, and so the other is cancelled.
#[treewright::task]
async fn supervise() -> Result<String> {
    open_nursery(async |n| {
        n.actor("idler").run(idle()).await?;
        let reader = n.actor("reader");
        let reader = reader.run(read_settings("/nonexistent.toml".to_owned()));
        reader.await?.result().await
    })
    .await
}

#[treewright::main]
async fn main() -> Result<()> {
    let outcome = open_nursery(async |n| {
        let manager = n.actor("manager").run(supervise()).await?;
        manager.result().await
    });
    let error = outcome.await.unwrap_err();
    println!("{error}");
    let remote = error.remote().unwrap();
    println!("origin: {}", remote.origin().name());
    for actor in remote.relay() {
        println!("relayed by: {}", actor.name());
    }
    for cause in remote.causes() {
        println!("caused by: {cause}");
    }
    println!("made at: {}", remote.location().unwrap_or("unknown"));
    Ok(())
}
