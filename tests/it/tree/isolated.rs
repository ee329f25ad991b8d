//! Supervisors in processes of their own.

use rustix::process::Signal;
use treewright::supervisors::supervisor::{ExitReason, RequestError};
use treewright::{TreeHandle, TreeOutcome, open_nursery, run};

use super::operate::with_tree;
use super::otp_calls::child;
use super::support::{
    Events, having, is_alive, kill, polite, process, resident, spec, supervisor, tree,
};
use crate::guard::guarded;

/// A supervisor in a process of its own.
fn isolated(name: &str, children: &[&str], keys: &str) -> String {
    supervisor(name, children, &format!("isolated = true\n{keys}"))
}

/// The parent of a process.
pub(super) fn parent_of(pid: u32) -> u32 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields = stat.rsplit(')').next().unwrap();
    fields.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn supervisor_whose_process_is_killed_comes_back_and_nothing_of_it_was_left() {
    guarded(|| {
        let text = supervisor("root", &["db", "app"], "")
            + &resident("db", "")
            + &isolated("app", &["web", "jobs"], "backoff = { initial = \"0s\" }")
            + &resident("web", "")
            + "[pool.jobs]\nrun = \"sleep 600\"\nsize = 2\nmax = 4\n";
        with_tree(&text, async |tree, events| {
            let web = events.pid_of("web").await;
            let process = parent_of(web);
            assert_ne!(process, std::process::id());
            assert_eq!(parent_of(process), std::process::id());
            assert_eq!(tree.living().len(), 4);
            let mut reports = tree.reports();
            kill(process, Signal::KILL);
            let next = events.pid_of("web").await;
            assert!(!is_alive(process) && !is_alive(web));
            assert_ne!(parent_of(next), process);
            let report = reports.next().await.unwrap().unwrap();
            assert_eq!(report.offender.unwrap().name, "app");
            let signal = matches!(report.reason, Some(ExitReason::Signalled { .. }));
            assert!(signal, "{:?}", report.reason);
            events.wait_for("app started").await;
            events.wait_for("app started").await;
            assert_eq!(tree.living().len(), 4);
        });
    });
}

#[test]
fn three_levels_of_isolated_supervisors_are_asked_by_name() {
    guarded(|| {
        let text = supervisor("root", &["a"], "")
            + &isolated("a", &["b"], "")
            + &isolated("b", &["c"], "backoff = { initial = \"0s\" }")
            + &isolated("c", &["web", "jobs"], "")
            + &resident("web", "")
            + "[pool.jobs]\nrun = \"sleep 600\"\nsize = 1\nmax = 4\n";
        with_tree(&text, async |tree, events| {
            let web = events.pid_of("web").await;
            tree.restart("web").await.unwrap();
            assert!(!is_alive(web));
            let web = events.pid_of("web").await;
            tree.stop("web").await.unwrap();
            assert!(!is_alive(web));
            assert_eq!(tree.living(), ["jobs@0"]);
            tree.start("web").await.unwrap();
            let again = tree.start("web").await.unwrap_err();
            assert!(matches!(again, RequestError::AlreadyStarted(_)), "{again}");
            tree.scale("jobs", 2).await.unwrap();
            tree.restart("jobs@1").await.unwrap();
            added_below(tree).await;
            // The one in the middle takes along what is below it, and comes back with that.
            let web = events.pid_of("web").await;
            let middle = parent_of(parent_of(web));
            kill(middle, Signal::KILL);
            let next = events.pid_of("web").await;
            assert!(!is_alive(middle) && !is_alive(web) && is_alive(next));
            events.wait_for("b started").await;
            events.wait_for("b started").await;
            tree.restart("web").await.unwrap();
            // What was added is gone with the life it was added to.
            assert_eq!(tree.start("extra").await, Err(RequestError::NotFound));
        });
    });
}

