//! One suite for all the ways to bring about an actor.

use std::fs;
use std::future::pending;

use treewright::process::ExitStatus;
use treewright::{ErrorKind, Result, SpawnMethod, current_actor, open_nursery, run, shielded};

use super::sshd::Sshd;
use super::support::{Gate, Post, Watch, fail, hang, pass, process_id, remote, say};
use crate::guard::guarded;

#[treewright::task]
async fn whose_child() -> Result<(String, String)> {
    let actor = current_actor()?;
    let parent = actor.parent().map(|parent| parent.name().to_owned());
    Ok((actor.name().to_owned(), parent.unwrap_or_default()))
}

#[treewright::task]
#[expect(clippy::print_stdout, reason = "that is what is tried")]
async fn shout(times: usize) -> usize {
    for _ in 0..times {
        println!("{}", "noise ".repeat(100));
    }
    times
}

#[treewright::task]
async fn reverse(text: String) -> String {
    text.chars().rev().collect()
}

#[treewright::task]
async fn panic_at_once() {
    panic!("boom");
}

#[treewright::task]
async fn tidy(gate: String, post: String) {
    say(&post, "ready");
    shielded(async {
        pass(&gate).await;
        say(&post, "tidied");
    })
    .await;
    pending().await
}

#[treewright::task]
async fn with_a_child_of_its_own() -> Result<(u32, u32)> {
    let below = open_nursery(async |n| n.run_in_actor(process_id()).await?.result().await).await?;
    Ok((process_id().await, below))
}

/// Calls: values, failures and panics come back, and printing does no harm.
fn calls_are_answered(method: &SpawnMethod) {
    run(async || {
        open_nursery(async |n| {
            let portal = n.actor("near").spawn_method(method.clone()).start().await?;
            let family = ("near".to_owned(), "root".to_owned());
            assert_eq!(portal.run(whose_child()).await?, family);
            let long = "ab".repeat(300_000);
            let back = portal.run(reverse(long)).await?;
            assert!(back.len() == 600_000 && back.starts_with("ba"));
            let error = portal.run(fail("no".into())).await.unwrap_err();
            assert_eq!(
                (error.kind(), remote(&error).message()),
                (ErrorKind::Remote, "no")
            );
            assert!(portal.run(panic_at_once()).await.unwrap_err().is_panic());
            assert_eq!(portal.run(shout(200)).await?, 200);
            let exit = portal.cancel_actor().await?;
            assert_eq!(exit.reason, ExitStatus::Code(0));
            Ok(())
        })
        .await
    })
    .unwrap();
}

/// A one-shot's value and failure are its nursery's.
fn one_shots_end(method: &SpawnMethod) {
    run(async || {
        let once = async |call: treewright::Call<fail>| {
            open_nursery(async |n| {
                let other = n
                    .actor("other")
                    .spawn_method(method.clone())
                    .start()
                    .await?;
                n.actor("once")
                    .spawn_method(method.clone())
                    .run(call)
                    .await?;
                other.wait().await;
                Ok(())
            })
            .await
        };
        let error = once(fail("no".into())).await.unwrap_err();
        assert_eq!(error.to_string(), "actor `once` failed: no");
        let (above, below) = open_nursery(async |n| {
            let actor = n.actor("parent").spawn_method(method.clone());
            actor.run(with_a_child_of_its_own()).await?.result().await
        })
        .await?;
        assert_ne!(above, below);
        Ok(())
    })
    .unwrap();
}

/// Cancelling reaches what runs there, shielded work gets its time, and dropping cancels.
fn cancels_arrive(method: &SpawnMethod) {
    run(async || {
        let (mut post, gate) = (Post::new(), Gate::new());
        open_nursery(async |n| {
            let portal = n.actor("near").spawn_method(method.clone()).start().await?;
            let address = post.address();
            let call = async { drop(portal.run(hang(address)).await) };
            futures_lite::future::or(call, async { drop(post.process().await) }).await;
            post.expect("dropped").await;
            let tidying = portal.clone();
            let call = tidy(gate.address(), post.address());
            n.spawn(async move { drop(tidying.run(call).await) });
            post.expect("ready").await;
            let end = portal.cancel_actor();
            gate.open();
            post.expect("tidied").await;
            assert_eq!(end.await.unwrap().reason, ExitStatus::Code(0));
            Ok(())
        })
        .await
    })
    .unwrap();
}

