//! Actors that die, and actors whose parents do.

use std::future::pending;
use std::process::Stdio;
use std::time::Duration;
use std::{env, fs, process};

use futures_lite::future::zip;
use rustix::process::{Signal, getpid, kill_process};
use treewright::process::{Command, ExitStatus};
use treewright::{ErrorKind, RemoteKind, Result, SpawnMethod, open_nursery, run};

use super::support::{Post, Watch, block, hang, kind, process_id, remote, say_pid, spin};
use crate::guard::guarded;
use crate::process as processes;

/// Says a last word and ends its process.
#[treewright::task]
#[expect(clippy::print_stderr, reason = "last words are said there")]
async fn die(how: String) {
    eprintln!("last words before {how}");
    match how.as_str() {
        "exit 0" => process::exit(0),
        "exit 3" => process::exit(3),
        "abort" => process::abort(),
        "kill" => kill_process(getpid(), Signal::KILL).unwrap(),
        "segfault" => kill_process(getpid(), Signal::SEGV).unwrap(),
        _ => panic!("die how?"),
    }
    pending().await
}

/// Whether this is how it died.
type Check = Box<dyn Fn(RemoteKind) -> bool>;

fn signalled(signal: Signal) -> impl Fn(RemoteKind) -> bool {
    move |kind| matches!(kind, RemoteKind::Signalled { signal: number, .. } if number == signal.as_raw())
}

/// tractor: none (child SIGKILLed in a call, exit codes, abort)
#[test]
fn actor_that_dies_in_a_call_fails_the_call_and_the_nursery_with_how_it_died() {
    guarded(|| {
        let exited = |code| move |kind| kind == RemoteKind::Exited(code);
        let cases: [(&str, Check); 5] = [
            ("exit 0", Box::new(exited(0))),
            ("exit 3", Box::new(exited(3))),
            ("abort", Box::new(signalled(Signal::ABORT))),
            ("kill", Box::new(signalled(Signal::KILL))),
            ("segfault", Box::new(signalled(Signal::SEGV))),
        ];
        for (how, is_expected) in cases {
            let mut seen = None;
            let outcome = run(async || {
                open_nursery(async |n| {
                    let portal = n.start_actor("mortal").await?;
                    let call = treewright::shielded(portal.run(die(how.into())));
                    seen = Some(call.await.unwrap_err());
                    pending::<Result<()>>().await
                })
                .await
            });
            let error = outcome.unwrap_err();
            assert!(!error.is_group(), "{how}: {error:?}");
            assert_eq!(error.kind(), ErrorKind::LostProcess, "{how}: {error:?}");
            assert!(is_expected(kind(&error)), "{how}: {error:?}");
            assert_eq!(remote(&error).origin().name(), "mortal");
            let words = String::from_utf8_lossy(remote(&error).stderr());
            assert!(
                words.contains(&format!("last words before {how}")),
                "{words}"
            );
            assert_eq!(seen.map(|seen| seen.to_string()), Some(error.to_string()));
        }
    });
}

#[test]
fn everybody_who_waits_for_an_actor_is_told_when_it_is_killed() {
    guarded(|| {
        run(async || {
            let mut post = Post::new();
            let address = post.address();
            let outcome = open_nursery(async |n| {
                let portal = n.start_actor("victim").await?;
                let [first, second] = [0, 1].map(|_| {
                    let (portal, address) = (portal.clone(), address.clone());
                    treewright::shielded(async move { portal.run(hang(address)).await })
                });
                let killer = async {
                    let process = post.process().await;
                    post.process().await;
                    process.signal(Signal::KILL);
                    portal.wait().await
                };
                let calls = zip(first, second);
                let ((first, second), exit) = treewright::shielded(zip(calls, killer)).await;
                for error in [first.unwrap_err(), second.unwrap_err()] {
                    assert!(signalled(Signal::KILL)(kind(&error)), "{error:?}");
                }
                let killed = matches!(exit.reason, ExitStatus::Signal { .. });
                assert!(killed && exit.stopped.is_none(), "{exit}");
                // And so is who comes later.
                assert!(portal.run(process_id()).await.is_err());
                Ok(())
            });
            assert!(signalled(Signal::KILL)(kind(&outcome.await.unwrap_err())));
            Ok(())
        })
        .unwrap();
    });
}

#[test]
fn one_shot_that_is_killed_fails_its_nursery_once() {
    guarded(|| {
        run(async || {
            let mut post = Post::new();
            let address = post.address();
            let outcome = open_nursery(async |n| {
                n.run_in_actor(hang(address)).await?;
                post.process().await.signal(Signal::KILL);
                pending::<Result<()>>().await
            });
            let error = outcome.await.unwrap_err();
            assert!(
                !error.is_group() && signalled(Signal::KILL)(kind(&error)),
                "{error:?}"
            );
            Ok(())
        })
        .unwrap();
    });
}

