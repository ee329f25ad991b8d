//! One child of a supervisor.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    ActorSpec, ChildName, PoolSpec, ProcessSpec, Shutdown, Signal, SupervisorSpec, WorkersSpec,
};

/// One child of a supervisor (OTP's `child_spec()`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChildSpec {
    /// Its name (OTP's `id`).
    pub name: ChildName,
    /// When it is started again after it ended.
    pub restart: RestartType,
    /// Whether its end can end the supervisor, see [`AutoShutdown`](super::AutoShutdown).
    pub significant: bool,
    /// How it is stopped.
    pub shutdown: Shutdown,
    /// How long it is waited before it is started again.
    pub backoff: Backoff,
    /// Which ends count as success.
    pub success: Success,
    /// What "started" means.
    pub start: StartCondition,
    /// Time from the spawn in which it must count as started; no limit when absent.
    pub start_timeout: Option<Duration>,
    /// What must hold before each of its starts.
    pub depends_on: BTreeMap<ChildName, Condition>,
    /// What it is.
    pub kind: ChildKind,
}

/// What a child is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChildKind {
    /// An OS command.
    Process(Box<ProcessSpec>),
    /// A registered function in a process of its own.
    Actor(Box<ActorSpec>),
    /// Many children alike.
    Pool(Box<PoolSpec>),
    /// A supervisor with children of its own.
    Supervisor(Box<SupervisorSpec>),
    /// Workers of the pool API, behind one process.
    Workers(Box<WorkersSpec>),
    /// A closure of the running program, attached by name when the tree is run; only in the builder.
    Local,
}

/// When a child is started again after it ended (OTP's `restart`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestartType {
    /// Always.
    Permanent,
    /// When it ended in failure.
    Transient,
    /// Never; it is forgotten when it has ended.
    Temporary,
}

impl RestartType {
    /// Its word in a file and in OTP.
    ///
    /// ```
    /// # use treewright_supervisors::spec::RestartType;
    /// assert_eq!(RestartType::Permanent.word(), "permanent");
    /// ```
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Permanent => "permanent",
            Self::Transient => "transient",
            Self::Temporary => "temporary",
        }
    }
}

/// What must have happened for a child to count as started; the next child waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StartCondition {
    /// Its process exists.
    Spawned,
    /// Its `ready` probe said so.
    Ready,
    /// It has ended in success.
    Completed,
}

/// What a dependent waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// The other child counts as started.
    Started,
    /// The other child is ready; without a `ready` probe the same as started.
    Ready,
    /// The other child has ended in success.
    Completed,
}

/// Which ends of a process count as success.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Success {
    /// Exit codes.
    pub codes: BTreeSet<i32>,
    /// Signals it may die by.
    pub signals: BTreeSet<Signal>,
}

/// How long it is waited before a child is started again.
///
/// Before the n-th restart in a row, counted from 0, the delay is
/// `min(initial × factorⁿ, max)`, shortened by a random part of up to `jitter` of it.
/// A child that stayed up for `reset_after` begins again at `initial`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Backoff {
    /// Delay before the first restart; zero is OTP's "at once", for every restart.
    pub initial: Duration,
    /// Growth from one restart to the next, at least 1.
    pub factor: f64,
    /// The longest delay.
    pub max: Duration,
    /// The part of the delay that is random, 0 to 1.
    pub jitter: f64,
    /// Uptime after which the next restart counts as the first.
    pub reset_after: Duration,
}

impl ChildKind {
    /// The world the child is started in; none for supervisors and local closures.
    ///
    /// For a pool it is its members' world.
    #[must_use]
    pub fn exec(&self) -> Option<&super::ExecSpec> {
        match self {
            Self::Process(process) => Some(&process.exec),
            Self::Actor(actor) => Some(&actor.exec),
            Self::Workers(workers) => Some(&workers.exec),
            Self::Pool(pool) => pool.template.kind.exec(),
            Self::Supervisor(_) | Self::Local => None,
        }
    }

    /// Whether it has children of its own (OTP's `type => supervisor`).
    #[must_use]
    pub fn is_supervisor(&self) -> bool {
        matches!(self, Self::Supervisor(_) | Self::Pool(_))
    }
}
