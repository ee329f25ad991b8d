//! Limits of time, and shielded work under them.

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::time::Duration;

use treewright::{Result, fail_after, move_on_after, open_nursery, shielded, sleep, timeout};

use super::{Alive, SECOND, virtually};

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
