//! Whether a log can be written: warned of once, tried again, and said when it is well again.

use std::time::Duration;

use treewright_supervisors::Time;

/// Time before a failed write is tried again; doubled with each failure in a row.
const FIRST_RETRY: Duration = Duration::from_millis(250);
const LAST_RETRY: Duration = Duration::from_secs(5);

/// Whether a log can be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Health {
    /// The last write succeeded, or there was none.
    #[default]
    Well,
    /// Writes fail.
    Failing {
        /// When it is tried again.
        retry_at: Time,
        /// How long it will be waited after the next failure.
        delay: Duration,
    },
}

/// A change worth a word to the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HealthChange {
    /// Writes began to fail.
    Failed,
    /// Writes succeed again.
    Recovered,
}

impl Health {
    /// Takes the outcome of a write.
    pub(crate) fn step(&mut self, succeeded: bool, now: Time) -> Option<HealthChange> {
        match (*self, succeeded) {
            (Self::Well, true) => None,
            (Self::Well, false) => {
                *self = Self::failing(FIRST_RETRY, now);
                Some(HealthChange::Failed)
            }
            (Self::Failing { .. }, true) => {
                *self = Self::Well;
                Some(HealthChange::Recovered)
            }
            (Self::Failing { delay, .. }, false) => {
                *self = Self::failing(delay, now);
                None
            }
        }
    }

    /// When the next write may be tried; at once when it is well.
    pub(crate) fn retry_at(&self) -> Option<Time> {
        match self {
            Self::Well => None,
            Self::Failing { retry_at, .. } => Some(*retry_at),
        }
    }

    fn failing(delay: Duration, now: Time) -> Self {
        Self::Failing {
            retry_at: now + delay,
            delay: (delay * 2).min(LAST_RETRY),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_in_a_row_are_said_once_and_recovery_once() {
        let mut health = Health::default();
        let now = Time::ORIGIN;
        let said: Vec<_> = [true, false, false, false, true, true, false]
            .into_iter()
            .map(|succeeded| health.step(succeeded, now))
            .collect();
        assert_eq!(
            said,
            [
                None,
                Some(HealthChange::Failed),
                None,
                None,
                Some(HealthChange::Recovered),
                None,
                Some(HealthChange::Failed),
            ]
        );
    }

    #[test]
    fn retries_grow_apart_to_a_limit_and_start_again_after_recovery() {
        let mut health = Health::default();
        let mut now = Time::ORIGIN;
        let mut delays = Vec::new();
        for _ in 0..7 {
            health.step(false, now);
            let retry_at = health.retry_at().unwrap();
            delays.push((retry_at - now).as_millis());
            now = retry_at;
        }
        assert_eq!(delays, [250, 500, 1000, 2000, 4000, 5000, 5000]);
        health.step(true, now);
        assert_eq!(health.retry_at(), None);
        health.step(false, now);
        assert_eq!(health.retry_at(), Some(now + FIRST_RETRY));
    }
}
