//! The way to an actor that holds through its restarts.

use std::time::Duration;

use futures_lite::future::{self, poll_once};
use rustix::process::Signal;
use treewright::tree::SupervisedActor;
use treewright::{Error, TreeHandle};

use super::super::operate::with_tree;
use super::super::support::{kill, resident, supervisor};
use super::deeds::{self, leave, never, process_id};
use crate::guard::guarded;

/// An actor that says its pid and stays, and is ready when it has said so.
fn actor(name: &str, keys: &str) -> String {
    let path = deeds::PATH;
    format!("[actor.{name}]\ntask = \"{path}::stay\"\nready = {{ log = \"pid\" }}\n{keys}\n")
}

/// Longer than anything takes on the slowest machine: what comes later has hung.
const HANGS: Duration = Duration::from_secs(60);

const AT_ONCE: &str = "backoff = { initial = \"0s\" }";

fn way_to(tree: &TreeHandle, name: &str) -> SupervisedActor {
    tree.actor(name).unwrap()
}

/// The error of a way that leads nowhere any more.
async fn refused(actor: &SupervisedActor) -> String {
    let error = actor.run(process_id()).await.unwrap_err();
    assert!(error.is_closed(), "{error:?}");
    error.to_string()
}

#[test]
fn call_after_a_kill_goes_to_the_next_life_and_its_number_is_told() {
    guarded(|| {
        with_tree(&actor("c", AT_ONCE), async |tree, events| {
            let mut c = way_to(tree, "c");
            let portal = c.portal().await.unwrap();
            for number in 1..4 {
                let pid = events.pid_of("c").await;
                assert_eq!(c.run(process_id()).await.unwrap(), pid);
                assert_eq!(c.incarnation(), number);
                kill(pid, Signal::KILL);
                assert_eq!(c.changed().await.unwrap(), number + 1);
            }
            // A portal is of one life.
            let error: Error = portal.run(process_id()).await.unwrap_err();
            assert!(error.to_string().contains("`c`"), "{error:?}");
        });
    });
}

#[test]
fn call_waits_while_the_actor_waits_for_its_restart() {
    guarded(|| {
        let keys = "backoff = { initial = \"300ms\", jitter = 0.0 }";
        with_tree(&actor("c", keys), async |tree, events| {
            let c = way_to(tree, "c");
            let pid = events.pid_of("c").await;
            kill(pid, Signal::KILL);
            events.wait_for("c was ended by signal KILL").await;
            let mut call = Box::pin(c.run(process_id()));
            assert!(poll_once(&mut call).await.is_none());
            let (answer, next) = future::zip(call, events.pid_of("c")).await;
            assert_eq!(answer.unwrap(), next);
            assert_ne!(next, pid);
        });
    });
}

#[test]
fn call_waits_while_a_supervisor_above_is_restarted() {
    guarded(|| {
        let text = supervisor("root", &["app"], "")
            + &supervisor(
                "app",
                &["c"],
                "intensity = 0\nbackoff = { initial = \"300ms\" }",
            )
            + &actor("c", "");
        with_tree(&text, async |tree, events| {
            let mut c = way_to(tree, "c");
            kill(events.pid_of("c").await, Signal::KILL);
            assert_eq!(c.changed().await.unwrap(), 2);
            let next = events.pid_of("c").await;
            assert_eq!(c.run(process_id()).await.unwrap(), next);
        });
    });
}

#[test]
fn actor_that_is_stopped_or_down_for_good_is_an_error_and_not_waited_for() {
    guarded(|| {
        let path = deeds::PATH;
        let text = supervisor("root", &["keep", "c", "done", "jobs"], "")
            + &resident("keep", "")
            + &actor("c", AT_ONCE)
            + &actor("done", "restart = \"transient\"")
            + &format!("[pool.jobs]\nsize = 2\ntask = \"{path}::stay\"\n");
        with_tree(&text, async |tree, events| {
            let mut c = way_to(tree, "c");
            // Whoever waits is told.
            let mut waits = c.clone();
            let (told, stopped) = future::zip(waits.changed(), tree.stop("c")).await;
            stopped.unwrap();
            assert!(told.unwrap_err().is_closed());
            assert_eq!(refused(&c).await, "actor `c` is not up: it was stopped");
            tree.start("c").await.unwrap();
            assert_eq!(c.changed().await.unwrap(), 2);

            let done = way_to(tree, "done");
            let root = tree.supervisor("root").unwrap();
            root.terminate_child("done").await.unwrap();
            let why = refused(&done).await;
            assert!(why.contains("actor `done` is not up"), "{why}");
            root.restart_child("done").await.unwrap();
            done.run(process_id()).await.unwrap();

            let member = way_to(tree, "jobs@1");
            let pid = member.run(process_id()).await.unwrap();
            assert_ne!(pid, way_to(tree, "jobs@0").run(process_id()).await.unwrap());
            tree.scale("jobs", 1).await.unwrap();
            let why = refused(&member).await;
            assert!(why.contains("no child is called so any more"), "{why}");

            tree.shut_down();
            tree.ended().await.unwrap();
            let why = refused(&c).await;
            assert_eq!(why, "actor `c` is not up: the tree has ended");
            events.wait_for("keep | pid").await;
        });
    });
}

