//! Two actors play ping-pong: a context, in which both sides send.
//!
//! `cargo run --example 30_ping_pong`

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use serde::{Deserialize, Serialize};
use treewright::{Context, Result, open_nursery};

#[derive(Debug, Serialize, Deserialize)]
struct Ping;

#[derive(Debug, Serialize, Deserialize)]
struct Pong;

/// Says how it has started, then answers each ping.
#[treewright::context]
async fn simple_rpc(ctx: Context<i64, Ping, Pong>, data: i64) -> Result<()> {
    let ctx = ctx.started(data + 1).await?;
    let mut stream = ctx.open_stream().await?;
    while let Some(Ping) = stream.try_next().await? {
        stream.send(Pong).await?;
    }
    Ok(())
}

#[treewright::main]
async fn main() -> Result<()> {
    open_nursery(async |n| {
        let portal = n.start_actor("rpc_server").await?;
        let (ctx, sent) = portal.open_context(simple_rpc(10)).await?;
        assert_eq!(sent, 11);
        let mut stream = ctx.open_stream().await?;
        stream.send(Ping).await?;
        for round in 1..10 {
            let Pong = stream.next().await.expect("the server answers each ping")?;
            println!("pong {round}");
            stream.send(Ping).await?;
        }
        stream.close().await?;
        ctx.result().await?;
        portal.cancel_actor().await?;
        Ok(())
    })
    .await
}
