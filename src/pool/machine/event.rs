//! What a pool is told, and what it orders.

use std::time::Duration;

use super::Shutdown;

/// A job, by the number its owner has given it. A number is free again after
/// [`Action::Finish`].
pub(in crate::pool) type JobKey = usize;
/// A worker, by a number that is free again after [`Event::WorkerEnded`].
pub(in crate::pool) type WorkerKey = usize;

/// A job that was submitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pool) struct NewJob {
    pub(in crate::pool) key: JobKey,
    /// Jobs of one function take about as long.
    pub(in crate::pool) function: u32,
    /// How many calls it is.
    pub(in crate::pool) calls: u32,
    /// The length of its arguments.
    pub(in crate::pool) bytes: usize,
    /// How long it may run.
    pub(in crate::pool) timeout: Option<Duration>,
    /// How often it is run again when its worker dies.
    pub(in crate::pool) retries: u32,
}

/// What a worker was at when it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pool) struct Begun {
    /// The number of the job with the worker.
    pub(in crate::pool) number: u32,
    /// How many calls of it had begun and have no answer, or none that is believed.
    pub(in crate::pool) calls_lost: u32,
    /// How many calls are neither answered nor lost.
    pub(in crate::pool) calls_left: u32,
}

/// How a worker ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pool) enum Ending {
    /// It was up, and had perhaps begun this.
    Up(Option<Begun>),
    /// It never came up.
    NeverUp {
        /// It would not at another time, either.
        is_final: bool,
    },
}

/// What has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pool) enum Event {
    Submitted(NewJob),
    /// A job is wanted no more.
    CancelAsked(JobKey),
    /// A worker has run its initializer. `knows_begun`: it is known which jobs it begins.
    WorkerUp {
        worker: WorkerKey,
        knows_begun: bool,
    },
    /// All calls of a job are answered, after this time.
    Answered {
        worker: WorkerKey,
        number: u32,
        took: Duration,
    },
    /// A worker has come upon a job that was taken back.
    Skipped {
        worker: WorkerKey,
        number: u32,
    },
    /// A worker has dropped a job that was cancelled.
    Dropped {
        worker: WorkerKey,
        number: u32,
    },
    /// The answer to [`Action::TakeBack`].
    TakenBack {
        worker: WorkerKey,
        number: u32,
        was_sent: bool,
    },
    /// All answers to the orders to take jobs back that were given with [`Action::AskBack`]
    /// are there.
    AskedBack(WorkerKey),
    /// The process of a worker has ended. All its answers were told before.
    WorkerEnded {
        worker: WorkerKey,
        ending: Ending,
    },
    Shutdown(Shutdown),
    /// The time that [`Machine::deadline`](super::Machine::deadline) said has come. All
    /// answers that were there by then were told before.
    TimeUp,
}

/// How a job, or a call of it, came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pool) enum Fate {
    /// Its calls have their answers.
    Answered,
    /// It was cancelled.
    Cancelled,
    /// Its worker died, when it was run for the so-manieth time.
    Lost { attempt: u32 },
    /// It ran for longer than this.
    TimedOut { limit: Duration },
    /// There are no workers for it.
    NoWorkers,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pool) enum Action {
    StartWorker(WorkerKey),
    /// Send the job under this number. The number before is one less.
    Send {
        worker: WorkerKey,
        number: u32,
        job: JobKey,
    },
    /// Take the job back, if it has not begun.
    TakeBack {
        worker: WorkerKey,
        number: u32,
    },
    /// Say [`Event::AskedBack`].
    AskBack(WorkerKey),
    /// Have the running job dropped.
    Drop {
        worker: WorkerKey,
        number: u32,
    },
    /// A worker is to end in order; it has no job.
    Stop(WorkerKey),
    /// A worker is to end at once.
    Kill(WorkerKey),
    /// The first calls of a job came to this end, and its other calls go on.
    FinishCalls {
        job: JobKey,
        calls: u32,
        fate: Fate,
    },
    /// The job came to this end.
    Finish {
        job: JobKey,
        fate: Fate,
    },
    /// Everything is over.
    End,
}
