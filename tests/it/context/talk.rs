//! Contexts from their first value to their result.

use std::future::{pending, poll_fn};
use std::pin::Pin;

use futures_lite::StreamExt;
use futures_sink::Sink;
use rustix::process::{Signal, getpid, kill_process};
use serde::{Deserialize, Serialize};
use treewright::{Context, Error, MsgStream, Outcome, Result, open_nursery, run};

use super::support::{Then, converse, origin, with_actor};
use crate::actor::support::{Post, process_id};
use crate::guard::guarded;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Ping;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Pong;

/// How a stream is used.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
enum Style {
    /// By its own methods.
    Methods,
    /// As a stream and a sink.
    Traits,
    /// By its two halves.
    Halves,
}

const STYLES: [Style; 3] = [Style::Methods, Style::Traits, Style::Halves];

async fn sink<T, S: Sink<T, Error = Error> + Unpin>(to: &mut S, message: T) -> Result<()> {
    poll_fn(|cx| Pin::new(&mut *to).poll_ready(cx)).await?;
    Pin::new(&mut *to).start_send(message)?;
    poll_fn(|cx| Pin::new(&mut *to).poll_flush(cx)).await
}

#[treewright::context]
async fn simple_rpc(ctx: Context<i64, Ping, Pong>, data: i64, style: Style) -> Result<u32> {
    let ctx = ctx.started(data + 1).await?;
    let mut stream = ctx.open_stream().await?;
    let mut rounds = 0;
    match style {
        Style::Methods => {
            while let Some(Ping) = stream.try_next().await? {
                stream.send(Pong).await?;
                rounds += 1;
            }
        }
        Style::Traits => {
            while let Some(Ping) = StreamExt::try_next(&mut stream).await? {
                sink(&mut stream, Pong).await?;
                rounds += 1;
            }
        }
        Style::Halves => {
            let (mut sender, mut receiver) = stream.split();
            while let Some(ping) = receiver.next().await {
                assert_eq!(ping?, Ping);
                sender.send(Pong).await?;
                rounds += 1;
            }
        }
    }
    Ok(rounds)
}

async fn ten_rounds(mut stream: MsgStream<Pong, Ping>, style: Style) -> Result<()> {
    match style {
        Style::Methods => {
            for _ in 0..10 {
                stream.send(Ping).await?;
                assert_eq!(stream.next().await.unwrap()?, Pong);
            }
            stream.close().await
        }
        Style::Traits => {
            for _ in 0..10 {
                sink(&mut stream, Ping).await?;
                assert_eq!(StreamExt::next(&mut stream).await.unwrap()?, Pong);
            }
            poll_fn(|cx| Pin::new(&mut stream).poll_close(cx)).await?;
            // The other side has nothing to say after the last of this one.
            assert!(StreamExt::next(&mut stream).await.is_none());
            Ok(())
        }
        Style::Halves => {
            let (mut sender, mut receiver) = stream.split();
            for _ in 0..10 {
                sender.send(Ping).await?;
                assert_eq!(receiver.try_next().await?, Some(Pong));
            }
            drop(sender);
            assert_eq!(receiver.try_next().await?, None);
            Ok(())
        }
    }
}

/// tractor: test_simple_rpc
#[test]
fn ping_pong_in_every_style_has_its_rounds_and_ends_with_the_stream() {
    guarded(|| {
        with_actor(async |portal| {
            for server in STYLES {
                for client in STYLES {
                    let (ctx, sent) = portal.open_context(simple_rpc(10, server)).await?;
                    assert_eq!(sent, 11);
                    ten_rounds(ctx.open_stream().await?, client).await?;
                    assert_eq!(ctx.result().await?, 10, "{server:?} {client:?}");
                    // Any number of times.
                    assert_eq!(ctx.result().await?, 10);
                    assert_eq!(ctx.peer(), portal.id());
                }
            }
            Ok(())
        });
    });
}

/// How an opener ends.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Opener {
    Waits,
    Fails,
    IsCancelled,
}

/// tractor: test_simple_context (without the signal)
#[test]
fn function_is_torn_down_however_its_opener_ends_and_the_actor_lives_on() {
    guarded(|| {
        with_actor(async |portal| {
            let mut post = Post::new();
            for opener in [Opener::Waits, Opener::Fails, Opener::IsCancelled] {
                for then in [Then::Return, Then::Hang, Then::Echo] {
                    for opens_stream in [false, true] {
                        let case = format!("{opener:?} {then:?} {opens_stream}");
                        let call = converse(post.address(), 10, then);
                        let outcome = open_nursery(async |n| {
                            let (ctx, first) = portal.open_context(call).await?;
                            assert_eq!(first, 11);
                            let stream = match opens_stream {
                                true => Some(ctx.open_stream().await?),
                                false => None,
                            };
                            match opener {
                                Opener::Waits if then == Then::Return => {
                                    assert_eq!(ctx.result().await?, "yo", "{case}");
                                    let late = ctx.cancel().await?;
                                    assert_eq!(late, Outcome::Returned("yo".into()), "{case}");
                                }
                                Opener::Waits if then == Then::Echo && opens_stream => {
                                    drop(stream);
                                    assert_eq!(ctx.result().await?, "yo", "{case}");
                                }
                                // Who leaves does not wait for what never ends.
                                Opener::Waits => {}
                                Opener::Fails => return Err(Error::other("a parent's trouble")),
                                Opener::IsCancelled => {
                                    n.cancel("enough");
                                    pending().await
                                }
                            }
                            Ok(())
                        });
                        let outcome = outcome.await;
                        match opener {
                            Opener::Waits => outcome?,
                            Opener::Fails => {
                                let error = outcome.unwrap_err();
                                assert_eq!(error.to_string(), "a parent's trouble", "{case}");
                            }
                            Opener::IsCancelled => {
                                let error = outcome.unwrap_err();
                                assert!(error.is_cancelled(), "{case}: {error:?}");
                            }
                        }
                        // The nursery has ended after the function: it was said before.
                        assert_eq!(post.sorted(2).await, ["started", "torn down"], "{case}");
                        portal.run(process_id()).await?;
                    }
                }
            }
            Ok(())
        });
    });
}

