//! Which clock a runtime goes by.

use rustix::time::{ClockId, clock_gettime};

use super::{Time, VirtualClock};

/// Which clock a runtime goes by.
///
/// The real one is `CLOCK_MONOTONIC`: it never goes back, and it stands still while the
/// machine is suspended. That is on purpose. The processes of the tree do not run in a
/// suspend either; on a clock that went on (`CLOCK_BOOTTIME`) every timeout, probe and
/// heartbeat of the tree would have expired at the moment of the resume.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum Clock {
    /// The kernel's `CLOCK_MONOTONIC`.
    #[default]
    Monotonic,
    /// A clock that a test moves.
    Virtual(VirtualClock),
}

impl Clock {
    /// The time it shows.
    #[must_use]
    pub fn now(&self) -> Time {
        match self {
            Self::Monotonic => {
                let now = clock_gettime(ClockId::Monotonic);
                // Neither part of a monotonic time is negative.
                Time::from_nanos(
                    now.tv_sec.unsigned_abs() * 1_000_000_000 + now.tv_nsec.unsigned_abs(),
                )
            }
            Self::Virtual(clock) => clock.now(),
        }
    }
}
