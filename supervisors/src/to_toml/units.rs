//! Durations and sizes with units, without loss.

use std::fmt::Write as _;
use std::time::Duration;

use super::value::Value;

/// `"1m30s"`, `"250ms"`; every nanosecond is kept.
pub(super) fn duration(duration: Duration) -> Value {
    let seconds = duration.as_secs();
    let nanos = duration.subsec_nanos();
    let parts = [
        (seconds / 3600, "h"),
        (seconds / 60 % 60, "m"),
        (seconds % 60, "s"),
        (u64::from(nanos / 1_000_000), "ms"),
        (u64::from(nanos / 1_000 % 1_000), "us"),
        (u64::from(nanos % 1_000), "ns"),
    ];
    let mut text = String::new();
    for (count, unit) in parts.into_iter().filter(|(count, _)| *count > 0) {
        // Writing to a string cannot fail.
        let _ = write!(text, "{count}{unit}");
    }
    if text.is_empty() {
        text.push_str("0s");
    }
    Value::Text(text)
}

/// `"50MB"`, `"64MiB"`: the largest unit that leaves no rest, and of those the shortest number.
pub(super) fn size(bytes: u64) -> Value {
    const UNITS: [(u64, &str); 9] = [
        (1, "B"),
        (1_000, "kB"),
        (1_000_000, "MB"),
        (1_000_000_000, "GB"),
        (1_000_000_000_000, "TB"),
        (1 << 10, "KiB"),
        (1 << 20, "MiB"),
        (1 << 30, "GiB"),
        (1 << 40, "TiB"),
    ];
    let best = UNITS
        .iter()
        .filter(|(unit, _)| bytes >= *unit && bytes.is_multiple_of(*unit))
        .min_by_key(|(unit, _)| bytes / unit)
        .unwrap_or(&UNITS[0]);
    Value::Text(format!("{}{}", bytes / best.0, best.1))
}

/// A count, which TOML holds as a signed number; one past that is written as a size in bytes.
pub(super) fn count(count: u64) -> Value {
    match i64::try_from(count) {
        Ok(count) => Value::Integer(count),
        Err(_) => size(count),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_use_every_unit_they_need() {
        for (nanos, expected) in [
            (0, "0s"),
            (90_000_000_000, "1m30s"),
            (250_000_000, "250ms"),
            (3_600_000_000_000, "1h"),
            (86_400_000_000_000, "24h"),
            (1_000_002_003, "1s2us3ns"),
        ] {
            let text = duration(Duration::from_nanos(nanos));
            assert_eq!(text, Value::text(expected));
        }
    }

    #[test]
    fn sizes_take_the_unit_that_reads_best() {
        for (bytes, expected) in [
            (0, "0B"),
            (512, "512B"),
            (1_000, "1kB"),
            (1_024, "1KiB"),
            (50_000_000, "50MB"),
            (64 << 20, "64MiB"),
            (65_536, "64KiB"),
            (u64::MAX, "18446744073709551615B"),
        ] {
            assert_eq!(size(bytes), Value::text(expected), "{bytes}");
        }
    }
}
