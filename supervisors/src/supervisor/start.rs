//! Starting children: the gate, the start, and what became of it.

use std::sync::Arc;

use super::child::{AfterStop, ChildState, StartCause};
use super::pass::Pass;
use super::state::Phase;
use super::waiters::Awaited;
use super::{
    Action, Answer, ChildKey, ExitClass, ExitReason, Incarnation, ReportContext, RequestError,
    SupervisorState,
};
use crate::spec::{OnStartFailure, StartCondition};

impl SupervisorState {
    /// The supervisor's own start.
    pub(super) fn on_start(&mut self) {
        if !matches!(self.phase, Phase::New) {
            return;
        }
        self.phase = Phase::Starting;
        if self.pool.is_some() {
            self.start_members();
        } else {
            self.pass = Some(Pass::initial());
        }
    }

    /// Starts a child that is not live, as soon as its dependencies hold.
    pub(super) fn begin_start(&mut self, key: ChildKey, cause: StartCause) {
        if let (StartCause::Asked, Some(pass)) = (cause, &mut self.pass) {
            pass.include(key);
        }
        if let Some(child) = self.children.get_mut(key) {
            // A start that fails at the gate is as old as the attempt, not as the last life.
            child.started_at = self.now;
        }
        match self.check_gate(key) {
            Ok(true) => self.start_child(key, cause),
            Ok(false) => self.set_state(key, ChildState::Gated { cause }),
            Err(dependency) => {
                let why = ExitReason::DependencyFailed { dependency };
                self.start_failed(key, cause, why);
            }
        }
    }

    fn start_child(&mut self, key: ChildKey, cause: StartCause) {
        let now = self.now;
        let Some(child) = self.children.get_mut(key) else {
            return;
        };
        child.epoch += 1;
        child.started_with = Arc::clone(&child.spec);
        let incarnation = child.incarnation(key);
        let spec = Arc::clone(&child.spec);
        let (name, member) = (child.name.clone(), child.member.clone());
        let deadline = spec.start_timeout.map(|timeout| now + timeout);
        self.actions.push(Action::StartChild {
            incarnation,
            name,
            spec,
            member,
        });
        self.set_state(
            key,
            ChildState::Starting {
                cause,
                deadline,
                is_ready: false,
            },
        );
    }

    /// The process exists. Whether the child counts as started is the start condition's word.
    pub(super) fn on_started(&mut self, incarnation: Incarnation) {
        let Some(child) = self.current(incarnation) else {
            return;
        };
        let ChildState::Starting { is_ready, .. } = child.state else {
            return;
        };
        let is_enough = match child.started_with.start {
            StartCondition::Spawned => true,
            StartCondition::Ready => is_ready || !child.is_probed(),
            StartCondition::Completed => false,
        };
        let is_ready = is_ready || !child.is_probed();
        if is_enough {
            self.count_as_started(incarnation.child, is_ready);
        }
    }

    pub(super) fn on_ready(&mut self, incarnation: Incarnation) {
        let key = incarnation.child;
        let Some(child) = self.current(incarnation) else {
            return;
        };
        match child.state {
            ChildState::Starting { .. }
                if child.started_with.start != StartCondition::Completed =>
            {
                self.count_as_started(key, true);
            }
            ChildState::Starting {
                cause, deadline, ..
            } => {
                self.set_state(
                    key,
                    ChildState::Starting {
                        cause,
                        deadline,
                        is_ready: true,
                    },
                );
            }
            ChildState::Running { since, is_idle, .. } => {
                self.set_state(
                    key,
                    ChildState::Running {
                        since,
                        is_ready: true,
                        is_idle,
                    },
                );
            }
            _ => {}
        }
    }

    pub(super) fn count_as_started(&mut self, key: ChildKey, is_ready: bool) {
        let since = self.now;
        let Some(child) = self.children.get_mut(key) else {
            return;
        };
        child.starts += 1;
        let incarnation = child.incarnation(key);
        self.set_state(
            key,
            ChildState::Running {
                since,
                is_ready,
                is_idle: false,
            },
        );
        self.report(ReportContext::Progress, None, Some(key), None);
        self.answer(key, Awaited::Started, &Ok(Answer::Child(Some(incarnation))));
    }

    pub(super) fn on_start_failed(&mut self, incarnation: Incarnation, why: ExitReason) {
        let key = incarnation.child;
        match self.current(incarnation).map(|child| &child.state) {
            Some(ChildState::Starting { cause, .. }) => {
                let cause = *cause;
                self.start_failed(key, cause, why);
            }
            // A stop overtook the start: nothing is left of the child, and that was wanted.
            Some(ChildState::Stopping { .. }) => {
                self.on_stopped(incarnation, ExitReason::Shutdown, false);
            }
            // Its probe was quicker than the news of the start, and it counted as started.
            Some(ChildState::Running { .. }) => self.on_exited(incarnation, why),
            _ => {}
        }
    }

