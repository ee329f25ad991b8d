//! A new spec for a tree that runs.

use futures_lite::future::or;
use rustix::process::Signal;
use treewright::spec::Shutdown;
use treewright::supervisors::reload::What;
use treewright::tree::ReloadError;

use super::operate::with_tree;
use super::support::{having, is_alive, kill, process, resident, spec, supervisor};
use crate::guard::guarded;

#[test]
fn reload_stops_starts_and_restarts_just_what_differs() {
    guarded(|| {
        let text = resident("stays", "") + &resident("goes", "") + &resident("changes", "");
        let new = resident("stays", "")
            + &resident("changes", "env = { A = \"1\" }")
            + &resident("comes", "");
        with_tree(&text, async |tree, events| {
            let stays = events.pid_of("stays").await;
            let goes = events.pid_of("goes").await;
            let changes = events.pid_of("changes").await;
            let plan = tree.reload(spec(&new)).await.unwrap();
            assert_eq!(plan.changes.len(), 3, "{plan:#?}");
            assert!(is_alive(stays) && !is_alive(goes) && !is_alive(changes));
            let mut living = tree.living();
            living.sort();
            assert_eq!(living, ["changes", "comes", "stays"]);
            assert_eq!(tree.spec(), spec(&new));
        });
    });
}

#[test]
fn child_that_moves_is_gone_before_it_is_started_elsewhere() {
    guarded(|| {
        let web = "[process.web]\nrun = [\"sh\", \"-c\", \"trap 'echo ends; exit 0' TERM; echo begins; while :; do sleep 0.01; done\"]\nready = { log = \"begins\" }\n";
        let tree_with = |front: &[&str], back: &[&str]| {
            supervisor("root", &["front", "back"], "")
                + &supervisor("front", front, "")
                + &supervisor("back", back, "")
                + &resident("a", "")
                + &resident("b", "")
                + web
        };
        with_tree(&tree_with(&["a"], &["b", "web"]), async |tree, events| {
            let a = events.pid_of("a").await;
            events.wait_for("web | begins").await;
            let new = spec(&tree_with(&["a", "web"], &["b"]));
            tree.reload(new).await.unwrap();
            events.wait_for("web | ends").await;
            events.wait_for("web | begins").await;
            let lines = having(&events.seen, "web | ");
            assert_eq!(lines, ["web | begins", "web | ends", "web | begins"]);
            assert!(is_alive(a), "its new neighbour does not notice");
        });
    });
}

#[test]
fn tree_whose_children_are_all_replaced_goes_on() {
    guarded(|| {
        let deep = supervisor("root", &["inner"], "")
            + &supervisor("inner", &["a"], "")
            + &resident("a", "");
        with_tree(&resident("a", ""), async |tree, events| {
            let first = events.pid_of("a").await;
            tree.reload(spec(&deep)).await.unwrap();
            assert!(!is_alive(first));
            // The root goes by another name now, and can be asked under it.
            tree.restart("inner").await.unwrap();
            tree.reload(spec(&resident("b", ""))).await.unwrap();
            assert_eq!(tree.living(), ["b"]);
        });
    });
}

#[test]
fn refused_spec_changes_nothing() {
    guarded(|| {
        with_tree(&resident("a", ""), async |tree, events| {
            let a = events.pid_of("a").await;
            let former = tree.spec();
            let mut broken = former.clone();
            broken.root.children[0].significant = true;
            broken.root.children[0].shutdown = Shutdown::default();
            let error = tree.reload(broken).await.unwrap_err();
            assert!(matches!(error, ReloadError::Refused(_)), "{error}");
            assert_eq!(tree.spec(), former);
            assert!(is_alive(a));
            assert!(tree.reload(former).await.unwrap().is_empty());
            assert!(is_alive(a));
        });
    });
}

#[test]
fn dependency_on_another_supervisor_that_a_reload_brings_is_waited_for() {
    guarded(|| {
        let tree_with = |front: &[&str], keys: &str| {
            supervisor("root", &["back", "front"], "")
                + &supervisor("front", front, "")
                + &supervisor("back", &["db"], "")
                + &resident("a", "")
                + &resident("db", "")
                + &match front.len() {
                    1 => String::new(),
                    _ => resident("web", keys),
                }
        };
        with_tree(&tree_with(&["a"], ""), async |tree, events| {
            events.pid_of("a").await;
            // Nobody depended on the database when it became ready.
            let new = tree_with(&["a", "web"], "depends_on = { db = \"ready\" }");
            tree.reload(spec(&new)).await.unwrap();
            let web = events.pid_of("web").await;
            assert!(is_alive(web));
        });
    });
}

#[test]
fn change_deep_in_the_tree_reaches_supervisors_and_pools_there() {
    guarded(|| {
        let tree_with = |size: u32, intensity: u32| {
            supervisor("root", &["outer"], "")
                + &supervisor("outer", &["inner"], "")
                + &supervisor("inner", &["a", "jobs"], &format!("intensity = {intensity}"))
                + &resident("a", "")
                + &format!("[pool.jobs]\nrun = \"sleep 600\"\nsize = {size}\nmax = 3\n")
        };
        with_tree(&tree_with(1, 0), async |tree, events| {
            let a = events.pid_of("a").await;
            let plan = tree.reload(spec(&tree_with(3, 5))).await.unwrap();
            assert!(
                plan.changes
                    .iter()
                    .all(|change| matches!(change.what, What::Update { .. })),
                "{plan:#?}"
            );
            assert_eq!(tree.living().len(), 4);
            // With the former intensity this would be the end.
            kill(a, Signal::KILL);
            events.pid_of("a").await;
            // What a supervisor is started with again is the new spec, too.
            tree.restart("outer").await.unwrap();
            assert_eq!(tree.living().len(), 4);
        });
    });
}

#[test]
fn child_that_a_reload_brings_and_that_does_not_start_is_mended_by_the_next() {
    guarded(|| {
        let text = resident("a", "");
        let new = text.clone()
            + &process(
                "b",
                "exit 3",
                "ready = { log = \"never\" }\nbackoff = { initial = \"10m\", max = \"10m\" }",
            );
        let new = new.replacen(
            "backoff = { initial = \"0s\" }\nready = { log = \"never\" }",
            "ready = { log = \"never\" }",
            1,
        );
        with_tree(&text, async |tree, events| {
            let a = events.pid_of("a").await;
            let reload = async { Some(tree.reload(spec(&new)).await) };
            let failed = async {
                events.wait_for("b did not start").await;
                None
            };
            let first = or(reload, failed).await;
            assert!(first.is_none(), "it waits for the next try: {first:?}");
            assert!(is_alive(a));
            tree.reload(spec(&text)).await.unwrap();
            assert_eq!(tree.living(), ["a"]);
        });
    });
}
