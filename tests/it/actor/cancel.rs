//! Cancelling actors: who may, what it does to what runs there, and what is said of it.

use std::future::pending;
use std::time::Duration;

use futures_lite::future::or;
use rustix::process::{Signal, getpid, kill_process};
use treewright::process::{ExitStatus, Rung};
use treewright::{
    CancelOrigin, Error, Nursery, Portal, Result, move_on_after, open_nursery, run, shielded,
};

use super::support::{Gate, Post, fail, fail_at, hang, process_id, remote, say};
use crate::guard::guarded;

fn origin(error: &Error) -> CancelOrigin {
    error.cancel_reason().unwrap().origin().clone()
}

/// A daemon that runs one function that never ends.
async fn daemon(n: &Nursery<'_>, name: &str, post: &mut Post) -> Result<Portal> {
    let portal = n.start_actor(name).await?;
    let (call, address) = (portal.clone(), post.address());
    n.spawn(async move { call.run(hang(address)).await });
    post.process().await;
    Ok(portal)
}

/// tractor: test_cancel_single_subactor (nursery.cancel)
#[test]
fn nursery_that_is_cancelled_ends_its_actors_in_order() {
    guarded(|| {
        run(async || {
            let mut post = Post::new();
            let outcome = open_nursery(async |n| {
                daemon(&n, "daemon", &mut post).await?;
                n.run_in_actor(hang(post.address())).await?;
                post.process().await;
                n.cancel("enough");
                pending::<Result<()>>().await
            });
            let error = outcome.await.unwrap_err();
            assert_eq!(origin(&error), CancelOrigin::Request);
            assert_eq!(post.sorted(2).await, ["dropped", "dropped"]);
            Ok(())
        })
        .unwrap();
    });
}

/// tractor: test_cancel_via_SIGINT, test_cancel_single_subactor (KeyboardInterrupt),
/// test_fast_graceful_cancel_when_spawn_task_in_soft_proc_wait_for_daemon
#[test]
fn signal_that_asks_the_root_to_end_ends_its_actors_in_order_and_is_named() {
    guarded(|| {
        for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
            let mut post = Post::new();
            let outcome = run(async || {
                open_nursery(async |n| {
                    let portal = daemon(&n, "daemon", &mut post).await?;
                    kill_process(getpid(), signal).unwrap();
                    portal.wait().await;
                    pending::<Result<()>>().await
                })
                .await
            });
            let error = outcome.unwrap_err();
            assert_eq!(origin(&error), CancelOrigin::Signal(signal.as_raw()));
            crate::process::run(post.expect("dropped"));
        }
    });
}

/// tractor: test_cancel_via_SIGINT_other_task
#[test]
fn signal_ends_actors_of_one_name_that_another_task_has_started() {
    guarded(|| {
        let mut post = Post::new();
        let address = post.address();
        let outcome = run(async || {
            open_nursery(async |n| {
                let starter = n.clone();
                n.spawn(async move {
                    for _ in 0..3 {
                        let actor = starter.actor("namesake");
                        actor.run(hang(address.clone())).await?;
                    }
                    pending::<Result<()>>().await
                });
                for _ in 0..3 {
                    post.process().await;
                }
                kill_process(getpid(), Signal::INT).unwrap();
                pending::<Result<()>>().await
            })
            .await
        });
        let interrupted = CancelOrigin::Signal(Signal::INT.as_raw());
        assert_eq!(origin(&outcome.unwrap_err()), interrupted);
        assert_eq!(crate::process::run(post.sorted(3)), ["dropped"; 3]);
    });
}

/// tractor: test_cancel_infinite_streamer
#[test]
fn deadline_around_a_nursery_ends_its_actors() {
    guarded(|| {
        run(async || {
            let mut post = Post::new();
            let nursery = open_nursery(async |n| {
                daemon(&n, "daemon", &mut post).await?;
                pending::<Result<()>>().await
            });
            // However far it has come by then.
            let outcome = move_on_after(Duration::from_millis(300), nursery).await;
            assert!(outcome.is_none_or(|outcome| outcome.is_err()));
            Ok(())
        })
        .unwrap();
    });
}

