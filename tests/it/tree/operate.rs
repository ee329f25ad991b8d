//! What an operator asks of a tree that runs.

use rustix::process::Signal;
use treewright::supervisors::supervisor::RequestError;
use treewright::{TreeHandle, TreeOutcome, open_nursery, run};

use super::support::{Events, is_alive, kill, process, resident, supervisor, tree};
use crate::guard::guarded;

/// Runs the tree of this text, and `body` beside it; then stops it.
pub(super) fn with_tree(text: &str, body: impl AsyncFnOnce(&TreeHandle, &mut Events)) {
    let (tree, mut events) = tree(text);
    run(async || {
        open_nursery(async |n| {
            let handle = n.supervise(tree).await?;
            body(&handle, &mut events).await;
            handle.shut_down();
            assert_eq!(handle.ended().await?, TreeOutcome::Stopped);
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn child_that_is_stopped_stays_down_until_it_is_started() {
    guarded(|| {
        let text = supervisor("root", &["a", "b"], "strategy = \"one_for_all\"")
            + &resident("a", "")
            + &resident("b", "");
        with_tree(&text, async |tree, events| {
            let a = events.pid_of("a").await;
            let b = events.pid_of("b").await;
            tree.stop("b").await.unwrap();
            assert!(!is_alive(b), "answered when nothing is left of it");
            // The group is restarted; what the operator stopped is not.
            kill(a, Signal::KILL);
            events.pid_of("a").await;
            assert_eq!(tree.living(), ["a"]);
            tree.start("b").await.unwrap();
            assert_eq!(tree.living(), ["a", "b"]);
            let again = tree.start("b").await.unwrap_err();
            assert!(matches!(again, RequestError::AlreadyStarted(_)), "{again}");
        });
    });
}

#[test]
fn restart_of_a_child_is_answered_when_its_next_life_is_ready() {
    guarded(|| {
        let text = supervisor("root", &["app"], "intensity = 0")
            + &supervisor("app", &["web"], "intensity = 0")
            + &resident("web", "");
        with_tree(&text, async |tree, events| {
            let first = events.pid_of("web").await;
            tree.restart("web").await.unwrap();
            assert!(!is_alive(first));
            let second = events.pid_of("web").await;
            assert!(is_alive(second));
        });
    });
}

#[test]
fn pool_is_scaled_and_its_members_are_asked_for_by_number() {
    guarded(|| {
        let text = "[pool.jobs]\nrun = \"sleep 600\"\nsize = 2\nmax = 4\n[process.web]\nrun = \"sleep 600\"\n";
        with_tree(text, async |tree, _| {
            tree.scale("jobs", 4).await.unwrap();
            let mut living = tree.living();
            living.sort();
            assert_eq!(living, ["jobs@0", "jobs@1", "jobs@2", "jobs@3", "web"]);
            let error = tree.scale("jobs", 5).await.unwrap_err();
            assert_eq!(error, RequestError::MaxChildren { max: 4 });
            tree.stop("jobs@1").await.unwrap();
            tree.scale("jobs", 3).await.unwrap();
            let mut living = tree.living();
            living.sort();
            assert_eq!(living, ["jobs@0", "jobs@2", "web"]);
            assert_eq!(tree.scale("web", 2).await, Err(RequestError::NotAPool));
            assert_eq!(tree.scale("mail", 2).await, Err(RequestError::NotFound));
        });
    });
}

#[test]
fn child_that_is_not_there_is_said_to_be_not_found() {
    guarded(|| {
        with_tree(&resident("a", ""), async |tree, _| {
            assert_eq!(tree.stop("b").await, Err(RequestError::NotFound));
            assert_eq!(tree.start("a@0").await, Err(RequestError::NotFound));
        });
    });
}

#[test]
fn start_that_fails_is_told_to_who_asked_for_it() {
    guarded(|| {
        let text = resident("a", "")
            + &process(
                "b",
                "exit 4",
                "restart = \"transient\"\nready = { log = \"up\" }\n",
            );
        let text = supervisor("root", &["a", "b"], "on_start_failure = \"retry\"") + &text;
        let (tree, mut events) = tree(&text);
        let handle = tree.handle();
        run(async || {
            open_nursery(async |n| {
                n.spawn(async move { drop(tree.run().await) });
                events.wait_for("b did not start").await;
                handle.stop("b").await.unwrap();
                let error = handle.start("b").await.unwrap_err();
                assert!(matches!(error, RequestError::Failed(_)), "{error}");
                handle.stop("b").await.unwrap();
                handle.shut_down();
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

#[test]
fn tree_that_has_ended_answers_so() {
    guarded(|| {
        let (tree, _events) = tree(&resident("a", ""));
        let handle = tree.handle();
        run(async || {
            open_nursery(async |n| {
                n.supervise(tree).await?;
                n.cancel("enough");
                Ok(())
            })
            .await?;
            assert_eq!(handle.stop("a").await, Err(RequestError::ShuttingDown));
            assert!(handle.reload(handle.spec()).await.is_err());
            Ok(())
        })
        .unwrap();
    });
}
