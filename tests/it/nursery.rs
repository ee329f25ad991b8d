//! Nurseries without processes: who is cancelled when, and what comes out.

use std::cell::{Cell, RefCell};
use std::future::{Future, pending};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use treewright::time::{Time, VirtualClock};
use treewright::{
    CancelOrigin, Error, Result, Runtime, fail_after, move_on_after, open_nursery, shielded, sleep,
    timeout,
};

const SECOND: Duration = Duration::from_secs(1);

/// Runs `body` on a virtual clock; gives what came out and how long it took.
fn virtually<R>(body: impl AsyncFnOnce() -> Result<R>) -> (Result<R>, Duration) {
    let clock = VirtualClock::new();
    let runtime = Runtime::builder()
        .handle_signals(false)
        .virtual_clock(clock.clone());
    (runtime.run(body), clock.now() - Time::ORIGIN)
}

/// Counts itself while it lives.
struct Alive<'a>(&'a Cell<i32>);

impl<'a> Alive<'a> {
    fn new(count: &'a Cell<i32>) -> Self {
        count.set(count.get() + 1);
        Self(count)
    }
}

impl Drop for Alive<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

fn texts(error: &Error) -> Vec<String> {
    error.failures().map(Error::to_string).collect()
}

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

#[test]
fn timeout_of_work_that_is_late_is_an_error_and_the_work_is_gone() {
    let alive = Cell::new(0);
    let (result, took) = virtually(async || {
        timeout(SECOND, async {
            let _alive = Alive::new(&alive);
            pending::<()>().await
        })
        .await
    });
    assert!(result.unwrap_err().is_timeout());
    assert_eq!((took, alive.get()), (SECOND, 0));
}

#[test]
fn timeout_waits_for_shielded_work_and_is_still_late() {
    let (result, took) = virtually(async || timeout(SECOND, shielded(sleep(SECOND * 3))).await);
    assert!(result.unwrap_err().is_timeout());
    assert_eq!(took, SECOND * 3);
}

#[test]
fn timeout_cancels_a_nursery_inside_in_order() {
    let reasons = RefCell::new(Vec::new());
    let (result, took) = virtually(async || {
        timeout(
            SECOND,
            open_nursery(async |n| {
                shielded(async {
                    let reason = n.cancelled().await;
                    reasons.borrow_mut().push(reason);
                    sleep(SECOND).await;
                })
                .await;
                Ok(())
            }),
        )
        .await
    });
    assert!(result.unwrap_err().is_timeout());
    assert_eq!(took, SECOND * 2);
    assert!(
        reasons.borrow()[0]
            .message()
            .unwrap()
            .contains("deadline of 1s")
    );
}

#[test]
fn timeout_too_long_for_the_clock_never_comes() {
    let (result, took) = virtually(async || timeout(Duration::MAX, sleep(SECOND)).await);
    assert!(result.is_ok());
    assert_eq!(took, SECOND);
}

#[test]
fn fail_after_gives_the_errors_of_the_work_and_of_the_clock() {
    let (result, _) = virtually(async || {
        let own = fail_after(SECOND, async { Err::<(), _>("own".into()) }).await;
        assert_eq!(own.unwrap_err().to_string(), "own");
        fail_after(SECOND, pending::<Result<()>>()).await
    });
    assert!(result.unwrap_err().is_timeout());
}

#[test]
fn move_on_after_goes_on_without_a_value() {
    let (result, took) = virtually(async || {
        assert_eq!(move_on_after(SECOND, pending::<()>()).await, None);
        Ok(move_on_after(SECOND, async { 7 }).await)
    });
    assert_eq!((result.unwrap(), took), (Some(7), SECOND));
}

#[test]
fn cancelled_task_runs_no_code_after_a_timeout_in_it() {
    let (result, _) = virtually(async || {
        open_nursery(async |n| {
            n.spawn(async {
                let _late = timeout(SECOND * 60, pending::<()>()).await;
                panic!("it must not run")
            });
            sleep(SECOND).await;
            n.cancel("enough");
            Ok(())
        })
        .await
    });
    assert!(result.is_ok());
}

#[test]
fn nursery_works_on_any_executor() {
    let result =
        futures_lite::future::block_on(open_nursery(async |n| n.spawn(async { 7 }).result().await));
    assert_eq!(result.unwrap(), 7);
}

#[test]
fn futures_around_others_do_not_grow_with_each_layer() {
    // An async block keeps room for its argument twice; ten layers of that fill a stack.
    let large = [0_u8; 10_000];
    let work = async move {
        sleep(SECOND).await;
        large.len()
    };
    let size = size_of_val(&work);
    let wrapped = timeout(SECOND, shielded(move_on_after(SECOND, shielded(work))));
    assert!(size_of_val(&wrapped) < size + 2_000);
    let nested = open_nursery(async |_| {
        open_nursery(async |_| open_nursery(async |_| Ok(large.len())).await).await
    });
    assert!(size_of_val(&nested) < 2_000);
}
