//! Ends of children: what is restarted, what stays down, what ends the supervisor.

use std::sync::Arc;

use super::child::{AfterStop, ChildState, StartCause};
use super::pass::Pass;
use super::state::Phase;
use super::waiters::Awaited;
use super::{
    Answer, ChildKey, ExitClass, ExitReason, Incarnation, ReportContext, RequestError,
    RestartNotice, SupervisorState,
};
use crate::spec::{AutoShutdown, RestartType, ShutdownMode, Strategy};

impl SupervisorState {
    pub(super) fn on_exited(&mut self, incarnation: Incarnation, reason: ExitReason) {
        let key = incarnation.child;
        match self.current(incarnation).map(|child| &child.state) {
            Some(ChildState::Running { .. }) => {
                self.settle_attempts(key);
                self.ended(key, reason);
            }
            Some(ChildState::Starting { .. }) => self.exited_while_starting(key, reason),
            Some(ChildState::Stopping { .. }) => self.on_stopped(incarnation, reason, false),
            _ => {}
        }
    }

    /// A probe says the child is no use: it is stopped, and then it has failed.
    pub(super) fn on_unhealthy(&mut self, incarnation: Incarnation, why: ExitReason) {
        let key = incarnation.child;
        if self.is_about_to_stop(key) {
            return;
        }
        match self.current(incarnation).map(|child| &child.state) {
            Some(ChildState::Running { .. }) => {
                self.settle_attempts(key);
                self.stop_child(key, AfterStop::Failed(why));
            }
            Some(ChildState::Starting { cause, .. }) => {
                let cause = *cause;
                self.stop_child(key, AfterStop::StartFailed(cause, why));
            }
            _ => {}
        }
    }

    /// A child that counted as started has ended by itself, or is treated so.
    fn ended(&mut self, key: ChildKey, reason: ExitReason) {
        let Some(child) = self.children.get(key) else {
            return;
        };
        let is_abnormal = reason.class(&child.spec) == ExitClass::Abnormal;
        let is_restarted = match child.spec.restart {
            RestartType::Permanent => true,
            RestartType::Transient => is_abnormal,
            RestartType::Temporary => false,
        };
        if self.is_about_to_stop(key) {
            // It went before its turn to be stopped came: no restart, no auto-shutdown.
            self.gone(key, reason, false);
        } else if is_restarted {
            self.failed(key, reason, ReportContext::ChildTerminated);
        } else {
            if is_abnormal {
                self.report(
                    ReportContext::ChildTerminated,
                    Some(reason.clone()),
                    Some(key),
                    None,
                );
            }
            self.ended_for_good(key, reason);
        }
    }

    /// A child has ended by itself and is not restarted.
    pub(super) fn ended_for_good(&mut self, key: ChildKey, reason: ExitReason) {
        let Some(child) = self.children.get_mut(key) else {
            return;
        };
        let name = child.name.clone();
        let is_significant = child.spec.significant;
        let is_success = reason.class(&child.spec) != ExitClass::Abnormal;
        child.last_exit = Some(reason);
        let state = if is_success {
            ChildState::Completed
        } else {
            ChildState::Down
        };
        self.rest(key, state, &Err(RequestError::Superseded));
        if self.is_temporary(key) || self.pool.is_some() {
            self.forget(key);
        }
        if is_significant {
            self.significant_end = Some(name);
        }
    }

    /// Whether the end of a significant child ends the supervisor. Not before its own start is
    /// over, as in OTP, or its parent would take its end for a failed start. Where it takes the
    /// last one, that is known when no pass is about to start more of them.
    pub(super) fn decide_auto_shutdown(&mut self) {
        let is_known = match self.flags.auto_shutdown {
            AutoShutdown::Never | AutoShutdown::AnySignificant => true,
            AutoShutdown::AllSignificant => self.pass.is_none(),
        };
        if !is_known || matches!(self.phase, Phase::Starting) {
            return;
        }
        let Some(child) = self.significant_end.take() else {
            return;
        };
        let is_over = match self.flags.auto_shutdown {
            AutoShutdown::Never => false,
            AutoShutdown::AnySignificant => true,
            AutoShutdown::AllSignificant => self.children.significant_up() == 0,
        };
        if is_over {
            self.end(ExitReason::AutoShutdown { child });
        }
    }

    /// A child has failed and is to be restarted: by its strategy, after its backoff, unless
    /// that is once too often.
    pub(super) fn failed(&mut self, key: ChildKey, why: ExitReason, context: ReportContext) {
        let Some(child) = self.children.get_mut(key) else {
            return;
        };
        let position = child.position;
        let attempt = child.attempts;
        let backoff = child.spec.backoff;
        child.last_exit = Some(why.clone());
        child.attempts = attempt.saturating_add(1);
        let (intensity, period) = (self.flags.intensity, self.flags.period);
        let Some(number) = self.window.count(self.now, intensity, period) else {
            self.report(context, Some(why.clone()), Some(key), None);
            self.give_up(key, why);
            return;
        };
        let delay = super::backoff::delay(&backoff, attempt, self.random(key, attempt));
        let notice = RestartNotice {
            number,
            intensity,
            period,
            delay,
        };
        self.report(context, Some(why), Some(key), Some(notice));
        let until = self.now + delay;
        self.set_state(key, ChildState::Waiting { until });
        self.answer(key, Awaited::Stopped, &Ok(Answer::Done));
        match self.flags.strategy {
            // It is started when its time comes, a moment that may be now.
            Strategy::OneForOne => {}
            Strategy::OneForAll => self.begin_pass(Pass::group(0, key)),
            Strategy::RestForOne => self.begin_pass(Pass::group(position, key)),
        }
    }

