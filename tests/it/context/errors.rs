//! Errors and deaths on either side of a context, and who is told of them.

use std::fmt;
use std::future::pending;
use std::time::Duration;

use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use treewright::{
    Context, Error, ErrorKind, RemoteKind, Result, StartedContext, open_nursery, run, shielded,
};

use super::support::{Then, converse, with_actor};
use crate::actor::support::{
    Gate, Post, SayWhenDropped, Watch, kind, pass, process_id, remote, say, say_pid,
};
use crate::guard::guarded;

/// An error that travels as the value it is.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Unfit {
    size: u8,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "size {} does not fit", self.size)
    }
}

impl std::error::Error for Unfit {}

#[treewright::context]
async fn tries_on(ctx: Context<(), u64, u64>, before_start: bool) -> Result<(), Unfit> {
    if !before_start {
        let _started = ctx.started(()).await;
    }
    Err(Unfit { size: 9 })
}

#[treewright::context]
async fn panics(ctx: Context<(), u64, u64>, before_start: bool) {
    let _started = match before_start {
        true => None,
        false => Some(ctx.started(()).await),
    };
    panic!("no such size");
}

#[test]
fn error_or_panic_of_the_function_reaches_the_opener_before_and_after_the_first_value() {
    guarded(|| {
        with_actor(async |portal| {
            for before_start in [true, false] {
                let opened = portal.open_context(tries_on(before_start)).await;
                let error = match opened {
                    Err(error) => {
                        assert!(before_start);
                        error
                    }
                    Ok((ctx, ())) => {
                        assert!(!before_start);
                        ctx.result().await.unwrap_err()
                    }
                };
                assert_eq!(remote(&error).message(), "size 9 does not fit");
                assert_eq!(remote(&error).origin(), portal.id());
                let payload = remote(&error).payload().unwrap();
                let value: Unfit = serde_cbor::from_slice(&payload.bytes).unwrap();
                assert_eq!(value, Unfit { size: 9 });

                let error = match portal.open_context(panics(before_start)).await {
                    Err(error) => error,
                    Ok((ctx, ())) => ctx.result().await.unwrap_err(),
                };
                assert_eq!(kind(&error), RemoteKind::Panic);
                assert!(error.to_string().contains("no such size"), "{error:?}");
            }
            portal.run(process_id()).await?;
            Ok(())
        });
    });
}

#[treewright::context]
async fn fails_at(ctx: Context<(), u64, u64>, gate: String) -> Result<()> {
    let _started = ctx.started(()).await?;
    pass(&gate).await;
    Err(Error::other("told to fail"))
}

/// Where the opener is when the function fails.
#[derive(Debug, Clone, Copy)]
enum At {
    /// Elsewhere altogether.
    Elsewhere,
    /// It waits for a message.
    Next,
    /// It waits until it may send.
    Send,
    /// It waits for the result.
    Result,
}

#[test]
fn failure_of_the_function_interrupts_the_strict_form_wherever_it_is() {
    guarded(|| {
        with_actor(async |portal| {
            for at in [At::Elsewhere, At::Next, At::Send, At::Result] {
                let gate = Gate::new();
                let call = fails_at(gate.address());
                let outcome: Result<()> = portal
                    .with_context(call, async |ctx, ()| {
                        let mut stream = ctx.open_stream().await?;
                        gate.open();
                        match at {
                            At::Elsewhere => {}
                            At::Next => drop(stream.try_next().await?),
                            At::Send => loop {
                                stream.send(1).await?;
                            },
                            At::Result => ctx.result().await?,
                        }
                        pending().await
                    })
                    .await;
                let error = outcome.unwrap_err();
                assert!(!error.is_group(), "{at:?}: {error:?}");
                assert_eq!(remote(&error).message(), "told to fail", "{at:?}");
            }
            portal.run(process_id()).await?;
            Ok(())
        });
    });
}

