//! The state of a pool, and how it takes in what happens.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use slab::Slab;
use treewright_supervisors::spec::Backoff;
use treewright_supervisors::supervisor::RestartWindow;

use super::event::{Action, Event, Fate, JobKey, WorkerKey};
use super::job::{Job, Pace, Place};
use super::shutdown::Shutdown;
use super::worker::{Asking, Phase, Worker};
use crate::pool::statistics::PoolStatistics;
use crate::time::Time;

/// What a pool goes by.
#[derive(Debug, Clone)]
pub(in crate::pool) struct Settings {
    /// The most workers.
    pub(in crate::pool) workers: usize,
    /// After how many jobs a worker is replaced.
    pub(in crate::pool) tasks_per_worker: Option<u64>,
    /// How long a cancelled job may go on.
    pub(in crate::pool) grace: Duration,
    /// So many workers may die in a period before the next one has to wait.
    pub(in crate::pool) intensity: u32,
    pub(in crate::pool) period: Duration,
    pub(in crate::pool) backoff: Backoff,
    /// How many times in a row a worker may fail to come up before the jobs that wait fail.
    pub(in crate::pool) start_attempts: u32,
    /// When a worker that has nothing to do ends.
    pub(in crate::pool) idle_limit: Option<Duration>,
    /// So many workers are started before there are jobs, and stay.
    pub(in crate::pool) kept: usize,
}

/// A pool.
#[derive(Debug)]
pub(in crate::pool) struct Machine {
    pub(super) settings: Settings,
    pub(super) jobs: Slab<Job>,
    /// Jobs that wait, with their tickets. Those that wait no more stay until they are
    /// come upon.
    pub(super) queue: VecDeque<(JobKey, u64)>,
    /// How many jobs wait.
    pub(super) waiting: usize,
    pub(super) workers: Slab<Worker>,
    pub(super) killed: BTreeSet<WorkerKey>,
    pub(super) pace: Pace,
    pub(super) tickets: u64,
    pub(super) window: RestartWindow,
    /// How many workers in a row came too soon.
    pub(super) streak: u32,
    pub(super) failed_starts: u32,
    /// No worker is started before.
    pub(super) not_before: Time,
    pub(super) shutdown: Option<Shutdown>,
    pub(super) has_ended: bool,
    pub(super) retried: u64,
    pub(super) taken_back: u64,
}

impl Machine {
    pub(in crate::pool) fn new(settings: Settings) -> Self {
        Self {
            settings,
            jobs: Slab::new(),
            queue: VecDeque::new(),
            waiting: 0,
            workers: Slab::new(),
            killed: BTreeSet::new(),
            pace: Pace::default(),
            tickets: 0,
            window: RestartWindow::default(),
            streak: 0,
            failed_starts: 0,
            not_before: Time::ORIGIN,
            shutdown: None,
            has_ended: false,
            retried: 0,
            taken_back: 0,
        }
    }

    /// The key of the next job.
    pub(in crate::pool) fn next_key(&self) -> JobKey {
        self.jobs.vacant_key()
    }

    /// Takes in one thing that has happened. After all that has happened at once,
    /// [`settle`](Self::settle) says the rest of what is to be done.
    pub(in crate::pool) fn step(&mut self, event: Event, now: Time, actions: &mut Vec<Action>) {
        match event {
            Event::Submitted(new) => {
                self.tickets += 1;
                let key = self.jobs.insert(Job::new(&new, self.tickets));
                debug_assert_eq!(key, new.key, "jobs have the keys they were promised");
                self.enqueue_last(key);
                if self.shutdown.is_some() {
                    self.finish(key, Fate::Cancelled, actions);
                }
            }
            Event::CancelAsked(job) => self.cancel(job, now, actions),
            Event::WorkerUp {
                worker,
                knows_begun,
            } => self.worker_up(worker, knows_begun, now),
            Event::Answered {
                worker,
                number,
                took,
            } => {
                self.answered(worker, number, took, now, actions);
            }
            Event::Skipped { worker, number } => {
                if let Some(worker) = self.workers.get_mut(worker) {
                    worker.remove(number, now);
                }
            }
            Event::Dropped { worker, number } => {
                if let Some(job) = self.take_sent(worker, number, now) {
                    self.finish(job, Fate::Cancelled, actions);
                }
            }
            Event::TakenBack {
                worker,
                number,
                was_sent,
            } => {
                self.taken_back(worker, number, was_sent, now, actions);
            }
            Event::AskedBack(worker) => self.asked_back(worker, actions),
            Event::WorkerEnded { worker, ending } => {
                self.worker_ended(worker, ending, now, actions);
            }
            Event::Shutdown(how) => self.shut_down(how, now, actions),
            Event::TimeUp => self.time_up(now, actions),
        }
    }

    /// Says what is to be done after all that has happened.
    pub(in crate::pool) fn settle(&mut self, now: Time, actions: &mut Vec<Action>) {
        self.dispatch(now, actions);
        self.staff(now, actions);
        self.rebalance(now, actions);
        self.wind_up(now, actions);
    }

    /// The numbers that a worker was sent, was not told to forget, and has not answered.
    pub(in crate::pool) fn sent_to(
        &self,
        worker: WorkerKey,
    ) -> impl Iterator<Item = (u32, JobKey)> {
        let sent = self.workers.get(worker).map(|worker| &worker.sent);
        sent.into_iter()
            .flatten()
            .filter_map(|sent| Some((sent.number, sent.job?)))
    }

