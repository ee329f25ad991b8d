//! A job as the machine knows it.

use std::time::Duration;

use super::event::{Fate, NewJob, WorkerKey};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// It waits for a worker.
    Queued,
    /// It was sent to one.
    With(WorkerKey, u32),
}

#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) function: u32,
    pub(super) calls: u32,
    pub(super) bytes: usize,
    pub(super) timeout: Option<Duration>,
    pub(super) retries: u32,
    /// How often it was begun and lost.
    pub(super) attempts: u32,
    pub(super) place: Place,
    /// Told apart from others that had its key before, in the queue.
    pub(super) ticket: u64,
    pub(super) is_cancelled: bool,
    pub(super) is_timed_out: bool,
    /// It is run no more, if it has not begun: the pool is shut down.
    pub(super) is_withdrawn: bool,
}

impl Job {
    pub(super) fn new(new: &NewJob, ticket: u64) -> Self {
        Self {
            function: new.function,
            calls: new.calls,
            bytes: new.bytes,
            timeout: new.timeout,
            retries: new.retries,
            attempts: 0,
            place: Place::Queued,
            ticket,
            is_cancelled: false,
            is_timed_out: false,
            is_withdrawn: false,
        }
    }

    /// How long all of it may run.
    pub(super) fn limit(&self) -> Option<Duration> {
        Some(self.timeout?.saturating_mul(self.calls.max(1)))
    }

    /// What becomes of it when it runs for longer.
    pub(super) fn timed_out(&self) -> Fate {
        let limit = self.limit().unwrap_or_default();
        Fate::TimedOut { limit }
    }
}

/// About how long the jobs of each function take, for one call.
#[derive(Debug, Default)]
pub(super) struct Pace(Vec<Option<u64>>);

impl Pace {
    /// The nanoseconds of a call, if that is known.
    pub(super) fn of(&self, function: u32) -> Option<u64> {
        self.0.get(function as usize).copied().flatten()
    }

    /// One more job has taken so long. Long ones count at once, short ones bit by bit.
    pub(super) fn learn(&mut self, function: u32, calls: u32, took: Duration) {
        let index = function as usize;
        if self.0.len() <= index {
            self.0.resize(index + 1, None);
        }
        let took = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX) / u64::from(calls.max(1));
        let slot = &mut self.0[index];
        *slot = Some(match *slot {
            Some(before) if took < before => before - (before - took) / 8,
            Some(before) => before + (took - before) / 4,
            None => took,
        });
    }
}
