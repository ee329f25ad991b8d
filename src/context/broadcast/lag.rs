//! What happens to a receiver of a broadcast that is too slow.

/// What happens to a receiver that has more items before it than its broadcast keeps.
/// [`BroadcastReceiver::on_lag`](super::BroadcastReceiver::on_lag) sets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Lag {
    /// It loses the oldest items and is told how many by an error, for which
    /// [`Error::lagged`](crate::Error::lagged) holds. Then it goes on at the oldest that
    /// is kept.
    #[default]
    Fail,
    /// It loses the oldest items without a word, and goes on at the oldest that is kept.
    Skip,
    /// It loses nothing: nobody gets a new item until it has read one, or is dropped.
    Block,
}