    /// The job that a worker has under `number`, unless it was taken back.
    pub(in crate::pool) fn job_at(&self, worker: WorkerKey, number: u32) -> Option<JobKey> {
        let mut sent = self.workers.get(worker)?.sent.iter();
        sent.find(|sent| sent.number == number)?.job
    }

    /// Adds up how many workers and jobs are where.
    pub(in crate::pool) fn count_into(&self, statistics: &mut PoolStatistics) {
        for (_, worker) in &self.workers {
            *match worker.phase {
                Phase::Starting => &mut statistics.starting,
                Phase::Ending => &mut statistics.ending,
                Phase::Up if worker.sent.is_empty() => &mut statistics.idle,
                Phase::Up => &mut statistics.busy,
            } += 1;
        }
        statistics.queued = self.waiting;
        statistics.sent = self.jobs.len() - self.waiting;
        statistics.retried = self.retried;
        statistics.taken_back = self.taken_back;
    }

    pub(super) fn enqueue_last(&mut self, key: JobKey) {
        self.jobs[key].place = Place::Queued;
        self.queue.push_back((key, self.jobs[key].ticket));
        self.waiting += 1;
    }

    pub(super) fn enqueue_first(&mut self, key: JobKey) {
        self.jobs[key].place = Place::Queued;
        self.queue.push_front((key, self.jobs[key].ticket));
        self.waiting += 1;
    }

    /// The next job that waits, which does so no more.
    pub(super) fn dequeue(&mut self) -> Option<JobKey> {
        while let Some((key, ticket)) = self.queue.pop_front() {
            if self.is_waiting(key, ticket) {
                self.waiting -= 1;
                return Some(key);
            }
        }
        None
    }

    fn is_waiting(&self, key: JobKey, ticket: u64) -> bool {
        let job = self.jobs.get(key);
        job.is_some_and(|job| job.ticket == ticket && job.place == Place::Queued)
    }

    /// The next job that waits.
    pub(super) fn first_waiting(&mut self) -> Option<JobKey> {
        while let Some((key, ticket)) = self.queue.front().copied() {
            if self.is_waiting(key, ticket) {
                return Some(key);
            }
            self.queue.pop_front();
        }
        None
    }

    pub(super) fn finish(&mut self, key: JobKey, fate: Fate, actions: &mut Vec<Action>) {
        let job = self.jobs.remove(key);
        if job.place == Place::Queued {
            self.waiting -= 1;
        }
        actions.push(Action::Finish { job: key, fate });
    }

    /// The same for one that is with a worker, which goes on with it.
    pub(super) fn void_and_finish(&mut self, key: JobKey, fate: Fate, actions: &mut Vec<Action>) {
        if let Place::With(worker, number) = self.jobs[key].place {
            self.workers[worker].void(number);
        }
        self.finish(key, fate, actions);
    }

    /// The job that was sent under `number`, which is with the worker no more.
    pub(super) fn take_sent(
        &mut self,
        worker: WorkerKey,
        number: u32,
        now: Time,
    ) -> Option<JobKey> {
        self.workers.get_mut(worker)?.remove(number, now)?.job
    }

    fn answered(
        &mut self,
        worker: WorkerKey,
        number: u32,
        took: Duration,
        now: Time,
        actions: &mut Vec<Action>,
    ) {
        if let Some(job) = self.take_sent(worker, number, now) {
            let Job {
                function, calls, ..
            } = self.jobs[job];
            self.pace.learn(function, calls, took);
            self.finish(job, Fate::Answered, actions);
        }
    }

    fn cancel(&mut self, key: JobKey, _now: Time, actions: &mut Vec<Action>) {
        let Some(job) = self.jobs.get_mut(key) else {
            return;
        };
        if std::mem::replace(&mut job.is_cancelled, true) {
            return;
        }
        match job.place {
            Place::Queued => self.finish(key, Fate::Cancelled, actions),
            Place::With(worker, number) => actions.push(Action::TakeBack { worker, number }),
        }
    }

    fn taken_back(
        &mut self,
        key: WorkerKey,
        number: u32,
        was_sent: bool,
        now: Time,
        actions: &mut Vec<Action>,
    ) {
        let Some(worker) = self.workers.get_mut(key) else {
            return;
        };
        if was_sent {
            let Some(job) = worker.void(number) else {
                return;
            };
            match self.jobs[job].is_cancelled || self.jobs[job].is_withdrawn {
                true => self.finish(job, Fate::Cancelled, actions),
                false => {
                    self.taken_back += 1;
                    self.enqueue_first(job);
                }
            }
            return;
        }
        worker.has_begun_another |= worker.head().is_none_or(|(head, _)| head != number);
        let sent = worker.sent.iter().find(|sent| sent.number == number);
        let Some(job) = sent.and_then(|sent| sent.job) else {
            return;
        };
        if self.jobs[job].is_cancelled && worker.phase == Phase::Up {
            worker.drop_by.get_or_insert(now + self.settings.grace);
            actions.push(Action::Drop {
                worker: key,
                number,
            });
        }
    }

    fn asked_back(&mut self, key: WorkerKey, actions: &mut Vec<Action>) {
        let Some(worker) = self.workers.get_mut(key) else {
            return;
        };
        let has_begun_another = std::mem::take(&mut worker.has_begun_another);
        if worker.asking.take() == Some(Asking::ToKill) && !has_begun_another {
            self.kill(key, actions);
        }
    }

    pub(super) fn kill(&mut self, key: WorkerKey, actions: &mut Vec<Action>) {
        self.workers[key].phase = Phase::Ending;
        if self.killed.insert(key) {
            actions.push(Action::Kill(key));
        }
    }
}
