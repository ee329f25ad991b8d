//! What a receiver of a broadcast has lost because it was too slow.

/// Beside the error, for [`Error::lagged`](super::Error::lagged).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("receiver of a broadcast was too slow and lost {lost} {}", noun(*lost))]
pub(super) struct Lagged {
    pub(super) lost: u64,
}

fn noun(count: u64) -> &'static str {
    match count {
        1 => "item",
        _ => "items",
    }
}
