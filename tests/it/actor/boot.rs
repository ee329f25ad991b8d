//! How actors come up, what world they find, and what is said when they do not come up.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;
use std::{env, fs};

use futures_lite::future::{or, yield_now};
use treewright::spec::{Limit, Rlimit};
use treewright::{
    ActorBuilder, Error, ErrorKind, Nursery, RemoteKind, Result, current_actor, open_nursery, run,
};

use super::support::{kind, process_id, remote};
use crate::guard::guarded;
use crate::process::{self, helper};

/// What an actor knows of itself.
#[treewright::task]
async fn role() -> Result<(bool, String, Option<String>, u32)> {
    let actor = current_actor()?;
    let parent = actor.parent().map(|parent| parent.name().to_owned());
    let name = actor.name().to_owned();
    Ok((actor.is_root(), name, parent, std::process::id()))
}

/// tractor: test_run_in_actor_same_func_in_child, test_local_actor_async_func
#[test]
fn function_that_runs_here_and_in_an_actor_knows_where_it_is() {
    guarded(|| {
        run(async || {
            let (is_root, name, parent, here) = role().await?;
            assert_eq!((is_root, name.as_str(), parent), (true, "root", None));
            let there = open_nursery(async |n| {
                let task = n.run_in_actor(role()).await?;
                assert_eq!(task.portal().id().name(), "role");
                task.result().await
            });
            let (is_root, name, parent, there) = there.await?;
            assert_eq!((is_root, name.as_str()), (false, "role"));
            assert_eq!(parent.as_deref(), Some("root"));
            assert_ne!(here, there);
            Ok(())
        })
        .unwrap();
    });
}

/// tractor: test_no_runtime
#[test]
fn actor_without_a_runtime_is_refused_with_advice() {
    guarded(|| {
        let error = process::run(open_nursery(async |n| n.start_actor("a").await)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed);
        assert!(
            error.hint().unwrap().contains("treewright::run"),
            "{error:?}"
        );
        assert_eq!(current_actor().unwrap_err().kind(), ErrorKind::Closed);
    });
}

#[treewright::task]
async fn second_runtime() -> Result<()> {
    run(async || Ok(()))
}

/// tractor: test_only_one_root_actor
#[test]
fn runtime_in_an_actor_is_refused() {
    guarded(|| {
        let error = run(async || {
            open_nursery(async |n| n.run_in_actor(second_runtime()).await?.result().await).await
        });
        let error = error.unwrap_err();
        assert!(error.to_string().contains("already runs"), "{error}");
        assert_eq!(remote(&error).origin().name(), "second_runtime");
    });
}

#[treewright::task]
async fn line_of(name: String) -> String {
    format!("I have never seen {name} before")
}

