//! The state of a pool's thread: the machine, and what its orders are about.

use slab::Slab;
use treewright_supervisors::duration::Written;

use super::workers::WorkerData;
use crate::error::{CancelOrigin, CancelReason, Error, ErrorKind};
use crate::pool::error::WorkerLost;
use crate::pool::functions::Functions;
use crate::pool::inbox::{Request, Submission};
use crate::pool::job_data::JobData;
use crate::pool::machine::{
    Action, Begun, Ending, Event, Fate, JobKey, Machine, NewJob, Settings, WorkerKey,
};
use crate::pool::message::Subject;
use crate::pool::statistics::PoolStatistics;
use crate::process::Exit;
use crate::rt;

/// How a worker ended that ran a job.
#[derive(Debug)]
pub(super) struct Death {
    pub(super) exit: Option<Exit>,
    pub(super) error: Option<Error>,
}

/// The state of a pool's thread.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) machine: Machine,
    name: String,
    pub(super) jobs: Slab<JobData>,
    pub(super) workers: Slab<WorkerData>,
    functions: Functions,
    actions: Vec<Action>,
    /// Workers for which something waits to be sent.
    dirty: Vec<WorkerKey>,
    /// Workers that are to be started.
    pub(super) to_start: Vec<WorkerKey>,
    /// Why no worker came up, the last time.
    pub(super) start_error: Option<Error>,
    /// Of the worker that is just being buried.
    death: Option<(String, Death)>,
    /// Jobs that have ended, of which nobody was told yet.
    pub(super) ended: Vec<JobData>,
    pub(super) statistics: PoolStatistics,
    pub(super) has_ended: bool,
    pub(super) scratch: Vec<u8>,
}

impl Core {
    pub(super) fn new(name: String, settings: Settings) -> Self {
        Self {
            machine: Machine::new(settings),
            name,
            jobs: Slab::new(),
            workers: Slab::new(),
            functions: Functions::default(),
            actions: Vec::new(),
            dirty: Vec::new(),
            to_start: Vec::new(),
            start_error: None,
            death: None,
            ended: Vec::new(),
            statistics: PoolStatistics::default(),
            has_ended: false,
            scratch: Vec::new(),
        }
    }

    /// Takes in what was asked from outside.
    pub(super) fn ask(&mut self, request: Request) {
        match request {
            Request::Submit(submission) => self.submit(submission),
            Request::Cancel(slot) => {
                if let Some(key) = slot.key() {
                    self.step(Event::CancelAsked(key));
                }
            }
            Request::Shutdown(how) => self.step(Event::Shutdown(how)),
        }
    }

    fn submit(&mut self, submission: Submission) {
        let function = self
            .functions
            .number_of(submission.path, submission.signature);
        let key = self.machine.next_key();
        debug_assert_eq!(key, self.jobs.vacant_key(), "both count the same");
        submission.slot.set_key(key);
        let new = NewJob {
            key,
            function,
            calls: submission.calls.max(1),
            bytes: submission.args.len(),
            timeout: submission.timeout,
            retries: submission.retries,
        };
        self.jobs.insert(JobData::new(submission, function));
        self.step(Event::Submitted(new));
    }

    /// Tells the machine, and does what it orders.
    pub(super) fn step(&mut self, event: Event) {
        let mut actions = std::mem::take(&mut self.actions);
        self.machine.step(event, rt::now(), &mut actions);
        self.actions = actions;
        self.act();
    }

    /// Lets the machine decide what follows from all that was told.
    pub(super) fn settle(&mut self) {
        let mut actions = std::mem::take(&mut self.actions);
        self.machine.settle(rt::now(), &mut actions);
        let is_more = !actions.is_empty();
        self.actions = actions;
        self.act();
        if is_more {
            // What was taken back goes to others now.
            let mut actions = std::mem::take(&mut self.actions);
            self.machine.settle(rt::now(), &mut actions);
            self.actions = actions;
            self.act();
        }
    }

