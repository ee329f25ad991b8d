//! Questions and answers over a stream on which the other side also speaks unasked.
//!
//! `cargo run --example 33_request_reply`

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use serde::{Deserialize, Serialize};
use treewright::{Context, Result, open_nursery};

/// A question, with the number that its answer will have.
#[derive(Serialize, Deserialize)]
struct Question {
    id: u64,
    number: u64,
}

/// What the oracle says.
#[derive(Serialize, Deserialize)]
enum Said {
    /// Of its own accord.
    News(String),
    /// To the question of this id.
    Answer { id: u64, square: u64 },
}

/// Answers each question, and has some news before every second one.
#[treewright::context]
async fn oracle(ctx: Context<(), Question, Said>) -> Result<()> {
    let mut stream = ctx.started(()).await?.open_stream().await?;
    while let Some(Question { id, number }) = stream.try_next().await? {
        if id % 2 == 0 {
            stream
                .send(Said::News(format!("{number} is asked for")))
                .await?;
        }
        let square = number * number;
        stream.send(Said::Answer { id, square }).await?;
    }
    Ok(())
}

#[treewright::main]
async fn main() -> Result<()> {
    open_nursery(async |n| {
        let portal = n.start_actor("oracle").await?;
        portal
            .with_context(oracle(), async |ctx, ()| {
                let mut stream = ctx.open_stream().await?;
                for (id, number) in [7, 8, 9].into_iter().enumerate() {
                    let id = id as u64;
                    stream.send(Question { id, number }).await?;
                    while let Some(said) = stream.try_next().await? {
                        match said {
                            Said::News(news) => println!("news: {news}"),
                            Said::Answer { id: of, square } if of == id => {
                                println!("{number} squared is {square}");
                                break;
                            }
                            Said::Answer { .. } => {}
                        }
                    }
                }
                stream.close().await
            })
            .await?;
        portal.cancel_actor().await?;
        Ok(())
    })
    .await
}
