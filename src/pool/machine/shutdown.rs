//! Ending a pool.

use super::event::{Action, Fate, JobKey};
use super::job::Place;
use super::state::Machine;
use super::worker::Phase;
use crate::time::Time;

/// What becomes of its jobs when a pool is shut down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Shutdown {
    /// All that were submitted are run.
    Wait,
    /// Those that run come to their end, the others are cancelled.
    CancelPending,
    /// All are cancelled, and the workers are killed.
    Now,
}

impl Machine {
    pub(super) fn shut_down(&mut self, how: Shutdown, now: Time, actions: &mut Vec<Action>) {
        self.shutdown = self.shutdown.max(Some(how));
        if how >= Shutdown::CancelPending {
            let keys: Vec<JobKey> = self.jobs.iter().map(|(key, _)| key).collect();
            for key in keys {
                match (how, self.jobs[key].place) {
                    (_, Place::Queued) => self.finish(key, Fate::Cancelled, actions),
                    (Shutdown::Now, Place::With(..)) => {
                        self.void_and_finish(key, Fate::Cancelled, actions);
                    }
                    (_, Place::With(worker, number)) => {
                        // One that has begun already is not given back.
                        self.jobs[key].is_withdrawn = true;
                        actions.push(Action::TakeBack { worker, number });
                    }
                }
            }
        }
        if how == Shutdown::Now {
            for (key, worker) in &mut self.workers {
                if worker.phase != Phase::Ending || !self.killed.contains(&key) {
                    worker.phase = Phase::Ending;
                    self.killed.insert(key);
                    actions.push(Action::Kill(key));
                }
            }
        }
        self.wind_up(now, actions);
    }

    /// Ends the workers when there is nothing left for them, and says so when they have.
    pub(super) fn wind_up(&mut self, _now: Time, actions: &mut Vec<Action>) {
        if self.shutdown.is_none() || !self.jobs.is_empty() || self.has_ended {
            return;
        }
        for (key, worker) in &mut self.workers {
            if worker.phase != Phase::Ending {
                worker.phase = Phase::Ending;
                actions.push(Action::Stop(key));
            }
        }
        if self.workers.is_empty() {
            self.has_ended = true;
            actions.push(Action::End);
        }
    }
}
