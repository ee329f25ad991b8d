//! The end of the supervisor: all children stopped in reverse, then `Finish`.

use super::child::{AfterStop, ChildState};
use super::state::Phase;
use super::waiters::Awaited;
use super::{Action, ChildKey, ExitReason, RequestError, SupervisorState};
use crate::spec::{Shutdown, ShutdownMode, StopOrder};

/// Why the supervisor ends, and how far that is.
#[derive(Clone, Debug)]
pub(super) struct Ending {
    reason: ExitReason,
    /// Whether every child has been asked at once (stop in parallel, or kill).
    is_asked: bool,
}

impl SupervisorState {
    /// Begins to end. The first reason stays.
    pub(super) fn end(&mut self, reason: ExitReason) {
        match self.phase {
            Phase::Ending(_) | Phase::Finished => return,
            Phase::New | Phase::Starting | Phase::Running => {}
        }
        self.phase = Phase::Ending(Ending {
            reason,
            is_asked: false,
        });
        self.pass = None;
        self.refuse_queue();
        self.cancel_plans();
    }

    /// Begins to end because this child failed, which stays down. It is put down only then: it
    /// is not gone for good as long as the supervisor may come back.
    pub(super) fn end_because_of(&mut self, key: ChildKey, why: ExitReason, reason: ExitReason) {
        let reply = Err(RequestError::Failed(why));
        self.answer(key, Awaited::Started, &reply);
        self.end(reason);
        self.rest(key, ChildState::Down, &reply);
    }

    /// What waits will not be started any more.
    fn cancel_plans(&mut self) {
        let gated = self.children.gated();
        let planned: Vec<ChildKey> = gated.chain(self.children.with_deadline()).collect();
        for key in planned {
            if self
                .children
                .state(key)
                .is_some_and(|state| !state.is_live())
            {
                self.set_state(key, ChildState::Down);
            }
        }
        for key in self.waiters.keys() {
            self.answer(key, Awaited::Started, &Err(RequestError::ShuttingDown));
        }
    }

    /// Kills every child at once, and ends.
    pub(super) fn on_kill(&mut self) {
        self.end(ExitReason::Shutdown);
        let Phase::Ending(ending) = &mut self.phase else {
            return;
        };
        ending.is_asked = true;
        for key in self.children.live_reversed() {
            let Some(child) = self.children.get(key) else {
                continue;
            };
            let incarnation = child.incarnation(key);
            let how = Shutdown {
                mode: ShutdownMode::BrutalKill,
                ..child.spec.shutdown.clone()
            };
            self.actions.push(Action::StopChild { incarnation, how });
            if !matches!(self.children.state(key), Some(ChildState::Stopping { .. })) {
                self.set_state(
                    key,
                    ChildState::Stopping {
                        next: AfterStop::Down,
                    },
                );
            }
        }
    }

    /// Stops the last live child, or all of them, and finishes when none is left.
    pub(super) fn advance_ending(&mut self) {
        let Phase::Ending(ending) = &mut self.phase else {
            return;
        };
        if self.flags.stop == StopOrder::Parallel && !ending.is_asked {
            ending.is_asked = true;
            for key in self.children.live_reversed() {
                self.stop_child(key, AfterStop::Down);
            }
        } else if let Some(key) = self.children.last_live() {
            // A child that is being stopped already is waited for in its turn.
            self.stop_child(key, AfterStop::Down);
        }
        if self.children.last_live().is_none() {
            self.finish();
        }
    }

    fn finish(&mut self) {
        let Phase::Ending(ending) = std::mem::replace(&mut self.phase, Phase::Finished) else {
            return;
        };
        self.actions.push(Action::Finish(ending.reason));
    }

    /// Whether it stops its children to end, or has ended: no child is started any more.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        matches!(self.phase, Phase::Ending(_) | Phase::Finished)
    }

    /// Asks a live child to stop. One that is being stopped already is left to it.
    pub(super) fn stop_child(&mut self, key: ChildKey, next: AfterStop) {
        let Some(child) = self.children.get(key) else {
            return;
        };
        if !child.state.is_up() {
            return;
        }
        let incarnation = child.incarnation(key);
        let how = child.spec.shutdown.clone();
        self.actions.push(Action::StopChild { incarnation, how });
        self.set_state(key, ChildState::Stopping { next });
    }
}