    /// A start came to nothing; nothing of the child is left.
    pub(super) fn start_failed(&mut self, key: ChildKey, cause: StartCause, why: ExitReason) {
        if let Some(child) = self.children.get_mut(key) {
            child.last_exit = Some(why.clone());
        }
        if self.is_ending() {
            self.report(ReportContext::StartError, Some(why), Some(key), None);
            self.rest(key, ChildState::Down, &Err(RequestError::ShuttingDown));
            return;
        }
        match cause {
            StartCause::Added => {
                self.report(
                    ReportContext::StartError,
                    Some(why.clone()),
                    Some(key),
                    None,
                );
                self.answer(key, Awaited::Started, &Err(RequestError::Failed(why)));
                self.forget(key);
            }
            // It went before its turn to be stopped came, as a child that counted as started may.
            StartCause::Initial | StartCause::Restart if self.is_about_to_stop(key) => {
                self.gone(key, why, false);
            }
            StartCause::Initial if self.flags.on_start_failure == OnStartFailure::Rollback => {
                self.roll_back(key, why);
            }
            StartCause::Initial | StartCause::Restart if !self.is_temporary(key) => {
                self.failed(key, why, ReportContext::StartError);
            }
            StartCause::Initial | StartCause::Restart | StartCause::Asked => {
                self.leave_down(key, why);
            }
        }
    }

    /// A start failed and is not tried again.
    fn leave_down(&mut self, key: ChildKey, why: ExitReason) {
        self.report(
            ReportContext::StartError,
            Some(why.clone()),
            Some(key),
            None,
        );
        self.rest(key, ChildState::Down, &Err(RequestError::Failed(why)));
        if self.is_temporary(key) {
            self.forget(key);
        }
    }

    /// A child's first start failed, and with it the supervisor's own.
    fn roll_back(&mut self, key: ChildKey, why: ExitReason) {
        self.report(
            ReportContext::StartError,
            Some(why.clone()),
            Some(key),
            None,
        );
        let Some(child) = self.children.get(key) else {
            return;
        };
        let child = child.name.clone();
        let cause = Arc::new(why.clone());
        self.end_because_of(key, why, ExitReason::FailedToStart { child, cause });
    }

    pub(super) fn on_ignored(&mut self, incarnation: Incarnation) {
        let key = incarnation.child;
        match self.current(incarnation).map(|child| &child.state) {
            Some(ChildState::Starting { .. }) => {
                self.rest(key, ChildState::Down, &Ok(Answer::Child(None)));
                if self.is_temporary(key) || self.pool.is_some() {
                    self.forget(key);
                }
            }
            Some(ChildState::Stopping { .. }) => {
                self.on_stopped(incarnation, ExitReason::Normal, false);
            }
            Some(ChildState::Running { .. }) => self.on_exited(incarnation, ExitReason::Normal),
            _ => {}
        }
    }

    /// A time a child waited for has come.
    pub(super) fn on_deadline(&mut self, key: ChildKey) {
        let Some(child) = self.children.get(key) else {
            return;
        };
        match child.state {
            ChildState::Waiting { .. } => {
                let is_culprit = self
                    .pass
                    .as_ref()
                    .is_some_and(|pass| pass.culprit() == Some(key));
                if is_culprit {
                    self.stop_waiting(key);
                } else {
                    self.begin_start(key, self.start_cause(key));
                }
            }
            ChildState::Starting {
                cause, is_ready, ..
            } if self.is_about_to_stop(key) => {
                // Its turn to be stopped comes; until then nobody minds how long it takes.
                let deadline = None;
                self.set_state(
                    key,
                    ChildState::Starting {
                        cause,
                        deadline,
                        is_ready,
                    },
                );
            }
            ChildState::Starting { cause, .. } => {
                let after = child.started_with.start_timeout.unwrap_or_default();
                let why = ExitReason::StartTimeout { after };
                self.stop_child(key, AfterStop::StartFailed(cause, why));
            }
            _ => {}
        }
    }

    /// A one-shot that had to complete did, or something ended before it counted as started.
    pub(super) fn exited_while_starting(&mut self, key: ChildKey, reason: ExitReason) {
        let Some(child) = self.children.get(key) else {
            return;
        };
        let ChildState::Starting { cause, .. } = child.state else {
            return;
        };
        let is_one_shot = child.started_with.start == StartCondition::Completed;
        if is_one_shot && reason.class(&child.spec) == ExitClass::Normal {
            self.count_as_started(key, true);
            self.ended_for_good(key, reason);
        } else {
            self.start_failed(key, cause, reason);
        }
    }

    /// The child is not live any more; who waited for its start or its stop is told.
    pub(super) fn rest(
        &mut self,
        key: ChildKey,
        state: ChildState,
        reply: &Result<Answer, RequestError>,
    ) {
        self.set_state(key, state);
        self.answer(key, Awaited::Started, reply);
        self.answer(key, Awaited::Stopped, &Ok(Answer::Done));
    }

    pub(super) fn is_temporary(&self, key: ChildKey) -> bool {
        self.children
            .get(key)
            .is_some_and(super::child::Child::is_temporary)
    }
}
