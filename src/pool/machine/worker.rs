//! A worker as the machine knows it.

use std::collections::VecDeque;

use super::event::JobKey;
use crate::time::Time;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Starting,
    Up,
    /// It was told to end, in order or at once.
    Ending,
}

/// A job that was sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    pub(super) number: u32,
    /// `None` when it was taken back, and the worker has not come upon it yet.
    pub(super) job: Option<JobKey>,
    /// About how long it takes, in nanoseconds.
    pub(super) cost: u64,
}

/// What jobs are asked back for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asking {
    /// The running one is to be killed with the worker, if it still runs.
    ToKill,
    /// Somebody else has time.
    ToGive,
}

#[derive(Debug)]
pub(super) struct Worker {
    pub(super) phase: Phase,
    /// Whether it is known which jobs it begins.
    pub(super) knows_begun: bool,
    /// Jobs it was sent and has not answered, in order.
    pub(super) sent: VecDeque<Sent>,
    /// What they cost.
    pub(super) load: u64,
    pub(super) next_number: u32,
    /// How many jobs it was given.
    pub(super) given: u64,
    /// Since when the first of them is the first; or since when there is none.
    pub(super) since: Time,
    /// When the grace of a cancelled job is over.
    pub(super) drop_by: Option<Time>,
    pub(super) asking: Option<Asking>,
    /// Jobs are not asked back before.
    pub(super) ask_after: Time,
    /// Of those that were asked back, one had begun.
    pub(super) has_begun_another: bool,
}

impl Worker {
    pub(super) fn new(now: Time) -> Self {
        Self {
            phase: Phase::Starting,
            knows_begun: false,
            sent: VecDeque::new(),
            load: 0,
            next_number: 0,
            given: 0,
            since: now,
            drop_by: None,
            asking: None,
            ask_after: now,
            has_begun_another: false,
        }
    }

    /// Whether it is up and has nothing to do.
    pub(super) fn is_idle(&self) -> bool {
        self.phase == Phase::Up && self.sent.is_empty()
    }

    /// The first job that was not taken back.
    pub(super) fn head(&self) -> Option<(u32, JobKey)> {
        self.sent
            .iter()
            .find_map(|sent| Some((sent.number, sent.job?)))
    }

    /// Takes out what was sent under `number`.
    pub(super) fn remove(&mut self, number: u32, now: Time) -> Option<Sent> {
        let at = self.sent.iter().position(|sent| sent.number == number)?;
        let sent = self.sent.remove(at)?;
        self.load = self.load.saturating_sub(sent.cost);
        if at == 0 {
            self.since = now;
            self.drop_by = None;
        }
        Some(sent)
    }

    /// The job under `number` was taken back.
    pub(super) fn void(&mut self, number: u32) -> Option<JobKey> {
        let sent = self.sent.iter_mut().find(|sent| sent.number == number)?;
        self.load = self.load.saturating_sub(sent.cost);
        sent.cost = 0;
        sent.job.take()
    }
}