    fn act(&mut self) {
        while !self.actions.is_empty() {
            let mut actions = std::mem::take(&mut self.actions);
            for action in actions.drain(..) {
                self.execute(action);
            }
            // What was told meanwhile has brought about new ones; else the room is kept.
            if self.actions.is_empty() {
                self.actions = actions;
            }
        }
    }

    /// Tells the machine in the middle of its orders: what follows is done after them.
    fn answer(&mut self, event: Event) {
        let mut actions = std::mem::take(&mut self.actions);
        self.machine.step(event, rt::now(), &mut actions);
        self.actions = actions;
    }

    fn execute(&mut self, action: Action) {
        match action {
            Action::StartWorker(key) => self.start_worker(key),
            Action::Send {
                worker,
                number,
                job,
            } => self.send(worker, number, job),
            Action::TakeBack { worker, number } => {
                let was_sent = self.take_back(worker, number);
                self.answer(Event::TakenBack {
                    worker,
                    number,
                    was_sent,
                });
            }
            Action::AskBack(worker) => self.answer(Event::AskedBack(worker)),
            Action::Drop { worker, number } => {
                if let Some(data) = self.workers.get_mut(worker) {
                    data.outgoing.put((Subject::Cancel, number, 0, 0), &[]);
                    self.dirty.push(worker);
                }
            }
            Action::Stop(worker) => {
                self.workers[worker].wishes.stop.set();
            }
            Action::Kill(worker) => {
                self.workers[worker].wishes.kill.set();
            }
            Action::FinishCalls { job, calls, fate } => {
                let error = self.fault(job, fate);
                let data = &mut self.jobs[job];
                data.fail_first(calls, &error);
                data.slot().waits();
                let is_lost = matches!(fate, Fate::Lost { .. });
                self.statistics.lost += if is_lost { u64::from(calls) } else { 0 };
            }
            Action::Finish { job, fate } => self.finish(job, fate),
            Action::End => self.has_ended = true,
        }
    }

    fn start_worker(&mut self, key: WorkerKey) {
        self.statistics.started += 1;
        let name = format!("{}-{}", self.name, self.statistics.started);
        let inserted = self.workers.insert(WorkerData::new(name));
        debug_assert_eq!(inserted, key, "both count the same");
        self.to_start.push(key);
    }

    fn send(&mut self, worker: WorkerKey, number: u32, job: JobKey) {
        let (data, job) = (&mut self.workers[worker], &mut self.jobs[job]);
        let (path, signature) = self.functions.get(job.function);
        let function = data.number_of(job.function, path, signature);
        if let Some(ledger) = &data.ledger {
            ledger.send(number);
        }
        job.sent(data.ledger.clone(), number);
        let head = (Subject::Job, number, function, job.calls);
        data.outgoing.put_bytes(head, &job.args);
        self.dirty.push(worker);
    }

    fn take_back(&mut self, worker: WorkerKey, number: u32) -> bool {
        let data = self.workers.get(worker);
        let ledger = data.and_then(|data| data.ledger.as_ref());
        let is_back = ledger.is_some_and(|ledger| ledger.take_back(number));
        if let (true, Some(job)) = (is_back, self.machine.job_at(worker, number)) {
            self.jobs[job].slot().waits();
        }
        is_back
    }

    fn finish(&mut self, key: JobKey, fate: Fate) {
        if matches!(fate, Fate::Lost { .. }) {
            self.statistics.lost += u64::from(self.jobs[key].calls_left());
        }
        if fate != Fate::Answered {
            let error = self.fault(key, fate);
            self.jobs[key].fail(&error);
        }
        let statistics = &mut self.statistics;
        let data = self.jobs.remove(key);
        match (fate, data.answers.has_failure) {
            (Fate::Answered, false) => statistics.done += 1,
            (Fate::Cancelled, _) => statistics.cancelled += 1,
            _ => statistics.failed += 1,
        }
        data.slot().forget_key();
        self.ended.push(data);
    }

