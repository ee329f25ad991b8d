//! Uses of contexts and streams that the types refuse.

use treewright::{Context, Portal, Result, StreamSender, context, stream, task};

struct Picture;

#[context]
async fn sends_what_does_not_travel(_ctx: Context<(), u8, Picture>) {}

#[stream]
async fn yields_what_does_not_travel(_out: StreamSender<Picture>) {}

type NumberResult = Result<u64>;

#[stream]
async fn hides_that_it_returns_a_value(_out: StreamSender<u8>) -> NumberResult {
    Ok(0)
}

#[context]
async fn starts_twice(ctx: Context<u8>) -> Result<()> {
    ctx.started(1).await?;
    ctx.started(2).await?;
    Ok(())
}

#[context]
async fn opens_its_stream_before_it_has_started(ctx: Context<u8, u8, u8>) -> Result<()> {
    let _stream = ctx.open_stream().await?;
    Ok(())
}

#[context]
async fn starts_with_another_type(ctx: Context<u8>) -> Result<()> {
    ctx.started("one").await?;
    Ok(())
}

#[task]
async fn add(a: u32, b: u32) -> u32 {
    a + b
}

#[context]
async fn talk(ctx: Context<u8, u8, u8>) -> Result<()> {
    ctx.started(1).await?;
    Ok(())
}

// Awaited, each of them is told several times.
fn of_another_kind(portal: &Portal) {
    drop(portal.run(talk()));
    drop(portal.open_context(add(1, 2)));
    drop(portal.open_stream_from(add(1, 2)));
}

async fn with_nobody_to_talk_with() {
    talk().await;
}

async fn sends_what_the_function_does_not_receive(portal: Portal) -> Result<()> {
    let (ctx, _first) = portal.open_context(talk()).await?;
    let mut stream = ctx.open_stream().await?;
    stream.send("text").await?;
    Ok(())
}

fn main() {}
