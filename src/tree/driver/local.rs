//! Children that are closures of the program.

use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use futures_lite::future;
use treewright_supervisors::spec::{Shutdown, ShutdownMode, StartCondition};
use treewright_supervisors::supervisor::ExitReason;

use super::actor_end;
use super::context::TreeContext;
use super::kind::{Kind, Running};
use super::life::{Life, Verdict};
use super::orders::deadline;
use crate::error::{CancelOrigin, CancelReason, Error, Result};
use crate::rt::{self, Latch};
use crate::scope::{self, DEFAULT_GRACE, Node, Urgency, guarded};
use crate::time::Time;
use crate::tree::attached::LocalChild;

/// Children that are closures of the program.
pub(super) struct Closures(pub(super) Rc<TreeContext>);

impl Kind for Closures {
    type Running = RunningClosure;

    async fn start(&self, life: &Rc<Life>) -> Result<RunningClosure, Verdict> {
        let node = Node::with_grace(
            scope::Kind::Task,
            Node::current(),
            grace(&life.spec.shutdown),
        );
        let started = Rc::new(Latch::new());
        let child = LocalChild::new(
            life.spec.name.clone(),
            life.incarnation.epoch,
            Rc::clone(&node),
            Rc::clone(&started),
        );
        // A member of a pool runs the closure of its pool.
        let name = life.spec.name.split('@').next().unwrap_or_default();
        let Some(closure) = self.0.shared.attached.call(name, child) else {
            let message = format!("no closure is attached as `{name}`");
            return Err(Verdict::not_started(message));
        };
        if life.spec.start == StartCondition::Spawned {
            started.set();
        }
        Ok(RunningClosure {
            closure: Box::pin(guarded(Rc::clone(&node), closure)),
            node,
            started,
            is_start_told: false,
            outcome: None,
            end: Time::MAX,
            is_cancelled: false,
            is_killed: false,
        })
    }
}

/// A closure that runs.
pub(super) struct RunningClosure {
    closure: Pin<Box<dyn Future<Output = Result<Result<()>>>>>,
    node: Rc<Node>,
    started: Rc<Latch>,
    is_start_told: bool,
    /// What it ended with, if it came to its end by itself.
    outcome: Option<Result<()>>,
    /// When it is dropped, once it is to stop.
    end: Time,
    is_cancelled: bool,
    is_killed: bool,
}

impl Running for RunningClosure {
    type Exit = Result<()>;

    async fn exited(&mut self, life: &Life) {
        let is_start_told = &mut self.is_start_told;
        // What the closure does before it waits for the first time comes before its start.
        let telling = async {
            self.started.wait().await;
            *is_start_told = true;
            life.started();
            future::pending().await
        };
        let outcome = future::or(self.closure.as_mut(), telling).await;
        self.outcome = Some(flat(outcome));
    }

    async fn stop(&mut self, how: &Shutdown) -> Result<()> {
        if let Some(outcome) = self.outcome.take() {
            return outcome;
        }
        if !self.is_cancelled {
            let reason = CancelReason::new(CancelOrigin::Request);
            let reason = reason.with_message("its supervisor stops it");
            self.node.cancel(reason, Urgency::InOrder);
            self.is_cancelled = true;
        }
        if how.mode == ShutdownMode::BrutalKill {
            self.kill();
        }
        if !self.is_killed {
            self.end = self.end.min(deadline(how));
            let end = self.end;
            let ended = async { Some(self.closure.as_mut().await) };
            let time_up = async {
                rt::sleep_until(end).await;
                None
            };
            // The closure goes on when it is waited for again.
            if let Some(outcome) = future::or(ended, time_up).await {
                // Shielded work is cut off at the same moment.
                self.is_killed = rt::now() >= end;
                return flat(outcome);
            }
            self.kill();
        }
        flat(self.closure.as_mut().await)
    }

    fn verdict(self, life: &Life, ordered: Option<&Shutdown>, outcome: Result<()>) -> Verdict {
        if ordered.is_some() {
            return Verdict::Stopped {
                reason: reason_of_stop(outcome, self.is_killed),
                killed: self.is_killed,
            };
        }
        let is_ready_awaited = life.spec.start == StartCondition::Ready;
        // It may have said that it has started with its last breath.
        let has_started = self.is_start_told || (is_ready_awaited && self.started.is_set());
        match outcome {
            Err(error) if error.is_ignored() && !has_started => Verdict::Ignored,
            Err(error) if !has_started && is_ready_awaited => {
                Verdict::StartFailed(actor_end::of_error(&error))
            }
            outcome => {
                if life.spec.start != StartCondition::Completed {
                    life.started();
                }
                Verdict::Exited(match outcome {
                    Ok(()) => ExitReason::Normal,
                    Err(error) => actor_end::of_error(&error),
                })
            }
        }
    }
}

impl RunningClosure {
    /// Cuts off what is shielded, too.
    fn kill(&mut self) {
        self.is_killed = true;
        let reason = CancelReason::new(CancelOrigin::Request);
        self.node.cancel(reason, Urgency::AtOnce);
    }
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
