//! A tree as a member of a nursery.

use std::future::pending;
use std::time::Duration;

use futures_lite::future::or;
use rustix::process::Signal;
use treewright::supervisors::supervisor::ExitReason;
use treewright::{
    CancelOrigin, Error, ErrorKind, Result, TreeOutcome, open_nursery, run, shielded, sleep,
};

use super::support::{having, is_alive, kill, polite, process, resident, supervisor, tree};
use crate::guard::guarded;

#[test]
fn supervise_returns_when_every_child_has_started() {
    guarded(|| {
        let text = process("slow", "sleep 50 say up hang", "ready = { log = \"up\" }")
            + &resident("last", "");
        let (tree, events) = tree(&text);
        run(async || {
            open_nursery(async |n| {
                let handle = n.supervise(tree).await?;
                assert!(handle.is_started());
                assert_eq!(handle.living(), ["slow", "last"]);
                n.cancel("enough");
                Ok(())
            })
            .await
        })
        .unwrap();
        let told = events.rest();
        assert_eq!(having(&told, "started after").len(), 2, "{told:#?}");
    });
}

#[test]
fn tree_is_stopped_in_order_when_its_nursery_is_cancelled() {
    guarded(|| {
        let text = polite("one", "") + &polite("two", "") + &polite("three", "");
        let (tree, events) = tree(&text);
        let outcome = run(async || {
            open_nursery(async |n| {
                let handle = n.supervise(tree).await?;
                n.spawn(async { Err::<(), _>(Error::other("out of ink")) });
                Ok(handle.ended().await)
            })
            .await
        });
        assert_eq!(outcome.unwrap_err().to_string(), "out of ink");
        let told = events.rest();
        assert_eq!(
            having(&told, "ends"),
            ["three | ends", "two | ends", "one | ends"]
        );
    });
}

#[test]
fn tree_that_gives_up_fails_its_nursery_with_the_whole_chain() {
    guarded(|| {
        let text = supervisor("root", &["app"], "intensity = 0")
            + &supervisor("app", &["worker"], "intensity = 1")
            + &process("worker", "exit 9", "");
        let (tree, _events) = tree(&text);
        let error = run(async || {
            open_nursery(async |n| {
                n.supervise(tree).await?;
                pending::<Result<()>>().await
            })
            .await
        })
        .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::GaveUp);
        let reason: &ExitReason = error.downcast_ref().unwrap();
        assert_eq!(reason.root_cause(), &ExitReason::Exited { code: 9 });
        let error: &dyn std::error::Error = &error;
        let causes = std::iter::successors(Some(error), |error| error.source());
        let chain: Vec<String> = causes.map(ToString::to_string).collect();
        assert_eq!(
            chain,
            [
                "tree `t` failed",
                "gave up: child `app` failed after 0 restarts within 1m",
                "gave up: child `worker` failed after 1 restart within 1m",
                "exited with code 9",
            ]
        );
    });
}

#[test]
fn tree_that_ends_by_itself_is_a_value_and_its_nursery_goes_on() {
    guarded(|| {
        let text = process("job", "exit 3", "restart = \"temporary\"");
        let (tree, _events) = tree(&text);
        let outcome = run(async || {
            open_nursery(async |n| {
                let handle = n.supervise(tree).await?;
                let outcome = handle.ended().await?;
                sleep(Duration::from_millis(1)).await;
                Ok(outcome)
            })
            .await
        });
        let significant = None;
        assert_eq!(
            outcome.unwrap(),
            TreeOutcome::Ended {
                code: 1,
                significant
            }
        );
    });
}

