//! The rhythm of a probe that asks again and again: when a try begins, and when it is given up.

use std::time::Duration;

use crate::time::Time;

/// One try after the other, each with a number of its own and a limit.
///
/// News of a try that was given up carries an old number and changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tries {
    every: Duration,
    limit: Duration,
    epoch: u64,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The next try begins then.
    Waiting(Time),
    /// The try of this epoch is on, until then at the latest.
    Trying(Time),
}

/// What the time brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// Nothing yet.
    Nothing,
    /// The try of this number begins.
    Begin(u64),
    /// The try that is on has had its time.
    GiveUp,
}

impl Tries {
    /// Tries that take `limit` at most, the first at `first`, each next one `every` after the
    /// end of the one before.
    pub(crate) fn new(every: Duration, limit: Duration, first: Time) -> Self {
        Self {
            every,
            limit,
            epoch: 0,
            phase: Phase::Waiting(first),
        }
    }

    /// What is due now; called again after a [`Due::GiveUp`] was dealt with.
    pub(crate) fn due(&mut self, now: Time) -> Due {
        match self.phase {
            Phase::Waiting(at) if now >= at => {
                self.epoch += 1;
                self.phase = Phase::Trying(now + self.limit);
                Due::Begin(self.epoch)
            }
            Phase::Trying(until) if now >= until => {
                self.phase = Phase::Waiting(now + self.every);
                Due::GiveUp
            }
            Phase::Waiting(_) | Phase::Trying(_) => Due::Nothing,
        }
    }

    /// Takes the news that the try of this number has ended. False: it is not the one that is on.
    pub(crate) fn ended(&mut self, epoch: u64, now: Time) -> bool {
        let is_on = epoch == self.epoch && matches!(self.phase, Phase::Trying(_));
        if is_on {
            self.phase = Phase::Waiting(now + self.every);
        }
        is_on
    }

    /// The time a try may take.
    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }

    /// When [`due`](Self::due) has something to say.
    pub(crate) fn next_deadline(&self) -> Time {
        match self.phase {
            Phase::Waiting(at) | Phase::Trying(at) => at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::ORIGIN + Duration::from_secs(seconds)
    }

    fn tries() -> Tries {
        Tries::new(Duration::from_secs(10), Duration::from_secs(2), at(1))
    }

    #[test]
    fn tries_follow_each_other_after_a_pause() {
        let mut tries = tries();
        assert_eq!(tries.due(at(0)), Due::Nothing);
        assert_eq!(tries.due(at(1)), Due::Begin(1));
        assert_eq!(tries.due(at(1)), Due::Nothing);
        assert!(tries.ended(1, at(2)));
        assert_eq!(tries.next_deadline(), at(12));
        assert_eq!(tries.due(at(12)), Due::Begin(2));
    }

    #[test]
    fn try_over_its_limit_is_given_up_and_its_late_news_ignored() {
        let mut tries = tries();
        assert_eq!(tries.due(at(1)), Due::Begin(1));
        assert_eq!(tries.due(at(3)), Due::GiveUp);
        assert!(!tries.ended(1, at(3)));
        assert_eq!(tries.due(at(13)), Due::Begin(2));
        assert!(!tries.ended(1, at(13)));
        assert!(tries.ended(2, at(13)));
    }
}