async fn added_below(tree: &TreeHandle) {
    let c = tree.supervisor("c").unwrap();
    c.start_child(child(&resident("extra", ""))).await.unwrap();
    tree.restart("extra").await.unwrap();
    let names = c.which_children().await.unwrap().into_iter();
    let names: Vec<_> = names.map(|child| child.name.to_string()).collect();
    assert_eq!(names, ["extra", "jobs", "web"]);
    assert_eq!(c.count_children().await.unwrap().specs, 3);
    let spec = c.get_childspec("extra").await.unwrap();
    assert_eq!(*spec, child(&resident("extra", "")));
    let taken = tree.supervisor("root").unwrap();
    let taken = taken.start_child(child(&resident("extra", ""))).await;
    assert!(matches!(taken, Err(RequestError::Invalid(_))), "{taken:?}");
}

/// How a tree ends by itself, and what is told on the way.
fn ends(text: &str) -> (treewright::Result<TreeOutcome>, Vec<String>) {
    let (tree, events) = tree(text);
    let outcome = run(async || tree.run().await);
    let mut told = events.rest();
    told.retain(|line| !line.contains("| "));
    // What fails at once may do so before it is told that those above it have started.
    told.retain(|line| !line.contains(" started after "));
    // How long something took is never the same.
    for line in &mut told {
        if let Some((what, rest)) = line.split_once(" after ") {
            let rest = rest.split_once(", ").map_or("", |(_, rest)| rest);
            *line = format!("{what} {rest}");
        }
    }
    (outcome, told)
}

#[test]
fn failure_below_is_reported_whole_and_ends_the_tree_as_if_it_were_not_isolated() {
    guarded(|| {
        let text = |keys: &str| {
            supervisor("root", &["app"], "intensity = 1")
                + &supervisor(
                    "app",
                    &["mid"],
                    &format!("intensity = 1\nbackoff = {{ initial = \"0s\" }}\n{keys}"),
                )
                + &supervisor(
                    "mid",
                    &["web"],
                    &format!("intensity = 1\nbackoff = {{ initial = \"0s\" }}\n{keys}"),
                )
                + &process("web", "exit 3", "")
        };
        let (plain, told_plain) = ends(&text(""));
        let (outcome, told) = ends(&text("isolated = true"));
        assert_eq!(told, told_plain);
        assert_eq!(
            having(&told, "web exited with code 3").len(),
            8,
            "{told:#?}"
        );
        let (Ok(TreeOutcome::GaveUp { reason: plain }), Ok(TreeOutcome::GaveUp { reason })) =
            (plain, outcome)
        else {
            panic!("it gave up");
        };
        assert_eq!(reason, plain);
        assert_eq!(*reason.root_cause(), ExitReason::Exited { code: 3 });
    });
}

#[test]
fn exit_code_is_that_of_a_child_below() {
    guarded(|| {
        let text = "[tree]\nexit_code_from = \"web\"\n".to_owned()
            + &supervisor("root", &["app"], "")
            + &isolated("app", &["web"], "")
            + &process("web", "exit 3", "restart = \"temporary\"");
        let (outcome, _) = ends(&text);
        let code = TreeOutcome::Ended {
            code: 3,
            significant: None,
        };
        assert_eq!(outcome.unwrap(), code);
    });
}

#[test]
fn start_that_fails_below_fails_the_start_of_the_tree_with_its_causes() {
    guarded(|| {
        let text = |keys: &str| {
            supervisor("root", &["app"], "")
                + &supervisor("app", &["a", "web"], keys)
                + &resident("a", "")
                + "[process.web]\nrun = \"/nowhere/to-be-found\"\n"
        };
        let (plain, told_plain) = ends(&text(""));
        let (outcome, told) = ends(&text("isolated = true"));
        assert_eq!(outcome.unwrap(), plain.unwrap());
        assert_eq!(told, told_plain);
    });
}

