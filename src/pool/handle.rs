//! The handle of a pool.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::answers::Answers;
use super::arguments::encode;
use super::builder::{Config, PoolBuilder};
use super::driver;
use super::error::Full;
use super::inbox::{Inbox, Refused, Request, Submission};
use super::job::{Job, refuse_to_block};
use super::machine::Shutdown;
use super::slot::Slot;
use super::statistics::PoolStatistics;
use crate::error::{Error, ErrorKind, Result};
use crate::tasks::{Call, Task};

/// A pool of worker processes.
///
/// Calls of [tasks](macro@crate::task) are submitted as jobs, and each runs in whichever worker
/// has time, one after the other in each. The handle is cheap to clone, and is used from any
/// thread and any runtime: a thread of the pool's own sees to the workers.
///
/// A worker that is killed, runs out of memory, aborts or exits costs the job that it ran at
/// that moment, and no other: that job fails with [`WorkerLost`](crate::WorkerLost), or is run
/// again if it may be. A new worker takes its place. The pool itself never breaks.
///
/// Dropping the last handle cancels all jobs and kills the workers, without waiting for that;
/// see [`shutdown`](Self::shutdown) for other ways.
///
/// # Examples
///
/// ```no_run
/// use treewright::ProcessPool;
///
/// #[treewright::task]
/// async fn is_prime(n: u64) -> bool {
///     n > 1 && (2..).take_while(|d| d * d <= n).all(|d| n % d != 0)
/// }
///
/// fn main() -> treewright::Result<()> {
///     treewright::bootstrap();
///     let pool = ProcessPool::builder().workers(4).build()?;
///     let job = pool.submit(is_prime(112_272_535_095_293));
///     println!("{}", job.result_blocking()?);
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct ProcessPool(Arc<Handle>);

struct Handle {
    inbox: Arc<Inbox>,
    name: String,
    workers: AtomicUsize,
    timeout: Option<Duration>,
}

/// Dropped with the last handle.
impl Drop for Handle {
    fn drop(&mut self) {
        self.inbox.ask(Request::Shutdown(Shutdown::Now));
    }
}

/// How one job is to be run.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Manner {
    pub(super) timeout: Option<Duration>,
    pub(super) retries: u32,
}

impl ProcessPool {
    /// A pool with the usual settings: one worker per core, started when there are jobs for
    /// them.
    ///
    /// # Errors
    ///
    /// As [`PoolBuilder::build`].
    pub fn new() -> Result<Self> {
        Self::builder().build()
    }

    /// Settings for a pool.
    pub fn builder() -> PoolBuilder {
        PoolBuilder::new()
    }

    pub(super) fn start(config: Config) -> Result<Self> {
        let inbox = Arc::new(Inbox::new(config.queue_bound));
        let handle = Handle {
            inbox: Arc::clone(&inbox),
            name: config.name.clone(),
            workers: AtomicUsize::new(config.settings.workers),
            timeout: config.timeout,
        };
        driver::start(config, inbox)?;
        Ok(Self(Arc::new(handle)))
    }

    /// The handle of one that somebody else has, of which the workers are counted later.
    pub(super) fn of_another_process(
        inbox: Arc<Inbox>,
        name: String,
        timeout: Option<Duration>,
    ) -> Self {
        Self(Arc::new(Handle {
            inbox,
            name,
            workers: AtomicUsize::new(1),
            timeout,
        }))
    }

    pub(super) fn set_workers(&self, count: usize) {
        self.0.workers.store(count, Ordering::Relaxed);
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// How many workers it has at most.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.0.workers.load(Ordering::Relaxed)
    }

    /// Submits a call. Never waits: where the pool has as many jobs as it
    /// [takes](PoolBuilder::queue_bound), was shut down, or cannot encode the arguments, the job
    /// that this gives has failed already.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # use treewright::ProcessPool;
    /// # #[treewright::task]
    /// # async fn double(n: u32) -> u32 { 2 * n }
    /// # async fn f(pool: ProcessPool) -> treewright::Result<()> {
    /// let (one, other) = (pool.submit(double(1)), pool.submit(double(2)));
    /// assert_eq!((one.await?, other.await?), (2, 4));
    /// # Ok(()) }
    /// ```
    pub fn submit<T: Task>(&self, call: Call<T>) -> Job<T> {
        self.put(&call, self.manner())
    }

