//! How a pool stands.

use serde::{Deserialize, Serialize};

/// How a pool stands: from [`ProcessPool::statistics`](crate::ProcessPool::statistics).
///
/// Jobs are counted when the pool takes note of them, a moment after that. Of a pool that was
/// [found by its name](crate::ProcessPool::connect) it is what came with its last answer, and
/// counts the jobs of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PoolStatistics {
    /// Workers that are up and run a job, or have one before them.
    pub busy: usize,
    /// Workers that are up and have nothing to do.
    pub idle: usize,
    /// Workers that are not up yet.
    pub starting: usize,
    /// Workers that are about to end.
    pub ending: usize,
    /// Jobs that wait for a worker.
    pub queued: usize,
    /// Jobs that were sent to a worker and have not ended.
    pub sent: usize,
    /// Jobs whose calls all gave a value.
    pub done: u64,
    /// Jobs of which a call failed, was lost or ran out of time.
    pub failed: u64,
    /// Jobs that were cancelled.
    pub cancelled: u64,
    /// Calls whose worker died while it ran them, and that were not run again.
    pub lost: u64,
    /// Calls that were run again, because their worker had died.
    pub retried: u64,
    /// How often a job that was sent to a worker ahead of its time was taken back, so that
    /// another worker could do it.
    pub taken_back: u64,
    /// Workers that were started.
    pub started: u64,
    /// Workers that died unasked, or were killed for what they ran.
    pub died: u64,
}
