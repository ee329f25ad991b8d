//! What is cancelled, and what may finish first.

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use treewright::{CancelOrigin, Result, open_nursery, shielded, sleep};

use super::{Alive, SECOND, virtually};

#[test]
fn cancel_by_the_body_in_its_last_step_keeps_its_value() {
    let (result, took) = virtually(async || {
        open_nursery(async |n| {
            n.spawn(pending::<()>());
            sleep(SECOND).await;
            n.cancel("enough");
            Ok(7)
        })
        .await
    });
    assert_eq!((result.unwrap(), took), (7, SECOND));
}

#[test]
fn cancel_of_a_running_body_says_who_asked_and_where() {
    let (result, _) = virtually(async || {
        open_nursery(async |n| {
            let n2 = n.clone();
            n.spawn(async move { n2.cancel("enough") });
            pending::<Result<()>>().await
        })
        .await
    });
    let error = result.unwrap_err();
    let reason = error.cancel_reason().unwrap();
    assert!(error.is_cancelled());
    assert_eq!(reason.origin(), &CancelOrigin::Request);
    assert_eq!(reason.message(), Some("enough"));
    assert!(reason.location().unwrap().starts_with(file!()));
}

#[test]
fn task_whose_handle_is_dropped_runs_on() {
    let done = Cell::new(false);
    let (result, _) = virtually(async || {
        open_nursery(async |n| {
            drop(n.spawn(async {
                sleep(SECOND).await;
                done.set(true);
            }));
            Ok(())
        })
        .await
    });
    assert!(result.is_ok() && done.get());
}

#[test]
fn task_cancelled_by_its_handle_ends_alone() {
    let (result, took) = virtually(async || {
        open_nursery(async |n| {
            let sibling = n.spawn(async {
                sleep(SECOND * 5).await;
                "done"
            });
            let task = n.spawn(pending::<()>());
            task.cancel("not needed");
            let error = task.result().await.unwrap_err();
            assert_eq!(error.cancel_reason().unwrap().message(), Some("not needed"));
            sibling.result().await
        })
        .await
    });
    assert_eq!((result.unwrap(), took), ("done", SECOND * 5));
}

#[test]
fn handle_used_after_the_end_says_closed() {
    let (result, _) = virtually(async || {
        let (n, task) = open_nursery(async |n| Ok((n.clone(), n.spawn(async { 7_u32 })))).await?;
        assert!(n.is_closed());
        assert_eq!(task.result().await?, 7);
        n.cancel("too late");
        n.cancelled().await;
        let late = n.spawn(async { panic!("it must not run") });
        assert!(late.is_finished());
        Ok(late.result().await.err())
    });
    assert!(result.unwrap().unwrap().is_closed());
}

#[test]
fn task_started_in_a_cancelled_nursery_never_runs() {
    let (result, _) = virtually(async || {
        open_nursery(async |n| {
            n.cancel("enough");
            n.spawn(async { panic!("it must not run") });
            Ok(())
        })
        .await
    });
    assert!(result.is_ok());
}

#[test]
fn dropped_nursery_drops_tasks_that_hold_its_handle() {
    // A strong handle would keep the executor, and so the tasks, alive for ever.
    let alive = Rc::new(Cell::new(0));
    let kept = RefCell::new(None);
    {
        let mut nursery = pin!(open_nursery(async |n| {
            let (n2, alive) = (n.clone(), Rc::clone(&alive));
            kept.replace(Some(n.spawn(async move {
                let _alive = Alive::new(&alive);
                let _handle = n2;
                pending::<()>().await
            })));
            pending::<Result<()>>().await
        }));
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..3 {
            assert!(matches!(nursery.as_mut().poll(&mut context), Poll::Pending));
        }
        assert_eq!(alive.get(), 1);
    }
    assert_eq!((alive.get(), Rc::strong_count(&alive)), (0, 1));
    let (error, _) = virtually(async || kept.take().unwrap().result().await);
    let error = error.unwrap_err();
    assert_eq!(
        error.cancel_reason().unwrap().origin(),
        &CancelOrigin::Dropped
    );
}

#[test]
fn inner_nursery_is_cancelled_with_the_outer_one_and_told_why() {
    let reasons = RefCell::new(Vec::new());
    let (result, took) = virtually(async || {
        open_nursery(async |outer| {
            outer.spawn(open_nursery(async |inner| {
                let (n, reasons) = (inner.clone(), &reasons);
                inner.spawn(shielded(async move {
                    let reason = n.cancelled().await;
                    // It may still clean up, and what it waits for is waited for.
                    sleep(SECOND).await;
                    reasons.borrow_mut().push(reason);
                }));
                inner.spawn(pending::<()>());
                pending::<Result<()>>().await
            }));
            sleep(SECOND).await;
            outer.cancel("enough");
            Ok(())
        })
        .await
    });
    assert!(result.is_ok());
    assert_eq!(took, SECOND * 2);
    let reasons = reasons.into_inner();
    assert_eq!(reasons[0].origin(), &CancelOrigin::Enclosing);
    assert!(reasons[0].message().unwrap().ends_with("enough"));
}

#[test]
fn failure_in_an_inner_nursery_goes_up_bare() {
    let (result, _) = virtually(async || {
        open_nursery(async |outer| {
            outer.spawn(pending::<()>());
            open_nursery(async |inner| {
                inner.spawn(async { Err::<(), _>("deep".into()) });
                pending::<Result<()>>().await
            })
            .await
        })
        .await
    });
    let error = result.unwrap_err();
    assert_eq!(
        (error.to_string().as_str(), error.is_group()),
        ("deep", false)
    );
}

#[test]
fn shielded_work_is_dropped_when_the_grace_is_over() {
    let alive = Cell::new(0);
    let (result, took) = virtually(async || {
        open_nursery(async |n| {
            n.spawn(shielded(async {
                let _alive = Alive::new(&alive);
                pending::<()>().await
            }));
            n.spawn(async {
                sleep(SECOND).await;
                Err::<(), _>("no".into())
            });
            Ok(())
        })
        .await
    });
    assert_eq!(result.unwrap_err().to_string(), "no");
    assert_eq!((took, alive.get()), (SECOND * 11, 0));
}

#[test]
fn shield_after_shield_gets_no_more_grace_than_one() {
    let (result, took) = virtually(async || {
        open_nursery(async |n| {
            n.spawn(async {
                loop {
                    shielded(shielded(sleep(SECOND * 4))).await;
                }
            });
            sleep(SECOND).await;
            n.cancel("enough");
            Ok(())
        })
        .await
    });
    assert!(result.is_ok());
    // The shield that was open at the cancellation ends at 4 s; the task's next await is
    // the shield after it, which the grace cuts off.
    assert_eq!(took, SECOND * 11);
}

#[test]
fn shielded_without_a_nursery_is_plain() {
    let (result, _) = virtually(async || Ok(shielded(async { 7 }).await));
    assert_eq!(result.unwrap(), 7);
}
