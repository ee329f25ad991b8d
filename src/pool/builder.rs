//! Settings for a pool.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use log::LevelFilter;
use treewright_supervisors::spec::{Backoff, Limit, Rlimit};

use super::handle::ProcessPool;
use super::machine::Settings;
use super::worker::FirstCall;
use crate::error::{Error, Result};
use crate::nursery::{ActorBuilder, Nursery, SpawnMethod};
use crate::tasks::{Call, Task};

/// Settings for a pool, from [`ProcessPool::builder`].
///
/// # Examples
///
/// ```no_run
/// use std::time::Duration;
/// use treewright::ProcessPool;
///
/// #[treewright::task]
/// async fn load_model(path: String) -> Result<(), std::io::Error> {
///     std::fs::read(path).map(drop)
/// }
///
/// # fn f() -> treewright::Result<()> {
/// let pool = ProcessPool::builder()
///     .workers(2)
///     .initializer(load_model("/opt/model".to_owned()))
///     .max_tasks_per_child(1000)
///     .timeout(Duration::from_secs(60))
///     .build()?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct PoolBuilder {
    config: Config,
    /// Why it cannot be built.
    fault: Option<Error>,
}

/// What the thread of a pool goes by.
#[derive(Debug, Clone)]
pub(super) struct Config {
    pub(super) name: String,
    pub(super) settings: Settings,
    pub(super) initializer: Option<FirstCall>,
    pub(super) queue_bound: usize,
    pub(super) timeout: Option<Duration>,
    method: SpawnMethod,
    exe: Option<PathBuf>,
    env: BTreeMap<OsString, Option<OsString>>,
    cwd: Option<PathBuf>,
    rlimits: BTreeMap<Rlimit, Limit>,
    boot_timeout: Option<Duration>,
    log_level: Option<LevelFilter>,
}

impl Config {
    /// Refuses a pool that could never run a job.
    fn check(&self) -> Result<()> {
        let zeros = [
            (
                self.settings.workers == 0,
                "0 workers",
                "give it one at least, or leave `workers` out for one per core",
            ),
            (
                self.settings.tasks_per_worker == Some(0),
                "workers that are replaced after 0 jobs",
                "leave `max_tasks_per_child` out for workers that stay",
            ),
            (
                self.queue_bound == 0,
                "room for 0 jobs",
                "leave `queue_bound` out for any number of them",
            ),
        ];
        match zeros.into_iter().find(|(is_zero, ..)| *is_zero) {
            Some((_, what, hint)) => {
                let text = format!("pool `{}` cannot have {what}", self.name);
                Err(Error::other(text).with_hint(hint))
            }
            None => Ok(()),
        }
    }

    /// One of its workers.
    pub(super) fn actor<'env>(&self, n: &Nursery<'env>, name: &str) -> ActorBuilder<'env> {
        let mut actor = n.actor(name).spawn_method(self.method.clone());
        actor = actor.grace(self.settings.grace);
        if let Some(exe) = &self.exe {
            actor = actor.exe(exe);
        }
        for (name, value) in &self.env {
            actor = match value {
                Some(value) => actor.env(name, value),
                None => actor.env_remove(name),
            };
        }
        if let Some(cwd) = &self.cwd {
            actor = actor.cwd(cwd);
        }
        for (limit, value) in &self.rlimits {
            actor = actor.rlimit(*limit, *value);
        }
        if let Some(limit) = self.boot_timeout {
            actor = actor.boot_timeout(limit);
        }
        if let Some(level) = self.log_level {
            actor = actor.log_level(level);
        }
        actor
    }
}

