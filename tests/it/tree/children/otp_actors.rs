//! OTP's cases of restarting, with real actors as children.

use futures_lite::future;
use rustix::process::Signal;
use treewright::tree::SupervisedActor;
use treewright::{TreeHandle, TreeOutcome, run};

use super::super::operate::with_tree;
use super::super::support::{Events, having, kill, supervisor, tree};
use super::deeds::{self, process_id};
use crate::guard::guarded;

fn actor(name: &str, task: &str, keys: &str) -> String {
    let path = deeds::PATH;
    format!("[actor.{name}]\ntask = \"{path}::{task}\"\nbackoff = {{ initial = \"0s\" }}\n{keys}\n")
}

/// How many lives an actor has that always ends in this way and may be restarted once, and
/// whether its supervisor gives up.
fn lives_of(restart: &str, how: &str) -> (usize, bool) {
    let keys = format!("args = {{ how = \"{how}\" }}\nrestart = \"{restart}\"");
    let text =
        supervisor("root", &["c"], "intensity = 1\nperiod = \"1h\"") + &actor("c", "end", &keys);
    let (tree, events) = tree(&text);
    let outcome = run(async || tree.run().await).unwrap();
    let told = events.rest();
    let gave_up = matches!(outcome, TreeOutcome::GaveUp { .. });
    (having(&told, "c ! last words").len(), gave_up)
}

const NORMAL: [&str; 2] = ["return", "exit 0"];
const ABNORMAL: [&str; 4] = ["error", "panic", "exit 3", "abort"];

#[test]
fn permanent_normal_and_abnormal() {
    guarded(|| {
        for how in NORMAL.iter().chain(&ABNORMAL) {
            assert_eq!(lives_of("permanent", how), (2, true), "{how}");
        }
    });
}

#[test]
fn transient_normal_and_abnormal() {
    guarded(|| {
        for how in NORMAL {
            assert_eq!(lives_of("transient", how), (1, false), "{how}");
        }
        for how in ABNORMAL {
            assert_eq!(lives_of("transient", how), (2, true), "{how}");
        }
    });
}

#[test]
fn temporary_normal_and_abnormal() {
    guarded(|| {
        for how in NORMAL.iter().chain(&ABNORMAL) {
            assert_eq!(lives_of("temporary", how), (1, false), "{how}");
        }
    });
}

/// Kills the second of three over and over: who has which life afterwards, and that the third
/// kill ends the supervisor.
fn strategy(strategy: &str, restarted: [bool; 3]) {
    let keys = format!("strategy = \"{strategy}\"\nintensity = 2\nperiod = \"1h\"");
    let text = supervisor("root", &["z", "m", "a"], &keys) + &["z", "m", "a"].map(stays).concat();
    let (tree, mut events) = tree(&text);
    let handle = tree.handle();
    let body = kill_the_second(&handle, &mut events, restarted);
    let (outcome, ()) = run(async || Ok(future::zip(tree.run(), body).await)).unwrap();
    let told = events.rest();
    assert!(
        matches!(outcome.unwrap(), TreeOutcome::GaveUp { .. }),
        "{strategy}: {told:#?}"
    );
}

fn stays(name: &str) -> String {
    actor(name, "stay", "ready = { log = \"pid\" }")
}

async fn kill_the_second(tree: &TreeHandle, events: &mut Events, restarted: [bool; 3]) {
    tree.started().await.unwrap();
    let mut actors = ["z", "m", "a"].map(|name| tree.actor(name).unwrap());
    let mut pids = pids(&actors).await;
    for number in 2..4 {
        kill(pids[1], Signal::KILL);
        for (actor, _) in actors.iter_mut().zip(restarted).filter(|(_, is)| *is) {
            assert_eq!(actor.changed().await.unwrap(), number);
        }
        let next = self::pids(&actors).await;
        for (place, is_restarted) in restarted.into_iter().enumerate() {
            assert_eq!(next[place] != pids[place], is_restarted, "{place}");
        }
        pids = next;
    }
    kill(pids[1], Signal::KILL);
    events.wait_for("m was ended by signal KILL").await;
    assert!(actors[1].changed().await.unwrap_err().is_closed());
}

async fn pids(actors: &[SupervisedActor; 3]) -> [u32; 3] {
    let mut pids = [0; 3];
    for (pid, actor) in pids.iter_mut().zip(actors) {
        *pid = actor.run(process_id()).await.unwrap();
    }
    pids
}

#[test]
fn one_for_one() {
    guarded(|| strategy("one_for_one", [false, true, false]));
}

#[test]
fn one_for_all() {
    guarded(|| strategy("one_for_all", [true, true, true]));
}

#[test]
fn rest_for_one() {
    guarded(|| strategy("rest_for_one", [false, true, true]));
}

#[test]
fn simple_one_for_one() {
    guarded(|| {
        let path = deeds::PATH;
        let text = format!(
            "[pool.jobs]\nsize = 3\ntask = \"{path}::stay\"\nbackoff = {{ initial = \"0s\" }}\n"
        );
        with_tree(&text, async |tree, _| {
            let names = ["jobs@0", "jobs@1", "jobs@2"];
            let mut actors = names.map(|name| tree.actor(name).unwrap());
            let first = pids(&actors).await;
            kill(first[1], Signal::KILL);
            assert_eq!(actors[1].changed().await.unwrap(), 2);
            let second = pids(&actors).await;
            assert_eq!((second[0], second[2]), (first[0], first[2]));
            assert_ne!(second[1], first[1]);
        });
    });
}

/// Specs and active children, with a first child that does not want to run.
fn counts_with_one_that_ignores(restart: &str) -> (usize, usize) {
    let keys = format!("restart = \"{restart}\"");
    let text = supervisor("root", &["c", "next"], "")
        + &actor("c", "ignore", &keys)
        + &actor("next", "stay", "");
    let mut counted = (0, 0);
    with_tree(&text, async |tree, _| {
        let root = tree.supervisor("root").unwrap();
        let counts = root.count_children().await.unwrap();
        counted = (counts.specs, counts.active);
    });
    counted
}

#[test]
fn sup_start_ignore_child() {
    guarded(|| assert_eq!(counts_with_one_that_ignores("permanent"), (2, 1)));
}

#[test]
fn sup_start_ignore_temporary_child() {
    guarded(|| assert_eq!(counts_with_one_that_ignores("temporary"), (1, 1)));
}
