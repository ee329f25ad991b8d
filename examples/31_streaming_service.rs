//! A streaming service of four processes: two that yield numbers, one that starts those two and
//! merges what they yield, and this one, which reads the merged stream.
//!
//! `cargo run --example 31_streaming_service`

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::collections::BTreeSet;

use smol::channel;
use treewright::{Error, ErrorKind, Result, StreamSender, open_nursery};

/// Yields numbers.
#[treewright::stream]
async fn numbers(mut out: StreamSender<u64>, upto: u64) -> Result<()> {
    for number in 0..upto {
        out.send(number).await?;
    }
    Ok(())
}

/// Starts two that yield the same numbers, and passes each number on once.
#[treewright::stream]
async fn merged(mut out: StreamSender<u64>, upto: u64) -> Result<()> {
    open_nursery(async |n| {
        let (merge, items) = channel::bounded(1);
        for name in ["left", "right"] {
            let (portal, merge) = (n.start_actor(name).await?, merge.clone());
            n.spawn(async move {
                let mut numbers = portal.open_stream_from(numbers(upto)).await?;
                while let Some(number) = numbers.try_next().await? {
                    merge
                        .send(number)
                        .await
                        .map_err(|gone| Error::wrap(ErrorKind::Closed, gone))?;
                }
                portal.cancel_actor().await?;
                Ok::<_, Error>(())
            });
        }
        drop(merge);
        let mut seen = BTreeSet::new();
        while let Ok(number) = items.recv().await {
            if seen.insert(number) {
                // Who reads slowly there makes the two below wait, through us.
                out.send(number).await?;
            }
        }
        Ok(())
    })
    .await
}

#[treewright::main]
async fn main() -> Result<()> {
    let (count, sum) = open_nursery(async |n| {
        let portal = n.start_actor("aggregator").await?;
        let mut items = portal.open_stream_from(merged(1000)).await?;
        let (mut count, mut sum) = (0, 0);
        while let Some(number) = items.try_next().await? {
            (count, sum) = (count + 1, sum + number);
        }
        portal.cancel_actor().await?;
        Ok((count, sum))
    })
    .await?;
    println!("{count} numbers, {sum} in all");
    Ok(())
}
