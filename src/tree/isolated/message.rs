//! What the process of an isolated supervisor and the one above it tell each other.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use treewright_supervisors::spec::{ChildName, ChildSpec};
use treewright_supervisors::supervisor::{
    ExitReason, Incarnation, Links, Reply, Request, Standing, SupervisorReport,
};

use crate::tree::log::PassedSettings;

/// What the process begins with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Beginning {
    /// What the tree is called.
    pub(super) tree: String,
    pub(super) spec: ChildSpec,
    pub(super) incarnation: Incarnation,
    /// The dependencies of the supervisors it runs.
    pub(super) links: BTreeMap<ChildName, Links>,
    pub(super) seed: u64,
    pub(super) log: PassedSettings,
}

/// What the process is told.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Order {
    /// One of its supervisors shall stop.
    Shutdown(ChildName),
    /// One of its supervisors shall kill what it has.
    Kill(ChildName),
    /// How things stand with something that one of its supervisors depends on.
    Dependency {
        supervisor: ChildName,
        child: ChildName,
        standing: Standing,
    },
    /// Somebody asks one of its supervisors.
    Ask {
        supervisor: ChildName,
        request: Request,
        to: u64,
        /// The dependencies of all its supervisors from now on, with a new spec.
        links: Option<BTreeMap<ChildName, Links>>,
        /// Whether whoever asks waits for those below as well.
        has_below: bool,
    },
}

/// What the process tells.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::tree) enum News {
    /// Its supervisor has started.
    Started,
    /// Its supervisor has (or no longer has) nothing that runs or waits.
    Idle(bool),
    /// Its supervisor did not start; that was the last of it.
    StartFailed(ExitReason),
    /// Its supervisor has ended; that was the last of it.
    Exited(ExitReason),
    /// A supervisor below has begun.
    Entered {
        supervisor: ChildName,
        number: u64,
    },
    /// A supervisor below is over.
    Left {
        supervisor: ChildName,
        number: u64,
    },
    Report(Box<SupervisorReport>),
    Standing {
        child: ChildName,
        standing: Standing,
    },
    /// A child has a process.
    Alive {
        child: ChildName,
        number: u64,
    },
    /// It has none any more.
    Dead {
        number: u64,
    },
    /// How a child ended by itself, for the exit code of the tree.
    Ended {
        child: ChildName,
        code: Option<u8>,
        is_success: bool,
    },
    /// The answer to a request.
    Reply {
        to: u64,
        reply: Reply,
    },
    /// What one below answered to it.
    BelowReply {
        to: u64,
        reply: Reply,
    },
    /// All below have answered.
    BelowDone {
        to: u64,
    },
    /// A child that was added is there no more.
    Forgot(ChildName),
    /// An actor is up.
    ActorUp {
        child: ChildName,
        number: u64,
    },
    /// It is not any more.
    ActorDown {
        number: u64,
    },
}

impl News {
    /// Whether this was the last.
    pub(super) fn is_last(&self) -> bool {
        matches!(self, Self::StartFailed(_) | Self::Exited(_))
    }
}
