//! OTP's cases of restarting, escalating and significant children, with real processes.

use rustix::process::Signal;
use treewright::supervisors::supervisor::{
    Answer, ChildCounts, ChildRef, ChildStatus, ExitReason, Request, RequestError,
};
use treewright::{Result, TreeHandle, TreeOutcome, run};

use super::operate::with_tree;
use super::support::{
    Events, having, is_alive, kill, polite, process, resident, shell, supervisor, tree,
};
use crate::guard::guarded;

/// Runs a tree to its end, with `body` beside it; what became of it, and all that was told.
pub(super) fn to_the_end(
    text: &str,
    body: impl AsyncFnOnce(&TreeHandle, &mut Events),
) -> (TreeOutcome, Vec<String>) {
    let (tree, mut events) = tree(text);
    let handle = tree.handle();
    let outcome: Result<TreeOutcome> = run(async || {
        let body = body(&handle, &mut events);
        futures_lite::future::zip(tree.run(), body).await.0
    });
    (outcome.unwrap(), events.rest())
}

/// A child whose first life is up at once and whose next ones hang in their start.
fn hangs_the_second_time(name: &str, keys: &str) -> String {
    let mark = std::env::temp_dir().join(format!("{name}-was-up"));
    let mark = mark.display();
    let script = format!(
        "trap 'echo ends; exit 0' TERM; echo pid $$$$; if [ -e {mark} ]; then echo hangs; else touch {mark}; echo up; fi; while :; do sleep 0.01; done"
    );
    let keys = format!("ready = {{ log = \"up\", timeout = \"10m\" }}\n{keys}");
    shell(name, &script, &keys)
}

fn forget(name: &str) {
    std::fs::remove_file(std::env::temp_dir().join(format!("{name}-was-up"))).unwrap();
}

async fn status(tree: &TreeHandle, name: &str) -> ChildStatus {
    let answer = tree
        .request(Request::WhichChild(name.into()))
        .await
        .unwrap();
    let Answer::Children(children) = answer else {
        panic!("{answer:?}");
    };
    children[0].status
}

async fn counts(tree: &TreeHandle) -> ChildCounts {
    match tree.request(Request::CountChildren).await.unwrap() {
        Answer::Counts(counts) => counts,
        other => panic!("{other:?}"),
    }
}

#[test]
fn stop_of_a_child_whose_restart_hangs_in_its_start_is_prompt() {
    guarded(|| {
        with_tree(&hangs_the_second_time("a", ""), async |tree, events| {
            kill(events.pid_of("a").await, Signal::KILL);
            events.wait_for("a | hangs").await;
            tree.stop("a").await.unwrap();
            events.wait_for("a | ends").await;
            assert!(tree.living().is_empty());
        });
        forget("a");
    });
}

#[test]
fn child_whose_start_hangs_fails_it_when_its_time_is_up() {
    guarded(|| {
        let text = polite("first", "")
            + &process(
                "slow",
                "hang",
                "ready = { log = \"up\", timeout = \"10m\" }\nstart_timeout = \"100ms\"",
            );
        let (outcome, told) = to_the_end(&text, async |tree, _| {
            let error = tree.started().await.unwrap_err();
            assert!(
                format!("{error:?}").contains("did not start within 100ms"),
                "{error:?}"
            );
        });
        assert!(
            matches!(outcome, TreeOutcome::StartFailed { .. }),
            "{outcome:?}"
        );
        assert_eq!(having(&told, "ends"), ["first | ends"]);
    });
}

#[test]
fn shutdown_in_the_middle_of_a_group_restart_stops_what_had_come_back_and_starts_no_more() {
    guarded(|| {
        for (strategy, again) in [("one_for_all", "a"), ("rest_for_one", "b")] {
            let text = supervisor(
                "root",
                &["a", "b", "c"],
                &format!("strategy = \"{strategy}\""),
            ) + &polite("a", "")
                + &hangs_the_second_time("b", "")
                + &polite("c", "");
            let (outcome, told) = to_the_end(&text, async |tree, events| {
                let b = events.pid_of("b").await;
                events.wait_for("c started").await;
                kill(b, Signal::KILL);
                events.wait_for("b | hangs").await;
                tree.shut_down();
            });
            assert_eq!(outcome, TreeOutcome::Stopped);
            let mut expected = vec!["c | ends"];
            if again == "a" {
                expected.push("a | ends");
            }
            expected.extend(["b | ends", "a | ends"]);
            assert_eq!(having(&told, "| ends"), expected, "{strategy}");
            assert_eq!(having(&told, "c | up").len(), 1, "{strategy}");
            forget("b");
        }
    });
}

