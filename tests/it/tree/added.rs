//! Children that are added while the tree runs, and what is asked while others hang.

use futures_lite::future;
use rustix::process::Signal;
use treewright::TreeHandle;
use treewright::supervisors::supervisor::{ChildStatus, ReportContext, RequestError};
use treewright::tree::{ReloadError, SupervisorHandle};

use super::operate::with_tree;
use super::otp_calls::child;
use super::support::{Gate, is_alive, kill, process, resident, spec, supervisor};
use crate::guard::guarded;

fn quiet() -> String {
    supervisor("root", &["keep"], "") + "[process.keep]\nrun = \"sleep 600\"\n"
}

#[test]
fn child_that_was_added_is_found_by_name() {
    guarded(|| {
        with_tree(&quiet(), async |tree, events| {
            let root = tree.supervisor("root").unwrap();
            root.start_child(child(&resident("web", ""))).await.unwrap();
            let first = events.pid_of("web").await;
            tree.restart("web").await.unwrap();
            assert!(!is_alive(first));
            tree.stop("web").await.unwrap();
            assert_eq!(tree.living(), ["keep"]);
            tree.start("web").await.unwrap();
            assert_eq!(tree.living(), ["keep", "web"]);
            // It is in no spec.
            assert_eq!(tree.spec().root.children.len(), 1);
        });
    });
}

#[test]
fn supervisor_and_pool_that_were_added_are_asked_like_all_others() {
    guarded(|| {
        let app = supervisor("app", &["a", "b", "jobs"], "")
            + &resident("a", "depends_on = { b = \"ready\" }")
            + &resident("b", "")
            + "[pool.jobs]\nrun = \"sleep 600\"\nsize = 1\nmax = 3\n";
        let text = supervisor("top", &["app"], "") + &app;
        with_tree(&quiet(), async |tree, events| {
            let root = tree.supervisor("root").unwrap();
            root.start_child(child(&text)).await.unwrap();
            // In start order, as a file's.
            let b = events.pid_of("b").await;
            events.pid_of("a").await;
            assert_eq!(tree.living(), ["keep", "b", "a", "jobs@0"]);
            tree.scale("jobs", 2).await.unwrap();
            tree.restart("jobs@1").await.unwrap();
            tree.restart("b").await.unwrap();
            assert!(!is_alive(b));
            let app = tree.supervisor("app").unwrap();
            app.start_child(child(&resident("c", ""))).await.unwrap();
            assert_eq!(app.count_children().await.unwrap().specs, 4);
            root.terminate_child("app").await.unwrap();
            assert_eq!(tree.living(), ["keep"]);
            // What was added to it went with it; what it was added with is still known.
            assert_eq!(tree.start("c").await, Err(RequestError::NotFound));
            assert_eq!(tree.start("a").await, Err(RequestError::ShuttingDown));
            root.delete_child("app").await.unwrap();
            assert_eq!(tree.start("a").await, Err(RequestError::NotFound));
            root.start_child(child(&resident("a", ""))).await.unwrap();
        });
    });
}

#[test]
fn dependency_across_supervisors_that_were_added_together_is_waited_for() {
    guarded(|| {
        let text = supervisor("top", &["both"], "")
            + &supervisor("both", &["left", "right"], "")
            + &supervisor("left", &["a"], "")
            + &supervisor("right", &["b"], "")
            + &resident("a", "depends_on = { b = \"ready\" }")
            + &resident("b", "");
        with_tree(&quiet(), async |tree, _| {
            let root = tree.supervisor("root").unwrap();
            root.start_child(child(&text)).await.unwrap();
            assert_eq!(tree.living(), ["keep", "b", "a"]);
        });
    });
}

#[test]
fn reload_does_not_touch_what_was_added_until_the_spec_has_it() {
    guarded(|| {
        with_tree(&quiet(), async |tree, events| {
            let root = tree.supervisor("root").unwrap();
            root.start_child(child(&resident("added", "")))
                .await
                .unwrap();
            let pid = events.pid_of("added").await;
            let other = |more: &str, children: &[&str]| {
                supervisor("root", children, "") + &resident("new", "") + more
            };
            let plan = tree.reload(spec(&other("", &["new"]))).await.unwrap();
            assert_eq!(plan.changes.len(), 2, "{plan:?}");
            assert!(is_alive(pid));
            assert_eq!(tree.living(), ["added", "new"]);
            // Elsewhere its name is taken.
            let elsewhere = other(
                &(supervisor("app", &["added"], "") + &resident("added", "")),
                &["new", "app"],
            );
            let error = tree.reload(spec(&elsewhere)).await.unwrap_err();
            assert!(matches!(&error, ReloadError::NameTaken(name) if *name == "added"));
            // In its place it is the spec's from now on.
            let same = other(&resident("added", ""), &["new", "added"]);
            tree.reload(spec(&same)).await.unwrap();
            assert!(is_alive(pid));
            tree.reload(spec(&other("", &["new"]))).await.unwrap();
            assert!(!is_alive(pid));
        });
    });
}

