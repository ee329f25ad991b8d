//! One stream, read by several tasks of this process: each gets every item, at its own pace.
//!
//! `cargo run --example 32_broadcast`

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use treewright::{Context, Result, open_nursery};

/// Sends the numbers below the one it is sent.
#[treewright::context]
async fn count(ctx: Context<(), u32, u32>) -> Result<()> {
    let mut stream = ctx.started(()).await?.open_stream().await?;
    while let Some(upto) = stream.try_next().await? {
        for number in 0..upto {
            stream.send(number).await?;
        }
    }
    Ok(())
}

#[treewright::main]
async fn main() -> Result<()> {
    open_nursery(async |n| {
        let portal = n.start_actor("counter").await?;
        let (ctx, ()) = portal.open_context(count()).await?;
        let mut stream = ctx.open_stream().await?;
        let mut readers = Vec::new();
        for _ in 0..3 {
            // Who falls more than 16 items behind the fastest is told how many it has missed.
            let mut numbers = stream.subscribe(16)?;
            readers.push(n.spawn(async move {
                let mut sum = 0;
                while let Some(number) = numbers.try_next().await? {
                    sum += number;
                }
                Ok::<_, treewright::Error>(sum)
            }));
        }
        stream.send(100).await?;
        stream.close_sending();
        for reader in readers {
            println!("a reader's sum: {}", reader.result().await?);
        }
        ctx.result().await?;
        portal.cancel_actor().await?;
        Ok(())
    })
    .await
}