#[test]
fn dependency_across_the_border_is_waited_for_both_ways() {
    guarded(|| {
        let text = supervisor("root", &["app", "other", "db"], "")
            + &isolated("app", &["web"], "")
            + &isolated("other", &["last"], "")
            + &resident("db", "")
            + &resident("web", "depends_on = { db = \"ready\" }")
            + &resident("last", "depends_on = { web = \"ready\" }");
        with_tree(&text, async |tree, _| {
            assert_eq!(tree.living(), ["db", "web", "last"]);
            let (db, last) = ("db", "last");
            tree.stop("web").await.unwrap();
            tree.stop(last).await.unwrap();
            let starting = tree.start(last);
            let meanwhile = async {
                tree.restart(db).await.unwrap();
                assert_eq!(tree.living(), ["db"]);
                tree.start("web").await.unwrap();
            };
            let (started, ()) = futures_lite::future::zip(starting, meanwhile).await;
            started.unwrap();
            assert_eq!(tree.living(), ["db", "web", "last"]);
        });
    });
}

#[test]
fn isolated_supervisors_stop_their_children_in_reverse_order_of_the_whole_tree() {
    guarded(|| {
        let text = supervisor("root", &["a", "app", "z"], "")
            + &isolated("app", &["b", "inner"], "")
            + &isolated("inner", &["c", "d"], "")
            + &["a", "b", "c", "d", "z"]
                .map(|name| polite(name, ""))
                .concat();
        let (tree, mut events) = tree(&text);
        let handle = tree.handle();
        let told = run(async || {
            open_nursery(async |n| {
                n.supervise(tree).await?;
                n.cancel("enough");
                Ok(())
            })
            .await?;
            assert_eq!(handle.ended().await?, TreeOutcome::Stopped);
            events.wait_for("a | ends").await;
            Ok(events.rest())
        })
        .unwrap();
        let ends = having(&told, "| ends");
        assert_eq!(
            ends,
            ["z | ends", "d | ends", "c | ends", "b | ends", "a | ends"]
        );
    });
}

#[test]
fn kill_of_the_tree_ends_what_does_not_answer_any_more() {
    guarded(|| {
        let text = supervisor("root", &["app"], "")
            + &isolated("app", &["web"], "")
            + &resident("web", "");
        let (tree, mut events) = tree(&text);
        run(async || {
            open_nursery(async |n| {
                let handle = n.supervise(tree).await?;
                let web = events.pid_of("web").await;
                kill(parent_of(web), Signal::STOP);
                handle.kill();
                handle.ended().await?;
                assert!(!is_alive(web));
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

#[test]
fn reload_goes_through_to_those_below() {
    guarded(|| {
        let text = |children: &[&str], more: &str| {
            supervisor("root", &["a"], "")
                + &isolated("a", &["b"], "")
                + &isolated("b", children, "")
                + &resident("web", "")
                + more
        };
        with_tree(&text(&["web"], ""), async |tree, events| {
            let web = events.pid_of("web").await;
            let mail = resident("mail", "depends_on = { web = \"ready\" }");
            let plan = tree
                .reload(spec(&text(&["web", "mail"], &mail)))
                .await
                .unwrap();
            assert_eq!(plan.changes.len(), 1, "{plan:?}");
            assert_eq!(tree.living(), ["web", "mail"]);
            assert!(is_alive(web));
            tree.reload(spec(&text(&["web"], ""))).await.unwrap();
            assert_eq!(tree.living(), ["web"]);
            assert!(is_alive(web));
        });
    });
}

#[test]
fn tree_that_is_dropped_leaves_nothing_of_its_isolated_supervisors() {
    guarded(|| {
        let text = supervisor("root", &["a"], "")
            + &isolated("a", &["b"], "")
            + &isolated("b", &["web"], "")
            + &resident("web", "");
        let (tree, mut events) = tree(&text);
        let up = async |events: &mut Events| events.pid_of("web").await;
        run(async || {
            let web = {
                let tree = std::pin::pin!(tree.run());
                let until = async { Err(up(&mut events).await) };
                futures_lite::future::or(async { Ok(tree.await) }, until)
                    .await
                    .unwrap_err()
            };
            // The runtime ends when everything of it is gone.
            Ok(web)
        })
        .map(|web| assert!(!is_alive(web)))
        .unwrap();
    });
}
