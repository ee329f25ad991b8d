//! Durations and sizes as they are written.

use std::time::Duration;

/// Why a text is not a duration or a size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotAQuantity {
    /// A number without a unit.
    NoUnit,
    /// A unit that is not known, at these bytes of the text.
    UnknownUnit(usize, usize),
    /// Not numbers with units at all.
    Malformed,
    /// More than can be counted.
    TooLarge,
}

/// Units of time with their nanoseconds, the largest first.
const TIMES: &[(&str, u128)] = &[
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("µs", 1_000),
    ("ns", 1),
];

/// Units of size with their bytes, the largest first.
const SIZES: &[(&str, u128)] = &[
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("kB", 1_000),
    ("KB", 1_000),
    ("B", 1),
];

/// The names of the units of time, for a hint.
pub(super) const TIME_UNITS: &str = "ns, us, ms, s, m, h, d";

/// The names of the units of size, for a hint.
pub(super) const SIZE_UNITS: &str = "B, kB, MB, GB, TB, KiB, MiB, GiB, TiB";

/// `"250ms"`, `"1m30s"`, `"1.5h"`.
///
/// At most `u64::MAX` nanoseconds, which is the line of [`Time`](crate::Time).
pub(super) fn duration(text: &str) -> Result<Duration, NotAQuantity> {
    let nanos = quantity(text, TIMES)?;
    u64::try_from(nanos)
        .map(Duration::from_nanos)
        .map_err(|_| NotAQuantity::TooLarge)
}

/// `"50MB"`, `"64MiB"`, in bytes.
pub(super) fn size(text: &str) -> Result<u64, NotAQuantity> {
    u64::try_from(quantity(text, SIZES)?).map_err(|_| NotAQuantity::TooLarge)
}

/// A sum of numbers with units, each unit smaller than the one before.
fn quantity(text: &str, units: &[(&str, u128)]) -> Result<u128, NotAQuantity> {
    let mut total: u128 = 0;
    let mut smallest = u128::MAX;
    let mut at = 0;
    if text.is_empty() {
        return Err(NotAQuantity::Malformed);
    }
    while at < text.len() {
        let number = &text[at..at + prefix(&text[at..], |c| c.is_ascii_digit() || c == '.')];
        at += number.len();
        let unit = &text[at..at + prefix(&text[at..], |c| !c.is_ascii_digit() && c != '.')];
        if number.is_empty() {
            return Err(NotAQuantity::Malformed);
        }
        if unit.trim().is_empty() {
            return Err(NotAQuantity::NoUnit);
        }
        let name = unit.trim();
        let Some((_, scale)) = units.iter().find(|(known, _)| *known == name) else {
            let is_word = name.chars().all(char::is_alphabetic);
            return Err(if is_word {
                NotAQuantity::UnknownUnit(at, at + unit.len())
            } else {
                NotAQuantity::Malformed
            });
        };
        at += unit.len();
        if *scale >= smallest {
            return Err(NotAQuantity::Malformed);
        }
        smallest = *scale;
        total = total
            .checked_add(scaled(number, *scale)?)
            .ok_or(NotAQuantity::TooLarge)?;
    }
    Ok(total)
}

/// Bytes at the start of the text whose characters are wanted.
fn prefix(text: &str, is_wanted: impl Fn(char) -> bool) -> usize {
    text.find(|c| !is_wanted(c)).unwrap_or(text.len())
}

/// `number × scale`, exactly: a fraction must come out whole.
fn scaled(number: &str, scale: u128) -> Result<u128, NotAQuantity> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || fraction.is_empty() || fraction.contains('.') || fraction.len() > 18 {
        return Err(NotAQuantity::Malformed);
    }
    // Only digits are left, so what does not parse is too long.
    let whole: u64 = whole.parse().map_err(|_| NotAQuantity::TooLarge)?;
    let digits: u128 = fraction.parse().map_err(|_| NotAQuantity::TooLarge)?;
    let denominator = 10_u128.pow(u32::try_from(fraction.len()).unwrap_or(18));
    let part = digits * scale;
    if !part.is_multiple_of(denominator) {
        return Err(NotAQuantity::Malformed);
    }
    Ok(u128::from(whole) * scale + part / denominator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_with_units_are_read_exactly() {
        for (text, nanos) in [
            ("0s", 0),
            ("250ms", 250_000_000),
            ("1m30s", 90_000_000_000),
            ("1m 30s", 90_000_000_000),
            ("1.5h", 5_400_000_000_000),
            ("3us", 3_000),
            ("3µs", 3_000),
            ("2d", 172_800_000_000_000),
            ("18446744073709551615ns", u64::MAX),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_nanos(nanos)), "{text}");
        }
    }

    #[test]
    fn texts_that_are_no_durations_say_why() {
        for (text, why) in [
            ("", NotAQuantity::Malformed),
            ("10", NotAQuantity::NoUnit),
            ("1m30", NotAQuantity::NoUnit),
            ("s", NotAQuantity::Malformed),
            ("-1s", NotAQuantity::Malformed),
            ("30s1m", NotAQuantity::Malformed),
            ("1s1s", NotAQuantity::Malformed),
            ("1..5s", NotAQuantity::Malformed),
            (".5s", NotAQuantity::Malformed),
            ("0.1ns", NotAQuantity::Malformed),
            ("10sec", NotAQuantity::UnknownUnit(2, 5)),
            ("584942417355y", NotAQuantity::UnknownUnit(12, 13)),
            ("99999999999999999999s", NotAQuantity::TooLarge),
            ("300000d", NotAQuantity::TooLarge),
        ] {
            assert_eq!(duration(text), Err(why), "{text}");
        }
    }

    #[test]
    fn sizes_are_decimal_or_binary_by_their_unit() {
        assert_eq!(size("50MB"), Ok(50_000_000));
        assert_eq!(size("64MiB"), Ok(64 << 20));
        assert_eq!(size("1.5KiB"), Ok(1536));
        assert_eq!(size("18446744073709551615B"), Ok(u64::MAX));
        assert_eq!(size("512M"), Err(NotAQuantity::UnknownUnit(3, 4)));
        assert_eq!(size("16777216TiB"), Err(NotAQuantity::TooLarge));
    }
}
