//! Durations and sizes with units, without loss.

use std::time::Duration;

use super::value::Value;
use crate::duration::Written;

/// `"1m30s"`, `"250ms"`; every nanosecond is kept.
pub(super) fn duration(duration: Duration) -> Value {
    Value::Text(Written(duration).to_string())
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
