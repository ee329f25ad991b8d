//! OTP's cases of starting, of restarting and of what is told of it, with real processes.

use std::fs::File;

use rustix::fs::{FlockOperation, flock};
use rustix::process::Signal;
use treewright::spec::ChildKind;
use treewright::supervisors::supervisor::{ExitReason, ReportContext, RequestError};
use treewright::{TreeHandle, TreeOutcome};

use super::operate::with_tree;
use super::otp_calls::{QUIET, child, counts};
use super::otp_significant::{mortal, wait_for_success_of};
use super::restarts::to_the_end;
use super::support::{Events, having, is_alive, kill, process, resident, shell, supervisor};
use crate::guard::guarded;

#[test]
fn sup_start_normal() {
    guarded(|| {
        let text = supervisor("root", &["keep"], "") + QUIET;
        with_tree(&text, async |tree, events| {
            let app = supervisor("top", &["app"], "") + &supervisor("app", &["keep"], "") + QUIET;
            let mut app = child(&app);
            if let ChildKind::Supervisor(app) = &mut app.kind {
                app.children.clear();
            }
            let root = tree.supervisor("root").unwrap();
            root.start_child(app).await.unwrap();
            assert_eq!(counts(tree, "app").await, [0; 4]);
            root.terminate_child("app").await.unwrap();
            assert_eq!(counts(tree, "root").await, [2, 1, 1, 1]);
            events.wait_for("app started").await;
            assert_eq!(having(&events.seen, "did not stop"), [""; 0]);
        });
    });
}

/// What is told of a start by request is what is told of any other, and nothing of one that fails.
#[test]
fn external_start_no_progress_log() {
    guarded(|| {
        let text = supervisor("root", &["child1"], "") + &resident("child1", "");
        let (_, told) = to_the_end(&text, async |tree, _| {
            tree.started().await.unwrap();
            let root = tree.supervisor("root").unwrap();
            let child2 = child(&resident("child2", ""));
            root.start_child(child2).await.unwrap();
            let child3 = child(&process("child3", "exit 1", "ready = { log = \"up\" }"));
            root.start_child(child3).await.unwrap_err();
            tree.shut_down();
        });
        let started = having(&told, " started after ");
        assert_eq!(started.len(), 2, "{told:#?}");
        assert!(started[0].starts_with("child1 ") && started[1].starts_with("child2 "));
    });
}

/// Ends the significant child of a nested supervisor, which so ends with `shutdown`.
fn with_shutdown(restart: &str, after: impl AsyncFnOnce(&TreeHandle, &mut Events)) {
    let keys = format!("auto_shutdown = \"any_significant\"\nrestart = \"{restart}\"");
    let text = supervisor("root", &["app", "keep"], "")
        + &supervisor("app", &["main"], &keys)
        + &mortal("main", "restart = \"transient\"\nsignificant = true")
        + QUIET;
    with_tree(&text, async |tree, events| {
        let main = events.pid_of("main").await;
        let end = || kill(main, Signal::USR1);
        let root = tree.supervisor("root").unwrap();
        match restart {
            "permanent" => end(),
            _ => wait_for_success_of("app", &root, end).await,
        }
        after(tree, events).await;
    });
}

#[test]
fn permanent_shutdown() {
    guarded(|| {
        with_shutdown("permanent", async |tree, events| {
            let main = events.pid_of("main").await;
            events.wait_for("app shut down because significant").await;
            events.wait_for("app started").await;
            assert!(is_alive(main));
            assert_eq!(counts(tree, "root").await, [2, 2, 1, 1]);
        });
    });
}

#[test]
fn transient_shutdown() {
    guarded(|| {
        with_shutdown("transient", async |tree, events| {
            assert_eq!(counts(tree, "root").await, [2, 1, 1, 1]);
            let root = tree.supervisor("root").unwrap();
            root.restart_child("app").await.unwrap();
            assert!(is_alive(events.pid_of("main").await));
        });
    });
}

#[test]
fn temporary_shutdown() {
    guarded(|| {
        with_shutdown("temporary", async |tree, events| {
            assert_eq!(counts(tree, "root").await, [1, 1, 0, 1]);
            let root = tree.supervisor("root").unwrap();
            let app = supervisor("app", &["main"], "") + &resident("main", "");
            let app = supervisor("top", &["app"], "") + &app;
            root.start_child(child(&app)).await.unwrap();
            assert!(is_alive(events.pid_of("main").await));
        });
    });
}

/// Each life lasts longer than the period, so that no restart is near another.
#[test]
fn multiple_restarts() {
    guarded(|| {
        let text = supervisor("root", &["a"], "intensity = 1\nperiod = \"50ms\"")
            + &process("a", "pid sleep 100 exit 3", "ready = { log = \"pid\" }");
        with_tree(&text, async |_, events| {
            for _ in 0..6 {
                let told = events.wait_for("a exited with code 3").await;
                assert!(told.contains("restart 1 of 1 in 50ms"), "{told}");
            }
        });
    });
}

