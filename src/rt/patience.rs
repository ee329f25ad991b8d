//! Whether it is worth while to look for a moment before going to sleep.

use std::time::Duration;

/// How long a thread looks at most before it sleeps. To be put to sleep and woken again
/// costs about as much, and a short call is answered in less.
pub(super) const MOMENT: Duration = Duration::from_micros(50);

/// A sleep up to this would probably have been no longer than a moment if the thread had
/// stayed awake: two of those who both sleep wait for each other's wake-ups.
const SHORT_SLEEP: Duration = Duration::from_micros(200);

/// How many short sleeps in a row make it worth a try, at least and at most.
const FEWEST: u32 = 3;
const MOST: u32 = 1024;

/// Decides whether to look for a moment before going to sleep.
///
/// It goes by what came of it before: it begins after some short sleeps, ends with the first
/// moment in which nothing came, and takes twice as many short sleeps to begin the next
/// time. So who waits long looks at most once in a long while, and who never waits for
/// short never does.
#[derive(Debug)]
pub(super) struct Patience {
    is_awake: bool,
    short_sleeps: u32,
    needed: u32,
}

impl Patience {
    pub(super) const fn new() -> Self {
        Self {
            is_awake: false,
            short_sleeps: 0,
            needed: FEWEST,
        }
    }

    /// Whether to look before the next sleep.
    pub(super) fn is_worth_looking(&self) -> bool {
        self.is_awake
    }

    /// Slept for so long, without having looked.
    pub(super) fn slept(&mut self, time: Duration) {
        self.short_sleeps = match time <= SHORT_SLEEP {
            true => self.short_sleeps + 1,
            false => 0,
        };
        if self.short_sleeps >= self.needed {
            self.is_awake = true;
        }
    }

    /// Looked, and something came in time or did not.
    pub(super) fn looked(&mut self, came: bool) {
        self.needed = match came {
            true => (self.needed / 2).max(FEWEST),
            false => (self.needed * 2).min(MOST),
        };
        self.is_awake = came;
        self.short_sleeps = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many short sleeps it takes until it looks.
    fn short_sleeps_until_it_looks(patience: &mut Patience) -> u32 {
        let sleeps = (1..).find(|_| {
            patience.slept(SHORT_SLEEP);
            patience.is_worth_looking()
        });
        sleeps.unwrap()
    }

    #[test]
    fn patience_begins_after_short_sleeps_in_a_row_and_never_after_long_ones() {
        let mut patience = Patience::new();
        for _ in 0..100 {
            patience.slept(SHORT_SLEEP);
            patience.slept(SHORT_SLEEP);
            patience.slept(SHORT_SLEEP + Duration::from_nanos(1));
            assert!(!patience.is_worth_looking());
        }
        assert_eq!(short_sleeps_until_it_looks(&mut patience), FEWEST);
    }

    #[test]
    fn patience_that_was_in_vain_ends_and_takes_twice_as_long_to_come_back() {
        let mut patience = Patience::new();
        let mut tries = Vec::new();
        for _ in 0..10 {
            tries.push(short_sleeps_until_it_looks(&mut patience));
            patience.looked(false);
            assert!(!patience.is_worth_looking());
        }
        assert_eq!(tries, [3, 6, 12, 24, 48, 96, 192, 384, 768, MOST]);
        assert_eq!(short_sleeps_until_it_looks(&mut patience), MOST);
    }

    #[test]
    fn patience_that_pays_lasts_and_forgives_what_was_in_vain_before() {
        let mut patience = Patience::new();
        for _ in 0..20 {
            short_sleeps_until_it_looks(&mut patience);
            patience.looked(false);
        }
        short_sleeps_until_it_looks(&mut patience);
        for _ in 0..20 {
            patience.looked(true);
            assert!(patience.is_worth_looking());
        }
        patience.looked(false);
        assert_eq!(short_sleeps_until_it_looks(&mut patience), 2 * FEWEST);
    }
}
