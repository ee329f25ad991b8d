//! The jobs for a pool of another process as this side has them: does what [`machine`](super::machine)
//! says.

use std::time::Duration;

use bytes::Bytes;
use slab::Slab;

use super::machine::{Action, Event, Fate, Machine, Window};
use crate::error::{CancelOrigin, CancelReason, Error, ErrorContext, ErrorKind, Result};
use crate::pool::fault;
use crate::pool::functions::{self, Functions};
use crate::pool::inbox::{Request, Submission};
use crate::pool::job_data::JobData;
use crate::pool::ledger::unpack_time;
use crate::pool::message::{Incoming, Item, Outgoing, Subject};
use crate::pool::service::{Terms, Welcome};
use crate::pool::statistics::PoolStatistics;
use crate::wire::Codec;

/// The jobs for one pool.
#[derive(Debug)]
pub(super) struct Core {
    name: String,
    machine: Machine,
    jobs: Slab<(JobData, Terms)>,
    functions: Functions,
    pub(super) outgoing: Outgoing,
    incoming: Incoming,
    /// So many functions the pool was told of.
    told_functions: u32,
    told_terms: Option<Terms>,
    /// Why the pool is gone, or was not found.
    trouble: Option<Error>,
    /// Jobs that have ended, of which nobody was told yet.
    pub(super) ended: Vec<JobData>,
    pub(super) statistics: PoolStatistics,
    pub(super) wants_pool: bool,
    pub(super) has_ended: bool,
}

impl Core {
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            machine: Machine::new(),
            jobs: Slab::new(),
            functions: Functions::default(),
            outgoing: Outgoing::default(),
            incoming: Incoming::default(),
            told_functions: 0,
            told_terms: None,
            trouble: None,
            ended: Vec::new(),
            statistics: PoolStatistics::default(),
            wants_pool: false,
            has_ended: false,
        }
    }

    /// Takes in what was asked by handles.
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
        let terms = Terms {
            timeout: submission.timeout,
            retries: submission.retries,
        };
        let (bytes, retries) = (submission.args.len() as u64, submission.retries);
        let data = JobData::new(submission, function);
        self.jobs.insert((data, terms));
        self.step(Event::Submitted { bytes, retries });
    }

    /// The pool was found, and knows nothing of what was before.
    pub(super) fn up(&mut self, welcome: &Welcome) {
        self.outgoing = Outgoing::default();
        self.incoming = Incoming::default();
        (self.told_functions, self.told_terms) = (0, None);
        self.statistics = welcome.statistics;
        self.step(Event::Up(Window {
            jobs: welcome.jobs as usize,
            bytes: welcome.bytes,
        }));
    }

    /// The pool is gone, for this reason.
    pub(super) fn lost(&mut self, why: Error) {
        self.outgoing = Outgoing::default();
        self.trouble = Some(why);
        self.step(Event::Lost);
    }

    /// There is no pool, for this reason.
    pub(super) fn not_found(&mut self, why: Error) {
        self.trouble = Some(why);
        self.step(Event::NotFound);
    }

    fn step(&mut self, event: Event) {
        for action in self.machine.step(event) {
            self.execute(action);
        }
    }

    fn execute(&mut self, action: Action) {
        match action {
            Action::Connect => self.wants_pool = true,
            Action::Send { job, number } => self.send(job, number),
            Action::Cancel(number) => self.outgoing.put((Subject::Cancel, number, 0, 0), &[]),
            Action::Keep(job) => {
                let (data, _) = &mut self.jobs[job];
                data.forget_answered();
                data.slot().waits();
            }
            Action::Finish { job, fate } => {
                let (mut data, _) = self.jobs.remove(job);
                if fate != Fate::Answered {
                    let error = self.fault(data.function, fate);
                    data.fail(&error);
                }
                data.slot().forget_key();
                self.ended.push(data);
            }
            Action::End => self.has_ended = true,
        }
    }

    fn send(&mut self, job: usize, number: u32) {
        let (data, terms) = &mut self.jobs[job];
        while self.told_functions <= data.function {
            let next = self.told_functions;
            let (path, signature) = self.functions.get(next);
            let head = (Subject::Function, next, 0, 0);
            self.outgoing.put(head, &functions::tell(path, signature));
            self.told_functions += 1;
        }
        if self.told_terms != Some(*terms) {
            self.outgoing.put((Subject::Terms, 0, 0, 0), &terms.write());
            self.told_terms = Some(*terms);
        }
        data.sent(None, number);
        let head = (Subject::Job, number, data.function, data.calls);
        self.outgoing.put_bytes(head, &data.args);
    }

    fn fault(&self, function: u32, fate: Fate) -> Error {
        let (name, (task, _)) = (&self.name, self.functions.get(function));
        let trouble = || {
            let unknown = || Error::new(ErrorKind::Broken, "nothing is known of it");
            self.trouble.clone().unwrap_or_else(unknown)
        };
        match fate {
            Fate::Lost => Error::wrap(ErrorKind::LostProcess, trouble())
                .context(format!(
                    "pool `{name}` died when it had a job of task `{task}`"
                ))
                .with_hint("a job that may be run twice is submitted as `idempotent`"),
            Fate::NotFound => trouble().context(format!("no pool `{name}` for task `{task}`")),
            Fate::Cancelled | Fate::Answered => Error::cancelled(
                CancelReason::new(CancelOrigin::Request)
                    .with_message(format!("the job of task `{task}` was cancelled")),
            ),
        }
    }

    /// Takes in a message of the pool.
    pub(super) fn hear(&mut self, message: Bytes) -> Result<()> {
        self.incoming.push(message);
        while let Some(item) = self.incoming.next()? {
            match item.subject {
                Subject::Value | Subject::Failure | Subject::Fault => self.take_answer(&item),
                Subject::Statistics => self.take_statistics(&item)?,
                _ => return Err(Error::new(ErrorKind::Broken, "a word that no pool says")),
            }
        }
        Ok(())
    }

    fn take_statistics(&mut self, item: &Item) -> Result<()> {
        let statistics = Codec::Cbor.decode(&item.body);
        self.statistics = statistics.context("cannot read how a pool stands")?;
        Ok(())
    }

    /// The next call of a job came to this.
    fn take_answer(&mut self, item: &Item) {
        // One of a job that was cancelled may be late.
        let Some(job) = self.machine.job_at(item.number) else {
            return;
        };
        let (data, _) = &mut self.jobs[job];
        match item.subject {
            Subject::Fault => {
                let (task, _) = self.functions.get(data.function);
                data.answers.push_fault(fault::unpack(&item.body, task));
            }
            subject => data.answers.push_bytes(subject, item.body.clone()),
        }
        data.answered += 1;
        if data.calls_left() == 0 {
            let took = Duration::from_nanos(unpack_time(item.detail as u16));
            data.answers.took = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
            self.step(Event::Answered(item.number));
        }
    }
}