/// tractor: test_movie_theatre_convo
#[test]
fn daemon_serves_one_call_after_the_other_until_it_is_cancelled() {
    guarded(|| {
        run(async || {
            open_nursery(async |n| {
                let frank = n.start_actor("frank").await?;
                let first = frank.run(line_of("Bob".into())).await?;
                assert_eq!(first, "I have never seen Bob before");
                let one = frank.run(process_id()).await?;
                assert_eq!(frank.run(process_id()).await?, one);
                assert_eq!(frank.try_wait(), None);
                let exit = frank.cancel_actor().await?;
                assert!(exit.reason.is_zero(), "{exit}");
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

#[treewright::task]
async fn maybe(word: Option<String>) -> Option<String> {
    word
}

/// tractor: test_most_beautiful_word
#[test]
fn value_of_a_function_is_there_in_its_nursery_and_after_it() {
    guarded(|| {
        for word in [Some("tulip".to_owned()), None] {
            let (inside, task) = run(async || {
                open_nursery(async |n| {
                    let early = n.run_in_actor(maybe(word.clone())).await?;
                    let late = n.run_in_actor(maybe(word.clone())).await?;
                    Ok((early.result().await?, late))
                })
                .await
            })
            .unwrap();
            assert!(task.is_finished());
            assert_eq!(inside, word);
            assert_eq!(process::run(task.result()).unwrap(), word);
        }
    });
}

/// What an actor finds around it.
#[treewright::task]
async fn world() -> BTreeMap<String, String> {
    let mut found: BTreeMap<String, String> = env::vars().collect();
    found.insert(
        "cwd".into(),
        env::current_dir().unwrap().display().to_string(),
    );
    let comm = fs::read_to_string("/proc/self/comm").unwrap();
    found.insert("comm".into(), comm.trim().into());
    let title = fs::read("/proc/self/cmdline").unwrap();
    let title = title.split(|byte| *byte == 0).next().unwrap();
    found.insert("title".into(), String::from_utf8(title.into()).unwrap());
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    let nofile = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let words: Vec<&str> = nofile.unwrap().split_whitespace().collect();
    found.insert("nofile".into(), words[3..5].join(" "));
    let stdin = fs::read_link("/proc/self/fd/0").unwrap();
    found.insert("stdin".into(), stdin.display().to_string());
    found
}

async fn world_of(
    prepare: impl FnOnce(ActorBuilder<'_>) -> ActorBuilder<'_>,
) -> BTreeMap<String, String> {
    open_nursery(async |n| prepare(n.actor("guest")).run(world()).await?.result().await)
        .await
        .unwrap()
}

#[test]
fn actor_finds_the_world_that_its_builder_says() {
    guarded(|| {
        run(async || {
            let found = world_of(|actor| {
                actor
                    .env("TW_A", "1")
                    .env("TW_B", "2")
                    .env_remove("TW_B")
                    .cwd("/usr")
                    .rlimit(Rlimit::Nofile, Limit::To(64))
            })
            .await;
            assert_eq!(found["TW_A"], "1");
            assert!(!found.contains_key("TW_B"));
            assert!(!found.contains_key("TREEWRIGHT_ROLE"), "it is played");
            assert_eq!(
                (found["cwd"].as_str(), found["nofile"].as_str()),
                ("/usr", "64 64")
            );
            assert_eq!(found["stdin"], "/dev/null");
            Ok(())
        })
        .unwrap();
    });
}

/// tractor: test_loglevel_propagated_to_subactor (what a child gets of its parent's settings)
#[test]
fn actor_without_settings_has_the_world_of_its_parent() {
    guarded(|| {
        run(async || {
            let found = world_of(|actor| actor).await;
            assert_eq!(found["cwd"], env::current_dir()?.display().to_string());
            assert_eq!(found.get("PATH"), env::var("PATH").ok().as_ref());
            assert_eq!(found["comm"], "guest");
            assert!(found["title"].ends_with(": guest"), "{}", found["title"]);
            Ok(())
        })
        .unwrap();
    });
}

/// What comes of an actor that is this program; the nursery does not fail by it.
fn refused(program: &str, boot_timeout: Duration) -> Error {
    let start = async |n: Nursery<'_>| {
        let actor = n
            .actor("stranger")
            .exe(program)
            .grace(Duration::from_millis(50));
        let started = actor.boot_timeout(boot_timeout).start().await;
        let other = n.run_in_actor(process_id()).await?;
        other.result().await?;
        Ok(started.unwrap_err())
    };
    run(async || open_nursery(start).await).unwrap()
}

const LONG: Duration = Duration::from_secs(600);

#[test]
fn program_that_ends_before_it_is_up_is_told_with_its_status_and_last_words() {
    guarded(|| {
        let entries = helper::program("entries");
        for (program, code, words) in [
            ("/bin/true", 0, ""),
            ("/bin/false", 1, ""),
            ("/bin/sleep", 1, "missing operand"),
            (entries.to_str().unwrap(), 2, ""),
        ] {
            let error = refused(program, LONG);
            assert_eq!(error.kind(), ErrorKind::Spawn, "{error:?}");
            assert_eq!(kind(&error), RemoteKind::BootDeath);
            let text = format!("actor `stranger` exited with code {code} before it was up");
            assert_eq!(error.to_string(), text);
            let stderr = String::from_utf8_lossy(remote(&error).stderr());
            assert!(stderr.contains(words), "{stderr}");
        }
    });
}

#[test]
fn program_that_is_not_there_is_told_at_once() {
    guarded(|| {
        let error = refused("/nowhere/at-all", LONG);
        assert!(error.remote().is_none());
        assert!(
            format!("{error:?}").contains("/nowhere/at-all"),
            "{error:?}"
        );
    });
}

#[test]
fn program_that_never_says_a_word_is_killed_when_its_time_is_up() {
    guarded(|| {
        let error = refused("/bin/cat", Duration::from_millis(100));
        assert!(error.is_timeout(), "{error:?}");
        assert_eq!(kind(&error), RemoteKind::BootTimeout);
        assert_eq!(error.to_string(), "actor `stranger` was not up in time");
    });
}

#[test]
fn program_without_bootstrap_is_refused_its_first_actor_with_advice() {
    guarded(|| {
        let output = Command::new(helper::program("entries"))
            .arg("actor-without-bootstrap")
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let (first, rest) = text.split_once('\n').unwrap();
        assert_eq!(first, "cannot start actor `a`");
        let cause = "caused by: this program has not called `treewright::bootstrap`\nhint: ";
        assert!(rest.starts_with(cause), "{rest}");
        assert!(rest.contains("#[treewright::main]"), "{rest}");
    });
}

#[test]
fn start_that_is_dropped_ends_the_actor_and_not_the_nursery() {
    guarded(|| {
        run(async || {
            open_nursery(async |n| {
                let start = async { Some(n.start_actor("early").await) };
                let dropped = async {
                    yield_now().await;
                    None
                };
                if let Some(portal) = or(start, dropped).await {
                    // It was up before it could be dropped.
                    portal?.cancel_actor().await?;
                }
                n.run_in_actor(process_id()).await?.result().await
            })
            .await
        })
        .unwrap();
    });
}

#[test]
fn nursery_that_has_ended_or_is_cancelled_starts_no_actor() {
    guarded(|| {
        run(async || {
            let over = open_nursery(async |n| Ok(n)).await?;
            assert!(over.start_actor("late").await.unwrap_err().is_closed());
            let outcome = open_nursery(async |n| {
                n.cancel("enough");
                let refused = n.start_actor("late").await;
                assert!(refused.unwrap_err().is_cancelled());
                Ok(())
            });
            outcome.await
        })
        .unwrap();
    });
}
