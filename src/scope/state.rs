//! What a scope decides: when to cancel its members, when it has ended, and with what.

use crate::error::{CancelOrigin, CancelReason, Error, Result};

/// How a member of a scope, or its body, came to its end.
#[derive(Debug, Clone)]
pub(crate) enum Ending {
    /// It did what it was there for.
    Done,
    /// It was cancelled before that.
    Cancelled,
    /// It failed.
    Failed(Error),
}

/// News for a scope.
#[derive(Debug, Clone)]
pub(super) enum Event {
    MemberStarted,
    MemberEnded(Ending),
    BodyEnded(Ending),
    CancelRequested(CancelReason),
}

/// What the owner of the state must do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    /// Cancel the body and every member.
    CancelAll(CancelReason),
}

/// The state of one scope.
#[derive(Debug)]
pub(super) struct ScopeState {
    phase: Phase,
    is_body_running: bool,
    members: usize,
    /// In the order of arrival: the first is the cause of the end.
    failures: Vec<Error>,
}

#[derive(Debug)]
enum Phase {
    Open,
    Cancelling(CancelReason),
}

impl ScopeState {
    pub(super) fn new() -> Self {
        Self {
            phase: Phase::Open,
            is_body_running: true,
            members: 0,
            failures: Vec::new(),
        }
    }

    /// Takes in one piece of news.
    pub(super) fn step(&mut self, event: Event) -> Option<Action> {
        match event {
            Event::MemberStarted => {
                self.members += 1;
                None
            }
            Event::MemberEnded(ending) => {
                debug_assert!(self.members > 0, "a member ended that was not there");
                self.members = self.members.saturating_sub(1);
                self.ended(ending)
            }
            Event::BodyEnded(ending) => {
                self.is_body_running = false;
                self.ended(ending)
            }
            Event::CancelRequested(reason) => self.cancel(reason),
        }
    }

    fn ended(&mut self, ending: Ending) -> Option<Action> {
        let Ending::Failed(error) = ending else {
            return None;
        };
        if self.is_echo(&error) {
            return None;
        }
        let message = error.to_string();
        self.failures.push(error);
        self.cancel(CancelReason::new(CancelOrigin::Failure).with_message(message))
    }

    /// Whether `error` only tells again what is known: a failure that came by another
    /// way already, or that the scope's own cancellation was noticed.
    fn is_echo(&self, error: &Error) -> bool {
        let is_known = self
            .failures
            .iter()
            .any(|known| known.is_same_failure(error));
        is_known || (error.is_cancelled() && matches!(self.phase, Phase::Cancelling(_)))
    }

    fn cancel(&mut self, reason: CancelReason) -> Option<Action> {
        match self.phase {
            Phase::Cancelling(_) => None,
            Phase::Open => {
                self.phase = Phase::Cancelling(reason.clone());
                Some(Action::CancelAll(reason))
            }
        }
    }

    /// Whether the body and every member have ended.
    pub(super) fn is_over(&self) -> bool {
        !self.is_body_running && self.members == 0
    }

    /// What the scope comes out with, if `value` is what the body came out with.
    pub(super) fn outcome<R>(&mut self, value: Option<R>) -> Result<R> {
        let mut failures = std::mem::take(&mut self.failures).into_iter();
        if let Some(first) = failures.next() {
            return Err(Error::group(first, failures.collect()));
        }
        match (value, &self.phase) {
            (Some(value), _) => Ok(value),
            (None, Phase::Cancelling(reason)) => Err(Error::cancelled(reason.clone())),
            // The body is only ever dropped because of a cancellation.
            (None, Phase::Open) => Err(Error::cancelled(CancelReason::new(CancelOrigin::Dropped))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(text: &'static str) -> Ending {
        Ending::Failed(Error::other(text))
    }

    fn with_members(count: usize) -> ScopeState {
        let mut state = ScopeState::new();
        (0..count).for_each(|_| assert_eq!(state.step(Event::MemberStarted), None));
        state
    }

    #[test]
    fn scope_is_over_when_body_and_all_members_have_ended() {
        let mut state = with_members(1);
        state.step(Event::BodyEnded(Ending::Done));
        assert!(!state.is_over());
        state.step(Event::MemberEnded(Ending::Done));
        assert!(state.is_over());
        assert_eq!(state.outcome(Some(7)).unwrap(), 7);
    }

    #[test]
    fn first_failure_cancels_all_and_comes_out_bare() {
        let mut state = with_members(2);
        let action = state.step(Event::MemberEnded(failed("boom")));
        let Some(Action::CancelAll(reason)) = action else {
            panic!("not cancelled");
        };
        assert_eq!(reason.origin(), &CancelOrigin::Failure);
        assert_eq!(reason.message(), Some("boom"));
        assert_eq!(state.step(Event::MemberEnded(Ending::Cancelled)), None);
        state.step(Event::BodyEnded(Ending::Done));
        let error = state.outcome(Some(())).unwrap_err();
        assert_eq!(
            (error.to_string().as_str(), error.is_group()),
            ("boom", false)
        );
    }

    #[test]
    fn later_failures_make_a_group_without_echoes() {
        let mut state = with_members(4);
        let first = Error::other("first");
        state.step(Event::MemberEnded(Ending::Failed(first.clone())));
        state.step(Event::MemberEnded(Ending::Failed(
            first.context("seen by another"),
        )));
        state.step(Event::MemberEnded(Ending::Failed(Error::cancelled(
            "stop".into(),
        ))));
        assert_eq!(state.step(Event::MemberEnded(failed("second"))), None);
        let error = state.outcome(Some(())).unwrap_err();
        let texts: Vec<_> = error.failures().map(Error::to_string).collect();
        assert_eq!(texts, ["first", "second"]);
    }

    #[test]
    fn cancelled_error_before_any_cancellation_is_a_failure() {
        let mut state = with_members(1);
        let elsewhere = Error::cancelled("elsewhere".into());
        assert!(
            state
                .step(Event::MemberEnded(Ending::Failed(elsewhere)))
                .is_some()
        );
        assert!(state.outcome(Some(())).unwrap_err().is_cancelled());
    }

    #[test]
    fn cancel_on_request_keeps_the_value_of_a_body_that_came_to_its_end() {
        let mut state = with_members(1);
        assert!(state.step(Event::CancelRequested("done".into())).is_some());
        assert_eq!(state.step(Event::CancelRequested("again".into())), None);
        state.step(Event::BodyEnded(Ending::Done));
        state.step(Event::MemberEnded(Ending::Cancelled));
        assert_eq!(state.outcome(Some(7)).unwrap(), 7);
    }

    #[test]
    fn cancel_on_request_of_a_running_body_says_who_asked() {
        let mut state = with_members(0);
        state.step(Event::CancelRequested("done".into()));
        state.step(Event::BodyEnded(Ending::Cancelled));
        let error = state.outcome::<()>(None).unwrap_err();
        assert_eq!(error.cancel_reason().unwrap().message(), Some("done"));
    }
}
