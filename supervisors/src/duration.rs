//! Durations as people write and read them.

use std::fmt;
use std::time::Duration;

/// A duration as it is written in a tree file: `1m30s`, `250ms`. Every nanosecond is kept.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use treewright_supervisors::duration::Written;
///
/// assert_eq!(Written(Duration::from_secs(90)).to_string(), "1m30s");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written(pub Duration);

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let nanos = self.0.subsec_nanos();
        let parts = [
            (seconds / 3600, "h"),
            (seconds / 60 % 60, "m"),
            (seconds % 60, "s"),
            (u64::from(nanos / 1_000_000), "ms"),
            (u64::from(nanos / 1_000 % 1_000), "us"),
            (u64::from(nanos % 1_000), "ns"),
        ];
        if self.0.is_zero() {
            return f.write_str("0s");
        }
        for (count, unit) in parts.into_iter().filter(|(count, _)| *count > 0) {
            write!(f, "{count}{unit}")?;
        }
        Ok(())
    }
}

/// A duration that was measured, as exactly as it matters: `400 ms`, `2.3 s`, `5m 10s`, `3h 2m`.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use treewright_supervisors::duration::Measured;
///
/// assert_eq!(Measured(Duration::from_millis(2_345)).to_string(), "2.3 s");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured(pub Duration);

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        match self.0.as_millis() {
            millis @ 0..1000 => write!(f, "{millis} ms"),
            millis @ 1000..60_000 => write!(f, "{}.{} s", millis / 1000, millis % 1000 / 100),
            _ if seconds < 3600 => write!(f, "{}m {}s", seconds / 60, seconds % 60),
            _ => write!(f, "{}h {}m", seconds / 3600, seconds / 60 % 60),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_durations_use_every_unit_they_need() {
        for (nanos, expected) in [
            (0, "0s"),
            (90_000_000_000, "1m30s"),
            (250_000_000, "250ms"),
            (3_600_000_000_000, "1h"),
            (86_400_000_000_000, "24h"),
            (1_000_002_003, "1s2us3ns"),
        ] {
            let duration = Duration::from_nanos(nanos);
            assert_eq!(Written(duration).to_string(), expected);
        }
    }

    #[test]
    fn measured_durations_are_as_exact_as_it_matters() {
        for (millis, expected) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (1_000, "1.0 s"),
            (59_999, "59.9 s"),
            (310_000, "5m 10s"),
            (10_920_000, "3h 2m"),
        ] {
            let duration = Duration::from_millis(millis);
            assert_eq!(Measured(duration).to_string(), expected);
        }
    }
}
