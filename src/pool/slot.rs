//! Where a job and whoever waits for it meet.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::answers::Answers;
use super::ledger::Ledger;
use super::machine::JobKey;

/// No job has that key.
const NO_KEY: usize = usize::MAX;

/// Where a job and whoever waits for it meet.
#[derive(Debug)]
pub(super) struct Slot {
    /// The key of the job; of interest to the pool's thread only.
    key: AtomicUsize,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    stage: Stage,
    waker: Option<Waker>,
}

#[derive(Debug)]
enum Stage {
    Waiting,
    /// It was sent to a worker, under that number.
    Sent(Option<Arc<Ledger>>, u32),
    Ended(Answers),
    /// What came of it was taken.
    Taken,
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JobState {
    /// No worker has begun it.
    Pending,
    /// A worker runs it; where that is not known, it was sent to one, or to the pool that was
    /// [found by its name](crate::ProcessPool::connect).
    Running,
    /// It has ended, well or badly.
    Finished,
}

impl Slot {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            key: AtomicUsize::new(NO_KEY),
            inner: Mutex::new(Inner {
                stage: Stage::Waiting,
                waker: None,
            }),
        })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_key(&self, key: JobKey) {
        self.key.store(key, Ordering::Relaxed);
    }

    /// The key of the job, while the pool has it.
    pub(super) fn key(&self) -> Option<JobKey> {
        let key = self.key.load(Ordering::Relaxed);
        (key != NO_KEY).then_some(key)
    }

    /// The job was sent to a worker.
    pub(super) fn sent(&self, ledger: Option<Arc<Ledger>>, number: u32) {
        self.inner().stage = Stage::Sent(ledger, number);
    }

    /// The job waits again.
    pub(super) fn waits(&self) {
        self.inner().stage = Stage::Waiting;
    }

    /// The pool has the job no more.
    pub(super) fn forget_key(&self) {
        self.key.store(NO_KEY, Ordering::Relaxed);
    }

    /// The job has ended. Whoever waits for it is to be woken.
    #[must_use]
    pub(super) fn end(&self, answers: Answers) -> Option<Waker> {
        self.key.store(NO_KEY, Ordering::Relaxed);
        let mut inner = self.inner();
        inner.stage = Stage::Ended(answers);
        inner.waker.take()
    }

    /// Waits for what came of the job, which is given once.
    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<Answers> {
        let mut inner = self.inner();
        match std::mem::replace(&mut inner.stage, Stage::Taken) {
            Stage::Ended(answers) => Poll::Ready(answers),
            stage => {
                inner.stage = stage;
                match &mut inner.waker {
                    Some(waker) => waker.clone_from(cx.waker()),
                    none => *none = Some(cx.waker().clone()),
                }
                Poll::Pending
            }
        }
    }

    pub(super) fn state(&self) -> JobState {
        match &self.inner().stage {
            Stage::Waiting => JobState::Pending,
            Stage::Sent(Some(ledger), number) if ledger.begun(*number).is_none() => {
                JobState::Pending
            }
            Stage::Sent(..) => JobState::Running,
            Stage::Ended(_) | Stage::Taken => JobState::Finished,
        }
    }
}
