//! Actors that another one than their parent asks to end, and those that may not be asked.

use treewright::{
    CancelOrigin, Context, Portal, Result, find_actor, open_nursery, run, wait_for_actor,
};

use super::super::support::{Post, hang, say};
use super::find::who;
use crate::guard::guarded;

/// Asks the actor of this name to end.
#[treewright::task]
async fn end(name: String) -> Result<()> {
    let found = wait_for_actor(&name).await?;
    found.cancel_actor().await?;
    // It is reaped by now.
    assert!(find_actor(&name).await?.is_none());
    Ok(())
}

#[test]
fn actor_that_another_one_ends_fails_its_nursery_which_names_who_asked() {
    guarded(|| {
        run(async || {
            let mut post = Post::new();
            open_nursery(async |n| {
                let canceller = n.start_actor("canceller").await?;
                let ended = open_nursery(async |m| {
                    let victim = m.start_actor("victim").await?;
                    let call = victim.run(hang(post.address()));
                    let done = canceller.run(end("victim".to_owned()));
                    let (call, done) = futures_lite::future::zip(call, done).await;
                    done?;
                    call
                })
                .await
                .unwrap_err();
                let origin = ended.cancel_reason().unwrap().origin().clone();
                assert_eq!(origin, CancelOrigin::Actor(canceller.id().clone()));
                assert!(post.line().await.starts_with("pid "));
                post.expect("dropped").await;
                canceller.cancel_actor().await?;
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

/// Starts an actor below, which tries to end the root and this one's parent.
#[treewright::task]
async fn rebel() -> Result<Vec<String>> {
    open_nursery(async |n| {
        let below = n.start_actor("below").await?;
        let errors = below.run(end_those_above()).await?;
        below.cancel_actor().await?;
        Ok(errors)
    })
    .await
}

#[treewright::task]
async fn end_those_above() -> Result<Vec<String>> {
    let mut errors = Vec::new();
    for name in ["root", "middle"] {
        let above = find_actor(name).await?.unwrap();
        errors.push(above.cancel_actor().await.unwrap_err().to_string());
        // And the link is as good as before.
        above.run(who()).await?;
    }
    Ok(errors)
}

#[test]
fn actor_above_is_not_ended_by_one_below() {
    guarded(|| {
        run(async || {
            open_nursery(async |n| {
                let middle = n.start_actor("middle").await?;
                let errors = middle.run(rebel()).await?;
                for error in &errors {
                    assert!(error.contains("is not ended by this one"), "{error}");
                }
                assert_eq!(errors.len(), 2);
                middle.cancel_actor().await?;
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

/// Is there until it is cancelled.
#[treewright::context(public)]
async fn stay(ctx: Context<(), (), ()>) -> Result<()> {
    let _started = ctx.started(()).await?;
    std::future::pending().await
}

/// Has a context with an actor until somebody ends it, and gives who that was.
async fn until_ended(found: Portal, post: &str) -> Result<CancelOrigin> {
    let (ctx, ()) = found.open_context(stay()).await?;
    say(post, "stays");
    // It did not ask for it, so that it is an error also as an outcome.
    let error = ctx.outcome().await.unwrap_err();
    assert!(ctx.result().await.unwrap_err().is_cancelled());
    Ok(error.cancel_reason().unwrap().origin().clone())
}

#[treewright::task]
async fn stay_with(post: String, name: String) -> Result<CancelOrigin> {
    until_ended(wait_for_actor(&name).await?, &post).await
}

#[test]
fn every_context_with_an_actor_that_another_one_ends_is_told_who_it_was() {
    guarded(|| {
        run(async || {
            let mut post = Post::new();
            open_nursery(async |n| {
                let canceller = n.start_actor("canceller").await?;
                let bystander = n.start_actor("bystander").await?;
                let address = post.address();
                let call = stay_with(address.clone(), "victim".to_owned());
                let theirs = n.spawn(async move { bystander.run(call).await });
                let mut ours = None;
                let ended = open_nursery(async |m| {
                    let victim = m.start_actor("victim").await?;
                    ours = Some(n.spawn(async move { until_ended(victim, &address).await }));
                    assert_eq!(post.sorted(2).await, ["stays", "stays"]);
                    canceller.run(end("victim".to_owned())).await?;
                    m.cancelled().await;
                    Ok(())
                })
                .await;
                let expected = CancelOrigin::Actor(canceller.id().clone());
                let error = ended.unwrap_err();
                assert_eq!(error.cancel_reason().unwrap().origin(), &expected);
                assert_eq!(theirs.result().await?, expected);
                assert_eq!(ours.unwrap().result().await?, expected);
                canceller.cancel_actor().await?;
                n.cancel("all were told");
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}
