//! A publisher with subscribers in processes of their own, which say what they want to hear.
//!
//! `cargo run --example 34_publish`

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use serde::{Deserialize, Serialize};
use treewright::{Context, MsgStream, Result, open_nursery};

/// What numbers there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Topic {
    Even,
    Odd,
}

/// Subscribes to a topic, and says in the end what the numbers of it come to.
#[treewright::context]
async fn subscriber(ctx: Context<(), u64, Topic>, topic: Topic) -> Result<u64> {
    let mut stream = ctx.started(()).await?.open_stream().await?;
    stream.send(topic).await?;
    let mut sum = 0;
    while let Some(number) = stream.try_next().await? {
        sum += number;
    }
    Ok(sum)
}

/// Sends each number to those who want it. The slowest of them makes the others wait.
async fn publish(seats: &mut [(Topic, MsgStream<Topic, u64>)], upto: u64) -> Result<()> {
    for number in 0..upto {
        let topic = match number % 2 {
            0 => Topic::Even,
            _ => Topic::Odd,
        };
        for (_, stream) in seats.iter_mut().filter(|(wanted, _)| *wanted == topic) {
            stream.send(number).await?;
        }
    }
    Ok(())
}

#[treewright::main]
async fn main() -> Result<()> {
    open_nursery(async |n| {
        let (mut seats, mut contexts) = (Vec::new(), Vec::new());
        for (name, topic) in [("a", Topic::Even), ("b", Topic::Odd), ("c", Topic::Even)] {
            let portal = n.start_actor(name).await?;
            let (ctx, ()) = portal.open_context(subscriber(topic)).await?;
            let mut stream = ctx.open_stream().await?;
            let wanted = stream
                .try_next()
                .await?
                .expect("a subscriber says what it wants");
            seats.push((wanted, stream));
            contexts.push((portal, ctx));
        }
        publish(&mut seats, 1000).await?;
        drop(seats);
        for (portal, ctx) in contexts {
            println!("{} has heard {}", portal.id().name(), ctx.result().await?);
            portal.cancel_actor().await?;
        }
        Ok(())
    })
    .await
}