    /// One restart too many: the supervisor stops everything and ends, for its parent to decide.
    fn give_up(&mut self, key: ChildKey, why: ExitReason) {
        let Some(child) = self.children.get(key) else {
            return;
        };
        let reason = ExitReason::GaveUp {
            child: child.name.clone(),
            intensity: self.flags.intensity,
            period: self.flags.period,
            cause: Arc::new(why.clone()),
        };
        self.report(
            ReportContext::Shutdown,
            Some(reason.clone()),
            Some(key),
            None,
        );
        self.end_because_of(key, why, reason);
    }

    /// A child that stayed up long enough begins its backoff anew.
    fn settle_attempts(&mut self, key: ChildKey) {
        let now = self.now;
        let Some(child) = self.children.get_mut(key) else {
            return;
        };
        if let ChildState::Running { since, .. } = child.state
            && now - since >= child.spec.backoff.reset_after
        {
            child.attempts = 0;
        }
    }

    /// A stop is done (or the child ended while it was being stopped).
    pub(super) fn on_stopped(
        &mut self,
        incarnation: Incarnation,
        reason: ExitReason,
        killed: bool,
    ) {
        let key = incarnation.child;
        let state = self.current(incarnation).map(|child| child.state.clone());
        let Some(ChildState::Stopping { next }) = state else {
            return;
        };
        if self.is_ending() {
            self.gone(key, reason, killed);
            return;
        }
        match next {
            AfterStop::Down => self.gone(key, reason, killed),
            AfterStop::Hold => {
                self.report_bad_stop(key, &reason, killed);
                self.note_exit(key, reason);
                self.rest(key, ChildState::Held, &Err(RequestError::Superseded));
            }
            AfterStop::Start => {
                self.report_bad_stop(key, &reason, killed);
                self.note_exit(key, reason);
                self.set_state(key, ChildState::Down);
                self.answer(key, Awaited::Stopped, &Ok(Answer::Done));
                // A pass that began meanwhile starts it in its turn.
                if !self.is_ahead_of_pass(key) {
                    self.begin_start(key, StartCause::Asked);
                }
            }
            AfterStop::Failed(why) => self.ended(key, why),
            AfterStop::StartFailed(cause, why) => {
                self.answer(key, Awaited::Stopped, &Ok(Answer::Done));
                self.start_failed(key, cause, why);
            }
        }
    }

    /// The child was stopped (or was about to be) and stays down.
    pub(super) fn gone(&mut self, key: ChildKey, reason: ExitReason, killed: bool) {
        self.report_bad_stop(key, &reason, killed);
        self.note_exit(key, reason);
        if self.is_revived(key) {
            self.set_state(key, ChildState::Down);
            self.answer(key, Awaited::Stopped, &Ok(Answer::Done));
            return;
        }
        self.rest(key, ChildState::Down, &Err(RequestError::Superseded));
        if self.is_temporary(key) || self.pool.is_some() {
            self.forget(key);
        }
    }

    /// Whether the pass under way starts a child again that it stopped: all it comes to, but a
    /// temporary one only where just that was asked for.
    fn is_revived(&self, key: ChildKey) -> bool {
        let position = self.children.get(key).map(|child| child.position);
        let pass = self.pass.as_ref().zip(position);
        let is_listed = pass.is_some_and(|(pass, position)| pass.is_listed(position));
        self.is_ahead_of_pass(key) && (is_listed || !self.is_temporary(key))
    }

    fn note_exit(&mut self, key: ChildKey, reason: ExitReason) {
        if let Some(child) = self.children.get_mut(key) {
            child.last_exit = Some(reason);
        }
    }

    /// Reports a stop that did not go as it should, by OTP's rule: an end with `shutdown` is
    /// right, so is being killed where that was asked for, and so is a normal end of a child
    /// that is not permanent.
    fn report_bad_stop(&mut self, key: ChildKey, reason: &ExitReason, killed: bool) {
        let Some(child) = self.children.get(key) else {
            return;
        };
        let is_brutal = child.spec.shutdown.mode == ShutdownMode::BrutalKill;
        let is_permanent = child.spec.restart == RestartType::Permanent;
        let is_right = match reason.class(&child.spec) {
            _ if is_brutal => true,
            ExitClass::Shutdown => !killed,
            ExitClass::Normal => !killed && !is_permanent,
            ExitClass::Abnormal => false,
        };
        if !is_right {
            self.report(
                ReportContext::ShutdownError,
                Some(reason.clone()),
                Some(key),
                None,
            );
        }
    }
}
