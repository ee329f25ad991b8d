//! The life of a child that is a closure of the program.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use futures_lite::future;
use treewright_supervisors::spec::{Shutdown, ShutdownMode, StartCondition};
use treewright_supervisors::supervisor::ExitReason;

use super::actor_end;
use super::context::TreeContext;
use super::life::Life;
use super::orders::{Orders, deadline};
use crate::error::{CancelOrigin, CancelReason, Error, Result};
use crate::rt::{self, Latch};
use crate::scope::{DEFAULT_GRACE, Kind, Node, Urgency, guarded};
use crate::time::Time;
use crate::tree::attached::LocalChild;

/// Runs the closure to its end, or until it is ordered to stop, and tells the supervisor.
pub(super) async fn run(context: Rc<TreeContext>, life: Life, orders: Orders) {
    let node = Node::with_grace(Kind::Task, Node::current(), grace(&life.spec.shutdown));
    let started = Rc::new(Latch::new());
    let child = LocalChild::new(
        life.spec.name.clone(),
        life.incarnation.epoch,
        Rc::clone(&node),
        Rc::clone(&started),
    );
    // A member of a pool runs the closure of its pool.
    let name = life.spec.name.split('@').next().unwrap_or_default();
    let Some(closure) = context.shared.attached.call(name, child) else {
        return life.start_failed(format!("no closure is attached as `{name}`"));
    };
    if life.spec.start == StartCondition::Spawned {
        started.set();
    }
    let mut closure = Box::pin(guarded(Rc::clone(&node), closure));
    let has_started = Cell::new(false);
    let turn = {
        // What the closure does before it waits for the first time comes before its start.
        let ended = async { Turn::Ended(closure.as_mut().await) };
        let ordered = async { Turn::Ordered(orders.next().await) };
        let telling = async {
            started.wait().await;
            has_started.set(true);
            life.started();
            future::pending().await
        };
        // Polled in this order. A closure that is not waited for any more is still there.
        future::or(ended, future::or(ordered, telling)).await
    };
    match turn {
        Turn::Ended(outcome) => {
            // It may have said that it has started with its last breath.
            let has_started = has_started.get() || is_start_of_its_own(&life, &started);
            tell_end(&life, has_started, flat(outcome));
        }
        Turn::Ordered(how) => {
            let reason = CancelReason::new(CancelOrigin::Request);
            let reason = reason.with_message("its supervisor stops it");
            node.cancel(reason, Urgency::InOrder);
            let (outcome, killed) = stop(&node, &mut closure, &orders, &how).await;
            life.stopped(reason_of_stop(outcome, killed), killed);
        }
    }
}

enum Turn {
    Ended(Result<Result<()>>),
    Ordered(Shutdown),
}

/// Whether the closure said by itself that it had started, and has ended before that was told.
fn is_start_of_its_own(life: &Life, started: &Latch) -> bool {
    life.spec.start == StartCondition::Ready && started.is_set()
}

fn tell_end(life: &Life, has_started: bool, outcome: Result<()>) {
    match outcome {
        Err(error) if error.is_ignored() && !has_started => life.ignored(),
        Err(error) if !has_started && life.spec.start == StartCondition::Ready => {
            life.start_failed_because(actor_end::of_error(&error));
        }
        outcome => {
            if life.spec.start != StartCondition::Completed {
                life.started();
            }
            life.exited(match outcome {
                Ok(()) => ExitReason::Normal,
                Err(error) => actor_end::of_error(&error),
            });
        }
    }
}

/// Waits for the end of a closure that was cancelled, and drops it when its time is up. Says
/// whether that was needed.
async fn stop(
    node: &Node,
    closure: &mut (impl Future<Output = Result<Result<()>>> + Unpin),
    orders: &Orders,
    how: &Shutdown,
) -> (Result<()>, bool) {
    let is_brutal = |how: &Shutdown| how.mode == ShutdownMode::BrutalKill;
    let mut end = deadline(how);
    let mut is_killed = is_brutal(how);
    if is_killed {
        press(node);
        end = Time::MAX;
    }
    loop {
        let ended = async { Next::Ended((&mut *closure).await) };
        let ordered = async { Next::Ordered(orders.next().await) };
        let time_up = async {
            rt::sleep_until(end).await;
            Next::TimeUp
        };
        // The closure goes on when it is waited for again; the others only wait.
        match future::or(ended, future::or(ordered, time_up)).await {
            // Shielded work is cut off at the same moment.
            Next::Ended(outcome) => return (flat(outcome), is_killed || rt::now() >= end),
            Next::Ordered(stricter) if !is_brutal(&stricter) => {
                end = end.min(deadline(&stricter));
            }
            Next::Ordered(_) | Next::TimeUp => {
                is_killed = true;
                end = Time::MAX;
                press(node);
            }
        }
    }
}

enum Next {
    Ended(Result<Result<()>>),
    Ordered(Shutdown),
    TimeUp,
}

fn press(node: &Node) {
    node.cancel(CancelReason::new(CancelOrigin::Request), Urgency::AtOnce);
}

/// A panic is a failure as any other.
fn flat(outcome: Result<Result<()>>) -> Result<()> {
    outcome.and_then(|outcome| outcome)
}

fn reason_of_stop(outcome: Result<()>, killed: bool) -> ExitReason {
    match outcome {
        Err(error) if !error.is_cancelled() => actor_end::of_error(&error),
        _ if killed => actor_end::of_error(&Error::other("was dropped before it had ended")),
        _ => ExitReason::Shutdown,
    }
}

/// What shielded work and processes of the closure have when it is cancelled.
fn grace(how: &Shutdown) -> Duration {
    match how.mode {
        ShutdownMode::Timeout(time) => time,
        ShutdownMode::Infinity => Duration::MAX,
        ShutdownMode::BrutalKill => DEFAULT_GRACE,
    }
}
