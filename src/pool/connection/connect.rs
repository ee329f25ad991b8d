//! Finding a pool by its name.

use std::sync::Arc;
use std::time::Duration;

use futures_core::future::LocalBoxFuture;

use super::line::Line;
use super::seek::Seeker;
use crate::error::{Error, ErrorKind, Result};
use crate::pool::handle::ProcessPool;
use crate::pool::inbox::Inbox;
use crate::portal::Portal;
use crate::rt::channel;
use crate::undertaker;

/// How long a pool that is gone is waited for, unless said.
const PATIENCE: Duration = Duration::from_secs(10);

/// A pool that is about to be found by its name, from [`ProcessPool::connect`]: awaited, it
/// gives the handle.
#[derive(Debug)]
#[must_use = "nothing is looked for before it is awaited"]
pub struct ConnectPool {
    seeker: Seeker,
    waits: bool,
    queue_bound: usize,
    timeout: Option<Duration>,
}

impl ProcessPool {
    /// The pool of this name in the tree of the actor that runs this code: `[pool.NAME]` with
    /// neither `run` nor `task`, or [`Child::workers`](crate::Child::workers).
    ///
    /// What this gives is used as any other pool, with some differences:
    ///
    /// - The workers are those of the tree, and all who have found the pool share them. Dropping
    ///   the last of these handles, or [`shutdown`](Self::shutdown), ends the jobs that were
    ///   submitted over them, and not the pool.
    /// - It goes on as long as the runtime on which it was found; other threads may use it
    ///   meanwhile, and block for its jobs. On that thread itself jobs are awaited.
    /// - A job that the pool was sent counts as running.
    /// - The process of the pool may die. That costs the jobs that it had: they fail with an error
    ///   of kind [`LostProcess`](crate::ErrorKind::LostProcess), or are run again if they
    ///   [may be](crate::JobBuilder::idempotent). The supervisor starts it again, and jobs that
    ///   are submitted next wait for that, as long as there is [patience](ConnectPool::patience).
    /// - [`statistics`](Self::statistics) are those that came with the last answer.
    ///
    /// Any [task](macro@crate::task) that the program of the pool has can be run, public or not.
    /// At most 4096 jobs, and 64 MiB of arguments, are on their way to the pool or in it; the
    /// others wait here.
    ///
    /// # Errors
    ///
    /// If there is no actor of this name, or it is no pool, or cannot be reached; if no runtime
    /// runs on this thread.
    ///
    /// # Cancel safety
    ///
    /// Safe: nothing is left of it.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use treewright::ProcessPool;
    ///
    /// #[treewright::task]
    /// async fn square(n: u64) -> u64 {
    ///     n * n
    /// }
    ///
    /// /// In any actor of a tree that has `[pool.squares]`.
    /// #[treewright::task]
    /// async fn sum_of_squares(to: u64) -> treewright::Result<u64> {
    ///     let pool = ProcessPool::connect("squares").await?;
    ///     let mut squares = pool.map((0..to).map(square));
    ///     let mut sum = 0;
    ///     while let Some(square) = squares.try_next().await? {
    ///         sum += square;
    ///     }
    ///     Ok(sum)
    /// }
    /// ```
    pub fn connect(name: impl Into<String>) -> ConnectPool {
        ConnectPool {
            seeker: Seeker {
                name: name.into(),
                through: None,
                patience: PATIENCE,
            },
            waits: false,
            queue_bound: usize::MAX,
            timeout: None,
        }
    }
}

impl ConnectPool {
    /// Waits until there is such a pool.
    pub fn wait(mut self) -> Self {
        self.waits = true;
        self
    }

    /// Looks for it in the tree of this actor: it may be one that was [joined](crate::join).
    pub fn through(mut self, portal: &Portal) -> Self {
        self.seeker.through = Some(portal.clone());
        self
    }

    /// How many jobs there may be that have not ended, as
    /// [`PoolBuilder::queue_bound`](crate::PoolBuilder::queue_bound); any number unless said.
    pub fn queue_bound(mut self, count: usize) -> Self {
        self.queue_bound = count.max(1);
        self
    }

    /// How long a job may run before its worker is killed, unless that is said of the job; for
    /// ever unless said.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    /// How long jobs wait for a pool that is gone before they fail; 10 seconds unless said. The
    /// next job has it looked for again.
    pub fn patience(mut self, limit: Duration) -> Self {
        self.seeker.patience = limit;
        self
    }

    async fn find(self) -> Result<ProcessPool> {
        let undertaker = undertaker::current()?;
        let inbox = Arc::new(Inbox::of_this_thread(self.queue_bound));
        let name = self.seeker.name.clone();
        // Dropped before all is done, it ends the line.
        let pool = ProcessPool::of_another_process(Arc::clone(&inbox), name, self.timeout);
        let (tell, told) = channel::bounded(1);
        // Beside all scopes: none of whoever asks ends what others use.
        let line = Line::new(self.seeker, inbox);
        undertaker.run_until_the_end("pool of another process", line.run(self.waits, tell));
        let workers = told.recv().await.unwrap_or_else(|_| {
            Err(Error::new(
                ErrorKind::Closed,
                "the runtime of this thread has ended",
            ))
        })?;
        pool.set_workers(workers);
        Ok(pool)
    }
}

impl IntoFuture for ConnectPool {
    type Output = Result<ProcessPool>;
    type IntoFuture = LocalBoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.find())
    }
}
