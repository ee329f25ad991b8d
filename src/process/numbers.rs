//! Whose number was given out since a moment: the kernel counts up, and begins anew at the top.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::process::Pid;
use rustix::time::{ClockId, Timespec, clock_gettime};

use super::counters::{self, Counters};

/// When a child was started, by the count of forks the machine keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Birth {
    /// What the count was, at this time or a little before; none where it is not to be had.
    forks: Option<u64>,
}

impl Birth {
    /// For a child that is about to be started.
    pub(super) fn now() -> Self {
        /// The count is read again only after so long: an older one is as good, since all
        /// it does is to include who was started a little earlier.
        const FRESH: Duration = Duration::from_millis(100);
        static LAST: Mutex<Option<(Duration, Birth)>> = Mutex::new(None);
        let now = uptime();
        let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        match *last {
            Some((when, birth)) if now.saturating_sub(when) < FRESH => birth,
            _ => {
                let forks = counters::forks();
                last.insert((now, Self { forks })).1
            }
        }
    }
}

fn uptime() -> Duration {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::MonotonicCoarse);
    let seconds = Duration::from_secs(tv_sec.unsigned_abs());
    seconds + Duration::from_nanos(tv_nsec.unsigned_abs())
}

/// The numbers after one and up to another, which may be lower: then they go over the top.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Numbers {
    after: u32,
    to: u32,
}

impl Numbers {
    pub(super) fn between(after: u32, to: u32) -> Self {
        Self { after, to }
    }

    /// The numbers of all who may have been started after the oldest of these children.
    ///
    /// None when the numbers may have come round since: then it can be any number.
    pub(super) fn since(births: &[(Pid, Birth)], counters: &Counters) -> Option<Self> {
        let to = counters.newest;
        let afters = births.iter().map(|(pid, birth)| {
            birth
                .is_in_the_present_round(counters)
                .then(|| pid.as_raw_pid().cast_unsigned())
        });
        let afters: Vec<u32> = afters.collect::<Option<_>>()?;
        // Those over the top are older, and among equals those with the lower number.
        let oldest = afters
            .into_iter()
            .min_by_key(|after| (*after <= to, *after));
        Some(Self { after: oldest?, to })
    }

    pub(super) fn contains(self, number: u32) -> bool {
        match self.after <= self.to {
            true => self.after < number && number <= self.to,
            false => self.after < number || number <= self.to,
        }
    }

    /// The last number before them.
    pub(super) fn after(self) -> u32 {
        self.after
    }

    /// The last of them.
    pub(super) fn to(self) -> u32 {
        self.to
    }

    pub(super) fn are_over_the_top(self) -> bool {
        self.after > self.to
    }

    /// All of them in their order, unless they go over the top.
    pub(super) fn ascending(self) -> Option<std::ops::RangeInclusive<u32>> {
        (self.after <= self.to).then(|| self.after + 1..=self.to)
    }
}

impl Birth {
    /// Whether everybody who was started since has a number that was not in use then.
    ///
    /// A number is passed over while it names a process, a group or a session, and after the
    /// first round the lowest ones are. Half of the numbers are left for those who are
    /// started before the answer is used.
    fn is_in_the_present_round(self, counters: &Counters) -> bool {
        /// What the kernel does not give out again.
        const RESERVED: u64 = 300;
        let Some(forks) = self.forks else {
            return false;
        };
        // The child itself has been forked since, or else this count does not count.
        let since = counters.forks.saturating_sub(forks);
        since > 0 && 2 * since + 3 * counters.threads + RESERVED < counters.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counters(newest: u32, forks: u64) -> Counters {
        Counters {
            newest,
            forks,
            threads: 100,
            limit: 32_768,
        }
    }

    fn born(pid: i32, forks: u64) -> (Pid, Birth) {
        let birth = Birth { forks: Some(forks) };
        (Pid::from_raw(pid).unwrap(), birth)
    }

    #[test]
    fn numbers_since_a_birth_end_with_the_newest() {
        let numbers = Numbers::since(&[born(500, 1_000)], &counters(503, 1_004)).unwrap();
        let found: Vec<u32> = (0..1_000).filter(|n| numbers.contains(*n)).collect();
        assert_eq!(found, [501, 502, 503]);
        assert_eq!(numbers.ascending(), Some(501..=503));
    }

    #[test]
    fn numbers_go_over_the_top() {
        let numbers = Numbers::since(&[born(32_766, 1_000)], &counters(301, 1_004)).unwrap();
        assert!(numbers.contains(32_767) && numbers.contains(300) && numbers.contains(301));
        assert!(!numbers.contains(302) && !numbers.contains(32_766));
        assert_eq!(numbers.ascending(), None);
        assert!(numbers.are_over_the_top());
    }

    #[test]
    fn numbers_of_several_are_since_the_oldest() {
        let (older, younger) = (born(32_000, 900), born(400, 1_000));
        let oldest = Numbers::between(32_000, 500);
        for births in [[older, younger], [younger, older]] {
            assert_eq!(Numbers::since(&births, &counters(500, 2_000)), Some(oldest));
        }
        let (older, younger) = (born(400, 1_000), born(450, 1_000));
        for births in [[older, younger], [younger, older]] {
            let numbers = Numbers::since(&births, &counters(500, 2_000));
            assert_eq!(numbers, Some(Numbers::between(400, 500)));
        }
    }

    #[test]
    fn numbers_that_may_have_come_round_say_nothing() {
        let at = |forks| Numbers::since(&[born(500, 1_000)], &counters(600, forks));
        assert!(at(1_000 + 16_000).is_some());
        assert!(at(1_000 + 16_200).is_none());
        // Of several, one is enough.
        let births = [born(500, 1_000), born(599, 17_500)];
        assert!(Numbers::since(&births, &counters(600, 17_501)).is_none());
    }

    #[test]
    fn count_that_does_not_count_says_nothing() {
        assert_eq!(Numbers::since(&[born(500, 7)], &counters(501, 7)), None);
        let birth = Birth { forks: None };
        let pid = Pid::from_raw(500).unwrap();
        assert_eq!(Numbers::since(&[(pid, birth)], &counters(501, 7)), None);
    }

    #[test]
    fn none_after_the_newest_is_nobody() {
        let numbers = Numbers::since(&[born(500, 7)], &counters(500, 8)).unwrap();
        assert_eq!(numbers.ascending().map(Iterator::count), Some(0));
        assert!(!(0..1_000).any(|number| numbers.contains(number)));
    }
}