/// A way to an actor, with one who waits for its next life, a call that is being answered and a
/// portal to this life: when `end` has ended it for good, each of them is told so.
async fn told_of_the_end(tree: &TreeHandle, name: &str, end: impl AsyncFnOnce()) -> String {
    let way = way_to(tree, name);
    let portal = way.portal().await.unwrap();
    let mut waits = way.clone();
    let call = portal.run(never());
    let ended = future::zip(future::zip(waits.changed(), call), end());
    let ((change, call), ()) = ended.await;
    assert!(change.unwrap_err().is_closed());
    let call = call.unwrap_err();
    assert!(call.to_string().contains(name), "{call:?}");
    assert!(portal.run(process_id()).await.is_err());
    assert!(way.portal().await.unwrap_err().is_closed());
    refused(&way).await
}

#[test]
fn actor_that_ended_by_itself_and_is_down_for_good_is_an_error_at_once() {
    guarded(|| {
        let path = deeds::PATH;
        let text = supervisor("root", &["keep", "killed", "left", "app", "jobs"], "")
            + &resident("keep", "")
            + &actor("killed", "restart = \"temporary\"")
            + &format!(
                "[actor.left]\ntask = \"{path}::stay_until_told\"\nrestart = \"transient\"\n"
            )
            + &supervisor("app", &["below"], "intensity = 0\nrestart = \"temporary\"")
            + &actor("below", "")
            + &format!("[pool.jobs]\ntask = \"{path}::stay\"\nsize = 1\nrestart = \"temporary\"\n");
        with_tree(&text, async |tree, _| {
            let by_kill = async |name: &str| {
                let pid = way_to(tree, name).run(process_id()).await.unwrap();
                let end = async || kill(pid, Signal::KILL);
                let told = told_of_the_end(tree, name, end);
                treewright::timeout(HANGS, told).await.unwrap()
            };
            let why = by_kill("killed").await;
            assert_eq!(
                why,
                "actor `killed` is not up: it has ended and is temporary"
            );
            let why = by_kill("below").await;
            assert_eq!(
                why,
                "actor `below` is not up: its supervisor `app` has ended and is temporary"
            );
            let why = by_kill("jobs@0").await;
            assert!(why.starts_with("actor `jobs@0` is not up: "), "{why}");

            let way = way_to(tree, "left");
            let end = async || way.run(leave()).await.unwrap_or_default();
            let told = told_of_the_end(tree, "left", end);
            let why = treewright::timeout(HANGS, told).await.unwrap();
            assert_eq!(why, "actor `left` is not up: it is down for good");
        });
    });
}

#[test]
fn actor_below_an_isolated_supervisor_is_found_through_its_restarts_and_those_of_the_process() {
    guarded(|| {
        let isolated = format!("isolated = true\n{AT_ONCE}");
        let text = supervisor("root", &["app"], "")
            + &supervisor("app", &["inner"], &isolated)
            + &supervisor("inner", &["c"], &isolated)
            + &actor("c", AT_ONCE);
        with_tree(&text, async |tree, events| {
            let mut c = way_to(tree, "c");
            let pid = events.pid_of("c").await;
            assert_eq!(c.run(process_id()).await.unwrap(), pid);
            kill(pid, Signal::KILL);
            assert_eq!(c.changed().await.unwrap(), 2);
            let pid = events.pid_of("c").await;
            assert_eq!(c.run(process_id()).await.unwrap(), pid);
            // The process of its supervisor.
            kill(super::super::isolated::parent_of(pid), Signal::KILL);
            assert_eq!(c.changed().await.unwrap(), 3);
            let pid = events.pid_of("c").await;
            assert_eq!(c.run(process_id()).await.unwrap(), pid);
            tree.stop("c").await.unwrap();
            assert_eq!(refused(&c).await, "actor `c` is not up: it was stopped");
        });
    });
}