/// `hanging_restart_loop`, `hanging_restart_loop_rest_for_one`, `count_restarting_children`
#[test]
fn loop_of_restarts_that_fail_answers_questions_and_is_ended_by_a_stop() {
    guarded(|| {
        let mark = std::env::temp_dir().join("b-was-up");
        let script = format!(
            "[ -e {0} ] && exit 1; touch {0}; echo pid $$$$; while :; do sleep 0.01; done",
            mark.display()
        );
        let b = shell("b", &script, "ready = { log = \"pid\" }")
            .replace("initial = \"0s\"", "initial = \"20ms\", max = \"20ms\"");
        let keys = "strategy = \"rest_for_one\"\nintensity = 4000000000";
        let text = supervisor("root", &["a", "b", "c"], keys)
            + &resident("a", "")
            + &b
            + &resident("c", "");
        with_tree(&text, async |tree, events| {
            let a = events.pid_of("a").await;
            let b = events.pid_of("b").await;
            let c = events.pid_of("c").await;
            kill(b, Signal::KILL);
            for _ in 0..3 {
                events.wait_for("b did not start").await;
            }
            assert!(is_alive(a) && !is_alive(c));
            let spec = tree.spec().root.children[1].clone();
            let again = tree.request(Request::StartChild(Box::new(spec))).await;
            assert_eq!(again, Err(RequestError::AlreadyPresent));
            let again = tree.request(Request::RestartChild("b".into())).await;
            assert_eq!(again, Err(RequestError::Restarting));
            let gone = tree.request(Request::DeleteChild("b".into())).await;
            assert_eq!(gone, Err(RequestError::Restarting));
            let counts = counts(tree).await;
            assert_eq!((counts.specs, counts.workers), (3, 3));
            let b = ChildRef::Name("b".into());
            tree.request(Request::TerminateChild(b)).await.unwrap();
            assert_eq!(status(tree, "b").await, ChildStatus::Down);
            std::fs::remove_file(&mark).unwrap();
            tree.request(Request::RestartChild("b".into()))
                .await
                .unwrap();
            events.pid_of("b").await;
            assert!(is_alive(a), "the one before it was not touched");
        });
        std::fs::remove_file(&mark).unwrap();
    });
}

#[test]
fn shutdown_in_a_loop_of_restarts_that_fail_is_prompt() {
    guarded(|| {
        let keys = "on_start_failure = \"retry\"\nintensity = 4000000000";
        let text = supervisor("root", &["a", "b"], keys)
            + &polite("a", "")
            + &process("b", "exit 3", "ready = { log = \"up\" }");
        let (outcome, told) = to_the_end(&text, async |tree, events| {
            for _ in 0..5 {
                events.wait_for("b did not start").await;
            }
            tree.shut_down();
        });
        assert_eq!(outcome, TreeOutcome::Stopped);
        assert_eq!(having(&told, "| ends"), ["a | ends"]);
    });
}

/// `one_for_one_escalation`, through three levels
#[test]
fn failure_goes_up_through_three_levels_and_each_tries_as_often_as_it_may() {
    guarded(|| {
        let text = supervisor("top", &["middle"], "intensity = 1")
            + &supervisor("middle", &["inner"], "intensity = 1")
            + &supervisor("inner", &["good", "bad"], "intensity = 1")
            + &polite("good", "")
            + &process("bad", "say up sleep 30 exit 9", "ready = { log = \"up\" }");
        let (outcome, told) = to_the_end(&text, async |_, _| {});
        let TreeOutcome::GaveUp { reason } = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(reason.root_cause(), &ExitReason::Exited { code: 9 });
        let depth = std::iter::successors(Some(&reason), |reason| reason.cause()).count();
        assert_eq!(depth, 4, "each level, and the first cause");
        assert_eq!(having(&told, "bad | up").len(), 8, "{told:#?}");
        assert_eq!(having(&told, "good | up").len(), 4);
        assert_eq!(having(&told, "good | ends").len(), 4);
    });
}

/// `one_for_all_escalation`, `rest_for_one_escalation` and `simple_one_for_one_escalation`.
#[test]
fn group_that_fails_once_too_often_ends_with_its_supervisor_and_that_with_its_own() {
    guarded(|| {
        let rows = [("one_for_all", 2), ("rest_for_one", 1)];
        for (strategy, lives_of_first) in rows {
            let keys = format!("strategy = \"{strategy}\"\nintensity = 1");
            let text = supervisor("top", &["app"], "intensity = 0")
                + &supervisor("app", &["first", "bad", "last"], &keys)
                + &polite("first", "")
                + &resident("bad", "")
                + &polite("last", "");
            let (outcome, told) = to_the_end(&text, async |_, events| {
                for _ in 0..2 {
                    let bad = events.pid_of("bad").await;
                    events.wait_for("last | up").await;
                    kill(bad, Signal::KILL);
                }
            });
            assert_eq!(outcome.exit_code(), 1, "{strategy}: {told:#?}");
            for (name, lives) in [("first", lives_of_first), ("last", 2)] {
                for said in ["up", "ends"] {
                    let lines = having(&told, &format!("{name} | {said}")).len();
                    assert_eq!(lines, lives, "{strategy}, {name} {said}: {told:#?}");
                }
            }
        }
        let pool = resident("jobs", "size = 2\nintensity = 1").replace("[process.", "[pool.");
        let text = supervisor("top", &["jobs"], "intensity = 0") + &pool;
        let (outcome, told) = to_the_end(&text, async |_, events| {
            for _ in 0..2 {
                let member = events.pid_of("jobs@1").await;
                kill(member, Signal::KILL);
            }
        });
        assert_eq!(outcome.exit_code(), 1, "{told:#?}");
        assert_eq!(having(&told, "jobs@1 | pid").len(), 2, "{told:#?}");
    });
}

