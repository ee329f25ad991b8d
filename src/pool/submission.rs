//! A job that is submitted with settings of its own.

use std::time::Duration;

use super::error::Full;
use super::handle::{Manner, ProcessPool};
use super::job::Job;
use crate::error::Result;
use crate::tasks::{Call, Task};

/// How often an idempotent job is run again, unless said.
const RETRIES: u32 = 3;

/// A call that is about to be submitted, with settings of its own; from [`ProcessPool::job`].
///
/// # Examples
///
/// ```no_run
/// use std::time::Duration;
/// use treewright::ProcessPool;
///
/// #[treewright::task]
/// async fn fetch(url: String) -> String {
///     url
/// }
///
/// # async fn f(pool: ProcessPool) -> treewright::Result<()> {
/// let page = pool
///     .job(fetch("http://localhost/".to_owned()))
///     .timeout(Duration::from_secs(10))
///     .retries(2)
///     .submit()
///     .await?;
/// # Ok(()) }
/// ```
#[must_use = "a job does nothing until it is submitted"]
pub struct JobBuilder<'pool, T: Task> {
    pool: &'pool ProcessPool,
    call: Call<T>,
    manner: Manner,
}

impl ProcessPool {
    /// A call that is to be submitted with settings of its own.
    pub fn job<T: Task>(&self, call: Call<T>) -> JobBuilder<'_, T> {
        JobBuilder {
            pool: self,
            call,
            manner: self.manner(),
        }
    }
}

impl<T: Task> JobBuilder<'_, T> {
    /// How long it may run before its worker is killed. The time before it begins does not
    /// count.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.manner.timeout = Some(limit);
        self
    }

    /// It does no harm to run it twice: when its worker dies it is run again, up to three times
    /// unless [said](Self::retries). Not when it has run for too long.
    pub fn idempotent(mut self) -> Self {
        self.manner.retries = self.manner.retries.max(RETRIES);
        self
    }

    /// It does no harm to run it several times, and it is run again so often at most when its
    /// worker dies.
    pub fn retries(mut self, count: u32) -> Self {
        self.manner.retries = count;
        self
    }

    /// Submits it, as [`ProcessPool::submit`].
    pub fn submit(self) -> Job<T> {
        self.pool.put(&self.call, self.manner)
    }

    /// Submits it if there is room, as [`ProcessPool::try_submit`].
    ///
    /// # Errors
    ///
    /// [`Full`] with the call, if there is none.
    pub fn try_submit(self) -> Result<Job<T>, Full<T>> {
        let job = self.pool.try_put(&self.call, self.manner);
        job.ok_or(Full(self.call))
    }

    /// Submits it as soon as there is room, as [`ProcessPool::submit_wait`].
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, nothing was submitted.
    pub async fn submit_wait(self) -> Job<T> {
        self.pool.put_wait(&self.call, self.manner).await
    }
}

impl<T: Task> std::fmt::Debug for JobBuilder<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JobBuilder")
            .field("task", &T::PATH)
            .field("manner", &self.manner)
            .finish_non_exhaustive()
    }
}