#[test]
fn supervisor_answers_while_children_hang_in_their_start_and_stop() {
    guarded(|| {
        let gate = Gate::new("supervisor_answers_while_children_hang");
        let text = supervisor("root", &["slow", "keep"], "")
            + &gate.child("slow", "shutdown = \"infinity\"")
            + "[process.keep]\nrun = \"sleep 600\"\n";
        with_tree(&text, async |tree, events| {
            let root = tree.supervisor("root").unwrap();
            let hangs = child(&process("hangs", "pid hang", "ready = { log = \"never\" }"));
            let starting = root.start_child(hangs);
            let asking = async {
                let hangs = events.pid_of("hangs").await;
                let stopping = root.terminate_child("slow");
                let others = async {
                    events.wait_for("slow | stopping").await;
                    ask_beside(tree, &root).await;
                    assert!(!is_alive(hangs));
                    gate.open();
                };
                future::zip(stopping, others).await.0
            };
            let (started, stopped) = future::zip(starting, asking).await;
            assert_eq!(started, Err(RequestError::Superseded));
            stopped.unwrap();
        });
    });
}

/// Asks this and that while `hangs` starts and `slow` stops, and ends the one that hangs.
async fn ask_beside(tree: &TreeHandle, root: &SupervisorHandle) {
    let status = async |name: &str| root.which_child(name).await.unwrap().status;
    assert_eq!(status("hangs").await, ChildStatus::Starting);
    assert_eq!(status("slow").await, ChildStatus::Stopping);
    let counts = root.count_children().await.unwrap();
    assert_eq!((counts.specs, counts.active), (3, 3));
    root.get_childspec("hangs").await.unwrap();
    // Others come and go meanwhile.
    root.start_child(child(&resident("new", ""))).await.unwrap();
    tree.restart("keep").await.unwrap();
    root.terminate_child("hangs").await.unwrap();
}

#[test]
fn start_of_a_child_goes_on_when_nobody_waits_for_it_any_more() {
    guarded(|| {
        with_tree(&quiet(), async |tree, events| {
            let root = tree.supervisor("root").unwrap();
            {
                let added = root.start_child(child(&resident("added", "")));
                assert!(future::poll_once(added).await.is_none());
            }
            events.wait_for("added started").await;
            tree.restart("added").await.unwrap();
        });
    });
}

#[test]
fn reports_are_told_to_everybody_who_follows() {
    guarded(|| {
        with_tree(&quiet(), async |tree, events| {
            let root = tree.supervisor("root").unwrap();
            let (mut one, mut other) = (tree.reports(), tree.reports());
            root.start_child(child(&resident("web", ""))).await.unwrap();
            kill(events.pid_of("web").await, Signal::KILL);
            events.pid_of("web").await;
            events.wait_for("web started").await;
            events.wait_for("web started").await;
            for reports in [&mut one, &mut other] {
                for context in [
                    ReportContext::Progress,
                    ReportContext::ChildTerminated,
                    ReportContext::Progress,
                ] {
                    let report = reports.next().await.unwrap().unwrap();
                    assert_eq!(report.context, context);
                    assert_eq!(report.offender.unwrap().name, "web");
                }
            }
            tree.shut_down();
            tree.ended().await.unwrap();
            while let Some(report) = one.next().await {
                report.unwrap();
            }
            assert!(tree.reports().next().await.is_none());
        });
    });
}

#[test]
fn names_lead_to_what_they_are_of() {
    guarded(|| {
        with_tree(&quiet(), async |tree, _| {
            assert_eq!(tree.supervisor("keep").unwrap_err(), RequestError::NotFound);
            assert_eq!(tree.supervisor("none").unwrap_err(), RequestError::NotFound);
            let error = tree.actor("keep").unwrap_err();
            assert_eq!(error.to_string(), "child `keep` is no actor");
            assert!(tree.actor("none").is_err());
        });
    });
}