/// How often the first of two begins, and how often it is asked to end, when it is killed and the
/// other one fails once in the restart of the group; the end of the tree is one of these.
fn lives_when_the_other_fails_once(strategy: &str) -> (usize, usize) {
    let marks = ["first-life", "second-life"].map(|name| std::env::temp_dir().join(name));
    let [first, second] = marks.each_ref().map(|mark| mark.display());
    let fails_once = format!(
        "if [ -e {second} ]; then :; elif [ -e {first} ]; then touch {second}; exit 1; else touch {first}; fi; echo pid $$$$; while :; do sleep 0.01; done"
    );
    let says = "trap 'echo ends; exit 0' TERM; echo pid $$$$; while :; do sleep 0.01; done";
    let keys = "ready = { log = \"pid\" }";
    let text = supervisor("root", &["a", "b"], &format!("strategy = \"{strategy}\""))
        + &shell("a", says, keys)
        + &shell("b", &fails_once, keys);
    let (outcome, told) = to_the_end(&text, async |tree, events| {
        let a = events.pid_of("a").await;
        events.wait_for("b started").await;
        kill(a, Signal::KILL);
        events.wait_for("b did not start").await;
        events.wait_for("b started").await;
        tree.shut_down();
    });
    assert_eq!(outcome, TreeOutcome::Stopped);
    for mark in marks {
        std::fs::remove_file(mark).unwrap();
    }
    assert_eq!(having(&told, "b | pid").len(), 2, "{told:#?}");
    let count = |said: &str| having(&told, said).len();
    (count("a | pid"), count("a | ends"))
}

#[test]
fn one_for_all_other_child_fails_restart() {
    guarded(|| {
        // The first was back already, and is restarted with the other one.
        assert_eq!(lives_when_the_other_fails_once("one_for_all"), (3, 2));
    });
}

#[test]
fn rest_for_one_other_child_fails_restart() {
    guarded(|| {
        // The first is back and stays.
        assert_eq!(lives_when_the_other_fails_once("rest_for_one"), (2, 1));
    });
}

#[test]
fn count_children_supervisor() {
    guarded(|| {
        let text = supervisor("root", &["keep"], "") + QUIET;
        with_tree(&text, async |tree, _| {
            let root = tree.supervisor("root").unwrap();
            for number in 0..10 {
                let (name, worker) = (format!("app{number}"), format!("worker{number}"));
                let app = supervisor("top", &[&name], "")
                    + &supervisor(&name, &[&worker], "")
                    + &format!("[process.{worker}]\nrun = \"sleep 600\"\n");
                root.start_child(child(&app)).await.unwrap();
            }
            assert_eq!(counts(tree, "root").await, [11, 11, 10, 1]);
            assert_eq!(counts(tree, "app7").await, [1, 1, 0, 1]);
            for number in 0..5 {
                let name = format!("app{number}");
                root.terminate_child(name.as_str()).await.unwrap();
            }
            assert_eq!(counts(tree, "root").await, [11, 6, 10, 1]);
            assert_eq!(tree.living().len(), 6);
        });
    });
}

/// A report has OTP's four fields, and is one line for a person.
#[test]
fn format_log_1() {
    guarded(|| {
        let text =
            supervisor("root", &["a"], "intensity = 3\nperiod = \"1m\"") + &resident("a", "");
        with_tree(&text, async |tree, events| {
            let mut reports = tree.reports();
            kill(events.pid_of("a").await, Signal::KILL);
            let report = reports.next().await.unwrap().unwrap();
            assert_eq!(report.supervisor, "root");
            assert_eq!(report.context, ReportContext::ChildTerminated);
            assert!(
                matches!(report.reason, Some(ExitReason::Signalled { .. })),
                "{report:?}"
            );
            let line = report.to_string();
            let offender = report.offender.unwrap();
            assert_eq!((&*offender.name, offender.incarnation.epoch), ("a", 1));
            assert!(
                line.starts_with("a was ended by signal KILL after "),
                "{line}"
            );
            assert!(line.ends_with(", restart 1 of 3 in 1m, at once"), "{line}");
            assert_eq!(line.lines().count(), 1);
        });
    });
}

/// The same of a member of a pool.
#[test]
fn format_log_2() {
    guarded(|| {
        let jobs = resident("jobs", "size = 2\nintensity = 3\nperiod = \"1m\"");
        let text = jobs.replace("[process.", "[pool.") + QUIET;
        with_tree(&text, async |tree, events| {
            let mut reports = tree.reports();
            kill(events.pid_of("jobs@1").await, Signal::KILL);
            let report = reports.next().await.unwrap().unwrap();
            assert_eq!(report.supervisor, "jobs");
            assert_eq!(report.context, ReportContext::ChildTerminated);
            let line = report.to_string();
            assert_eq!(report.offender.unwrap().name, "jobs@1");
            let begins = "jobs@1 was ended by signal KILL after ";
            assert!(line.starts_with(begins), "{line}");
        });
    });
}

/// What a child needs is held by somebody else: its start fails, the other one does not notice,
/// and when it is free the start succeeds.
#[test]
fn already_started_outside_supervisor() {
    guarded(|| {
        let path = std::env::temp_dir().join("lock");
        let lock = File::create(&path).unwrap();
        flock(&lock, FlockOperation::LockExclusive).unwrap();
        let command = ["flock", "--nonblock", path.to_str().unwrap(), "sh", "-c"];
        let mut run: Vec<&str> = command.to_vec();
        run.push("echo up; exec sleep 600");
        let only_one = format!("[process.only-one]\nrun = {run:?}\nready = {{ log = \"up\" }}\n");
        let text = supervisor("root", &["keep"], "") + QUIET;
        with_tree(&text, async |tree, _| {
            let root = tree.supervisor("root").unwrap();
            let error = root.start_child(child(&only_one)).await.unwrap_err();
            assert!(
                matches!(error, RequestError::Failed(ExitReason::Exited { code: 1 })),
                "{error:?}"
            );
            assert_eq!(counts(tree, "root").await, [1, 1, 0, 1]);
            flock(&lock, FlockOperation::Unlock).unwrap();
            root.start_child(child(&only_one)).await.unwrap();
        });
        std::fs::remove_file(path).unwrap();
    });
}