/// tractor: test_simple_context (KeyboardInterrupt), test_sigint_both_stream_types (the two-way
/// one)
#[test]
fn signal_to_the_opener_tears_down_its_contexts_in_order() {
    guarded(|| {
        let mut post = Post::new();
        let outcome: Result<()> = run(async || {
            open_nursery(async |n| {
                let portal = n.start_actor("partner").await?;
                let quiet = converse(post.address(), 1, Then::Hang);
                let (_quiet, _) = portal.open_context(quiet).await?;
                let busy = converse(post.address(), 1, Then::Echo);
                let (busy, _) = portal.open_context(busy).await?;
                let mut stream = busy.open_stream().await?;
                for round in 0.. {
                    stream.send(round).await?;
                    assert_eq!(stream.try_next().await?, Some(round));
                    if round == 10 {
                        kill_process(getpid(), Signal::INT).unwrap();
                    }
                }
                Ok(())
            })
            .await
        });
        let error = outcome.unwrap_err();
        let asked = treewright::CancelOrigin::Signal(Signal::INT.as_raw());
        assert_eq!(origin(&error), asked);
        let lines = crate::process::run(post.sorted(4));
        assert_eq!(lines, ["started", "started", "torn down", "torn down"]);
    });
}

#[treewright::context]
async fn never_starts(ctx: Context<i64>) -> Result<String> {
    drop(ctx);
    Ok("done".into())
}

#[test]
fn function_that_returns_without_a_first_value_is_an_error_with_advice() {
    guarded(|| {
        with_actor(async |portal| {
            let error = portal.open_context(never_starts()).await.unwrap_err();
            let text = format!("{error:?}");
            assert!(text.contains("returned before it had started"), "{text}");
            assert!(text.contains("hint: "), "{text}");
            portal.run(process_id()).await?;
            Ok(())
        });
    });
}

#[treewright::context]
async fn sum(ctx: Context<(), u64, u64>, of: u64) -> Result<u64> {
    let ctx = ctx.started(()).await?;
    let mut stream = ctx.open_stream().await?;
    let mut sum = 0;
    for _ in 0..of {
        sum += stream.try_next().await?.unwrap();
        stream.send(sum).await?;
    }
    Ok(sum)
}

/// tractor: test_reqresp_ontopof_streaming (several conversations side by side)
#[test]
fn contexts_of_one_link_run_beside_each_other_and_beside_calls() {
    guarded(|| {
        with_actor(async |portal| {
            let mut open = Vec::new();
            for _ in 0..20 {
                let (ctx, ()) = portal.open_context(sum(5)).await?;
                let stream = ctx.open_stream().await?;
                open.push((ctx, stream));
            }
            let mut expected = 0;
            for step in 1..=5 {
                expected += step;
                // Each in its turn, from the last to the first, so that answers cross.
                for (_, stream) in open.iter_mut().rev() {
                    stream.send(step).await?;
                }
                portal.run(process_id()).await?;
                for (_, stream) in &mut open {
                    assert_eq!(stream.try_next().await?, Some(expected));
                }
            }
            for (ctx, mut stream) in open {
                assert_eq!(ctx.result().await?, 15);
                assert_eq!(stream.try_next().await?, None);
            }
            Ok(())
        });
    });
}

/// tractor: the absorption at the exit of a context's block
#[test]
fn strict_form_waits_for_the_function_and_gives_the_value_of_its_body() {
    guarded(|| {
        with_actor(async |portal| {
            let mut post = Post::new();
            let call = converse(post.address(), 1, Then::Echo);
            let value = portal
                .with_context(call, async |ctx, first| {
                    assert_eq!(first, 2);
                    let mut stream = ctx.open_stream().await?;
                    stream.send(7).await?;
                    let back = stream.try_next().await?;
                    Ok(back)
                })
                .await?;
            assert_eq!(value, Some(7));
            assert_eq!(post.sorted(2).await, ["started", "torn down"]);
            // Cancelled from within: no error, and the body's own value.
            let call = converse(post.address(), 1, Then::Hang);
            let value = portal.with_context(call, async |ctx, _| {
                assert!(ctx.cancel().await?.is_cancelled());
                Ok("absorbed")
            });
            assert_eq!(value.await?, "absorbed");
            assert_eq!(post.sorted(2).await, ["started", "torn down"]);
            Ok(())
        });
    });
}
