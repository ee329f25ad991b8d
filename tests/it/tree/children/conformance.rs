//! One suite for every kind of child.

use futures_lite::future::zip;
use rustix::process::Signal;
use treewright::{Tree, TreeOutcome, run};

use super::super::support::{Events, having, is_alive, kill};
use super::specimen::{Deed, Specimen};
use crate::guard::guarded;

/// Runs the tree, and `body` beside it.
fn with(
    (tree, mut events): (Tree, Events),
    body: impl AsyncFnOnce(&treewright::TreeHandle, &mut Events),
) -> (TreeOutcome, Vec<String>) {
    let handle = tree.handle();
    let outcome = run(async || {
        let (outcome, ()) = zip(tree.run(), body(&handle, &mut events)).await;
        outcome
    });
    (outcome.unwrap(), events.rest())
}

fn starts_and_stops_in_order(specimen: Specimen) {
    let tree = specimen.tree(Deed::Stay, "");
    let (outcome, told) = with(tree, async |handle, events| {
        events.wait_for("c").await;
        handle.started().await.unwrap();
        handle.shut_down();
    });
    assert_eq!(outcome, TreeOutcome::Stopped, "{told:#?}");
    assert!(having(&told, "did not stop").is_empty(), "{told:#?}");
}

fn that_ends_normally_is_no_failure(specimen: Specimen) {
    let tree = specimen.tree(Deed::Succeed, "restart = \"temporary\"");
    let (outcome, told) = with(tree, async |_, _| {});
    assert_eq!(outcome.exit_code(), 0, "{outcome:?} {told:#?}");
    assert!(having(&told, "failed").is_empty(), "{told:#?}");
}

fn that_fails_is_told_with_the_whole_reason(specimen: Specimen) {
    let tree = specimen.tree(Deed::Fail, "restart = \"temporary\"");
    let (outcome, told) = with(tree, async |_, _| {});
    assert_eq!(outcome.exit_code(), 1, "{outcome:?} {told:#?}");
    let expected = format!("{} {}", specimen.voice(), specimen.failure());
    assert!(!having(&told, &expected).is_empty(), "{told:#?}");
}

fn that_does_not_start_fails_the_start(specimen: Specimen) {
    let tree = specimen.tree(Deed::Refuse, "");
    let (outcome, told) = with(tree, async |_, _| {});
    assert!(
        matches!(outcome, TreeOutcome::StartFailed { .. }),
        "{outcome:?} {told:#?}"
    );
    let expected = format!("{} did not start", specimen.voice());
    assert!(!having(&told, &expected).is_empty(), "{told:#?}");
}

fn is_restarted_with_the_same_arguments(specimen: Specimen) {
    let tree = specimen.tree(Deed::Fail, "");
    let (outcome, told) = with(tree, async |handle, events| {
        let failure = format!("{} {}", specimen.voice(), specimen.failure());
        events.wait_for(&failure).await;
        events.wait_for(&failure).await;
        handle.shut_down();
    });
    assert!(
        matches!(outcome, TreeOutcome::Stopped | TreeOutcome::GaveUp { .. }),
        "{outcome:?}"
    );
    if specimen.is_process() {
        let said = having(&told, "given").len();
        assert!(said >= 2, "{told:#?}");
        assert_eq!(having(&told, "word").len(), said, "{told:#?}");
    }
}

fn that_is_deaf_is_killed_when_its_time_is_up(specimen: Specimen) {
    let tree = specimen.tree(Deed::BeDeaf, "shutdown = \"100ms\"");
    let (outcome, told) = with(tree, async |handle, _| {
        handle.started().await.unwrap();
        handle.shut_down();
    });
    assert_eq!(outcome, TreeOutcome::Stopped);
    let expected = format!("{} did not stop as it should", specimen.voice());
    assert_eq!(having(&told, &expected).len(), 1, "{told:#?}");
}

fn that_may_take_for_ever_is_killed_by_a_stricter_order(specimen: Specimen) {
    let tree = specimen.tree(Deed::BeDeaf, "shutdown = \"infinity\"");
    let (outcome, told) = with(tree, async |handle, _| {
        handle.started().await.unwrap();
        handle.shut_down();
        treewright::sleep(std::time::Duration::from_millis(50)).await;
        assert!(!handle.living().is_empty() || !specimen.is_process());
        handle.kill();
    });
    assert_eq!(outcome, TreeOutcome::Stopped, "{told:#?}");
}

fn that_is_killed_at_once_is_not_asked(specimen: Specimen) {
    let tree = specimen.tree(Deed::BeDeaf, "shutdown = \"brutal_kill\"");
    let (outcome, told) = with(tree, async |handle, _| {
        handle.started().await.unwrap();
        handle.shut_down();
    });
    assert_eq!(outcome, TreeOutcome::Stopped, "{told:#?}");
    // What was asked for is no fault.
    assert!(having(&told, "did not stop").is_empty(), "{told:#?}");
}

fn is_stopped_while_it_starts(specimen: Specimen) {
    let tree = specimen.tree(Deed::Dawdle, "");
    let mut pid = None;
    let (outcome, told) = with(tree, async |handle, events| {
        if specimen != Specimen::Local {
            pid = Some(events.pid_of(specimen.voice()).await);
        }
        handle.shut_down();
    });
    assert_eq!(outcome, TreeOutcome::Stopped, "{told:#?}");
    assert!(!pid.is_some_and(is_alive));
}

fn that_a_signal_kills_is_restarted(specimen: Specimen) {
    if !specimen.is_process() {
        return;
    }
    let tree = specimen.tree(Deed::Stay, "");
    let (outcome, told) = with(tree, async |handle, events| {
        let first = events.pid_of(specimen.voice()).await;
        handle.started().await.unwrap();
        kill(first, Signal::KILL);
        let second = events.pid_of(specimen.voice()).await;
        assert!(first != second && !is_alive(first));
        handle.shut_down();
    });
    assert_eq!(outcome, TreeOutcome::Stopped);
    let expected = format!("{} was ended by signal KILL", specimen.voice());
    assert_eq!(having(&told, &expected).len(), 1, "{told:#?}");
}

macro_rules! suite {
    ($($test:ident)*) => {
        suite!(@kind command Command: $($test)*);
        suite!(@kind actor Actor: $($test)*);
        suite!(@kind pool_member Member: $($test)*);
        suite!(@kind local Local: $($test)*);
        suite!(@kind nested Supervisor: $($test)*);
    };
    (@kind $module:ident $specimen:ident: $($test:ident)*) => {
        mod $module {
            use super::*;

            $(
                #[test]
                fn $test() {
                    guarded(|| super::$test(Specimen::$specimen));
                }
            )*
        }
    };
}

suite! {
    starts_and_stops_in_order
    that_ends_normally_is_no_failure
    that_fails_is_told_with_the_whole_reason
    that_does_not_start_fails_the_start
    is_restarted_with_the_same_arguments
    that_is_deaf_is_killed_when_its_time_is_up
    that_may_take_for_ever_is_killed_by_a_stricter_order
    that_is_killed_at_once_is_not_asked
    is_stopped_while_it_starts
    that_a_signal_kills_is_restarted
}
