//! How often a supervisor may restart: OTP's intensity and period.

use std::collections::VecDeque;
use std::time::Duration;

use crate::Time;

/// The restarts of the last `period`.
///
/// OTP's `add_restart`: one list for all children of a supervisor, a group restart counting
/// once; nothing but time forgets. Where OTP counts whole seconds, this is exact: a restart
/// counts while its age is at most `period`, so no closed interval of that length ever
/// holds more than `intensity` of them.
#[derive(Clone, Debug, Default)]
pub struct RestartWindow {
    /// Ascending. Bounded by the intensity: the supervisor ends when it would grow over it.
    stamps: VecDeque<Time>,
}

impl RestartWindow {
    /// Counts a restart at `now` and tells which one of the window it is, or `None` if it is one too many.
    pub fn count(&mut self, now: Time, intensity: u32, period: Duration) -> Option<u32> {
        while self
            .stamps
            .front()
            .is_some_and(|stamp| now - *stamp > period)
        {
            self.stamps.pop_front();
        }
        let number = u32::try_from(self.stamps.len())
            .unwrap_or(u32::MAX)
            .saturating_add(1);
        if number > intensity {
            return None;
        }
        self.stamps.push_back(now);
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_secs(5);

    fn at(millis: u64) -> Time {
        Time::ORIGIN + Duration::from_millis(millis)
    }

    #[test]
    fn count_over_intensity_is_refused() {
        let mut window = RestartWindow::default();
        assert_eq!(window.count(at(0), 2, PERIOD), Some(1));
        assert_eq!(window.count(at(1), 2, PERIOD), Some(2));
        assert_eq!(window.count(at(2), 2, PERIOD), None);
    }

    #[test]
    fn intensity_zero_refuses_the_first() {
        assert_eq!(RestartWindow::default().count(at(0), 0, PERIOD), None);
    }

    #[test]
    fn stamp_exactly_one_period_old_still_counts() {
        let mut window = RestartWindow::default();
        assert_eq!(window.count(at(0), 1, PERIOD), Some(1));
        assert_eq!(window.clone().count(at(5000), 1, PERIOD), None);
        assert_eq!(window.count(at(5001), 1, PERIOD), Some(1));
    }
}
