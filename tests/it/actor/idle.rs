//! Actors that nobody has called yet: they wait for a word or a signal, and are nothing more.

use std::fs;
use std::future::pending;

use rustix::process::Signal;
use treewright::process::ExitStatus;
use treewright::{CancelOrigin, Result, open_nursery, run, shielded};

use super::support::{Post, Watch, process_id, remote, say};
use crate::guard::guarded;

/// The only child of this process.
fn only_child() -> u32 {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let of_task = |task: fs::DirEntry| fs::read_to_string(task.path().join("children")).unwrap();
    let children: String = tasks.map(|task| of_task(task.unwrap())).collect();
    children.trim().parse().unwrap()
}

#[test]
fn actor_that_nobody_has_called_has_one_thread_and_a_runtime_when_it_is_called() {
    guarded(|| {
        run(async || {
            open_nursery(async |n| {
                let portal = n.start_actor("idle").await?;
                let actor = only_child();
                let threads = || fs::read_dir(format!("/proc/{actor}/task")).unwrap().count();
                assert_eq!(threads(), 1);
                assert_eq!(portal.run(process_id()).await?, actor);
                assert!(threads() > 1);
                portal.cancel_actor().await?;
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

#[test]
fn actor_that_nobody_has_called_takes_a_signal_as_any_other() {
    guarded(|| {
        for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
            run(async || {
                let mut exit = None;
                let outcome = open_nursery(async |n| {
                    let portal = n.start_actor("idle").await?;
                    Watch::of(only_child()).signal(signal);
                    exit = Some(shielded(portal.wait()).await);
                    pending::<Result<()>>().await
                });
                let error = outcome.await.unwrap_err();
                let reason = error.cancel_reason().unwrap();
                assert_eq!(*reason.origin(), CancelOrigin::Signal(signal.as_raw()));
                assert_eq!(remote(&error).origin().name(), "idle");
                let code = ExitStatus::Code(128 + signal.as_raw());
                assert_eq!(exit.unwrap().reason, code);
                Ok(())
            })
            .unwrap();
        }
    });
}

/// Starts an actor that it never calls, says which process that is, and waits for ever.
#[treewright::task]
async fn start_and_never_call(post: String) -> Result<()> {
    open_nursery(async |n| {
        n.start_actor("idle").await?;
        say(&post, &format!("pid {}", only_child()));
        pending().await
    })
    .await
}

#[test]
fn actor_that_nobody_has_called_does_not_outlive_its_parent() {
    guarded(|| {
        run(async || {
            let mut post = Post::new();
            let outcome = open_nursery(async |n| {
                n.run_in_actor(start_and_never_call(post.address())).await?;
                let idle = post.process().await;
                Watch::of(only_child()).signal(Signal::KILL);
                shielded(idle.gone()).await;
                pending::<Result<()>>().await
            });
            assert!(outcome.await.is_err());
            Ok(())
        })
        .unwrap();
    });
}