#[test]
fn failure_of_the_strict_forms_body_ends_the_function_before_it_comes_out() {
    guarded(|| {
        with_actor(async |portal| {
            let mut post = Post::new();
            for then in [Then::Hang, Then::Echo, Then::SendAndHang] {
                let call = converse(post.address(), 1, then);
                let outcome: Result<()> = portal
                    .with_context(call, async |ctx, _| {
                        let _stream = ctx.open_stream().await?;
                        Err(Error::other("not today"))
                    })
                    .await;
                assert_eq!(outcome.unwrap_err().to_string(), "not today");
                say(&post.address(), "out");
                for line in ["started", "torn down", "out"] {
                    post.expect(line).await;
                }
            }
            Ok(())
        });
    });
}

/// tractor: none (a context whose error nobody looked at)
#[test]
fn failure_that_nobody_was_told_of_fails_the_nursery_and_one_that_was_does_not() {
    guarded(|| {
        with_actor(async |portal| {
            for looks in [false, true] {
                let mut post = Post::new();
                let outcome = open_nursery(async |_n| {
                    let call = converse(post.address(), 1, Then::FailWhenTold);
                    let (ctx, _) = portal.open_context(call).await?;
                    let mut stream = ctx.open_stream().await?;
                    stream.send(1).await?;
                    assert_eq!(post.sorted(2).await, ["started", "torn down"]);
                    // What it ended with is here, too, with this answer.
                    portal.run(process_id()).await?;
                    if looks {
                        drop(ctx.result().await.unwrap_err());
                    }
                    Ok(())
                });
                let outcome = outcome.await;
                match looks {
                    true => outcome?,
                    false => {
                        let error = outcome.unwrap_err();
                        assert_eq!(remote(&error).message(), "told to fail");
                    }
                }
            }
            portal.run(process_id()).await?;
            Ok(())
        });
    });
}

/// How an actor leaves a stream.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Leave {
    Exit,
    Killed,
    /// Its link breaks.
    Cut,
}

fn leave(how: Leave) {
    match how {
        Leave::Exit => std::process::exit(3),
        Leave::Killed => {
            let this = rustix::process::getpid();
            rustix::process::kill_process(this, Signal::KILL).unwrap();
        }
        Leave::Cut => crate::actor::support::shut_all_sockets(),
    }
}

#[treewright::context]
async fn leaves(ctx: Context<(), u64, u64>, post: String, how: Leave, closes: bool) -> Result<()> {
    let _told = SayWhenDropped(post, "torn down");
    let ctx: StartedContext<u64, u64> = ctx.started(()).await?;
    let mut stream = ctx.open_stream().await?;
    stream.send(1).await?;
    while stream.try_next().await? != Some(9) {}
    match closes {
        true => stream.close().await?,
        false => std::mem::forget(stream),
    }
    leave(how);
    pending().await
}