/// `tree`: a subtree that gives up makes the top restart all of them.
#[test]
fn supervisor_that_gives_up_is_restarted_with_its_group() {
    guarded(|| {
        let text = supervisor("top", &["left", "right"], "strategy = \"one_for_all\"")
            + &supervisor("left", &["a"], "intensity = 0")
            + &supervisor("right", &["b"], "intensity = 1")
            + &resident("a", "")
            + &resident("b", "");
        with_tree(&text, async |_, events| {
            let a = events.pid_of("a").await;
            let b = events.pid_of("b").await;
            // Within the limit nobody else notices.
            kill(b, Signal::KILL);
            events.pid_of("b").await;
            assert!(is_alive(a));
            kill(a, Signal::KILL);
            let again = events.pid_of("a").await;
            events.pid_of("b").await;
            assert_ne!(a, again);
            // Reports and output come by two ways, so either may be there first.
            if having(&events.seen, "gave up: child `a`").is_empty() {
                events.wait_for("gave up: child `a`").await;
            }
        });
    });
}

/// `significant_transient`, `auto_shutdown = "any_significant"`
#[test]
fn significant_child_that_ends_well_ends_the_tree_and_one_that_crashes_does_not() {
    guarded(|| {
        let script = "trap 'exit 0' USR1; echo pid $$$$; while :; do sleep 0.01; done";
        let keys = "ready = { log = \"pid\" }\nrestart = \"transient\"\nsignificant = true";
        let text = supervisor(
            "root",
            &["a", "main"],
            "auto_shutdown = \"any_significant\"",
        ) + &polite("a", "")
            + &shell("main", script, keys);
        let (outcome, told) = to_the_end(&text, async |_, events| {
            kill(events.pid_of("main").await, Signal::KILL);
            let again = events.pid_of("main").await;
            events.wait_for("main started").await;
            kill(again, Signal::USR1);
        });
        let significant = Some("main".into());
        assert_eq!(
            outcome,
            TreeOutcome::Ended {
                code: 0,
                significant
            }
        );
        assert_eq!(having(&told, "| ends"), ["a | ends"]);
    });
}

/// `significant_temporary`, `auto_shutdown = "all_significant"`, `significant_escalation`
#[test]
fn last_significant_child_takes_its_supervisor_and_that_the_tree_with_it() {
    guarded(|| {
        let script = "trap 'exit 0' USR1; echo pid $$$$; while :; do sleep 0.01; done";
        let keys = "ready = { log = \"pid\" }\nrestart = \"temporary\"\nsignificant = true";
        let text = supervisor("root", &["a", "app"], "auto_shutdown = \"any_significant\"")
            + &supervisor(
                "app",
                &["one", "two"],
                "auto_shutdown = \"all_significant\"\nrestart = \"transient\"\nsignificant = true",
            )
            + &polite("a", "")
            + &shell("one", script, keys)
            + &shell("two", script, keys);
        let (outcome, _) = to_the_end(&text, async |tree, events| {
            let one = events.pid_of("one").await;
            let two = events.pid_of("two").await;
            tree.started().await.unwrap();
            kill(one, Signal::KILL);
            events.wait_for("one was ended by signal KILL").await;
            assert!(is_alive(two), "the first one is not the last");
            kill(two, Signal::USR1);
        });
        let significant = Some("app".into());
        assert_eq!(
            outcome,
            TreeOutcome::Ended {
                code: 1,
                significant
            }
        );
    });
}

/// `temporary_bystander`, `significant_bystander`
#[test]
fn temporary_sibling_that_a_group_restart_stops_is_not_started_again() {
    guarded(|| {
        let keys = "strategy = \"one_for_all\"\nauto_shutdown = \"any_significant\"";
        let text = supervisor("root", &["a", "b"], keys)
            + &resident("a", "")
            + &polite("b", "restart = \"temporary\"\nsignificant = true");
        with_tree(&text, async |tree, events| {
            let a = events.pid_of("a").await;
            events.wait_for("b started").await;
            kill(a, Signal::KILL);
            events.wait_for("b | ends").await;
            events.pid_of("a").await;
            assert_eq!(tree.living(), ["a"]);
        });
    });
}
