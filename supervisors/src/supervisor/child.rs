//! One child, and the one enum that says what it is doing.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{ChildKey, ExitReason, Incarnation, Member};
use crate::Time;
use crate::spec::{ChildKind, ChildName, ChildSpec, RestartType};

/// A child as the supervisor keeps it.
#[derive(Clone, Debug)]
pub(super) struct Child {
    /// Its name; a pool's member has one of its own.
    pub(super) name: ChildName,
    /// What it is. Shared with the actions that start it, and by a pool's members.
    pub(super) spec: Arc<ChildSpec>,
    /// What its present life was started with: by that it is judged whether it has started.
    pub(super) started_with: Arc<ChildSpec>,
    /// Which member of a pool it is.
    pub(super) member: Option<Member>,
    /// Where it stands in the start order.
    pub(super) position: Position,
    /// Counts its starts; news of an earlier one is late.
    pub(super) epoch: u64,
    /// When it was last started.
    pub(super) started_at: Time,
    /// What it is doing.
    pub(super) state: ChildState,
    /// Whether it was added while the supervisor ran, and is in no spec.
    pub(super) is_added: bool,
    /// Restarts in a row, for the backoff.
    pub(super) attempts: u32,
    /// How often it counted as started.
    pub(super) starts: u64,
    /// How it last ended.
    pub(super) last_exit: Option<ExitReason>,
}

/// A place in the start order. Gaps mean nothing.
pub(super) type Position = u64;

/// What a child is doing. Exactly one of these at any time.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ChildState {
    /// Nothing runs and nothing is planned (OTP's `undefined`).
    Down,
    /// As `Down`, because it ended by itself in success.
    Completed,
    /// The operator stopped it; nothing but the operator starts it.
    Held,
    /// Waits for its backoff (OTP's `restarting`).
    Waiting { until: Time },
    /// Would start, but something it depends on does not hold yet.
    Gated { cause: StartCause },
    /// Asked to start and does not count as started yet.
    Starting {
        cause: StartCause,
        deadline: Option<Time>,
        is_ready: bool,
    },
    /// Counts as started.
    Running {
        since: Time,
        is_ready: bool,
        is_idle: bool,
    },
    /// Asked to stop.
    Stopping { next: AfterStop },
}

/// Why a child is being started; decides what a failure of the start means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StartCause {
    /// The supervisor's own start.
    Initial,
    /// A restart by the strategy; failing counts as one more restart.
    Restart,
    /// `start_child`: failing forgets the child.
    Added,
    /// `restart_child` and the operator's requests: failing leaves it down.
    Asked,
}

/// What happens to a child when it has stopped.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum AfterStop {
    /// It stays down (or the pass under way starts it again).
    Down,
    /// It is held.
    Hold,
    /// It is started again because somebody asked.
    Start,
    /// It was stopped for being unhealthy: as if it had ended with this reason.
    Failed(ExitReason),
    /// It was stopped for not having started: its start failed with this reason.
    StartFailed(StartCause, ExitReason),
}

/// What a child is doing, as `which_children` and `status` show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChildStatus {
    /// Nothing runs and nothing is planned (OTP's `undefined`).
    Down,
    /// As `Down`, because it ended by itself in success.
    Completed,
    /// The operator stopped it.
    Held,
    /// Waits for its backoff (OTP's `restarting`).
    Restarting {
        /// When it is started.
        until: Time,
    },
    /// Waits for something it depends on.
    Gated,
    /// Is starting.
    Starting,
    /// Runs.
    Running,
    /// Is being stopped.
    Stopping,
}

impl Child {
    pub(super) fn new(name: ChildName, spec: Arc<ChildSpec>, member: Option<Member>) -> Self {
        Self {
            name,
            started_with: Arc::clone(&spec),
            spec,
            member,
            position: 0,
            epoch: 0,
            started_at: Time::ORIGIN,
            state: ChildState::Down,
            is_added: false,
            attempts: 0,
            starts: 0,
            last_exit: None,
        }
    }

    pub(super) fn incarnation(&self, child: ChildKey) -> Incarnation {
        Incarnation {
            child,
            epoch: self.epoch,
        }
    }

    pub(super) fn is_temporary(&self) -> bool {
        self.spec.restart == RestartType::Temporary
    }

    /// Whether it has a `ready` probe; without one it is ready as soon as it counts as started.
    pub(super) fn is_probed(&self) -> bool {
        has_ready_probe(&self.started_with.kind)
    }
}

/// Whether a child of this kind has a `ready` probe of its own. A pool's is that of its members:
/// the pool counts as started when they do.
pub(super) fn has_ready_probe(kind: &ChildKind) -> bool {
    !kind.is_supervisor() && kind.exec().is_some_and(|exec| exec.ready.is_some())
}

impl ChildState {
    /// Whether nothing runs and nothing is planned (OTP's `undefined`).
    pub(super) fn is_down(&self) -> bool {
        matches!(self, Self::Down | Self::Completed)
    }

    /// Whether something of it may exist in the operating system.
    pub(super) fn is_live(&self) -> bool {
        matches!(
            self,
            Self::Starting { .. } | Self::Running { .. } | Self::Stopping { .. }
        )
    }

    /// Whether it starts or runs, and nobody has asked it to stop.
    pub(super) fn is_up(&self) -> bool {
        matches!(self, Self::Starting { .. } | Self::Running { .. })
    }

    /// Whether it runs or waits for something, so that the tree has not come to its end.
    pub(super) fn is_busy(&self) -> bool {
        !matches!(
            self,
            Self::Down | Self::Completed | Self::Running { is_idle: true, .. }
        )
    }

    /// When the machine must look at it again.
    pub(super) fn deadline(&self) -> Option<Time> {
        match self {
            Self::Waiting { until } => Some(*until),
            Self::Starting { deadline, .. } => *deadline,
            _ => None,
        }
    }

    pub(super) fn status(&self) -> ChildStatus {
        match self {
            Self::Down => ChildStatus::Down,
            Self::Completed => ChildStatus::Completed,
            Self::Held => ChildStatus::Held,
            Self::Waiting { until } => ChildStatus::Restarting { until: *until },
            Self::Gated { .. } => ChildStatus::Gated,
            Self::Starting { .. } => ChildStatus::Starting,
            Self::Running { .. } => ChildStatus::Running,
            Self::Stopping { .. } => ChildStatus::Stopping,
        }
    }
}
