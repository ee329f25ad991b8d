//! Decides when a child that runs is no use any more.

use std::time::Duration;

use treewright_supervisors::spec::{LiveCheck, LiveSpec};

use super::step::{ProbeAction, ProbeEvent, ProbeState, timed_out};
use super::tries::{Due, Tries};
use super::{TryFailure, Unwell};
use crate::time::Time;

/// Decides by asking again and again.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CheckState {
    every: Duration,
    allowed: u32,
    tries: Tries,
    failures: u32,
    is_over: bool,
}

impl CheckState {
    fn new(check: &LiveCheck) -> Self {
        Self {
            every: check.every,
            allowed: check.failures.max(1),
            tries: Tries::new(check.every, check.timeout, Time::MAX),
            failures: 0,
            is_over: false,
        }
    }

    fn failed(&mut self, failure: TryFailure) -> Vec<ProbeAction> {
        self.failures += 1;
        if self.failures < self.allowed {
            return Vec::new();
        }
        self.is_over = true;
        vec![ProbeAction::Unwell(Unwell::Failed {
            failures: self.failures,
            last: failure,
        })]
    }
}

impl ProbeState for CheckState {
    fn step(&mut self, event: ProbeEvent, now: Time) -> Vec<ProbeAction> {
        if self.is_over {
            return Vec::new();
        }
        match event {
            ProbeEvent::Started => {
                // It has just been found ready or was just started; the first look is later.
                self.tries = Tries::new(self.every, self.tries.limit(), now + self.every);
            }
            ProbeEvent::Tried(epoch, outcome) if self.tries.ended(epoch, now) => match outcome {
                Ok(()) => self.failures = 0,
                Err(failure) => return self.failed(failure),
            },
            ProbeEvent::Timer => match self.tries.due(now) {
                Due::Nothing => {}
                Due::Begin(epoch) => return vec![ProbeAction::Try(epoch)],
                Due::GiveUp => {
                    let mut actions = vec![ProbeAction::Abandon];
                    actions.extend(self.failed(timed_out(self.tries.limit())));
                    return actions;
                }
            },
            ProbeEvent::Tried(..) | ProbeEvent::Printed | ProbeEvent::Notified(_) => {}
        }
        Vec::new()
    }

    fn next_deadline(&self) -> Time {
        if self.is_over {
            Time::MAX
        } else {
            self.tries.next_deadline()
        }
    }
}

/// Decides by what the child sends: `WATCHDOG=1` at least this often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WatchdogState {
    period: Duration,
    due: Time,
    is_over: bool,
}

impl WatchdogState {
    fn new(period: Duration) -> Self {
        Self {
            period,
            due: Time::MAX,
            is_over: false,
        }
    }

    fn unwell(&mut self, why: Unwell) -> Vec<ProbeAction> {
        self.is_over = true;
        vec![ProbeAction::Unwell(why)]
    }
}

impl ProbeState for WatchdogState {
    fn step(&mut self, event: ProbeEvent, now: Time) -> Vec<ProbeAction> {
        if self.is_over {
            return Vec::new();
        }
        match event {
            ProbeEvent::Started => self.due = now + self.period,
            ProbeEvent::Notified(message) => {
                if message.is_watchdog_trigger {
                    return self.unwell(Unwell::WatchdogTriggered);
                }
                if let Some(period) = message.watchdog_period {
                    self.period = period;
                }
                if message.is_watchdog_ping || message.watchdog_period.is_some() {
                    self.due = now + self.period;
                }
            }
            ProbeEvent::Timer if now >= self.due => {
                return self.unwell(Unwell::WatchdogMissed(self.period));
            }
            ProbeEvent::Timer | ProbeEvent::Tried(..) | ProbeEvent::Printed => {}
        }
        Vec::new()
    }

    fn next_deadline(&self) -> Time {
        if self.is_over { Time::MAX } else { self.due }
    }
}

/// Decides when a child that runs is no use any more.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum LiveState {
    Check(CheckState),
    Watchdog(WatchdogState),
}

impl LiveState {
    pub(crate) fn new(spec: &LiveSpec) -> Self {
        match spec {
            LiveSpec::Check(check) => Self::Check(CheckState::new(check)),
            LiveSpec::Watchdog(period) => Self::Watchdog(WatchdogState::new(*period)),
        }
    }
}

