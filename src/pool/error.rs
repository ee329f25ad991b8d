//! What goes wrong with jobs beside their own failures.

use std::fmt;

use crate::error::{Error, ErrorKind};
use crate::process::{Exit, ExitStatus};
use crate::tasks::{Call, Task};

/// The worker that ran a job has died of it, or beside it: what an [`Error`] holds for which
/// [`Error::worker_lost`] gives something.
///
/// # Examples
///
/// ```no_run
/// use treewright::ProcessPool;
///
/// #[treewright::task]
/// async fn crash() {
///     std::process::abort();
/// }
///
/// # async fn f(pool: ProcessPool) {
/// let error = pool.submit(crash()).await.unwrap_err();
/// if let Some(lost) = error.worker_lost() {
///     println!("its worker {} in attempt {}", lost.exit(), lost.attempt());
/// }
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct WorkerLost {
    worker: String,
    task: &'static str,
    exit: ExitStatus,
    attempt: u32,
    stderr: Vec<u8>,
}

impl WorkerLost {
    pub(super) fn new(
        worker: String,
        task: &'static str,
        exit: Option<Exit>,
        attempt: u32,
        stderr: Vec<u8>,
    ) -> Self {
        let exit = exit.map_or(ExitStatus::Lost, |exit| exit.reason);
        Self::told(worker, task, exit, attempt, stderr)
    }

    /// One of which another process has told.
    pub(super) fn told(
        worker: String,
        task: &'static str,
        exit: ExitStatus,
        attempt: u32,
        stderr: Vec<u8>,
    ) -> Self {
        Self {
            worker,
            task,
            exit,
            attempt,
            stderr,
        }
    }

    /// How the process of the worker ended.
    #[must_use]
    pub fn exit(&self) -> ExitStatus {
        self.exit
    }

    /// How many times the job was run by then, this time included.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The name of the worker.
    #[must_use]
    pub fn worker(&self) -> &str {
        &self.worker
    }

    /// What the worker wrote last to its standard error.
    #[must_use]
    pub fn stderr(&self) -> &[u8] {
        &self.stderr
    }
}

impl fmt::Display for WorkerLost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            worker,
            task,
            exit,
            attempt,
            ..
        } = self;
        write!(f, "worker `{worker}` {exit} while it ran task `{task}`")?;
        match attempt {
            0 | 1 => Ok(()),
            _ => write!(f, ", in attempt {attempt}"),
        }
    }
}

impl std::error::Error for WorkerLost {}

impl From<WorkerLost> for Error {
    #[track_caller]
    fn from(lost: WorkerLost) -> Self {
        Self::wrap(ErrorKind::LostProcess, lost)
    }
}

impl Error {
    /// How the worker of a [pool](crate::ProcessPool) died that ran the job, if that is why
    /// the job failed.
    #[must_use]
    pub fn worker_lost(&self) -> Option<&WorkerLost> {
        self.downcast_ref()
    }
}

/// A pool took no more jobs; here is the call again.
#[derive(thiserror::Error)]
#[error("the pool has as many jobs as it takes")]
pub struct Full<T: Task>(pub Call<T>);

impl<T: Task> fmt::Debug for Full<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Full").field(&T::PATH).finish()
    }
}
