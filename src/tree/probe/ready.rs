//! Decides when a child is ready, or has had its time.

use std::time::Duration;

use treewright_supervisors::spec::{Probe, ReadySpec};

use super::step::{ProbeAction, ProbeEvent, ProbeState, timed_out};
use super::tries::{Due, Tries};
use super::{NotReady, TryFailure};
use crate::time::Time;

/// A try for readiness is given up after this, or after `every` where that is longer, so that
/// one question that hangs does not take the time of all the others.
pub const READY_TRY: Duration = Duration::from_secs(5);

/// Decides when a child is ready.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ReadyState {
    timeout: Duration,
    deadline: Time,
    way: Way,
    tries: u32,
    last: Option<TryFailure>,
    is_over: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Way {
    /// The child is asked.
    Ask { every: Duration, tries: Tries },
    /// The child tells.
    Listen,
    /// The child has run so long.
    Uptime { least: Duration, at: Time },
}

impl ReadyState {
    pub(crate) fn new(spec: &ReadySpec) -> Self {
        let limit = READY_TRY.max(spec.every);
        let way = match &spec.probe {
            Probe::Tcp(_) | Probe::Http(_) | Probe::Exec(_) | Probe::File(_) => Way::Ask {
                every: spec.every,
                tries: Tries::new(spec.every, limit, Time::MAX),
            },
            Probe::Log(_) | Probe::Notify => Way::Listen,
            Probe::Uptime(least) => Way::Uptime {
                least: *least,
                at: Time::MAX,
            },
        };
        Self {
            timeout: spec.timeout,
            deadline: Time::MAX,
            way,
            tries: 0,
            last: None,
            is_over: false,
        }
    }

    fn start(&mut self, now: Time) {
        self.deadline = now + self.timeout;
        match &mut self.way {
            Way::Ask { every, tries } => *tries = Tries::new(*every, tries.limit(), now),
            Way::Listen => {}
            Way::Uptime { least, at } => {
                *at = now + *least;
                // Running long enough is itself the question; `timeout` is about being asked.
                self.deadline = Time::MAX;
            }
        }
    }

    fn ready(&mut self) -> Vec<ProbeAction> {
        self.is_over = true;
        vec![ProbeAction::Ready]
    }

    fn tried(
        &mut self,
        epoch: u64,
        outcome: Result<(), TryFailure>,
        now: Time,
    ) -> Vec<ProbeAction> {
        let Way::Ask { tries, .. } = &mut self.way else {
            return Vec::new();
        };
        if !tries.ended(epoch, now) {
            return Vec::new();
        }
        match outcome {
            Ok(()) => self.ready(),
            Err(failure) => {
                self.last = Some(failure);
                self.look_at_the_time(now)
            }
        }
    }

    fn look_at_the_time(&mut self, now: Time) -> Vec<ProbeAction> {
        if let Way::Uptime { at, .. } = self.way
            && now >= at
        {
            return self.ready();
        }
        let mut actions = Vec::new();
        if now >= self.deadline {
            self.is_over = true;
            actions.push(ProbeAction::Abandon);
            actions.push(ProbeAction::NotReady(NotReady {
                after: self.timeout,
                tries: self.tries,
                last: self.last.take(),
            }));
            return actions;
        }
        if let Way::Ask { tries, .. } = &mut self.way {
            match tries.due(now) {
                Due::Nothing => {}
                Due::Begin(epoch) => {
                    self.tries += 1;
                    actions.push(ProbeAction::Try(epoch));
                }
                Due::GiveUp => {
                    self.last = Some(timed_out(tries.limit()));
                    actions.push(ProbeAction::Abandon);
                }
            }
        }
        actions
    }
}

impl ProbeState for ReadyState {
    fn step(&mut self, event: ProbeEvent, now: Time) -> Vec<ProbeAction> {
        if self.is_over {
            return Vec::new();
        }
        match event {
            ProbeEvent::Started => {
                self.start(now);
                self.look_at_the_time(now)
            }
            ProbeEvent::Tried(epoch, outcome) => self.tried(epoch, outcome, now),
            ProbeEvent::Printed => self.ready(),
            ProbeEvent::Notified(message) if message.is_ready => self.ready(),
            ProbeEvent::Notified(message) => {
                if let Some(extension) = message.extend_timeout {
                    self.deadline = self.deadline.max(now + extension);
                    self.timeout = self.timeout.max(extension);
                }
                self.look_at_the_time(now)
            }
            ProbeEvent::Timer => self.look_at_the_time(now),
        }
    }