impl PoolBuilder {
    pub(super) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let config = Config {
            name: "pool".to_owned(),
            settings: Settings {
                workers: cores,
                tasks_per_worker: None,
                grace: Duration::from_secs(5),
                intensity: 10,
                period: Duration::from_secs(1),
                backoff: Backoff {
                    initial: Duration::from_millis(50),
                    factor: 2.0,
                    max: Duration::from_secs(5),
                    jitter: 0.0,
                    reset_after: Duration::from_secs(60),
                },
                start_attempts: 3,
                idle_limit: None,
                kept: 0,
            },
            initializer: None,
            queue_bound: usize::MAX,
            timeout: None,
            method: SpawnMethod::default(),
            exe: None,
            env: BTreeMap::new(),
            cwd: None,
            rlimits: BTreeMap::new(),
            boot_timeout: None,
            log_level: None,
        };
        Self {
            config,
            fault: None,
        }
    }

    /// How many workers it has at most; one per core unless said.
    pub fn workers(mut self, count: usize) -> Self {
        self.config.settings.workers = count;
        self
    }

    /// What it is called, in logs and errors; its workers are `NAME-1` and so on. `pool`
    /// unless said.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.config.name = name.into();
        self
    }

    /// What each worker runs before its first job. When it fails, the worker ends; when no
    /// worker comes up, the jobs that wait fail with what it failed with, and the next job
    /// makes the pool try again.
    pub fn initializer<T: Task>(mut self, call: Call<T>) -> Self {
        match FirstCall::of(&call) {
            Ok(first) => self.config.initializer = Some(first),
            Err(error) => self.fault = Some(error),
        }
        self
    }

    /// After how many jobs a worker is replaced by a new one; never unless said.
    pub fn max_tasks_per_child(mut self, count: u64) -> Self {
        self.config.settings.tasks_per_worker = Some(count);
        self
    }

    /// How many jobs there may be that have not ended; any number unless said. At the bound
    /// [`submit`](ProcessPool::submit) gives jobs that have failed,
    /// [`try_submit`](ProcessPool::try_submit) gives the call back, and
    /// [`submit_wait`](ProcessPool::submit_wait) waits.
    pub fn queue_bound(mut self, count: usize) -> Self {
        self.config.queue_bound = count;
        self
    }

    /// How long a job may run before its worker is killed, unless that is said of the job;
    /// for ever unless said.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.config.timeout = Some(limit);
        self
    }

    /// How long a job that was cancelled may take to come to an await, and a worker to end
    /// in order, before they are killed. 5 seconds unless said.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.config.settings.grace = grace;
        self
    }

    /// So many workers may die within this time and be replaced at once; after that there
    /// is a [pause](Self::backoff) before the next one. 10 within a second unless said.
    pub fn restart_limit(mut self, intensity: u32, period: Duration) -> Self {
        self.config.settings.intensity = intensity;
        self.config.settings.period = period;
        self
    }

    /// How long the pauses are between workers that die one after the other, or do not come up.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.config.settings.backoff = backoff;
        self
    }

    /// Whether all workers are started at once, and kept; else they are started when there
    /// are jobs for them, as is usual.
    pub fn eager(mut self, is_eager: bool) -> Self {
        self.config.settings.kept = if is_eager { usize::MAX } else { 0 };
        self
    }

    /// So many workers are started at once, and kept; the others when there are jobs for them.
    /// None unless said, and all with [`eager`](Self::eager).
    pub fn kept(mut self, count: usize) -> Self {
        self.config.settings.kept = count;
        self
    }

    /// When a worker ends that has nothing to do and is not [kept](Self::kept); never unless
    /// said.
    pub fn idle_limit(mut self, limit: Duration) -> Self {
        self.config.settings.idle_limit = Some(limit);
        self
    }

    /// How the processes of the workers are brought about; see [`SpawnMethod`].
    ///
    /// Workers behind a launcher share no memory with this process, so each gets one job
    /// at a time, and one that was sent counts as begun. A worker that is a thread cannot be
    /// killed.
    pub fn spawn_method(mut self, method: SpawnMethod) -> Self {
        self.config.method = method;
        self
    }

    /// The program that the workers are, as [`ActorBuilder::exe`].
    pub fn exe(mut self, path: impl Into<PathBuf>) -> Self {
        self.config.exe = Some(path.into());
        self
    }

    /// Sets a variable of the workers' environment.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.config.env.insert(name.into(), Some(value.into()));
        self
    }

    /// Keeps a variable from being inherited.
    pub fn env_remove(mut self, name: impl Into<OsString>) -> Self {
        self.config.env.insert(name.into(), None);
        self
    }

    /// The directory the workers are started in.
    pub fn cwd(mut self, path: impl Into<PathBuf>) -> Self {
        self.config.cwd = Some(path.into());
        self
    }

    /// A resource limit of each worker, soft and hard.
    pub fn rlimit(mut self, limit: Rlimit, value: Limit) -> Self {
        self.config.rlimits.insert(limit, value);
        self
    }

    /// How long a worker may take until its process is up; 10 seconds unless said.
    pub fn boot_timeout(mut self, limit: Duration) -> Self {
        self.config.boot_timeout = Some(limit);
        self
    }

    /// Up to which level the workers log, as [`ActorBuilder::log_level`].
    pub fn log_level(mut self, level: LevelFilter) -> Self {
        self.config.log_level = Some(level);
        self
    }

    /// Makes the pool, and starts its thread.
    ///
    /// # Errors
    ///
    /// If it is to have no workers at all, workers that are replaced before their first job, or room
    /// for no job; if the arguments of the initializer cannot be
    /// encoded, or if its thread cannot be started.
    pub fn build(self) -> Result<ProcessPool> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        self.config.check()?;
        ProcessPool::start(self.config)
    }
}