#[test]
fn tree_that_does_not_start_is_an_error_of_the_start_alone() {
    guarded(|| {
        let text = resident("first", "") + "[process.second]\nrun = \"/nowhere/at/all\"\n";
        let (tree, mut events) = tree(&text);
        let (error, first) = run(async || {
            open_nursery(async |n| {
                let error = n.supervise(tree).await.unwrap_err();
                Ok((error, events.pid_of("first").await))
            })
            .await
        })
        .unwrap();
        assert_eq!(error.kind(), ErrorKind::Spawn);
        assert!(
            format!("{error:?}").contains("/nowhere/at/all"),
            "{error:?}"
        );
        assert!(!is_alive(first), "what was started before it is stopped");
    });
}

#[test]
fn supervise_that_is_dropped_stops_what_it_had_started() {
    guarded(|| {
        let text = resident("first", "") + &process("hangs", "hang", "ready = { log = \"never\" }");
        let (tree, mut events) = tree(&text);
        let first = run(async || {
            open_nursery(async |n| {
                let handle = tree.handle();
                let start = async { drop(n.supervise(tree).await) };
                let mut first = 0;
                or(start, async { first = events.pid_of("first").await }).await;
                assert_eq!(handle.ended().await?, TreeOutcome::Stopped);
                assert!(handle.started().await.unwrap_err().is_closed());
                Ok(first)
            })
            .await
        });
        assert!(!is_alive(first.unwrap()));
    });
}

#[test]
fn deadline_of_a_tree_holds_in_its_nursery() {
    guarded(|| {
        let deaf = process(
            "deaf",
            "ignore TERM pid hang",
            "ready = { log = \"pid\" }\nshutdown = \"infinity\"",
        );
        let (tree, events) = tree(&format!("[tree]\nshutdown = \"100ms\"\n{deaf}"));
        run(async || {
            open_nursery(async |n| {
                n.supervise(tree).await?;
                n.cancel("enough");
                Ok(())
            })
            .await
        })
        .unwrap();
        let told = events.rest();
        assert_eq!(having(&told, "signal KILL").len(), 1, "{told:#?}");
    });
}

#[test]
fn second_signal_to_the_program_kills_a_tree_in_a_nursery() {
    guarded(|| {
        let deaf = process(
            "deaf",
            "ignore TERM pid hang",
            "ready = { log = \"pid\" }\nshutdown = \"infinity\"",
        );
        let (tree, events) = tree(&deaf);
        let error = run(async || {
            open_nursery(async |n| {
                n.supervise(tree).await?;
                let this = std::process::id();
                shielded(async {
                    kill(this, Signal::TERM);
                    n.cancelled().await;
                    kill(this, Signal::TERM);
                })
                .await;
                pending::<Result<()>>().await
            })
            .await
        })
        .unwrap_err();
        let reason = error.cancel_reason().unwrap();
        assert_eq!(reason.origin(), &CancelOrigin::Signal(15));
        let told = events.rest();
        assert_eq!(having(&told, "signal KILL").len(), 1, "{told:#?}");
    });
}

#[test]
fn tree_of_a_dropped_nursery_is_stopped_behind_it() {
    guarded(|| {
        let (tree, mut events) = tree(&(polite("one", "") + &polite("two", "")));
        run(async || {
            let nursery = open_nursery(async |n| {
                n.supervise(tree).await?;
                pending::<Result<()>>().await
            });
            or(async { drop(nursery.await) }, async {
                events.wait_for("two started").await;
            })
            .await;
            Ok(())
        })
        .unwrap();
        let told = events.rest();
        assert_eq!(having(&told, "ends"), ["two | ends", "one | ends"]);
    });
}

#[test]
fn tree_in_a_nursery_that_has_ended_is_refused() {
    guarded(|| {
        let (tree, events) = tree(&resident("one", ""));
        run(async || {
            let mut nursery = None;
            open_nursery(async |n| {
                nursery = Some(n);
                Ok(())
            })
            .await?;
            let nursery = nursery.unwrap();
            assert!(nursery.supervise(tree).await.unwrap_err().is_closed());
            Ok(())
        })
        .unwrap();
        assert!(events.rest().is_empty());
    });
}
