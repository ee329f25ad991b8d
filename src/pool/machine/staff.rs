//! Starting and ending workers: how many there are, what their ends mean, when time is up.

use super::event::{Action, Begun, Ending, Fate, JobKey, WorkerKey};
use super::state::Machine;
use super::worker::{Asking, Phase, Worker};
use crate::time::Time;
use treewright_supervisors::supervisor::backoff_delay;

impl Machine {
    /// Starts workers for the jobs that wait, replaces those that are used up, and ends
    /// those that have had nothing to do for long.
    pub(super) fn staff(&mut self, now: Time, actions: &mut Vec<Action>) {
        self.retire(now, actions);
        if now < self.not_before {
            return;
        }
        while self.wants_worker() {
            let key = self.workers.insert(Worker::new(now));
            self.killed.remove(&key);
            actions.push(Action::StartWorker(key));
        }
    }

    fn wants_worker(&self) -> bool {
        if self.workers.len() >= self.settings.workers {
            return false;
        }
        let starting = self.workers.iter();
        let starting = starting.filter(|(_, worker)| worker.phase == Phase::Starting);
        let is_asked_for = self.waiting > starting.count();
        is_asked_for || (self.workers.len() < self.settings.kept && self.shutdown.is_none())
    }

    fn retire(&mut self, now: Time, actions: &mut Vec<Action>) {
        let (most, idle_limit) = (self.settings.tasks_per_worker, self.settings.idle_limit);
        let mut spare = self.spare();
        for (key, worker) in &mut self.workers {
            let is_used_up = most.is_some_and(|most| worker.given >= most);
            let is_bored = idle_limit.is_some_and(|limit| now >= worker.since + limit);
            if worker.is_idle() && (is_used_up || (is_bored && spare > 0)) {
                spare = spare.saturating_sub(1);
                worker.phase = Phase::Ending;
                actions.push(Action::Stop(key));
            }
        }
    }

    /// How many workers there are beyond those that are kept.
    fn spare(&self) -> usize {
        let workers = self.workers.iter();
        let staying = workers.filter(|(_, worker)| worker.phase != Phase::Ending);
        staying.count().saturating_sub(self.settings.kept)
    }

    pub(super) fn worker_up(&mut self, key: WorkerKey, knows_begun: bool, now: Time) {
        let Some(worker) = self.workers.get_mut(key) else {
            return;
        };
        self.failed_starts = 0;
        worker.knows_begun = knows_begun;
        worker.since = now;
        // One that was told to end meanwhile goes on doing so.
        if worker.phase == Phase::Starting {
            worker.phase = Phase::Up;
        }
    }

    pub(super) fn worker_ended(
        &mut self,
        key: WorkerKey,
        ending: Ending,
        now: Time,
        actions: &mut Vec<Action>,
    ) {
        if !self.workers.contains(key) {
            return;
        }
        let worker = self.workers.remove(key);
        let was_told = worker.phase == Phase::Ending;
        let was_killed = self.killed.remove(&key);
        let begun = match ending {
            Ending::Up(begun) => begun,
            Ending::NeverUp { .. } => None,
        };
        // From the last to the first, so that they wait in the order they had.
        for sent in worker.sent.iter().rev() {
            let Some(job) = sent.job else { continue };
            match begun.filter(|begun| begun.number == sent.number) {
                Some(begun) => self.lose(job, begun, actions),
                None if self.jobs[job].is_cancelled || self.jobs[job].is_withdrawn => {
                    self.finish(job, Fate::Cancelled, actions);
                }
                // It was killed for a job that it had not even begun in all that time.
                None if self.jobs[job].is_timed_out => {
                    let fate = self.jobs[job].timed_out();
                    self.finish(job, fate, actions);
                }
                None => self.enqueue_first(job),
            }
        }
        match ending {
            Ending::NeverUp { is_final } if !was_told => self.start_failed(is_final, now, actions),
            Ending::Up(_) if !was_told || (was_killed && self.shutdown.is_none()) => {
                self.count_death(now);
            }
            _ => {}
        }
    }

