//! The time that cancelled actors get, and what comes when it is up.

use std::future::pending;
use std::time::Duration;

use futures_lite::future::{or, yield_now};
use rustix::process::{Signal, getpid, kill_process};
use treewright::process::{Command, ExitStatus, Rung};
use treewright::{ActorTask, Error, Result, Runtime, SpawnMethod, open_nursery, run, shielded};

use super::support::{Gate, MOMENT, Post, SayWhenDropped, block, pass, say, spin};
use crate::guard::guarded;

#[treewright::task]
async fn never_clean_up(post: String) {
    say(&post, "ready");
    shielded(pending()).await
}

#[test]
fn second_signal_takes_the_grace_away() {
    guarded(|| {
        let mut post = Post::new();
        // The signals come one after the other, as from a hand on the keyboard.
        let runtime = Runtime::builder().grace(Duration::from_secs(600));
        let outcome = runtime.run(async || {
            open_nursery(async |n| {
                n.run_in_actor(never_clean_up(post.address())).await?;
                post.expect("ready").await;
                kill_process(getpid(), Signal::INT).unwrap();
                shielded(async {
                    n.cancelled().await;
                    kill_process(getpid(), Signal::INT).unwrap();
                    pending::<Result<()>>().await
                })
                .await
            })
            .await
        });
        assert!(outcome.unwrap_err().is_cancelled());
    });
}

/// Cleans up in its own time when it is cancelled.
#[treewright::task]
async fn clean_up(gate: String, post: String) {
    let _last = SayWhenDropped(post.clone(), "left");
    say(&post, "ready");
    shielded(async {
        pass(&gate).await;
        say(&post, "cleaned up");
    })
    .await;
    // It was cancelled meanwhile, so this is never said.
    pending::<()>().await;
    say(&post, "went on");
}

#[test]
fn shielded_work_in_an_actor_gets_its_grace() {
    guarded(|| {
        run(async || {
            let (mut post, gate) = (Post::new(), Gate::new());
            open_nursery(async |n| {
                let task = n
                    .run_in_actor(clean_up(gate.address(), post.address()))
                    .await?;
                post.expect("ready").await;
                let mut end = std::pin::pin!(task.portal().cancel_actor());
                // It has been asked to end when it has had its turn, and it does not.
                for _ in 0..10 {
                    let ended = async { Some((&mut end).await) };
                    let not_yet = async {
                        yield_now().await;
                        None
                    };
                    assert!(or(ended, not_yet).await.is_none());
                }
                gate.open();
                post.expect("cleaned up").await;
                post.expect("left").await;
                let exit = end.await.unwrap();
                assert_eq!(
                    (exit.reason, exit.stopped),
                    (ExitStatus::Code(0), Some(Rung::Asked))
                );
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

#[test]
fn shielded_work_that_outlasts_its_grace_does_not_outlast_its_actor() {
    guarded(|| {
        run(async || {
            let mut post = Post::new();
            open_nursery(async |n| {
                let actor = n.actor("slow").grace(MOMENT);
                let task = actor.run(never_clean_up(post.address())).await?;
                post.expect("ready").await;
                assert!(
                    task.portal()
                        .cancel_actor()
                        .await
                        .unwrap()
                        .stopped
                        .is_some()
                );
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

/// tractor: test_cancel_while_childs_child_in_sync_sleep (the child itself)
#[test]
fn actor_that_is_stuck_is_killed_after_its_grace() {
    async fn is_killed<T>(task: ActorTask<T>, post: &mut Post) {
        let process = post.process().await;
        let exit = task.portal().cancel_actor().await.unwrap();
        let ExitStatus::Signal { signal, .. } = exit.reason else {
            panic!("{exit}");
        };
        assert_eq!(signal.number(), Signal::KILL.as_raw());
        assert_eq!(exit.stopped, Some(Rung::Killed));
        process.gone().await;
        assert!(task.result().await.err().unwrap().is_cancelled());
    }
    guarded(|| {
        run(async || {
            let mut post = Post::new();
            open_nursery(async |n| {
                let spinner = n.actor("spinner").grace(MOMENT);
                is_killed(spinner.run(spin(post.address())).await?, &mut post).await;
                let blocked = n.actor("blocked").grace(MOMENT);
                is_killed(blocked.run(block(post.address())).await?, &mut post).await;
                let deaf = ["sh", "-c", "trap '' TERM; exec \"$@\"", "sh"];
                let deaf = n.actor("deaf").spawn_method(SpawnMethod::launcher(deaf));
                let deaf = deaf.grace(MOMENT).run(spin(post.address())).await?;
                is_killed(deaf, &mut post).await;
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

/// Has an actor of its own that is stuck.
#[treewright::task]
async fn parent_of_stuck(post: String) -> Result<()> {
    open_nursery(async |n| {
        n.actor("grandchild").grace(MOMENT).run(block(post)).await?;
        pending().await
    })
    .await
}

/// tractor: test_cancel_while_childs_child_in_sync_sleep
#[test]
fn grandchild_that_is_stuck_is_killed_and_the_error_of_the_root_comes_out() {
    guarded(|| {
        run(async || {
            let mut post = Post::new();
            let address = post.address();
            let mut stuck = None;
            let outcome = open_nursery(async |n| {
                n.run_in_actor(parent_of_stuck(address)).await?;
                stuck = Some(post.process().await);
                Err::<(), _>(Error::other("the root has its reasons"))
            });
            let error = outcome.await.unwrap_err();
            assert_eq!(error.to_string(), "the root has its reasons");
            assert!(!error.is_group());
            stuck.unwrap().gone().await;
            Ok(())
        })
        .unwrap();
    });
}

/// Starts a command, and waits for it.
#[treewright::task]
async fn with_a_command(post: String) -> Result<()> {
    let script = format!(
        "trap 'echo asked >>{post}; exit' TERM; echo pid $$ >>{post}; while :; do sleep 1; done"
    );
    open_nursery(async |n| {
        let mut command = Command::new("sh");
        command.args(["-c", &script]);
        n.command(command).start().await?;
        pending().await
    })
    .await
}

#[test]
fn command_below_a_cancelled_actor_is_asked_to_end() {
    guarded(|| {
        run(async || {
            let mut post = Post::new();
            open_nursery(async |n| {
                let task = n.run_in_actor(with_a_command(post.address())).await?;
                let command = post.process().await;
                let exit = task.portal().cancel_actor().await?;
                assert_eq!((exit.reason, exit.left_behind), (ExitStatus::Code(0), None));
                post.expect("asked").await;
                command.gone().await;
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}
