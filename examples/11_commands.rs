//! Plain programs in a nursery: started, waited for, stopped; nothing of them is left.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "an example shows what it does, and fails when it does something else"
)]

use std::time::Duration;

use treewright::process::Command;
use treewright::{Nursery, Result, Runtime, open_nursery, sleep};

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

fn main() -> Result<()> {
    treewright::bootstrap();
    let runtime = Runtime::builder().grace(Duration::from_millis(200));
    runtime.run(async || {
        open_nursery(async |n| ask(&n).await).await?;
        open_nursery(async |n| stop(&n).await).await?;
        fail().await;
        Ok(())
    })
}

/// `output`, `status` and `run` hand the end of a program to whoever asks.
async fn ask(n: &Nursery<'_>) -> Result<()> {
    let output = n.command(shell("echo hello; exit 3")).output().await?;
    let text = String::from_utf8_lossy(&output.stdout);
    println!("it said {:?} and {}", text.trim(), output.exit);
    let error = n.command(shell("exit 4")).name("checker").run().await;
    println!("run: {}", error.unwrap_err());
    Ok(())
}

/// `start` makes it a member: the nursery waits for it, and can stop it.
async fn stop(n: &Nursery<'_>) -> Result<()> {
    let polite = n.command(shell("exec sleep 3600")).start().await?;
    println!("polite: {}", polite.stop().await);
    n.command(shell("trap '' TERM; sleep 3600")).start().await?;
    sleep(Duration::from_millis(50)).await;
    n.cancel("the stubborn one is killed when its grace is over");
    Ok(())
}

/// A member that ends badly fails the nursery, which stops all the others.
async fn fail() {
    let outcome = open_nursery(async |n| {
        n.command(shell("exec sleep 3600")).start().await?;
        n.command(shell("exit 5")).name("web").start().await?;
        sleep(Duration::from_secs(3600)).await;
        Ok(())
    })
    .await;
    println!("failed: {}", outcome.unwrap_err());
}
