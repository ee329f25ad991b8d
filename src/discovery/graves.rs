//! How those ended that are not there any more, for who asks late.

use std::collections::{HashMap, VecDeque};

use crate::error::RemoteKind;

/// Of how many it is kept: the last ones.
const MOST: usize = 4096;

/// How the last actors ended, by their numbers.
#[derive(Debug, Default)]
pub(super) struct Graves {
    by_number: HashMap<u128, RemoteKind>,
    in_order: VecDeque<u128>,
}

impl Graves {
    /// This one has ended, so.
    pub(super) fn add(&mut self, number: u128, how: RemoteKind) {
        if self.by_number.insert(number, how).is_none() {
            self.in_order.push_back(number);
        }
        if self.in_order.len() > MOST
            && let Some(oldest) = self.in_order.pop_front()
        {
            self.by_number.remove(&oldest);
        }
    }

    /// How this one ended, if that is known still.
    pub(super) fn get(&self, number: u128) -> Option<RemoteKind> {
        self.by_number.get(&number).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_ends_are_kept_and_no_more_of_them() {
        let mut graves = Graves::default();
        for number in 0..10_000 {
            graves.add(number, RemoteKind::Exited(1));
            graves.add(number, RemoteKind::Oom);
        }
        assert_eq!(graves.get(9_999), Some(RemoteKind::Oom));
        assert_eq!(graves.get(10_000 - 4096), Some(RemoteKind::Oom));
        assert_eq!(graves.get(9_999 - 4096), None);
        assert_eq!(graves.by_number.len(), MOST);
    }
}