/// A process that is killed is told with how it ended.
fn death_is_noticed(method: &SpawnMethod) {
    run(async || {
        let mut post = Post::new();
        let address = post.address();
        let outcome = open_nursery(async |n| {
            let actor = n.actor("mortal").spawn_method(method.clone());
            actor.run(hang(address)).await?;
            post.process().await.signal(rustix::process::Signal::KILL);
            pending::<Result<()>>().await
        });
        let error = outcome.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LostProcess, "{error:?}");
        assert_eq!(remote(&error).origin().name(), "mortal");
        Ok(())
    })
    .unwrap();
}

fn conforms(method: SpawnMethod) {
    calls_are_answered(&method);
    one_shots_end(&method);
    cancels_arrive(&method);
    if method != SpawnMethod::Thread {
        death_is_noticed(&method);
    }
}

#[test]
fn re_exec_conforms() {
    guarded(|| conforms(SpawnMethod::ReExec));
}

#[test]
fn thread_conforms() {
    guarded(|| conforms(SpawnMethod::Thread));
}

#[test]
fn launcher_env_conforms() {
    guarded(|| conforms(SpawnMethod::launcher(["env"])));
}

#[test]
fn launcher_shell_conforms() {
    guarded(|| conforms(SpawnMethod::launcher(["sh", "-c", "exec \"$@\"", "sh"])));
}

/// A shell that stays between the two.
#[test]
fn launcher_that_stays_conforms() {
    guarded(|| conforms(SpawnMethod::launcher(["sh", "-c", "\"$@\"; exit $?", "sh"])));
}

#[test]
fn thread_is_an_actor_of_this_process() {
    guarded(|| {
        let there = run(async || {
            open_nursery(async |n| {
                let actor = n.actor("inside").spawn_method(SpawnMethod::Thread);
                actor.run(process_id()).await?.result().await
            })
            .await
        });
        assert_eq!(there.unwrap(), std::process::id());
    });
}

#[test]
fn launcher_that_is_not_there_or_fails_is_told() {
    guarded(|| {
        run(async || {
            open_nursery(async |n| {
                let start = async |words: &[&str]| {
                    let method = SpawnMethod::launcher(words.iter().copied());
                    let actor = n.actor("far").spawn_method(method);
                    actor.start().await.unwrap_err()
                };
                let error = start(&[]).await;
                assert!(format!("{error:?}").contains("no words"), "{error:?}");
                let error = start(&["/nowhere/at-all"]).await;
                assert!(
                    format!("{error:?}").contains("/nowhere/at-all"),
                    "{error:?}"
                );
                let error = start(&["sh", "-c", "echo no route >&2; exit 255"]).await;
                assert_eq!(
                    error.to_string(),
                    "actor `far` exited with code 255 before it was up"
                );
                assert_eq!(remote(&error).stderr(), b"no route\n");
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

/// The actors of this test are children of sshd, which cleans their environment.
#[test]
#[ignore = "needs root and openssh-server, which .ci/run sees to"]
fn launcher_ssh_conforms() {
    guarded(|| {
        let sshd = Sshd::start();
        calls_are_answered(&sshd.method());
        one_shots_end(&sshd.method());
        cancels_arrive(&sshd.method());
    });
}

#[test]
#[ignore = "needs root and openssh-server, which .ci/run sees to"]
fn far_actor_ends_when_the_connection_to_it_does() {
    guarded(|| {
        connection_is_lost();
    });
}

fn connection_is_lost() {
    let sshd = Sshd::start();
    run(async || {
        let mut post = Post::new();
        let address = post.address();
        let outcome = open_nursery(async |n| {
            let far = n.actor("far").spawn_method(sshd.method()).start().await?;
            let process = Watch::of(far.run(process_id()).await?);
            let call = far.clone();
            n.spawn(async move { call.run(hang(address)).await });
            post.process().await;
            // The client, which is a child of ours.
            let clients = children();
            assert_eq!(clients.len(), 1, "{clients:?}");
            Watch::of(clients[0]).signal(rustix::process::Signal::KILL);
            shielded(process.gone()).await;
            pending::<Result<()>>().await
        });
        let error = outcome.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LostProcess, "{error:?}");
        post.expect("dropped").await;
        Ok(())
    })
    .unwrap();
}

/// Children of this process that are ssh clients.
fn children() -> Vec<u32> {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let lists =
        tasks.map(|task| fs::read_to_string(task.unwrap().path().join("children")).unwrap());
    let all: Vec<u32> = lists
        .flat_map(|list| {
            list.split_whitespace()
                .map(|pid| pid.parse().unwrap())
                .collect::<Vec<_>>()
        })
        .collect();
    let is_ssh = |pid: &u32| {
        fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.trim() == "ssh")
    };
    all.into_iter().filter(is_ssh).collect()
}
