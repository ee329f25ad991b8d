//! What becomes of jobs for a pool of another process: when they are sent, and what the end of
//! that process means for them.

use std::collections::{BTreeMap, HashMap};

use slab::Slab;

use crate::pool::machine::{JobKey, Shutdown};

/// How much may be open at the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) jobs: usize,
    /// Of arguments, unless they are those of one job.
    pub(super) bytes: u64,
}

/// What has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// A job, with the length of its arguments, that may be run again so often.
    Submitted {
        bytes: u64,
        retries: u32,
    },
    CancelAsked(JobKey),
    /// The pool was found.
    Up(Window),
    /// The pool is gone, with all it was sent.
    Lost,
    /// The pool was not found.
    NotFound,
    /// All calls of the job with this number are answered.
    Answered(u32),
    Shutdown(Shutdown),
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// Find the pool.
    Connect,
    Send {
        job: JobKey,
        number: u32,
    },
    /// Ask the pool to cancel.
    Cancel(u32),
    /// It waits to be sent once more.
    Keep(JobKey),
    Finish {
        job: JobKey,
        fate: Fate,
    },
    /// Nothing is left to do, nor will be.
    End,
}

/// How a job came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Answered,
    Cancelled,
    /// The pool had it when it died.
    Lost,
    /// There is no pool.
    NotFound,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Down,
    Connecting,
    Up(Window),
}

#[derive(Debug)]
struct Job {
    /// By which those that wait are in order.
    ticket: u64,
    bytes: u64,
    retries: u32,
    /// With the pool, under this number.
    sent: Option<u32>,
    is_cancelled: bool,
}

/// The jobs for one pool.
#[derive(Debug)]
pub(super) struct Machine {
    phase: Phase,
    jobs: Slab<Job>,
    /// Those that wait, in order.
    queue: BTreeMap<u64, JobKey>,
    /// Those that the pool has.
    sent: HashMap<u32, JobKey>,
    /// Of the arguments of those.
    bytes: u64,
    tickets: u64,
    next_number: u32,
    shutdown: Option<Shutdown>,
    has_ended: bool,
}

impl Machine {
    /// The pool is being looked for.
    pub(super) fn new() -> Self {
        Self {
            phase: Phase::Connecting,
            jobs: Slab::new(),
            queue: BTreeMap::new(),
            sent: HashMap::new(),
            bytes: 0,
            tickets: 0,
            next_number: 0,
            shutdown: None,
            has_ended: false,
        }
    }

    /// The key of the next job.
    pub(super) fn next_key(&self) -> JobKey {
        self.jobs.vacant_key()
    }

    /// The job that the pool has under this number.
    pub(super) fn job_at(&self, number: u32) -> Option<JobKey> {
        self.sent.get(&number).copied()
    }

    pub(super) fn step(&mut self, event: Event) -> Vec<Action> {
        let mut actions = Vec::new();
        match event {
            Event::Submitted { bytes, retries } => self.submitted(bytes, retries, &mut actions),
            Event::CancelAsked(job) => self.cancel(job, &mut actions),
            Event::Up(window) => self.phase = Phase::Up(window),
            Event::Lost => self.lost(&mut actions),
            Event::NotFound => {
                self.phase = Phase::Down;
                self.finish_queued(Fate::NotFound, &mut actions);
            }
            Event::Answered(number) => {
                if let Some(job) = self.job_at(number) {
                    self.finish(job, Fate::Answered, &mut actions);
                }
            }
            Event::Shutdown(how) => self.shut_down(how, &mut actions),
        }
        self.fill(&mut actions);
        self.wind_up(&mut actions);
        actions
    }

    fn submitted(&mut self, bytes: u64, retries: u32, actions: &mut Vec<Action>) {
        let ticket = self.tickets;
        self.tickets += 1;
        let job = self.jobs.insert(Job {
            ticket,
            bytes,
            retries,
            sent: None,
            is_cancelled: false,
        });
        self.queue.insert(ticket, job);
        if self.shutdown.is_some() {
            self.finish(job, Fate::Cancelled, actions);
        }
    }

    fn cancel(&mut self, key: JobKey, actions: &mut Vec<Action>) {
        let Some(job) = self.jobs.get_mut(key) else {
            return;
        };
        match job.sent {
            None => self.finish(key, Fate::Cancelled, actions),
            Some(number) => {
                job.is_cancelled = true;
                actions.push(Action::Cancel(number));
            }
        }
    }

    fn lost(&mut self, actions: &mut Vec<Action>) {
        self.phase = Phase::Down;
        let mut sent: Vec<JobKey> = self.sent.drain().map(|(_, job)| job).collect();
        sent.sort_unstable_by_key(|job| self.jobs[*job].ticket);
        self.bytes = 0;
        for key in sent {
            let job = &mut self.jobs[key];
            job.sent = None;
            match (job.is_cancelled, job.retries) {
                (true, _) => self.finish(key, Fate::Cancelled, actions),
                (false, 0) => self.finish(key, Fate::Lost, actions),
                (false, _) => {
                    job.retries -= 1;
                    self.queue.insert(job.ticket, key);
                    actions.push(Action::Keep(key));
                }
            }
        }
    }

    fn shut_down(&mut self, how: Shutdown, actions: &mut Vec<Action>) {
        self.shutdown = self.shutdown.max(Some(how));
        if how >= Shutdown::CancelPending {
            self.finish_queued(Fate::Cancelled, actions);
        }
        if how == Shutdown::Now {
            let sent: Vec<JobKey> = self.sent.values().copied().collect();
            for job in sent {
                self.finish(job, Fate::Cancelled, actions);
            }
        }
    }

    fn finish_queued(&mut self, fate: Fate, actions: &mut Vec<Action>) {
        for job in std::mem::take(&mut self.queue).into_values() {
            self.finish(job, fate, actions);
        }
    }

    fn finish(&mut self, key: JobKey, fate: Fate, actions: &mut Vec<Action>) {
        let job = self.jobs.remove(key);
        self.queue.remove(&job.ticket);
        if let Some(number) = job.sent {
            self.sent.remove(&number);
            self.bytes -= job.bytes;
        }
        actions.push(Action::Finish { job: key, fate });
    }

    /// Sends as much as there is room for, and wants a pool if there is none.
    fn fill(&mut self, actions: &mut Vec<Action>) {
        match self.phase {
            Phase::Down if !self.queue.is_empty() => {
                self.phase = Phase::Connecting;
                actions.push(Action::Connect);
            }
            Phase::Down | Phase::Connecting => {}
            Phase::Up(window) => {
                while let Some(entry) = self.queue.first_entry() {
                    let key = *entry.get();
                    let bytes = self.bytes + self.jobs[key].bytes;
                    let fits = self.sent.is_empty() || bytes <= window.bytes;
                    if self.sent.len() >= window.jobs.max(1) || !fits {
                        return;
                    }
                    entry.remove();
                    let number = self.new_number();
                    self.jobs[key].sent = Some(number);
                    self.sent.insert(number, key);
                    self.bytes = bytes;
                    actions.push(Action::Send { job: key, number });
                }
            }
        }
    }

    /// A number that the pool has no job under.
    fn new_number(&mut self) -> u32 {
        loop {
            let number = self.next_number;
            self.next_number = number.wrapping_add(1);
            if !self.sent.contains_key(&number) {
                return number;
            }
        }
    }

    fn wind_up(&mut self, actions: &mut Vec<Action>) {
        if self.shutdown.is_some() && self.jobs.is_empty() && !self.has_ended {
            self.has_ended = true;
            actions.push(Action::End);
        }
    }
}
