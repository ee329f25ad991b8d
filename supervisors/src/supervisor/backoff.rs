//! How long a child waits before it is started again.

use std::time::Duration;

use crate::spec::Backoff;

/// The delay before restart number `attempt` in a row, counted from 0.
///
/// `random` is in `0.0..1.0`. It shortens the delay by up to `jitter` of it, so that `max`
/// stays the longest delay there is (a choice: Akka lengthens instead).
#[must_use]
pub fn delay(backoff: &Backoff, attempt: u32, random: f64) -> Duration {
    if backoff.initial.is_zero() {
        return Duration::ZERO;
    }
    let exponent = i32::try_from(attempt).unwrap_or(i32::MAX);
    let seconds = backoff.initial.as_secs_f64() * backoff.factor.powi(exponent);
    let capped = seconds.min(backoff.max.as_secs_f64());
    Duration::try_from_secs_f64(capped * (1.0 - backoff.jitter * random)).unwrap_or(backoff.max)
}

/// A number in `0.0..1.0` that depends on nothing but its arguments.
///
/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014). The driver brings the seed in, so
/// the machine stays a function of what it was told.
pub(super) fn unit(seed: u64, child: u64, attempt: u32) -> f64 {
    let mut z = seed
        .wrapping_add(child.wrapping_mul(0x9e37_79b9_7f4a_7c15))
        .wrapping_add(u64::from(attempt).wrapping_mul(0xd1b5_4a32_d192_ed03));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^= z >> 31;
    // The upper 53 bits, as many as a double holds.
    (z >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backoff(initial: u64, max: u64, jitter: f64) -> Backoff {
        Backoff {
            initial: Duration::from_millis(initial),
            factor: 2.0,
            max: Duration::from_millis(max),
            jitter,
            reset_after: Duration::from_secs(60),
        }
    }

    #[test]
    fn delay_doubles_up_to_max() {
        let delays: Vec<u128> = (0..6)
            .map(|n| delay(&backoff(100, 1000, 0.0), n, 0.5).as_millis())
            .collect();
        assert_eq!(delays, [100, 200, 400, 800, 1000, 1000]);
    }

    #[test]
    fn delay_of_zero_initial_stays_zero() {
        assert_eq!(delay(&backoff(0, 1000, 0.2), u32::MAX, 0.5), Duration::ZERO);
    }

    #[test]
    fn delay_far_out_is_max() {
        assert_eq!(
            delay(&backoff(1, 1000, 0.0), u32::MAX, 0.5),
            Duration::from_secs(1)
        );
    }

    #[test]
    fn jitter_only_shortens() {
        let backoff = backoff(100, 1000, 0.2);
        assert_eq!(delay(&backoff, 0, 0.0), Duration::from_millis(100));
        assert!(delay(&backoff, 0, 0.999) > Duration::from_millis(80));
        assert!(delay(&backoff, 0, 0.999) < Duration::from_millis(81));
    }

    #[test]
    fn unit_spreads_over_the_interval() {
        let values: Vec<f64> = (0..1000).map(|n| unit(7, n, 0)).collect();
        assert!(values.iter().all(|v| (0.0..1.0).contains(v)));
        let mean = values.iter().sum::<f64>() / 1000.0;
        assert!((0.45..0.55).contains(&mean), "{mean}");
    }
}
