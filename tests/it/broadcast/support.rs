//! An actor to talk to, and functions that talk.

use treewright::{BroadcastReceiver, Context, Nursery, Portal, Result, open_nursery, run};

/// Runs `body` with an actor of this program, which is ended after it.
pub(super) fn with_actor(body: impl AsyncFnOnce(&Nursery<'_>, &Portal) -> Result<()>) {
    run(async || {
        open_nursery(async |n| {
            let portal = n.start_actor("other").await?;
            body(&n, &portal).await?;
            portal.cancel_actor().await?;
            Ok(())
        })
        .await
    })
    .unwrap();
}

/// Whenever it is sent a number, counts up to it, from 0.
#[treewright::context]
pub(super) async fn count(ctx: Context<(), u32, u32>) -> Result<()> {
    let mut stream = ctx.started(()).await?.open_stream().await?;
    while let Some(upto) = stream.try_next().await? {
        for number in 0..upto {
            stream.send(number).await?;
        }
    }
    Ok(())
}

/// What is read until the end of the stream.
pub(super) async fn rest(mut receiver: BroadcastReceiver<u32>) -> Result<Vec<u32>> {
    let mut all = Vec::new();
    while let Some(number) = receiver.try_next().await? {
        all.push(number);
    }
    Ok(all)
}

/// The next numbers of anything that has some.
macro_rules! take {
    ($receiver:expr, $count:expr) => {{
        let mut taken: Vec<u32> = Vec::new();
        for _ in 0..$count {
            taken.push($receiver.try_next().await?.unwrap());
        }
        taken
    }};
}
pub(super) use take;