/// tractor: test_ipc_channel_break_during_stream,
/// test_stream_closed_right_after_ipc_break_and_zombie_lord_engages
#[test]
fn actor_that_leaves_in_the_middle_of_a_stream_never_hangs_its_opener() {
    guarded(|| {
        for how in [Leave::Exit, Leave::Killed, Leave::Cut] {
            for closes in [false, true] {
                for at in [At::Next, At::Send, At::Result] {
                    let case = format!("{how:?} {closes} {at:?}");
                    let mut post = Post::new();
                    let mut seen = None;
                    let outcome: Result<()> = run(async || {
                        open_nursery(async |n| {
                            let portal = n.start_actor("leaver").await?;
                            let call = leaves(post.address(), how, closes);
                            let (ctx, ()) = portal.open_context(call).await?;
                            let mut stream = ctx.open_stream().await?;
                            assert_eq!(stream.try_next().await?, Some(1));
                            stream.send(9).await?;
                            let waiting = async {
                                match at {
                                    At::Next => while stream.try_next().await?.is_some() {},
                                    At::Send => loop {
                                        stream.send(1).await?;
                                    },
                                    At::Result | At::Elsewhere => {}
                                }
                                ctx.result().await
                            };
                            seen = Some(shielded(waiting).await.unwrap_err());
                            pending().await
                        })
                        .await
                    });
                    let error = outcome.unwrap_err();
                    let seen = seen.unwrap();
                    assert!(!error.is_group(), "{case}: {error:?}");
                    assert_eq!(seen.to_string(), error.to_string(), "{case}");
                    match how {
                        Leave::Exit => assert_eq!(kind(&error), RemoteKind::Exited(3), "{case}"),
                        Leave::Killed => {
                            let killed =
                                matches!(kind(&error), RemoteKind::Signalled { signal: 9, .. });
                            assert!(killed, "{case}: {error:?}");
                        }
                        Leave::Cut => {
                            assert_eq!(remote(&error).origin().name(), "leaver", "{case}");
                            crate::process::run(post.expect("torn down"));
                        }
                    }
                    if how != Leave::Cut {
                        assert_eq!(error.kind(), ErrorKind::LostProcess, "{case}");
                    }
                }
            }
        }
    });
}

/// Starts an actor, opens a context there, and waits for ever.
#[treewright::task]
async fn opens_below(post: String) -> Result<()> {
    open_nursery(async |n| {
        let portal = n.start_actor("below").await?;
        let call = converse(post.clone(), 1, Then::Hang);
        let (_ctx, _) = portal.open_context(call).await?;
        say_pid(&post);
        pending().await
    })
    .await
}

#[test]
fn function_whose_opener_is_killed_is_cancelled() {
    guarded(|| {
        let mut post = Post::new();
        let outcome: Result<()> = run(async || {
            open_nursery(async |n| {
                n.run_in_actor(opens_below(post.address())).await?;
                post.expect("started").await;
                post.process().await.signal(Signal::KILL);
                // Not by a signal of its own: its destructor runs.
                shielded(post.expect("torn down")).await;
                pending().await
            })
            .await
        });
        let error = outcome.unwrap_err();
        assert!(matches!(
            kind(&error),
            RemoteKind::Signalled { signal: 9, .. }
        ));
    });
}

/// Waits behind its shield for a message, and says what it was told instead.
#[treewright::context]
async fn reads_in_its_shield(ctx: Context<(), u64, u64>, post: String) -> Result<()> {
    let ctx = ctx.started(()).await?;
    let mut stream = ctx.open_stream().await?;
    say_pid(&post);
    let told = shielded(stream.next()).await.unwrap();
    say(&post, &told.unwrap_err().to_string());
    Ok(())
}

/// Starts an actor with all the time there is, and ends without a word.
#[treewright::task]
async fn leaves_below(post: String) -> Result<()> {
    open_nursery(async |n| {
        let hour = Duration::from_secs(3600);
        let portal = n.actor("below").grace(hour).start().await?;
        let call = reads_in_its_shield(post);
        let (_ctx, ()) = portal.open_context(call).await?;
        pending().await
    })
    .await
}

#[test]
fn function_in_its_shield_is_told_on_its_stream_that_its_opener_was_killed() {
    guarded(|| {
        let mut post = Post::new();
        let outcome: Result<()> = run(async || {
            open_nursery(async |n| {
                let leaver = n.run_in_actor(leaves_below(post.address())).await?;
                let below = post.process().await;
                let told = shielded(async {
                    let pid = leaver.portal().run(process_id()).await?;
                    Watch::of(pid).signal(Signal::KILL);
                    post.expect("actor `leaves_below` is gone").await;
                    below.gone().await;
                    Ok::<_, Error>(())
                });
                told.await?;
                pending().await
            })
            .await
        });
        let error = outcome.unwrap_err();
        let is_killed = matches!(kind(&error), RemoteKind::Signalled { signal: 9, .. });
        assert!(is_killed, "{error:?}");
    });
}
