//! What fails in a nursery: who is cancelled, and what comes out.

use std::cell::Cell;
use std::future::pending;

use treewright::{Error, Result, open_nursery, shielded, sleep};

use super::{Alive, SECOND, texts, virtually};

#[test]
fn nursery_with_tasks_that_borrow_returns_when_all_have_ended() {
    let total = Cell::new(0);
    let numbers = [1, 2, 3];
    let (result, took) = virtually(async || {
        open_nursery(async |n| {
            for number in &numbers {
                let (n2, total) = (n.clone(), &total);
                n.spawn(async move {
                    sleep(SECOND * *number).await;
                    // A task may start others.
                    n2.spawn(async move { total.set(total.get() + number) });
                });
            }
            let task = n.spawn(async { numbers.len() });
            task.result().await
        })
        .await
    });
    assert_eq!((result.unwrap(), total.get(), took), (3, 6, SECOND * 3));
}

#[test]
fn first_failure_cancels_siblings_and_body_at_once() {
    let alive = Cell::new(0);
    let (result, took) = virtually(async || {
        open_nursery(async |n| {
            n.spawn(async {
                let _alive = Alive::new(&alive);
                sleep(SECOND * 60).await;
            });
            n.spawn(async {
                sleep(SECOND).await;
                Err::<(), _>(Error::other("no"))
            });
            let _alive = Alive::new(&alive);
            pending::<Result<()>>().await
        })
        .await
    });
    let error = result.unwrap_err();
    assert_eq!(
        (texts(&error), error.is_group()),
        (vec!["no".to_owned()], false)
    );
    assert_eq!((took, alive.get()), (SECOND, 0));
}

#[test]
fn failure_of_the_body_cancels_the_tasks() {
    let (result, took) = virtually(async || {
        open_nursery(async |n| {
            n.spawn(sleep(SECOND * 60));
            sleep(SECOND).await;
            Err::<(), _>("no".into())
        })
        .await
    });
    assert_eq!(
        (result.unwrap_err().to_string().as_str(), took),
        ("no", SECOND)
    );
}

#[test]
fn panic_of_a_task_comes_out_with_message_and_place() {
    let (result, _) = virtually(async || {
        open_nursery(async |n| {
            n.spawn(async {
                if true {
                    panic!("boom")
                }
            });
            pending::<Result<()>>().await
        })
        .await
    });
    let error = result.unwrap_err();
    assert!(error.is_panic());
    let text = error.to_string();
    assert!(text.contains(file!()) && text.ends_with(": boom"), "{text}");
}

#[test]
fn panic_of_the_body_cancels_the_tasks_and_comes_out() {
    let alive = Cell::new(0);
    let (result, _) = virtually(async || {
        open_nursery(async |n| -> Result<()> {
            n.spawn(async {
                let _alive = Alive::new(&alive);
                pending::<()>().await
            });
            sleep(SECOND).await;
            panic!("boom")
        })
        .await
    });
    assert!(result.unwrap_err().is_panic());
    assert_eq!(alive.get(), 0);
}

#[test]
fn panic_of_a_destructor_in_a_cancelled_task_is_not_lost() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("in a destructor")
        }
    }
    let (result, _) = virtually(async || {
        open_nursery(async |n| {
            n.spawn(async {
                let _bomb = Bomb;
                pending::<()>().await
            });
            sleep(SECOND).await;
            n.cancel("enough");
            Ok(())
        })
        .await
    });
    assert!(result.unwrap_err().to_string().ends_with("in a destructor"));
}

#[test]
fn several_failures_come_out_as_a_group_whose_first_is_the_cause() {
    let (result, _) = virtually(async || {
        open_nursery(async |n| {
            n.spawn(async {
                shielded(sleep(SECOND * 2)).await;
                Err::<(), _>(Error::other("second"))
            });
            let first = n.spawn(async {
                sleep(SECOND).await;
                Err::<(), _>(Error::other("first"))
            });
            // It sees the failure of another: that is no failure of its own.
            n.spawn(shielded(async {
                first.result().await.map_err(|e| e.context("seen"))
            }));
            pending::<Result<()>>().await
        })
        .await
    });
    let error = result.unwrap_err();
    assert_eq!(texts(&error), ["first", "second"]);
    assert_eq!(error.to_string(), "2 tasks of one scope failed");
    assert_eq!(
        std::error::Error::source(&error).unwrap().to_string(),
        "first"
    );
}