impl ProbeState for LiveState {
    fn step(&mut self, event: ProbeEvent, now: Time) -> Vec<ProbeAction> {
        match self {
            Self::Check(state) => state.step(event, now),
            Self::Watchdog(state) => state.step(event, now),
        }
    }

    fn next_deadline(&self) -> Time {
        match self {
            Self::Check(state) => state.next_deadline(),
            Self::Watchdog(state) => state.next_deadline(),
        }
    }
}

#[cfg(test)]
mod tests {
    use treewright_supervisors::spec::Probe;

    use super::super::notify::Notification;
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::ORIGIN + Duration::from_secs(seconds)
    }

    fn no() -> TryFailure {
        TryFailure::NoFile {
            path: "x".to_owned(),
        }
    }

    fn check(failures: u32) -> LiveState {
        LiveState::new(&LiveSpec::Check(LiveCheck {
            probe: Probe::Tcp("a:1".to_owned()),
            every: Duration::from_secs(10),
            timeout: Duration::from_secs(1),
            failures,
        }))
    }

    #[test]
    fn first_look_is_one_interval_after_the_start() {
        let mut state = check(3);
        assert_eq!(state.step(ProbeEvent::Started, at(5)), []);
        assert_eq!(state.next_deadline(), at(15));
        assert_eq!(state.step(ProbeEvent::Timer, at(15)), [ProbeAction::Try(1)]);
    }

    #[test]
    fn only_failures_in_a_row_count() {
        let mut state = check(2);
        state.step(ProbeEvent::Started, at(0));
        let mut now = 0;
        for (epoch, outcome) in [(1, Err(no())), (2, Ok(())), (3, Err(no()))] {
            now += 10;
            let tried = state.step(ProbeEvent::Timer, at(now));
            assert_eq!(tried, [ProbeAction::Try(epoch)]);
            assert_eq!(state.step(ProbeEvent::Tried(epoch, outcome), at(now)), []);
        }
        state.step(ProbeEvent::Timer, at(40));
        let verdict = state.step(ProbeEvent::Tried(4, Err(no())), at(40));
        let expected = Unwell::Failed {
            failures: 2,
            last: no(),
        };
        assert_eq!(verdict, [ProbeAction::Unwell(expected)]);
        assert_eq!(state.next_deadline(), Time::MAX);
    }

    #[test]
    fn try_over_its_time_is_abandoned_and_counts_as_a_failure() {
        let mut state = check(1);
        state.step(ProbeEvent::Started, at(0));
        state.step(ProbeEvent::Timer, at(10));
        let actions = state.step(ProbeEvent::Timer, at(11));
        let expected = Unwell::Failed {
            failures: 1,
            last: TryFailure::TimedOut(Duration::from_secs(1)),
        };
        assert_eq!(
            actions,
            [ProbeAction::Abandon, ProbeAction::Unwell(expected)]
        );
        assert_eq!(state.step(ProbeEvent::Tried(1, Ok(())), at(11)), []);
    }

    fn watchdog() -> LiveState {
        LiveState::new(&LiveSpec::Watchdog(Duration::from_secs(30)))
    }

    fn ping() -> ProbeEvent {
        ProbeEvent::Notified(Notification {
            is_watchdog_ping: true,
            ..Notification::default()
        })
    }

    #[test]
    fn watchdog_is_content_as_long_as_it_is_fed() {
        let mut state = watchdog();
        state.step(ProbeEvent::Started, at(0));
        assert_eq!(state.step(ping(), at(29)), []);
        assert_eq!(state.step(ProbeEvent::Timer, at(30)), []);
        assert_eq!(state.next_deadline(), at(59));
        let missed = Unwell::WatchdogMissed(Duration::from_secs(30));
        assert_eq!(
            state.step(ProbeEvent::Timer, at(59)),
            [ProbeAction::Unwell(missed)]
        );
    }

    #[test]
    fn watchdog_period_is_changed_and_triggered_by_the_child() {
        let mut state = watchdog();
        state.step(ProbeEvent::Started, at(0));
        let change = Notification {
            watchdog_period: Some(Duration::from_secs(5)),
            ..Notification::default()
        };
        state.step(ProbeEvent::Notified(change), at(1));
        assert_eq!(state.next_deadline(), at(6));
        let trigger = Notification {
            is_watchdog_trigger: true,
            ..Notification::default()
        };
        assert_eq!(
            state.step(ProbeEvent::Notified(trigger), at(2)),
            [ProbeAction::Unwell(Unwell::WatchdogTriggered)]
        );
    }
}
