//! Calls of functions in actors: several at once, dropping, failing, and their time.

use std::future::pending;
use std::time::Duration;

use futures_lite::future::{or, yield_now, zip};
use treewright::{ErrorKind, RemoteKind, Result, open_nursery, run, shielded, time_left, timeout};

use super::support::{Gate, Post, fail, hang, kind, pass, process_id, say, say_pid};
use crate::guard::guarded;

#[treewright::task]
async fn wait_at(gate: String) -> String {
    pass(&gate).await;
    "passed".into()
}

#[test]
fn calls_of_one_actor_run_beside_each_other() {
    guarded(|| {
        run(async || {
            let gate = Gate::new();
            open_nursery(async |n| {
                let portal = n.start_actor("busy").await?;
                let held_up = portal.run(wait_at(gate.address()));
                let overtaking = async {
                    portal.run(process_id()).await?;
                    portal.run(process_id()).await?;
                    gate.open();
                    Ok(())
                };
                let (held_up, overtaking): (_, Result<()>) = zip(held_up, overtaking).await;
                overtaking?;
                assert_eq!(held_up?, "passed");
                portal.cancel_actor().await?;
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

#[test]
fn call_that_is_dropped_cancels_the_function_and_not_the_actor() {
    guarded(|| {
        run(async || {
            let mut post = Post::new();
            open_nursery(async |n| {
                let portal = n.start_actor("patient").await?;
                let address = post.address();
                let call = async { drop(portal.run(hang(address.clone())).await) };
                let begun = post.process();
                or(call, async { drop(begun.await) }).await;
                post.expect("dropped").await;
                portal.run(process_id()).await?;
                // One that is dropped before it was ever sent leaves nothing either.
                let call = async { drop(portal.run(hang(address.clone())).await) };
                or(call, yield_now()).await;
                portal.run(process_id()).await?;
                portal.cancel_actor().await?;
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

#[treewright::task]
async fn panic_about(what: String) {
    panic!("no {what}");
}

/// tractor: test_remote_error
#[test]
fn call_that_fails_or_panics_leaves_its_actor_and_its_nursery_alone() {
    guarded(|| {
        run(async || {
            open_nursery(async |n| {
                let portal = n.start_actor("robust").await?;
                let error = portal.run(fail("out of ink".into())).await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Remote);
                assert_eq!(error.to_string(), "actor `robust` failed: out of ink");
                let error = portal.run(panic_about("paper".into())).await.unwrap_err();
                assert!(error.is_panic());
                let text = error.to_string();
                assert!(text.starts_with("actor `robust` panicked at "), "{text}");
                assert!(
                    text.contains(file!()) && text.ends_with(": no paper"),
                    "{text}"
                );
                assert!(error.location().contains(file!()), "{}", error.location());
                portal.run(process_id()).await?;
                portal.cancel_actor().await?;
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

#[test]
fn portal_of_an_actor_that_has_ended_says_how() {
    guarded(|| {
        run(async || {
            let (cancelled, portal) = open_nursery(async |n| {
                let portal = n.start_actor("brief").await?;
                let first = portal.cancel_actor().await?;
                // Again is fine, and changes nothing.
                assert_eq!(portal.cancel_actor().await.unwrap(), first);
                assert_eq!(
                    (portal.wait().await, portal.try_wait()),
                    (first, Some(first))
                );
                let error = portal.run(process_id()).await.unwrap_err();
                Ok((error, portal))
            })
            .await?;
            // And so after its nursery.
            let later = portal.run(process_id()).await.unwrap_err();
            for error in [cancelled, later] {
                assert!(error.is_cancelled(), "{error:?}");
                assert!(error.to_string().contains("`brief`"), "{error}");
            }
            assert!(portal.cancel_actor().await.unwrap().reason.is_zero());
            Ok(())
        })
        .unwrap();
    });
}

#[treewright::task]
#[expect(clippy::print_stdout, reason = "that is what is tried")]
async fn chatter(gate: String, post: String) -> u32 {
    for number in 0..2000 {
        println!("line {number}, which is no frame of anything");
    }
    say(&post, "said");
    pass(&gate).await;
    print!("{}", "x".repeat(100_000));
    7
}

#[test]
fn what_an_actor_prints_does_not_come_between_its_frames() {
    guarded(|| {
        run(async || {
            let (mut post, gate) = (Post::new(), Gate::new());
            open_nursery(async |n| {
                let task = n
                    .run_in_actor(chatter(gate.address(), post.address()))
                    .await?;
                post.expect("said").await;
                task.portal().run(process_id()).await?;
                gate.open();
                assert_eq!(task.result().await?, 7);
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

#[test]
fn call_whose_nursery_is_cancelled_meanwhile_is_cancelled_in_the_actor() {
    guarded(|| {
        run(async || {
            let mut post = Post::new();
            let address = post.address();
            let outcome = open_nursery(async |n| {
                let portal = n.start_actor("patient").await?;
                n.spawn(async move { portal.run(hang(address)).await });
                let process = post.process().await;
                n.cancel("enough");
                treewright::shielded(process.gone()).await;
                pending::<Result<()>>().await
            });
            let error = outcome.await.unwrap_err();
            assert_eq!(error.cancel_reason().unwrap().message(), Some("enough"));
            post.expect("dropped").await;
            Ok(())
        })
        .unwrap();
    });
}

/// In milliseconds, what is left of the caller's time.
#[treewright::task]
async fn time_left_here() -> Option<u128> {
    time_left().map(|left| left.as_millis())
}

#[treewright::task]
async fn time_left_below() -> Result<Option<u128>> {
    open_nursery(async |n| n.run_in_actor(time_left_here()).await?.result().await).await
}

#[test]
fn limit_of_the_callers_time_goes_along_to_every_depth() {
    guarded(|| {
        run(async || {
            open_nursery(async |n| {
                let portal = n.start_actor("patient").await?;
                assert_eq!(portal.run(time_left_here()).await?, None);
                let minute = Duration::from_secs(60);
                let here = timeout(minute, portal.run(time_left_here())).await??;
                let below = timeout(minute, portal.run(time_left_below())).await??;
                assert!(here.is_some_and(|left| left <= minute.as_millis()));
                assert!(below <= here && below.is_some(), "{below:?} of {here:?}");
                portal.cancel_actor().await?;
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

/// Says which process runs it, and blocks its thread until the gate opens.
#[treewright::task]
async fn hold_up(post: String, gate: String) {
    say_pid(&post);
    // The other end has no writer any more when the gate is open.
    let mut file = std::fs::File::open(gate).unwrap();
    std::io::Read::read(&mut file, &mut [0]).unwrap();
}

#[treewright::task]
async fn say_it(post: String, line: String) -> u32 {
    say(&post, &line);
    1
}

#[treewright::task]
async fn kill_itself() {
    let own = rustix::process::getpid();
    rustix::process::kill_process(own, rustix::process::Signal::KILL).unwrap();
}

fn kind_of_kill() -> RemoteKind {
    RemoteKind::Signalled {
        signal: 9,
        core: false,
    }
}

/// Those that came in together are run one after the other, and what they answer leaves in one
/// piece: here it never does.
#[test]
fn answers_of_calls_that_came_in_with_one_that_kills_the_process_may_be_lost_with_it() {
    guarded(|| {
        run(async || {
            let (mut post, gate) = (Post::new(), Gate::new());
            let ended = open_nursery(async |n| {
                let portal = n.start_actor("mortal").await?;
                let busy = portal.run(hold_up(post.address(), gate.address()));
                let address = post.address();
                let say = |line: &str| portal.run(say_it(address.clone(), line.to_owned()));
                let others = async {
                    post.process().await;
                    let said = zip(zip(say("one"), say("two")), say("three"));
                    let sent = async {
                        // All have been sent when others have had a turn.
                        yield_now().await;
                        gate.open();
                    };
                    zip(zip(said, portal.run(kill_itself())), sent).await
                };
                // The end of the actor ends the nursery, too.
                let (busy, (outcomes, ())) = shielded(zip(busy, others)).await;
                let (((one, two), three), killed) = outcomes;
                assert!(killed.is_err());
                for line in ["one", "two", "three"] {
                    post.expect(line).await;
                }
                for outcome in [busy.map(|()| 1), one, two, three] {
                    // It ran; whether it is known that it did is another matter.
                    match outcome {
                        Ok(value) => assert_eq!(value, 1),
                        Err(error) => assert_eq!(kind(&error), kind_of_kill()),
                    }
                }
                Ok(())
            })
            .await;
            assert_eq!(ended.unwrap_err().kind(), ErrorKind::LostProcess);
            Ok(())
        })
        .unwrap();
    });
}
