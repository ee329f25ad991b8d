//! What is particular to closures that are children of a tree.

use std::cell::RefCell;
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use treewright::spec::{ChildKind, RestartType, Shutdown, ShutdownMode, StartCondition};
use treewright::{Error, LocalChild, TreeOutcome, run, shielded, sleep};

use super::super::support::having;
use super::specimen::one_local;
use crate::guard::guarded;

#[test]
fn closure_is_called_again_for_each_life_and_knows_which() {
    guarded(|| {
        let (tree, events) = one_local("c", |child| child.restart = RestartType::Transient);
        let lives = Rc::new(RefCell::new(Vec::new()));
        let told = Rc::clone(&lives);
        let tree = tree.attach("c", async move |child: LocalChild| {
            assert_eq!(child.name(), "c");
            told.borrow_mut().push(child.epoch());
            match child.epoch() {
                3 => Ok(()),
                2 => panic!("boom"),
                _ => Err(Error::other("no ink")),
            }
        });
        let outcome = run(async || tree.run().await).unwrap();
        assert_eq!(outcome.exit_code(), 0);
        assert_eq!(*lives.borrow(), [1, 2, 3]);
        let told = events.rest();
        assert_eq!(having(&told, "c failed: no ink").len(), 1, "{told:#?}");
        assert_eq!(having(&told, "c panicked at").len(), 1, "{told:#?}");
    });
}

#[test]
fn closure_that_starts_when_it_says_so_is_waited_for() {
    guarded(|| {
        let (tree, mut events) = one_local("c", |child| child.start = StartCondition::Ready);
        let tree = tree.attach("c", async |child: LocalChild| {
            sleep(Duration::from_millis(1)).await;
            child.started();
            pending().await
        });
        let handle = tree.handle();
        let outcome = run(async || {
            let watch = async {
                handle.started().await.unwrap();
                events.wait_for("c started").await;
                handle.shut_down();
            };
            futures_lite::future::zip(tree.run(), watch).await.0
        });
        assert_eq!(outcome.unwrap(), TreeOutcome::Stopped);
    });
}

#[test]
fn shielded_work_of_a_closure_has_the_time_of_its_shutdown() {
    guarded(|| {
        let (tree, events) = one_local("c", |child| {
            child.shutdown = Shutdown {
                mode: ShutdownMode::Timeout(Duration::from_secs(60)),
                ..Shutdown::default()
            };
        });
        let said = Rc::new(RefCell::new(None));
        let saying = Rc::clone(&said);
        let tree = tree.attach("c", async move |child: LocalChild| {
            shielded(async {
                *saying.borrow_mut() = child.cancelled().await.message().map(str::to_owned);
                sleep(Duration::from_millis(1)).await;
            })
            .await;
            Ok(())
        });
        let handle = tree.handle();
        let outcome = run(async || {
            let watch = async {
                handle.started().await.unwrap();
                handle.shut_down();
            };
            futures_lite::future::zip(tree.run(), watch).await.0
        });
        assert_eq!(outcome.unwrap(), TreeOutcome::Stopped);
        assert_eq!(said.borrow().as_deref(), Some("its supervisor stops it"));
        let told = events.rest();
        assert!(having(&told, "did not stop").is_empty(), "{told:#?}");
    });
}

#[test]
fn closure_that_does_not_want_to_run_is_left_down() {
    guarded(|| {
        for start in [StartCondition::Spawned, StartCondition::Ready] {
            let (tree, events) = one_local("c", |child| child.start = start);
            let tree = tree.attach("c", async |_: LocalChild| Err(Error::ignored("no need")));
            let outcome = run(async || tree.run().await).unwrap();
            assert_eq!(outcome.exit_code(), 0);
            let told = events.rest();
            assert!(having(&told, "did not start").is_empty(), "{told:#?}");
        }
    });
}

#[test]
fn child_without_a_closure_and_closure_without_a_child_are_refused() {
    guarded(|| {
        let (tree, _events) = one_local("c", |_| {});
        let missing = run(async || tree.run().await).unwrap_err();
        assert!(
            format!("{missing:?}").contains("no closure is attached"),
            "{missing:?}"
        );
        let (tree, _events) = one_local("c", |_| {});
        let tree = tree
            .attach("c", async |_: LocalChild| Ok(()))
            .attach("d", async |_: LocalChild| Ok(()));
        let error = tree.check().unwrap_err();
        assert!(error.to_string().contains("at `local.d`"), "{error}");
        assert_eq!(tree.spec().root.children[0].kind, ChildKind::Local);
    });
}