    /// Submits a call if the pool has room for it.
    ///
    /// # Errors
    ///
    /// [`Full`] with the call, if it has as many jobs as it [takes](PoolBuilder::queue_bound).
    pub fn try_submit<T: Task>(&self, call: Call<T>) -> Result<Job<T>, Full<T>> {
        self.try_put(&call, self.manner()).ok_or(Full(call))
    }

    /// Submits a call as soon as the pool has room for it.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, nothing was submitted, and the call is lost.
    pub async fn submit_wait<T: Task>(&self, call: Call<T>) -> Job<T> {
        self.put_wait(&call, self.manner()).await
    }

    /// How the pool stands.
    #[must_use]
    pub fn statistics(&self) -> PoolStatistics {
        self.0.inbox.statistics()
    }

    /// Takes no more jobs, deals with those there are as `how` says, and waits until the
    /// last worker is gone.
    ///
    /// # Cancel safety
    ///
    /// Safe: the pool goes on being shut down. It can be called again, for a faster way, too.
    pub async fn shutdown(&self, how: Shutdown) {
        self.0.inbox.ask(Request::Shutdown(how));
        self.0.inbox.wait_until_over().await;
    }

    /// The same for a plain thread, which it blocks.
    ///
    /// # Errors
    ///
    /// If this is the thread of a pool, which nothing may block.
    pub fn shutdown_blocking(&self, how: Shutdown) -> Result<()> {
        refuse_to_block(&self.0.inbox)?;
        futures_lite::future::block_on(self.shutdown(how));
        Ok(())
    }

    /// How jobs are run unless something else is said.
    pub(super) fn manner(&self) -> Manner {
        Manner {
            timeout: self.0.timeout,
            retries: 0,
        }
    }

    /// Submits a call; what keeps it from running is what comes of it.
    pub(super) fn put<T: Task>(&self, call: &Call<T>, manner: Manner) -> Job<T> {
        self.try_put(call, manner).unwrap_or_else(|| {
            let text = format!("pool `{}` has as many jobs as it takes", self.0.name);
            let error = Error::new(ErrorKind::Refused, text);
            self.failed(error.with_hint("wait for room with `submit_wait`, or raise `queue_bound`"))
        })
    }

    /// The same as soon as there is room.
    pub(super) async fn put_wait<T: Task>(&self, call: &Call<T>, manner: Manner) -> Job<T> {
        loop {
            match self.try_put(call, manner) {
                Some(job) => return job,
                None => self.0.inbox.wait_for_room().await,
            }
        }
    }

    pub(super) fn inbox(&self) -> &Arc<Inbox> {
        &self.0.inbox
    }

    /// The same, unless there is no room.
    pub(super) fn try_put<T: Task>(&self, call: &Call<T>, manner: Manner) -> Option<Job<T>> {
        if !self.0.inbox.has_room() {
            return None;
        }
        let args = match encode(call) {
            Ok(args) => args,
            Err(error) => return Some(self.failed(error)),
        };
        let slot = Slot::new();
        let submission = Submission {
            slot: Arc::clone(&slot),
            path: T::PATH,
            signature: T::SIGNATURE,
            args,
            calls: 0,
            timeout: manner.timeout,
            retries: manner.retries,
        };
        match self.0.inbox.submit(submission) {
            Ok(()) => Some(Job::new(slot, Arc::clone(&self.0.inbox))),
            Err((Refused::Full, _)) => None,
            Err((Refused::Closed, _)) => Some(self.failed(self.closed())),
        }
    }

    pub(super) fn closed(&self) -> Error {
        let text = format!("pool `{}` was shut down", self.0.name);
        Error::new(ErrorKind::Closed, text)
    }

    fn failed<T: Task>(&self, error: Error) -> Job<T> {
        let (slot, mut answers) = (Slot::new(), Answers::default());
        answers.push_fault(error);
        let _nobody_waits = slot.end(answers);
        Job::new(slot, Arc::clone(&self.0.inbox))
    }
}

impl fmt::Debug for ProcessPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessPool")
            .field("name", &self.0.name)
            .field("statistics", &self.statistics())
            .finish_non_exhaustive()
    }
}
