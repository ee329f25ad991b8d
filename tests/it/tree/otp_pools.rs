//! OTP's cases of `simple_one_for_one`, with real processes as members of pools.

use rustix::process::Signal;
use treewright::TreeOutcome;
use treewright::spec::{ChildKind, PoolSpec};
use treewright::supervisors::supervisor::{ChildStatus, ReloadMode, Request, RequestError};

use super::operate::with_tree;
use super::otp_calls::{QUIET, counts};
use super::restarts::to_the_end;
use super::support::{having, is_alive, kill, polite, process, resident, shell, spec};
use crate::guard::guarded;

/// The pool that this child would be.
fn pool(child: &str) -> String {
    child.replace("[process.", "[pool.")
}

/// Starts this pool and stops it with its tree; what was told.
fn told_of_a_stop(pool: &str) -> Vec<String> {
    let (outcome, told) = to_the_end(pool, async |tree, _| {
        tree.started().await.unwrap();
        tree.shut_down();
    });
    assert_eq!(outcome, TreeOutcome::Stopped);
    told
}

#[test]
fn sup_stop_timeout_dynamic() {
    guarded(|| {
        let script = "if [ {index} = 1 ]; then trap '' TERM; else trap 'echo ends; exit 0' TERM; fi; echo up; while :; do sleep 0.01; done";
        let keys = "ready = { log = \"up\" }\nshutdown = \"1s\"\nsize = 3";
        let told = told_of_a_stop(&pool(&shell("jobs", script, keys)));
        let killed = "jobs@1 did not stop as it should: it was ended by signal KILL";
        assert_eq!(having(&told, "did not stop"), [killed]);
        let mut ends = having(&told, "ends");
        ends.sort_unstable();
        assert_eq!(ends, ["jobs@0 | ends", "jobs@2 | ends"]);
    });
}

#[test]
fn sup_stop_brutal_kill_dynamic() {
    guarded(|| {
        let told = told_of_a_stop(&pool(&polite(
            "jobs",
            "shutdown = \"brutal_kill\"\nsize = 10",
        )));
        assert_eq!(having(&told, "| up").len(), 10);
        assert_eq!(having(&told, "ends"), [""; 0]);
        assert_eq!(having(&told, "did not stop"), [""; 0]);
    });
}

#[test]
fn sup_stop_non_shutdown_exit_dynamic() {
    guarded(|| {
        for restart in ["permanent", "transient", "temporary"] {
            let script = "trap 'exit 5' TERM; echo up; while :; do sleep 0.01; done";
            let keys = format!("ready = {{ log = \"up\" }}\nrestart = \"{restart}\"\nsize = 3");
            let told = told_of_a_stop(&pool(&shell("jobs", script, &keys)));
            assert_eq!(having(&told, "| up").len(), 3, "{told:#?}");
            let ends = having(&told, "did not stop as it should: it exited with code 5");
            assert_eq!(ends.len(), 3, "{told:#?}");
        }
    });
}

#[test]
fn hanging_restart_loop_simple() {
    guarded(|| {
        let mark = std::env::temp_dir().join("jobs-was-up");
        let script = format!(
            "[ -e {0} ] && exit 1; touch {0}; echo pid $$$$; while :; do sleep 0.01; done",
            mark.display()
        );
        let keys = "ready = { log = \"pid\" }\nsize = 1\nintensity = 4000000000";
        let jobs = pool(&shell("jobs", &script, keys))
            .replace("initial = \"0s\"", "initial = \"20ms\", max = \"20ms\"");
        with_tree(&(jobs + QUIET), async |tree, events| {
            let jobs = tree.supervisor("jobs").unwrap();
            kill(events.pid_of("jobs@0").await, Signal::KILL);
            for _ in 0..3 {
                events.wait_for("jobs@0 did not start").await;
            }
            let member = jobs.which_children().await.unwrap().remove(0);
            assert_ne!(member.status, ChildStatus::Running);
            assert_eq!(counts(tree, "jobs").await, [1, 0, 0, 1]);
            // One that is being restarted has its place.
            let full = jobs.start_member([]).await;
            assert_eq!(full, Err(RequestError::MaxChildren { max: 1 }));
            jobs.terminate_child(member.key).await.unwrap();
            assert_eq!(jobs.which_children().await.unwrap(), []);
            assert_eq!(counts(tree, "jobs").await, [1, 0, 0, 0]);
            std::fs::remove_file(&mark).unwrap();
            jobs.start_member([]).await.unwrap();
            events.wait_for("| pid ").await;
        });
        std::fs::remove_file(&mark).unwrap();
    });
}

#[test]
fn which_children_simple_one_for_one() {
    guarded(|| {
        let text = pool(&resident("jobs", "size = 2\nmax = 3")) + QUIET;
        with_tree(&text, async |tree, _| {
            let jobs = tree.supervisor("jobs").unwrap();
            let third = jobs.start_member([]).await.unwrap().unwrap();
            let all = jobs.which_children().await.unwrap();
            let names: Vec<_> = all.iter().map(|child| &*child.name).collect();
            assert_eq!(names, ["jobs@2", "jobs@1", "jobs@0"]);
            assert_eq!(all[0].key, third.child);
            for member in &all {
                assert_eq!(member.status, ChildStatus::Running);
                let spec = jobs.get_childspec(member.key).await.unwrap();
                assert_eq!(spec.name, "jobs");
            }
            jobs.terminate_child(all[1].key).await.unwrap();
            let rest = jobs.which_children().await.unwrap();
            assert_eq!(rest, [all[0].clone(), all[2].clone()]);
        });
    });
}

/// The spec of the only pool in this text.
fn pool_spec(text: &str) -> Box<PoolSpec> {
    match spec(text).root.children.remove(0).kind {
        ChildKind::Pool(pool) => pool,
        other => panic!("{other:?}"),
    }
}

#[test]
fn code_change_simple() {
    guarded(|| {
        let keys = "ready = { log = \"pid\" }\nsize = 1\nmax = 2";
        let jobs = |word| pool(&process("jobs", &format!("say {word} pid hang"), keys));
        with_tree(&(jobs("old") + QUIET), async |tree, events| {
            let first = events.pid_of("jobs@0").await;
            let (spec, mode) = (pool_spec(&jobs("new")), ReloadMode::MarkOnly);
            let request = Request::ReloadPool { spec, mode };
            tree.ask(&"jobs".into(), request).await.unwrap();
            assert!(
                is_alive(first),
                "it is for those that are started from now on"
            );
            let handle = tree.supervisor("jobs").unwrap();
            handle.start_member([]).await.unwrap();
            events.wait_for("jobs@1 | new").await;
            kill(first, Signal::KILL);
            events.wait_for("jobs@0 | new").await;
            assert_eq!(having(&events.seen, "| old"), ["jobs@0 | old"]);
        });
    });
}