/// Starts actors and a command below it that would never end, each of another kind, and says
/// who they are.
#[treewright::task]
async fn tree(depth: u32, post: String) -> Result<()> {
    let _told = Told(post.clone());
    open_nursery(async |n| {
        let grace = Duration::ZERO;
        say_pid(&post);
        if depth > 0 {
            n.actor("middle")
                .grace(grace)
                .run(tree(depth - 1, post.clone()))
                .await?;
        }
        n.actor("spinner")
            .grace(grace)
            .run(spin(post.clone()))
            .await?;
        n.actor("blocked")
            .grace(grace)
            .run(block(post.clone()))
            .await?;
        let deaf = ["sh", "-c", "trap '' TERM; exec \"$@\"", "sh"];
        let deaf = n
            .actor("deaf")
            .spawn_method(SpawnMethod::launcher(deaf))
            .grace(grace);
        deaf.run(spin(post.clone())).await?;
        let script = format!("trap '' TERM; echo pid $$ >>{post}; exec setsid sleep 600");
        let mut command = Command::new("sh");
        command.args(["-c", &script]);
        n.command(command).start().await?;
        for keeper in keepers() {
            super::support::say(&post, &format!("pid {keeper}"));
        }
        pending().await
    })
    .await
}

/// Those children of this process that keep its commands; they end when they have swept up.
fn keepers() -> Vec<u32> {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let lists = tasks.map(|task| fs::read_to_string(task.unwrap().path().join("children")));
    let children: String = lists.map(Result::unwrap).collect();
    let is_keeper = |pid: &u32| {
        let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap();
        command.starts_with(b"treewright: keeper")
    };
    let children = children.split_whitespace().map(|pid| pid.parse().unwrap());
    children.filter(is_keeper).collect()
}

/// Nothing of the tree ends in order, so this is never said.
struct Told(String);

impl Drop for Told {
    fn drop(&mut self) {
        super::support::say(&self.0, "it ended in order");
    }
}

/// How many processes a tree of this depth says.
const fn size(depth: usize) -> usize {
    6 * (depth + 1)
}

async fn watch(post: &mut Post, count: usize) -> Vec<Watch> {
    let mut watched = Vec::new();
    for _ in 0..count {
        watched.push(post.process().await);
    }
    watched
}

async fn all_gone(watched: &[Watch]) {
    for process in watched {
        process.gone().await;
    }
}

/// tractor: none (parent SIGKILLed)
#[test]
fn actor_that_is_killed_takes_its_whole_subtree_with_it() {
    guarded(|| {
        run(async || {
            let mut post = Post::new();
            let address = post.address();
            let outcome = open_nursery(async |n| {
                n.actor("top").run(tree(1, address)).await?;
                // The first to say something is the one on top.
                let watched = watch(&mut post, size(1)).await;
                watched[0].signal(Signal::KILL);
                treewright::shielded(all_gone(&watched)).await;
                pending::<Result<()>>().await
            });
            let error = outcome.await.unwrap_err();
            assert!(signalled(Signal::KILL)(kind(&error)), "{error:?}");
            Ok(())
        })
        .unwrap();
    });
}

/// Where the victim below tells who is in its tree.
const VICTIM: &str = "TREEWRIGHT_TEST_ROOT_TO_BE_KILLED";

/// No test: the root of a tree in a process of its own, for the one below.
#[treewright::test]
async fn victim_is_the_root_of_a_tree_when_it_is_told_to() -> Result<()> {
    match env::var(VICTIM) {
        Ok(post) => tree(1, post).await,
        Err(_) => Ok(()),
    }
}

/// tractor: none (root SIGKILLed)
#[test]
fn root_that_is_killed_takes_its_whole_tree_with_it() {
    guarded(|| {
        let mut post = Post::new();
        let name = "actor::deaths::victim_is_the_root_of_a_tree_when_it_is_told_to";
        let mut root = process::Command::new(env::current_exe().unwrap())
            .args([name, "--exact", "--nocapture", "--test-threads=1"])
            .env(VICTIM, post.address())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let watched = processes::run(watch(&mut post, size(1)));
        root.kill().unwrap();
        root.wait().unwrap();
        processes::run(all_gone(&watched));
    });
}

#[treewright::task]
async fn leave_a_stray(post: String) {
    let mut stray = process::Command::new("setsid");
    let script = format!("trap '' TERM; echo pid $$ >>{post}; exec sleep 600");
    stray.args(["sh", "-c", &script]);
    drop(stray.spawn().unwrap());
    pending().await
}

#[test]
fn process_that_an_actor_started_by_other_means_is_ended_when_the_actor_dies() {
    guarded(|| {
        run(async || {
            let mut post = Post::new();
            let address = post.address();
            let outcome = open_nursery(async |n| {
                let actor = n.actor("careless").grace(Duration::from_millis(50));
                let portal = actor.start().await?;
                let careless = Watch::of(portal.run(process_id()).await?);
                n.spawn(async move { portal.run(leave_a_stray(address)).await });
                let stray = post.process().await;
                careless.signal(Signal::KILL);
                treewright::shielded(stray.gone()).await;
                pending::<Result<()>>().await
            });
            assert_eq!(outcome.await.unwrap_err().kind(), ErrorKind::LostProcess);
            Ok(())
        })
        .unwrap();
    });
}