    fn next_deadline(&self) -> Time {
        let of_way = match &self.way {
            _ if self.is_over => return Time::MAX,
            Way::Ask { tries, .. } => tries.next_deadline(),
            Way::Listen => Time::MAX,
            Way::Uptime { at, .. } => *at,
        };
        of_way.min(self.deadline)
    }
}

#[cfg(test)]
mod tests {
    use super::super::notify::Notification;
    use super::*;

    fn spec(probe: Probe, every: u64, timeout: u64) -> ReadySpec {
        ReadySpec {
            probe,
            every: Duration::from_secs(every),
            timeout: Duration::from_secs(timeout),
        }
    }

    fn at(seconds: u64) -> Time {
        Time::ORIGIN + Duration::from_secs(seconds)
    }

    fn no() -> Result<(), TryFailure> {
        Err(TryFailure::NoFile {
            path: "x".to_owned(),
        })
    }

    fn asked(every: u64, timeout: u64) -> ReadyState {
        ReadyState::new(&spec(Probe::Tcp("a:1".to_owned()), every, timeout))
    }

    #[test]
    fn first_try_is_at_once_and_its_success_is_readiness() {
        let mut state = asked(1, 60);
        assert_eq!(
            state.step(ProbeEvent::Started, at(0)),
            [ProbeAction::Try(1)]
        );
        assert_eq!(
            state.step(ProbeEvent::Tried(1, Ok(())), at(0)),
            [ProbeAction::Ready]
        );
        assert_eq!(state.next_deadline(), Time::MAX);
        assert_eq!(state.step(ProbeEvent::Timer, at(99)), []);
    }

    #[test]
    fn failed_tries_are_repeated_until_the_time_is_up() {
        let mut state = asked(2, 5);
        state.step(ProbeEvent::Started, at(0));
        assert_eq!(state.step(ProbeEvent::Tried(1, no()), at(0)), []);
        assert_eq!(state.next_deadline(), at(2));
        assert_eq!(state.step(ProbeEvent::Timer, at(2)), [ProbeAction::Try(2)]);
        assert_eq!(state.step(ProbeEvent::Tried(2, no()), at(3)), []);
        assert_eq!(state.next_deadline(), at(5));
        let actions = state.step(ProbeEvent::Timer, at(5));
        let expected = NotReady {
            after: Duration::from_secs(5),
            tries: 2,
            last: no().err(),
        };
        assert_eq!(
            actions,
            [ProbeAction::Abandon, ProbeAction::NotReady(expected)]
        );
    }

    #[test]
    fn try_that_hangs_is_given_up_and_another_is_made() {
        let mut state = asked(1, 60);
        state.step(ProbeEvent::Started, at(0));
        assert_eq!(state.next_deadline(), at(5));
        assert_eq!(state.step(ProbeEvent::Timer, at(5)), [ProbeAction::Abandon]);
        assert_eq!(state.step(ProbeEvent::Tried(1, Ok(())), at(5)), []);
        assert_eq!(state.step(ProbeEvent::Timer, at(6)), [ProbeAction::Try(2)]);
    }

    #[test]
    fn sign_of_the_child_is_readiness() {
        let mut state = ReadyState::new(&spec(Probe::Log("up".to_owned()), 1, 60));
        assert_eq!(state.step(ProbeEvent::Started, at(0)), []);
        assert_eq!(state.next_deadline(), at(60));
        assert_eq!(state.step(ProbeEvent::Printed, at(3)), [ProbeAction::Ready]);
    }

    #[test]
    fn message_extends_the_time_and_ready_ends_it() {
        let mut state = ReadyState::new(&spec(Probe::Notify, 1, 10));
        state.step(ProbeEvent::Started, at(0));
        let extend = Notification {
            extend_timeout: Some(Duration::from_secs(20)),
            ..Notification::default()
        };
        assert_eq!(state.step(ProbeEvent::Notified(extend), at(9)), []);
        assert_eq!(state.next_deadline(), at(29));
        let ready = Notification {
            is_ready: true,
            ..Notification::default()
        };
        assert_eq!(
            state.step(ProbeEvent::Notified(ready), at(28)),
            [ProbeAction::Ready]
        );
    }

    #[test]
    fn uptime_is_reached_whatever_the_timeout() {
        let uptime = Probe::Uptime(Duration::from_secs(90));
        let mut state = ReadyState::new(&spec(uptime, 1, 60));
        state.step(ProbeEvent::Started, at(1));
        assert_eq!(state.next_deadline(), at(91));
        assert_eq!(state.step(ProbeEvent::Timer, at(60)), []);
        assert_eq!(state.step(ProbeEvent::Timer, at(91)), [ProbeAction::Ready]);
    }
}