    /// The worker died that ran a call of this job.
    fn lose(&mut self, key: JobKey, begun: Begun, actions: &mut Vec<Action>) {
        let job = &mut self.jobs[key];
        if begun.calls_lost == 0 {
            // It died between two calls.
            job.calls = begun.calls_left;
            return match begun.calls_left {
                0 => self.finish(key, Fate::Answered, actions),
                _ => self.enqueue_first(key),
            };
        }
        job.attempts += 1;
        let fate = match (job.is_cancelled, job.is_timed_out) {
            (true, _) => return self.finish(key, Fate::Cancelled, actions),
            (_, true) => job.timed_out(),
            _ if job.retries > 0 => {
                job.retries -= 1;
                self.retried += u64::from(begun.calls_lost);
                job.calls = begun.calls_left + begun.calls_lost;
                return self.enqueue_first(key);
            }
            _ => Fate::Lost {
                attempt: job.attempts,
            },
        };
        job.is_timed_out = false;
        if begun.calls_left == 0 {
            return self.finish(key, fate, actions);
        }
        job.calls = begun.calls_left;
        actions.push(Action::FinishCalls {
            job: key,
            calls: begun.calls_lost,
            fate,
        });
        match self.jobs[key].is_withdrawn {
            true => self.finish(key, Fate::Cancelled, actions),
            false => self.enqueue_first(key),
        }
    }

    /// A worker died that was up. The first that do are replaced at once.
    fn count_death(&mut self, now: Time) {
        let (intensity, period) = (self.settings.intensity, self.settings.period);
        match self.window.count(now, intensity, period) {
            Some(_) => self.streak = 0,
            None => {
                let delay = backoff_delay(&self.settings.backoff, self.streak, 0.0);
                self.streak = self.streak.saturating_add(1);
                self.not_before = now + delay;
            }
        }
    }

    /// A worker never came up. When none is there and none comes, jobs need not wait.
    fn start_failed(&mut self, is_final: bool, now: Time, actions: &mut Vec<Action>) {
        self.failed_starts += 1;
        let has_others = self
            .workers
            .iter()
            .any(|(_, worker)| worker.phase != Phase::Ending);
        let is_hopeless = is_final || self.failed_starts >= self.settings.start_attempts;
        if !has_others && is_hopeless {
            self.failed_starts = 0;
            while let Some(job) = self.dequeue() {
                // `dequeue` has counted it already.
                self.waiting += 1;
                self.finish(job, Fate::NoWorkers, actions);
            }
            // An eager pool tries again as well, but not at once.
        }
        let delay = backoff_delay(&self.settings.backoff, self.failed_starts, 0.0);
        self.not_before = match (is_hopeless && !has_others, self.settings.kept > 0) {
            (true, false) => now,
            _ => now + delay,
        };
    }

    /// Does what is due: workers whose jobs have had their time are killed, unless the job
    /// has just ended.
    pub(super) fn time_up(&mut self, now: Time, actions: &mut Vec<Action>) {
        let overdue: Vec<WorkerKey> = self
            .workers
            .iter()
            .filter(|(_, worker)| self.kill_at(worker).is_some_and(|at| now >= at))
            .map(|(key, _)| key)
            .collect();
        for key in overdue {
            let worker = &mut self.workers[key];
            let Some((head, job)) = worker.head() else {
                continue;
            };
            let limit = self.jobs[job].limit();
            self.jobs[job].is_timed_out = limit.is_some_and(|limit| now >= worker.since + limit);
            worker.asking = Some(Asking::ToKill);
            worker.has_begun_another = false;
            let others = worker.sent.iter().rev().filter(|sent| sent.job.is_some());
            let others = others
                .map(|sent| sent.number)
                .filter(|number| *number != head);
            actions.extend(others.map(|number| Action::TakeBack {
                worker: key,
                number,
            }));
            actions.push(Action::AskBack(key));
        }
    }

    /// When a worker is to be killed for what it runs.
    fn kill_at(&self, worker: &Worker) -> Option<Time> {
        if worker.phase != Phase::Up || worker.asking.is_some() {
            return None;
        }
        let (_, job) = worker.head()?;
        let limit = self.jobs[job].limit().map(|limit| worker.since + limit);
        [limit, worker.drop_by].into_iter().flatten().min()
    }

    /// When [`Event::TimeUp`](super::Event::TimeUp) is due.
    pub(in crate::pool) fn deadline(&self) -> Option<Time> {
        let kills = self
            .workers
            .iter()
            .filter_map(|(_, worker)| self.kill_at(worker));
        let start = self.starts_later().then_some(self.not_before);
        let limit = self.settings.idle_limit.filter(|_| self.spare() > 0);
        let bored = self.workers.iter().filter(|(_, worker)| worker.is_idle());
        let bored = bored.filter_map(|(_, worker)| Some(worker.since + limit?));
        kills
            .chain(start)
            .chain(bored)
            .chain(self.rebalance_at())
            .min()
    }

    fn starts_later(&self) -> bool {
        self.wants_worker()
    }
}
