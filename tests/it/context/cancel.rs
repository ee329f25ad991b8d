//! Cancelling contexts: who asked, what it is to whom, and what it does to the function.

use std::future::pending;

use futures_lite::future::zip;
use serde::{Deserialize, Serialize};
use treewright::{
    CancelOrigin, Context, Error, Outcome, Result, move_on_after, open_nursery, run, shielded,
};

use super::support::{Then, canceller, converse, with_actor};
use crate::actor::support::{Gate, MOMENT, Post, SayWhenDropped, pass, process_id, remote, say};
use crate::guard::guarded;

/// tractor: test_parent_cancels (by the context)
#[test]
fn cancel_by_the_opener_is_a_value_that_names_it_and_comes_after_the_end() {
    guarded(|| {
        with_actor(async |portal| {
            let mut post = Post::new();
            for then in [Then::Hang, Then::Echo, Then::SendAndHang] {
                let call = converse(post.address(), 1, then);
                let (ctx, _) = portal.open_context(call).await?;
                post.expect("started").await;
                let Outcome::Cancelled(reason) = ctx.cancel().await? else {
                    panic!("{then:?} does not end by itself");
                };
                let CancelOrigin::Actor(who) = reason.origin() else {
                    panic!("{then:?}: {reason:?}");
                };
                assert_eq!(who.name(), "root", "{then:?}");
                let place = reason.location().unwrap();
                assert!(place.starts_with(file!()), "{place}");
                // Its last word was on its way before the answer.
                post.expect("torn down").await;
                // Asked again it is the same.
                assert!(ctx.cancel().await?.is_cancelled());
                assert!(ctx.outcome().await?.is_cancelled());
                // Who asks for the result gets no value, and is told who is to blame.
                assert_eq!(canceller(&ctx.result().await.unwrap_err()), "root");
            }
            portal.run(process_id()).await?;
            Ok(())
        });
    });
}

/// tractor: test_parent_cancels (the function returned early)
#[test]
fn value_that_was_returned_before_wins_over_a_cancel() {
    guarded(|| {
        with_actor(async |portal| {
            let mut post = Post::new();
            for looks_first in [false, true] {
                let call = converse(post.address(), 1, Then::Return);
                let (ctx, _) = portal.open_context(call).await?;
                post.expect("started").await;
                post.expect("torn down").await;
                if looks_first {
                    assert_eq!(ctx.result().await?, "yo");
                }
                assert_eq!(ctx.cancel().await?, Outcome::Returned("yo".into()));
                assert_eq!(ctx.result().await?, "yo");
            }
            Ok(())
        });
    });
}

