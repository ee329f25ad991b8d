//! What actors and contexts are called.

use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// One incarnation of an actor: the name it was given, and a number nobody else has.
///
/// A restarted actor keeps its name and gets a new number, so news of an earlier
/// incarnation is never taken for news of this one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ActorId {
    name: Arc<str>,
    #[serde(with = "number_as_bytes")]
    number: u128,
}

/// CBOR has no integers beyond 64 bits, so the number travels as sixteen bytes, most
/// significant first.
mod number_as_bytes {
    use serde::{Deserialize, Deserializer, Serializer};
    use serde_bytes::ByteArray;

    pub(super) fn serialize<S: Serializer>(
        number: &u128,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&number.to_be_bytes())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<u128, D::Error> {
        let bytes = ByteArray::<16>::deserialize(deserializer)?;
        Ok(u128::from_be_bytes(bytes.into_array()))
    }
}

impl ActorId {
    /// An identity for a new incarnation of the actor `name`.
    ///
    /// # Panics
    ///
    /// If the kernel has no random numbers to give, which Linux rules out once it is up.
    #[must_use]
    pub(crate) fn new(name: impl Into<Arc<str>>) -> Self {
        let mut number = [0; 16];
        rustix::rand::getrandom(&mut number, rustix::rand::GetRandomFlags::empty())
            .expect("invariant: getrandom of 16 bytes does not fail after boot");
        Self {
            name: name.into(),
            number: u128::from_ne_bytes(number),
        }
    }

    /// The name it was given.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number that only this incarnation has.
    #[must_use]
    pub fn number(&self) -> u128 {
        self.number
    }
}

impl fmt::Display for ActorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The first bits are enough for the eye.
        write!(f, "{}#{:08x}", self.name, self.number >> 96)
    }
}

/// A context on one link: which side opened it, and its number there.
///
/// The side that was started, or that accepted, sets the highest bit in the numbers of the
/// contexts it opens, so that both sides count for themselves. Number 0 is the link itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContextId(u64);

impl ContextId {
    /// The context that has `number` on its link.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number on the link.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The link itself, or the whole actor behind it.
    pub(crate) const LINK: Self = Self(0);

    const BY_STARTED: u64 = 1 << 63;

    /// The `count`th context, from 1 on, that `side` opens on a link.
    pub(crate) const fn of(side: Side, count: u64) -> Self {
        match side {
            Side::Starter => Self(count),
            Side::Started => Self(count | Self::BY_STARTED),
        }
    }

    /// Which side opened it.
    pub(crate) const fn side(self) -> Side {
        match self.0 & Self::BY_STARTED {
            0 => Side::Starter,
            _ => Side::Started,
        }
    }

    /// Its place among the contexts of its side.
    pub(crate) const fn count(self) -> u64 {
        self.0 & !Self::BY_STARTED
    }
}

/// How a table finds contexts whose numbers this side has counted out: quickly, and not on
/// its guard against numbers that somebody has chosen.
pub(crate) type CountHashing = BuildHasherDefault<CountHasher>;

/// Spreads one number, as of [`CountHashing`].
#[derive(Debug, Default)]
pub(crate) struct CountHasher(u64);

impl Hasher for CountHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        // Two to the 64th by the golden ratio: numbers in a row end up far apart.
        self.0 = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        // A table goes by the lowest bits, which only depend on those below them.
        self.0.rotate_left(32)
    }
}

/// One of the two sides of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The parent, or whoever dialled.
    Starter,
    /// The child, or whoever accepted.
    Started,
}

impl Side {
    /// The side at the other end.
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Starter => Self::Started,
            Self::Started => Self::Starter,
        }
    }
}

impl fmt::Display for ContextId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actor_id_of_the_same_name_is_another_incarnation() {
        assert_ne!(ActorId::new("worker"), ActorId::new("worker"));
    }

    #[test]
    fn contexts_of_both_sides_are_told_apart() {
        for side in [Side::Starter, Side::Started] {
            let context = ContextId::of(side, 7);
            assert_eq!((context.side(), context.count()), (side, 7));
            assert_ne!(context, ContextId::of(side.other(), 7));
        }
    }

    #[test]
    fn contexts_in_a_row_differ_in_the_lowest_and_in_the_highest_bits_of_their_hashes() {
        use std::collections::HashSet;
        use std::hash::BuildHasher;

        let hashes: Vec<u64> = (1..=1000)
            .map(|count| CountHashing::default().hash_one(ContextId::of(Side::Started, count)))
            .collect();
        let different = |bits: fn(u64) -> u64| {
            let bits = hashes.iter().map(|hash| bits(*hash));
            bits.collect::<HashSet<_>>().len()
        };
        assert!(different(|hash| hash % 1024) > 500);
        assert_eq!(different(|hash| hash >> 57), 128);
    }

    #[test]
    fn actor_id_comes_back_from_json_as_it_was() {
        let id = ActorId::new("worker");
        let text = serde_json::to_string(&id).unwrap();
        assert_eq!(serde_json::from_str::<ActorId>(&text).unwrap(), id);
    }

    #[test]
    fn actor_id_is_shown_with_its_name_and_first_bits() {
        let id = ActorId {
            name: "worker".into(),
            number: 0x0123_4567 << 96,
        };
        assert_eq!(id.to_string(), "worker#01234567");
    }
}