    /// The error for a call that came to nothing.
    fn fault(&self, job: JobKey, fate: Fate) -> Error {
        let (task, _) = self.functions.get(self.jobs[job].function);
        match fate {
            Fate::Lost { attempt } => self.lost(task, attempt),
            Fate::TimedOut { limit } => {
                let limit = Written(limit);
                let text =
                    format!("task `{task}` ran for more than {limit}, and its worker was killed");
                Error::new(ErrorKind::TimedOut, text)
            }
            Fate::NoWorkers => match &self.start_error {
                Some(error) => error.clone(),
                None => Error::new(ErrorKind::Spawn, "no worker could be started"),
            }
            .context(format!(
                "pool `{}` has no worker for task `{task}`",
                self.name
            )),
            Fate::Cancelled | Fate::Answered => Error::cancelled(
                CancelReason::new(CancelOrigin::Request)
                    .with_message(format!("the job of task `{task}` was cancelled")),
            ),
        }
    }

    fn lost(&self, task: &'static str, attempt: u32) -> Error {
        let (name, exit, error) = match &self.death {
            Some((name, death)) => (name.clone(), death.exit, death.error.as_ref()),
            None => (self.name.clone(), None, None),
        };
        let remote = error.and_then(Error::remote);
        let stderr = remote.map_or_else(Vec::new, |remote| remote.stderr().to_vec());
        WorkerLost::new(name, task, exit, attempt, stderr).into()
    }

    /// The process of a worker has ended, and all that it has said was heard.
    pub(super) fn bury(&mut self, worker: WorkerKey, was_up: bool, is_final: bool, death: Death) {
        // One that writes nonsense is believed no further; it has ended anyway.
        let _nonsense = self.drain(worker);
        let ending = match was_up {
            true => Ending::Up(self.begun(worker)),
            false => Ending::NeverUp { is_final },
        };
        let unsent: Vec<JobKey> = self.machine.sent_to(worker).map(|(_, job)| job).collect();
        for job in unsent {
            self.jobs[job].slot().waits();
        }
        if !was_up {
            self.start_error = death.error.clone();
        }
        let is_unasked = death
            .error
            .as_ref()
            .is_some_and(|error| !error.is_cancelled());
        self.statistics.died += u64::from(is_unasked || matches!(ending, Ending::Up(Some(_))));
        let data = self.workers.remove(worker);
        self.death = Some((data.name, death));
        self.step(Event::WorkerEnded { worker, ending });
        self.death = None;
    }

    /// What the worker was at.
    fn begun(&mut self, worker: WorkerKey) -> Option<Begun> {
        let data = &self.workers[worker];
        let (ledger, is_believed) = (data.ledger.clone(), data.is_believed);
        let sent = self.machine.sent_to(worker).find_map(|(number, job)| {
            let call = match &ledger {
                Some(ledger) => ledger.begun(number)?,
                // What was sent may have begun.
                None if is_believed => self.jobs[job].answered,
                None => u32::MAX,
            };
            Some((number, job, call))
        });
        let (number, job, call) = sent?;
        self.take_unfinished(worker, number, job);
        let data = &mut self.jobs[job];
        // Answers are with the kernel or in the ring before the next call begins, so one call at
        // most has none, unless the worker is not believed. Then all that may have run is lost.
        let unanswered = call.saturating_add(1).saturating_sub(data.answered);
        let calls_lost = unanswered.min(data.calls_left());
        let calls_left = data.calls_left() - calls_lost;
        data.forget_answered();
        Some(Begun {
            number,
            calls_lost,
            calls_left,
        })
    }

    /// Sends what there is to be sent.
    pub(super) fn flush(&mut self) {
        self.dirty.sort_unstable();
        self.dirty.dedup();
        for worker in self.dirty.drain(..) {
            if let Some(data) = self.workers.get_mut(worker)
                && !data.flush()
            {
                data.wishes.write.notify(usize::MAX);
            }
        }
    }
}
