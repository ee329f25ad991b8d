//! What can be asked of a supervisor while it runs, and what it answers.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{ChildKey, ChildStatus, ExitReason, Incarnation, Links, Standing};
use crate::spec::{ChildName, ChildSpec, PoolSpec, SupervisorSpec};

/// Whom to answer; chosen by the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RequestId(pub u64);

/// What can be asked of a running supervisor.
///
/// The first eight are OTP's, with OTP's results. `Start`, `Stop` and `Restart` are the
/// operator's: a child that was stopped so is *held* down, also through group restarts,
/// until it is started again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Request {
    /// Add a child and start it.
    StartChild(Box<ChildSpec>),
    /// Add a member to a pool and start it (OTP's `start_child/2` on `simple_one_for_one`).
    StartMember {
        /// Appended to the template's arguments.
        args: Vec<toml::Value>,
    },
    /// Stop a child and leave it down; a temporary one is forgotten.
    TerminateChild(ChildRef),
    /// Start a child that is down.
    RestartChild(ChildName),
    /// Forget a child that is down.
    DeleteChild(ChildName),
    /// Read a child's spec.
    GetChildspec(ChildRef),
    /// List the children, the newest in start order first.
    WhichChildren,
    /// Look one child up.
    WhichChild(ChildName),
    /// Count the children.
    CountChildren,
    /// Start a child that is down, held or waiting; a waiting one does not wait any longer.
    Start(ChildName),
    /// Stop a child and hold it down.
    Stop(ChildName),
    /// Stop a child, if it runs, and start it.
    Restart(ChildName),
    /// Change the number of a pool's members.
    Scale(u32),
    /// Take over a new spec.
    Reload {
        /// The new spec of this supervisor.
        spec: Box<SupervisorSpec>,
        /// Its dependencies across supervisors.
        links: Links,
        /// How far to go.
        mode: ReloadMode,
    },
    /// Take over a new spec of a pool.
    ReloadPool {
        /// The new spec.
        spec: Box<PoolSpec>,
        /// How far to go.
        mode: ReloadMode,
    },
}

/// A child of a supervisor by name, or a member of a pool by its key (in OTP its pid).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChildRef {
    /// By name.
    Name(ChildName),
    /// A pool's member.
    Member(ChildKey),
}

impl From<&str> for ChildRef {
    fn from(name: &str) -> Self {
        Self::Name(name.into())
    }
}

impl From<ChildName> for ChildRef {
    fn from(name: ChildName) -> Self {
        Self::Name(name)
    }
}

impl From<&ChildName> for ChildRef {
    fn from(name: &ChildName) -> Self {
        Self::Name(name.clone())
    }
}

impl From<ChildKey> for ChildRef {
    fn from(member: ChildKey) -> Self {
        Self::Member(member)
    }
}

/// How far a reload goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReloadMode {
    /// Children are stopped, started and restarted until what runs is what the spec says.
    Act,
    /// As OTP's `code_change`: nothing is started, stopped or restarted; a new spec counts from the next start.
    MarkOnly,
}

/// The answer to a request.
pub type Reply = Result<Answer, RequestError>;

/// What a request that was granted is answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Answer {
    /// It is done.
    Done,
    /// The child runs as this incarnation; `None` if it said `ignore`.
    Child(Option<Incarnation>),
    /// A child's spec.
    Spec(Arc<ChildSpec>),
    /// The children.
    Children(Vec<ChildInfo>),
    /// How many children there are.
    Counts(ChildCounts),
}

/// Why a request was not granted.
#[derive(Clone, Debug, PartialEq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RequestError {
    /// A child of this name runs.
    #[error("a child of this name is already started")]
    AlreadyStarted(Incarnation),
    /// A child of this name is known, though it does not run.
    #[error("a child of this name is already present")]
    AlreadyPresent,
    /// No child is called so.
    #[error("no child is called so")]
    NotFound,
    /// The child runs.
    #[error("the child is running")]
    Running,
    /// The child is being restarted.
    #[error("the child is being restarted")]
    Restarting,
    /// A pool's members are not asked for in this way.
    #[error("not for the members of a pool (simple_one_for_one)")]
    SimpleOneForOne,
    /// Only a pool can do this.
    #[error("only a pool can do this")]
    NotAPool,
    /// The pool has as many members as it may.
    #[error("the pool has as many members as it may ({max})")]
    MaxChildren {
        /// How many it may have.
        max: u32,
    },
    /// The child did not start.
    #[error("the child did not start")]
    Failed(#[source] ExitReason),
    /// The spec is refused and nothing has changed.
    #[error("invalid spec: {0}")]
    Invalid(String),
    /// Somebody else's stop came first.
    #[error("the child was stopped by another request")]
    Superseded,
    /// The supervisor is ending or has ended (OTP's `noproc`).
    #[error("the supervisor is shutting down")]
    ShuttingDown,
}

/// One line of `which_children`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChildInfo {
    /// Its name.
    pub name: ChildName,
    /// Its key.
    pub key: ChildKey,
    /// What it is doing.
    pub status: ChildStatus,
    /// How it stands for those who depend on it; also whether it may yet come.
    pub standing: Standing,
    /// Its life, while it has one (OTP's pid).
    pub incarnation: Option<Incarnation>,
    /// Whether it is a supervisor or a pool.
    pub is_supervisor: bool,
    /// How often it was restarted since it was first started.
    pub restarts: u64,
    /// How it last ended.
    pub last_exit: Option<ExitReason>,
}

/// The answer of `count_children`, with OTP's columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChildCounts {
    /// Specs known; 1 for a pool.
    pub specs: usize,
    /// Children that have a process.
    pub active: usize,
    /// Children that are supervisors, running or not.
    pub supervisors: usize,
    /// Children that are not, running or not.
    pub workers: usize,
}