#[test]
fn nursery_that_is_dropped_ends_its_actors_behind_it() {
    guarded(|| {
        let mut post = Post::new();
        let gone = run(async || {
            let address = post.address();
            let nursery = open_nursery(async |n| {
                n.run_in_actor(hang(address)).await?;
                pending::<Result<()>>().await
            });
            let begun = async {
                let process = post.process().await;
                Ok(process)
            };
            let either = async {
                nursery.await?;
                unreachable!("it never ends")
            };
            or(either, begun).await
        });
        let gone = gone.unwrap();
        crate::process::run(async {
            gone.gone().await;
            post.expect("dropped").await;
        });
    });
}

#[test]
fn actor_that_is_cancelled_leaves_its_siblings_and_its_nursery_alone() {
    guarded(|| {
        run(async || {
            let mut post = Post::new();
            open_nursery(async |n| {
                let one = n.start_actor("one").await?;
                let other = n.start_actor("other").await?;
                let address = post.address();
                let call = async { one.run(hang(address)).await.unwrap_err() };
                let cancel = async {
                    post.process().await;
                    let exit = one.cancel_actor().await.unwrap();
                    assert_eq!(exit.reason, ExitStatus::Code(0));
                    assert_eq!((exit.stopped, exit.left_behind), (Some(Rung::Asked), None));
                };
                let (error, ()) = futures_lite::future::zip(call, cancel).await;
                assert!(error.is_cancelled(), "{error:?}");
                other.run(process_id()).await?;
                other.cancel_actor().await?;
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

#[test]
fn one_shot_whose_actor_is_cancelled_is_no_failure() {
    guarded(|| {
        run(async || {
            let mut post = Post::new();
            open_nursery(async |n| {
                let task = n.run_in_actor(hang(post.address())).await?;
                post.process().await;
                task.portal().cancel_actor().await?;
                let error = task.result().await.unwrap_err();
                let root = treewright::current_actor()?.id().clone();
                assert_eq!(origin(&error), CancelOrigin::Actor(root));
                n.run_in_actor(process_id()).await?.result().await
            })
            .await
        })
        .unwrap();
    });
}

/// Says for what reason its nursery is cancelled.
#[treewright::task]
async fn say_reason(post: String) -> Result<()> {
    open_nursery(async |n| {
        say(&post, "ready");
        let reason = shielded(n.cancelled()).await;
        say(&post, &reason.to_string());
        Ok(())
    })
    .await
}

#[test]
fn function_that_is_cancelled_is_told_who_asked_and_why() {
    guarded(|| {
        run(async || {
            let mut post = Post::new();
            open_nursery(async |n| {
                let root = treewright::current_actor()?.id().to_string();
                let portal = n.start_actor("curious").await?;
                n.spawn(say_reason_there(portal.clone(), post.address()));
                post.expect("ready").await;
                portal.cancel_actor().await?;
                let reason = post.line().await;
                assert!(reason.contains(&format!("actor `{root}`")), "{reason}");
                assert!(reason.contains(file!()), "{reason}");

                let portal = n.start_actor("dropped").await?;
                let address = post.address();
                let call = async { drop(portal.run(say_reason(address)).await) };
                or(call, post.expect("ready")).await;
                let reason = post.line().await;
                assert!(reason.contains("nobody waits for it"), "{reason}");
                portal.cancel_actor().await?;
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

/// An actor that ends because somebody asked is no failure of who waits for its function.
async fn say_reason_there(portal: Portal, post: String) {
    let _cancelled = portal.run(say_reason(post)).await;
}

#[test]
fn actor_that_gets_a_signal_ends_in_order_and_fails_its_nursery_by_name() {
    guarded(|| {
        for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
            run(async || {
                let mut post = Post::new();
                let address = post.address();
                let mut exit = None;
                let outcome = open_nursery(async |n| {
                    let task = n.run_in_actor(hang(address)).await?;
                    post.process().await.signal(signal);
                    exit = Some(shielded(task.portal().wait()).await);
                    pending::<Result<()>>().await
                });
                let error = outcome.await.unwrap_err();
                post.expect("dropped").await;
                assert_eq!(origin(&error), CancelOrigin::Signal(signal.as_raw()));
                assert_eq!(remote(&error).origin().name(), "hang");
                let code = ExitStatus::Code(128 + signal.as_raw());
                assert_eq!(exit.unwrap().reason, code);
                Ok(())
            })
            .unwrap();
        }
    });
}

/// tractor: test_some_cancels_all (its six mixes of daemons, one-shots and who fails)
#[test]
fn whoever_fails_first_ends_all_the_others() {
    #[derive(Clone, Copy)]
    struct Mix {
        daemons: usize,
        sleepers: usize,
        failing_one_shots: usize,
        calls_failing: usize,
    }
    let mix = |daemons, sleepers, failing_one_shots, calls_failing| Mix {
        daemons,
        sleepers,
        failing_one_shots,
        calls_failing,
    };
    guarded(|| {
        for mix in [
            mix(0, 1, 1, 0),
            mix(0, 0, 4, 0),
            mix(3, 0, 1, 0),
            mix(3, 0, 0, 1),
            mix(3, 0, 0, 2),
            mix(2, 2, 1, 1),
        ] {
            run(async || {
                let (mut post, gate) = (Post::new(), Gate::new());
                let sleeping = Post::new();
                let outcome = open_nursery(async |n| {
                    for number in 0..mix.sleepers {
                        let actor = n.actor(format!("sleeper_{number}"));
                        actor.run(hang(sleeping.address())).await?;
                    }
                    let mut daemons = Vec::new();
                    for number in 0..mix.daemons {
                        daemons.push(n.start_actor(format!("daemon_{number}")).await?);
                    }
                    let failing = || fail_at(gate.address(), post.address(), "no".into());
                    for number in 0..mix.failing_one_shots {
                        n.actor(format!("one_shot_{number}")).run(failing()).await?;
                    }
                    for portal in daemons.iter().take(mix.calls_failing) {
                        let (portal, call) = (portal.clone(), failing());
                        n.spawn(async move { portal.run(call).await });
                    }
                    for _ in 0..mix.failing_one_shots + mix.calls_failing {
                        post.expect("ready").await;
                    }
                    gate.open();
                    pending::<Result<()>>().await
                });
                let error = outcome.await.unwrap_err();
                let failures: Vec<_> = error.failures().collect();
                let most = mix.failing_one_shots + mix.calls_failing;
                assert!((1..=most).contains(&failures.len()), "{error:?}");
                assert_eq!(error.is_group(), failures.len() > 1);
                assert!(
                    failures.iter().all(|one| remote(one).message() == "no"),
                    "{error:?}"
                );
                Ok(())
            })
            .unwrap();
        }
    });
}

#[test]
fn one_shot_that_fails_ends_siblings_that_sleep_and_a_body_that_waits_for_them() {
    guarded(|| {
        run(async || {
            let mut post = Post::new();
            let address = post.address();
            let outcome = open_nursery(async |n| {
                let sleeper = n.run_in_actor(hang(address)).await?;
                post.process().await;
                n.run_in_actor(fail("out of ink".into())).await?;
                sleeper.result().await
            });
            let error = outcome.await.unwrap_err();
            assert_eq!(error.to_string(), "actor `fail` failed: out of ink");
            assert!(!error.is_group());
            post.expect("dropped").await;
            Ok(())
        })
        .unwrap();
    });
}