/// tractor: test_parent_cancels (by the portal), test_cancel_ctx_with_parent_side_entered_in_bg_task
/// (only the actor)
#[test]
fn cancel_of_the_whole_actor_is_an_error_of_its_contexts() {
    guarded(|| {
        run(async || {
            let mut post = Post::new();
            open_nursery(async |n| {
                let portal = n.start_actor("partner").await?;
                let call = converse(post.address(), 1, Then::SendAndHang);
                let (ctx, _) = portal.open_context(call).await?;
                let mut stream = ctx.open_stream().await?;
                assert_eq!(stream.try_next().await?, Some(0));
                post.expect("started").await;
                portal.cancel_actor().await?;
                let error = ctx.result().await.unwrap_err();
                assert!(error.is_cancelled(), "{error:?}");
                assert_eq!(canceller(&error), "root");
                // Not by this context: it is no value of its own.
                ctx.outcome().await.unwrap_err();
                stream.next().await.unwrap().unwrap_err();
                post.expect("torn down").await;
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

/// tractor: test_cancel_ctx_with_parent_side_entered_in_bg_task (the context),
/// test_multitask_parent_cancels_from_nonroot_task
#[test]
fn cancel_from_another_task_ends_the_reading_of_the_stream() {
    guarded(|| {
        with_actor(async |portal| {
            let mut post = Post::new();
            let call = converse(post.address(), 1, Then::Echo);
            let (ctx, _) = portal.open_context(call).await?;
            let mut stream = ctx.open_stream().await?;
            open_nursery(async |n| {
                let (ctx, portal) = (&ctx, &portal);
                n.spawn(async {
                    let error = loop {
                        stream.send(1).await?;
                        match stream.next().await.unwrap() {
                            Ok(message) => assert_eq!(message, 1),
                            Err(error) => break error,
                        }
                    };
                    assert_eq!(canceller(&error), "root");
                    // It is told once, and then it is over, whatever is asked.
                    assert!(stream.next().await.is_none());
                    let error = stream.send(2).await.unwrap_err();
                    assert!(error.is_cancelled(), "{error:?}");
                    Ok(())
                });
                n.spawn(async {
                    portal.run(process_id()).await?;
                    assert!(ctx.cancel().await?.is_cancelled());
                    Ok(())
                });
                Ok(())
            })
            .await?;
            assert_eq!(post.sorted(2).await, ["started", "torn down"]);
            portal.run(process_id()).await?;
            Ok(())
        });
    });
}

/// When a stream's context is cancelled.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    BeforeTheStream,
    Open,
    Closed,
}

/// tractor: test_parent_exits_ctx_after_child_enters_stream
#[test]
fn cancel_at_each_phase_of_the_stream_is_a_value_and_the_stream_opens_once() {
    guarded(|| {
        with_actor(async |portal| {
            let mut post = Post::new();
            for phase in [Phase::BeforeTheStream, Phase::Open, Phase::Closed] {
                for (then, reads) in [
                    (Then::SendAndHang, true),
                    (Then::SendAndHang, false),
                    (Then::Echo, false),
                ] {
                    let case = format!("{phase:?} {then:?} {reads}");
                    let call = converse(post.address(), 1, then);
                    let (ctx, _) = portal.open_context(call).await?;
                    if phase == Phase::BeforeTheStream {
                        assert!(ctx.cancel().await?.is_cancelled(), "{case}");
                        // A stream of what has ended is over at once, and says why.
                        let mut stream = ctx.open_stream().await?;
                        let error = stream.next().await.unwrap().unwrap_err();
                        assert_eq!(canceller(&error), "root", "{case}");
                    } else {
                        let mut stream = ctx.open_stream().await?;
                        if reads {
                            assert_eq!(stream.try_next().await?, Some(0), "{case}");
                        }
                        if phase == Phase::Closed {
                            stream.close().await?;
                        }
                        let cancelled = match then {
                            // It ends with its stream, and that may be before.
                            Then::Echo if phase == Phase::Closed => ctx.cancel().await.is_ok(),
                            _ => ctx.cancel().await?.is_cancelled(),
                        };
                        assert!(cancelled, "{case}");
                        if phase == Phase::Open {
                            let error = stream.next().await.unwrap().unwrap_err();
                            assert_eq!(canceller(&error), "root", "{case}");
                        }
                    }
                    let again = ctx.open_stream().await.unwrap_err();
                    assert!(again.is_closed(), "{case}: {again:?}");
                    assert_eq!(post.sorted(2).await, ["started", "torn down"], "{case}");
                    portal.run(process_id()).await?;
                }
            }
            Ok(())
        });
    });
}

/// When a function cancels itself.
#[treewright::context]
async fn gives_up(ctx: Context<(), u64, u64>, after_start: bool) -> Result<()> {
    if !after_start {
        ctx.cancel("no good");
        return pending().await;
    }
    let ctx = ctx.started(()).await?;
    let mut stream = ctx.open_stream().await?;
    stream.send(1).await?;
    ctx.cancel("no good");
    pending().await
}

/// tractor: test_child_cancels_before_started
#[test]
fn function_that_cancels_itself_is_an_error_that_names_it() {
    guarded(|| {
        with_actor(async |portal| {
            let error = portal.open_context(gives_up(false)).await.unwrap_err();
            assert_eq!(canceller(&error), "partner");
            let reason = error.cancel_reason().unwrap();
            assert_eq!(reason.message(), Some("no good"));
            assert!(
                reason.location().unwrap().starts_with(file!()),
                "{reason:?}"
            );

            let (ctx, ()) = portal.open_context(gives_up(true)).await?;
            let mut stream = ctx.open_stream().await?;
            let error = ctx.result().await.unwrap_err();
            assert_eq!(canceller(&error), "partner");
            // Nobody here asked for it, and whoever asks now does so too late.
            assert_eq!(canceller(&ctx.cancel().await.unwrap_err()), "partner");
            drop(stream.next().await);
            portal.run(process_id()).await?;
            Ok(())
        });
    });
}

#[treewright::context]
async fn tidies_up(ctx: Context, gate: String, post: String) -> Result<()> {
    let _last = SayWhenDropped(post.clone(), "tidied up");
    say(&post, "started");
    ctx.started(()).await?;
    shielded(pass(&gate)).await;
    Ok(())
}

/// How a context is left behind.
#[derive(Debug, Clone, Copy)]
enum Left {
    Dropped,
    BodyFails,
    TimedOut,
}

#[test]
fn nursery_of_a_context_that_is_left_behind_waits_for_its_end() {
    guarded(|| {
        with_actor(async |portal| {
            for left in [Left::Dropped, Left::BodyFails, Left::TimedOut] {
                let (gate, mut post) = (Gate::new(), Post::new());
                let (at, to) = (gate.address(), post.address());
                let nursery = async {
                    let outcome = open_nursery(async |_n| {
                        let call = tidies_up(at.clone(), to.clone());
                        match left {
                            Left::Dropped => drop(portal.open_context(call).await?),
                            Left::BodyFails => {
                                let _ctx = portal.open_context(call).await?;
                                return Err(Error::other("enough"));
                            }
                            Left::TimedOut => {
                                let held = portal.with_context(call, async |_, ()| {
                                    pending::<Result<()>>().await
                                });
                                assert!(move_on_after(MOMENT, held).await.is_none());
                            }
                        }
                        Ok(())
                    })
                    .await;
                    say(&to, "nursery over");
                    outcome
                };
                let opener = async {
                    post.expect("started").await;
                    // It is asked by now, or will be: only its shield holds it up.
                    portal.run(process_id()).await?;
                    gate.open();
                    post.expect("tidied up").await;
                    post.expect("nursery over").await;
                    Ok::<_, Error>(())
                };
                let (outcome, told) = zip(nursery, opener).await;
                told?;
                match left {
                    Left::BodyFails => drop(outcome.unwrap_err()),
                    Left::Dropped | Left::TimedOut => outcome?,
                }
            }
            Ok(())
        });
    });
}

/// What a function does that was cancelled behind its shield.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Last {
    Fails,
    Returns,
    WaitsOn,
}

#[treewright::context]
async fn ends_late(ctx: Context, gate: String, last: Last) -> Result<String> {
    ctx.started(()).await?;
    shielded(pass(&gate)).await;
    match last {
        Last::Fails => Err(Error::other("the disk is full")),
        Last::Returns => Ok("saved".into()),
        Last::WaitsOn => pending().await,
    }
}

/// tractor: test_unmasked_remote_exc
#[test]
fn what_a_function_ends_with_while_it_is_cancelled_wins_over_the_cancel() {
    guarded(|| {
        with_actor(async |portal| {
            for last in [Last::Fails, Last::Returns, Last::WaitsOn] {
                let gate = Gate::new();
                let (ctx, ()) = portal.open_context(ends_late(gate.address(), last)).await?;
                let ending = ctx.cancel();
                // Once this is answered, the request has been seen.
                portal.run(process_id()).await?;
                gate.open();
                match last {
                    Last::Fails => {
                        let error = ending.await.unwrap_err();
                        assert_eq!(remote(&error).message(), "the disk is full");
                    }
                    Last::Returns => {
                        assert_eq!(ending.await?, Outcome::Returned("saved".into()));
                    }
                    Last::WaitsOn => assert!(ending.await?.is_cancelled()),
                }
            }
            Ok(())
        });
    });
}

#[test]
fn failure_of_a_function_that_was_left_behind_fails_the_nursery() {
    guarded(|| {
        with_actor(async |portal| {
            let gate = Gate::new();
            let outcome = open_nursery(async |_n| {
                let call = ends_late(gate.address(), Last::Fails);
                let (ctx, ()) = portal.open_context(call).await?;
                drop(ctx);
                portal.run(process_id()).await?;
                gate.open();
                Ok(())
            });
            let error = outcome.await.unwrap_err();
            assert_eq!(remote(&error).message(), "the disk is full");
            portal.run(process_id()).await?;
            Ok(())
        });
    });
}

/// Says why it was cancelled.
#[treewright::context]
async fn tells_why(ctx: Context, post: String) -> Result<()> {
    let opener = ctx.peer().name().to_owned();
    ctx.started(()).await?;
    open_nursery(async |n| {
        let why = shielded(n.cancelled()).await;
        say(&post, &format!("{opener}: {why}"));
        Ok(())
    })
    .await
}

#[test]
fn function_is_told_who_cancelled_it_and_why() {
    guarded(|| {
        with_actor(async |portal| {
            let mut post = Post::new();
            let (ctx, ()) = portal.open_context(tells_why(post.address())).await?;
            let ending = ctx.cancel();
            let line = post.line().await;
            assert!(
                line.starts_with("root: ") && line[6..].contains("root"),
                "{line}"
            );
            ending.await?;
            let (ctx, ()) = portal.open_context(tells_why(post.address())).await?;
            drop(ctx);
            let line = post.line().await;
            assert!(
                line.starts_with("root: ") && line[6..].contains("root"),
                "{line}"
            );
            Ok(())
        });
    });
}
