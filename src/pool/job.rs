//! The handle of a job.

use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::driver::is_pool_thread;
use super::inbox::{Inbox, Request};
pub use super::slot::JobState;
use super::slot::Slot;
use crate::error::{Error, ErrorKind, Result};
use crate::tasks::Task;

/// A job of a [pool](crate::ProcessPool): a future of what the call gives.
///
/// It can be awaited on any runtime, sent to other threads, and waited for by a plain thread.
/// Dropping it cancels the job; [`detach`](Self::detach) lets it go on.
///
/// # Errors
///
/// As a future it gives what the task failed with, or its panic; one for which
/// [`Error::worker_lost`] gives something if the worker died; one for which
/// [`Error::is_timeout`] holds if it ran for too long, and [`Error::is_cancelled`] if it was
/// cancelled or its pool has ended.
///
/// # Panics
///
/// When it is polled again after it has given its result.
#[must_use = "dropping a job cancels it"]
pub struct Job<T: Task> {
    slot: Arc<Slot>,
    inbox: Arc<Inbox>,
    /// Dropping it cancels nothing any more.
    is_free: bool,
    task: PhantomData<fn() -> T>,
}

impl<T: Task> Job<T> {
    pub(super) fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    pub(super) fn new(slot: Arc<Slot>, inbox: Arc<Inbox>) -> Self {
        Self {
            slot,
            inbox,
            is_free: false,
            task: PhantomData,
        }
    }

    /// How far it is.
    #[must_use]
    pub fn state(&self) -> JobState {
        self.slot.state()
    }

    /// Whether it has ended, well or badly.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.state() == JobState::Finished
    }

    /// Cancels it. One that no worker has begun never runs. One that runs is dropped at its
    /// next await; if it comes to none within the grace of the pool, its worker is killed.
    /// What it gives is then an error for which [`Error::is_cancelled`] holds, unless it had
    /// ended before.
    pub fn cancel(&self) {
        self.inbox.ask(Request::Cancel(Arc::clone(&self.slot)));
    }

    /// Lets it go on; nobody will know what comes of it.
    pub fn detach(mut self) {
        self.is_free = true;
    }

    /// Blocks this thread until the job has ended, and gives its result.
    ///
    /// Not for async code, which it would hold up: that awaits the job.
    ///
    /// # Errors
    ///
    /// Those of the job; or at once on the thread of a pool, and for a pool
    /// [found by its name](crate::ProcessPool::connect) on the thread it was found on: nothing
    /// would go on there while it waits.
    pub fn result_blocking(self) -> Result<T::Value> {
        refuse_to_block(&self.inbox)?;
        futures_lite::future::block_on(self)
    }

    /// The same for a limited time. The job goes on when that is over.
    ///
    /// # Errors
    ///
    /// Those of the job; or one for which [`Error::is_timeout`] holds, after which it can be
    /// waited for again.
    pub fn result_timeout_blocking(&mut self, limit: Duration) -> Result<T::Value> {
        refuse_to_block(&self.inbox)?;
        match super::wait::block_for(limit, poll_fn(|cx| Pin::new(&mut *self).poll(cx))) {
            Some(outcome) => outcome,
            None => Err(Error::new(
                ErrorKind::TimedOut,
                format!("the job of task `{}` has not ended in time", T::PATH),
            )),
        }
    }
}

/// On the thread of a pool nothing would go on, nor on the one that speaks with a pool elsewhere.
pub(super) fn refuse_to_block(inbox: &Inbox) -> Result<()> {
    let text = match (is_pool_thread(), inbox.is_at_home()) {
        (true, _) => "the thread of a pool cannot block for a job",
        (false, true) => "the thread that speaks with a pool cannot block for its jobs",
        (false, false) => return Ok(()),
    };
    Err(Error::new(ErrorKind::Refused, text).with_hint("await it, or block another thread"))
}

impl<T: Task> Future for Job<T> {
    type Output = Result<T::Value>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        assert!(
            !self.is_free,
            "a job is polled after it has given its result"
        );
        let answers = ready!(self.slot.poll(cx));
        self.is_free = true;
        let outcome = answers.into_reader().next(T::PATH);
        let none = || {
            Err(Error::new(
                ErrorKind::Broken,
                "a job has ended without an answer",
            ))
        };
        Poll::Ready(outcome.unwrap_or_else(none))
    }
}

impl<T: Task> Drop for Job<T> {
    fn drop(&mut self) {
        if !self.is_free && !self.is_finished() {
            self.cancel();
        }
    }
}

impl<T: Task> fmt::Debug for Job<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("task", &T::PATH)
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}
