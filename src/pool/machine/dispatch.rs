//! Which job goes to which worker, and how many go ahead of their time.

use std::time::Duration;

use super::event::{Action, JobKey, WorkerKey};
use super::job::Place;
use super::state::Machine;
use super::worker::{Asking, Phase, Sent, Worker};
use crate::pool::ledger::WINDOW;
use crate::time::Time;

/// So much work in nanoseconds a worker is given ahead.
const AHEAD: u64 = 300_000;
/// It is given more when it has less than that.
const LOW: u64 = AHEAD / 2;
/// A worker that is behind by so much has its jobs given to one that has nothing to do.
const BEHIND: Duration = Duration::from_micros(500);
/// So many bytes of arguments take a nanosecond.
const BYTES_A_NANOSECOND: u64 = 4;

impl Machine {
    /// Gives jobs to workers: each that has room gets some, the one with the least first.
    pub(super) fn dispatch(&mut self, now: Time, actions: &mut Vec<Action>) {
        if self.waiting == 0 {
            return;
        }
        let mut open: Vec<WorkerKey> = self
            .workers
            .iter()
            .filter(|(_, worker)| worker.phase == Phase::Up && worker.load < LOW)
            .filter(|(_, worker)| worker.sent.is_empty() || now < worker.since + BEHIND)
            .map(|(key, _)| key)
            .collect();
        while !open.is_empty() {
            let Some(job) = self.first_waiting() else {
                return;
            };
            let cost = self.cost(job);
            open.retain(|key| self.has_room(&self.workers[*key], cost));
            let least = open.iter().min_by_key(|key| self.workers[**key].load);
            let Some(worker) = least.copied() else {
                return;
            };
            self.dequeue();
            self.send(worker, job, cost, now, actions);
        }
    }

    /// About how long a job takes. One of a function that never ran may take any time.
    fn cost(&self, job: JobKey) -> u64 {
        let job = &self.jobs[job];
        let call = self.pace.of(job.function).unwrap_or(AHEAD);
        let copying = job.bytes as u64 / BYTES_A_NANOSECOND;
        // Nothing is for nothing, or there would be no end of what is sent ahead.
        call.saturating_mul(job.calls.max(1).into())
            .saturating_add(copying)
            .max(100)
    }

    fn has_room(&self, worker: &Worker, cost: u64) -> bool {
        let is_used_up = self
            .settings
            .tasks_per_worker
            .is_some_and(|most| worker.given >= most);
        let fits = worker.sent.is_empty()
            || worker.knows_begun
                && worker.sent.len() < WINDOW as usize / 2
                && worker.load.saturating_add(cost) <= AHEAD
                && self.has_slot(worker);
        !is_used_up && fits && worker.asking.is_none() && worker.drop_by.is_none()
    }

    /// Whether the slot of the next number is free. Numbers are taken in order, and the first
    /// may be there for long.
    fn has_slot(&self, worker: &Worker) -> bool {
        let first = worker.sent.front().map(|sent| sent.number);
        first.is_none_or(|first| worker.next_number.wrapping_sub(first) < WINDOW)
    }

    fn send(
        &mut self,
        key: WorkerKey,
        job: JobKey,
        cost: u64,
        now: Time,
        actions: &mut Vec<Action>,
    ) {
        let worker = &mut self.workers[key];
        let number = worker.next_number;
        worker.next_number = number.wrapping_add(1);
        worker.given += 1;
        if worker.sent.is_empty() {
            worker.since = now;
        }
        worker.load = worker.load.saturating_add(cost);
        worker.sent.push_back(Sent {
            number,
            job: Some(job),
            cost,
        });
        self.jobs[job].place = Place::With(key, number);
        actions.push(Action::Send {
            worker: key,
            number,
            job,
        });
    }

    /// Has jobs asked back from workers that are behind, if somebody has nothing to do.
    pub(super) fn rebalance(&mut self, now: Time, actions: &mut Vec<Action>) {
        if self.waiting > 0 || !self.has_hands() {
            return;
        }
        let behind: Vec<WorkerKey> = self
            .workers
            .iter()
            .filter(|(_, worker)| is_behind(worker) && now >= ask_at(worker))
            .map(|(key, _)| key)
            .collect();
        for key in behind {
            let worker = &mut self.workers[key];
            worker.asking = Some(Asking::ToGive);
            // Those that were taken back before are there until the worker comes upon them,
            // which one that is stuck does not.
            let jobs = worker.sent.iter().filter(|sent| sent.job.is_some());
            let numbers: Vec<u32> = jobs.map(|sent| sent.number).collect();
            // The first one runs, and those behind it are done from the front.
            let half = (numbers.len() / 2).max(1);
            // The last one first, so that they wait in the order they had.
            let back = numbers[half..].iter().rev();
            actions.extend(back.map(|number| Action::TakeBack {
                worker: key,
                number: *number,
            }));
            actions.push(Action::AskBack(key));
            worker.ask_after = now + BEHIND;
        }
    }

    /// Whether there is, or could be, a worker with nothing to do.
    fn has_hands(&self) -> bool {
        let has_idle = self.workers.iter().any(|(_, worker)| worker.is_idle());
        has_idle || (self.shutdown.is_none() && self.workers.len() < self.settings.workers)
    }

    /// When jobs are to be asked back, if they are still there then.
    pub(super) fn rebalance_at(&self) -> Option<Time> {
        if self.waiting > 0 || !self.has_hands() {
            return None;
        }
        let behind = self.workers.iter().filter(|(_, worker)| is_behind(worker));
        behind.map(|(_, worker)| ask_at(worker)).min()
    }
}

/// When jobs of a worker are asked back.
fn ask_at(worker: &Worker) -> Time {
    (worker.since + BEHIND).max(worker.ask_after)
}

/// Whether it has jobs that others could do.
fn is_behind(worker: &Worker) -> bool {
    let mut jobs = worker.sent.iter().filter(|sent| sent.job.is_some());
    let has_more = jobs.next().is_some() && jobs.next().is_some();
    worker.phase == Phase::Up && worker.knows_begun && worker.asking.is_none() && has_more
}
