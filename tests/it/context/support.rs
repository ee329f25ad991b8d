//! What tests of contexts share.

use std::future::pending;

use serde::{Deserialize, Serialize};
use treewright::{
    CancelOrigin, Context, Error, MsgStream, Portal, Result, StartedContext, open_nursery, run,
};

use crate::actor::support::{SayWhenDropped, say};

/// Runs `test` with an actor, which is cancelled when it is done.
pub(super) fn with_actor(test: impl AsyncFnOnce(Portal) -> Result<()>) {
    let outcome = run(async || {
        open_nursery(async |n| {
            let portal = n.start_actor("partner").await?;
            test(portal.clone()).await?;
            portal.cancel_actor().await?;
            Ok(())
        })
        .await
    });
    outcome.unwrap();
}

/// Who asked for the cancellation that `error` tells of.
pub(super) fn origin(error: &Error) -> CancelOrigin {
    let reason = error.cancel_reason();
    let reason = reason.unwrap_or_else(|| panic!("it tells of no cancellation: {error:?}"));
    reason.origin().clone()
}

/// The name of the actor that asked for it.
pub(super) fn canceller(error: &Error) -> String {
    match origin(error) {
        CancelOrigin::Actor(id) => id.name().to_owned(),
        other => panic!("no actor asked: {other:?}"),
    }
}

/// What comes is there already, or will be at once.
pub(super) async fn read_all<R, S>(stream: &mut MsgStream<R, S>) -> Result<Vec<R>>
where
    R: serde::de::DeserializeOwned + 'static,
    S: Serialize + 'static,
{
    let mut all = Vec::new();
    while let Some(message) = stream.try_next().await? {
        all.push(message);
    }
    Ok(all)
}

/// What [`converse`] does after its first value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Then {
    /// It returns "yo".
    Return,
    /// It never ends by itself.
    Hang,
    /// It sends back what comes, until no more comes, and returns "yo".
    Echo,
    /// It opens its stream, sends one message, and never ends by itself.
    SendAndHang,
    /// It opens its stream and fails when the first message has come.
    FailWhenTold,
}

/// A partner of many talents: its first value is `data` and one more. Says when it is dropped.
#[treewright::context]
pub(super) async fn converse(
    ctx: Context<i64, u64, u64>,
    post: String,
    data: i64,
    then: Then,
) -> Result<String> {
    let _told = SayWhenDropped(post.clone(), "torn down");
    // Said before, or others could be heard of earlier.
    say(&post, "started");
    let ctx = ctx.started(data + 1).await?;
    talk_on(&ctx, then).await?;
    Ok("yo".into())
}

async fn talk_on(ctx: &StartedContext<u64, u64>, then: Then) -> Result<()> {
    match then {
        Then::Return => {}
        Then::Hang => pending().await,
        Then::Echo => {
            let mut stream = ctx.open_stream().await?;
            while let Some(message) = stream.try_next().await? {
                stream.send(message).await?;
            }
        }
        Then::SendAndHang => {
            let mut stream = ctx.open_stream().await?;
            stream.send(0).await?;
            pending().await
        }
        Then::FailWhenTold => {
            let mut stream = ctx.open_stream().await?;
            stream.try_next().await?;
            return Err(Error::other("told to fail"));
        }
    }
    Ok(())
}
