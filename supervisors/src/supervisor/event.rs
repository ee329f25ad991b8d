//! What a supervisor is told, and what it wants done.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{ExitReason, Reply, Request, RequestId, Standing, SupervisorReport};
use crate::Time;
use crate::spec::{ChildName, ChildSpec, Shutdown};

/// A child of one supervisor, for as long as the supervisor knows it. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChildKey(pub(super) u64);

/// One life of a child: every start makes a new one, as every start makes a new pid in OTP.
///
/// News that carries an earlier incarnation than the child's present one changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Incarnation {
    /// The child.
    pub child: ChildKey,
    /// Counts the child's starts, from 1.
    pub epoch: u64,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// The supervisor shall start its children. Only the first counts.
    Start,
    /// The child's process exists; a child that is a supervisor has finished its own start.
    Started {
        /// The child's life this is about.
        incarnation: Incarnation,
    },
    /// The child's `ready` probe said so.
    Ready {
        /// The child's life this is about.
        incarnation: Incarnation,
    },
    /// The child did not come to run; nothing of it is left.
    StartFailed {
        /// The child's life this is about.
        incarnation: Incarnation,
        /// What failed.
        why: ExitReason,
    },
    /// The child said it does not want to run now (OTP's `ignore`).
    Ignored {
        /// The child's life this is about.
        incarnation: Incarnation,
    },
    /// The child ended by itself; nothing of it is left.
    Exited {
        /// The child's life this is about.
        incarnation: Incarnation,
        /// How it ended.
        reason: ExitReason,
    },
    /// A probe found the child to be no use, or it did not become ready in time. It still runs.
    Unhealthy {
        /// The child's life this is about.
        incarnation: Incarnation,
        /// What the probe saw.
        why: ExitReason,
    },
    /// An [`Action::StopChild`] is done; nothing of the child is left.
    Stopped {
        /// The child's life this is about.
        incarnation: Incarnation,
        /// How it ended.
        reason: ExitReason,
        /// Whether it had to be killed because it did not end in time.
        killed: bool,
    },
    /// A child that is a supervisor has (or no longer has) nothing that runs or waits.
    Idle {
        /// The child's life this is about.
        incarnation: Incarnation,
        /// Whether nothing runs or waits.
        is_idle: bool,
    },
    /// How things stand with a child of another supervisor that one of ours depends on.
    Dependency {
        /// The other supervisor's child.
        child: ChildName,
        /// How things stand with it.
        standing: Standing,
    },
    /// The time of the last [`Action::ArmTimer`] has come.
    Timer,
    /// Somebody asks for something; answered by exactly one [`Action::Reply`].
    Request {
        /// Whom to answer.
        from: RequestId,
        /// What is asked.
        request: Request,
    },
    /// The supervisor shall stop its children and end.
    Shutdown,
    /// The supervisor shall kill its children at once and end.
    Kill,
}

/// Something to be done, in the order of the list.
#[derive(Clone, Debug)]
pub enum Action {
    /// Start the child; answer with `Started`, `StartFailed` or `Ignored`.
    StartChild {
        /// The new life.
        incarnation: Incarnation,
        /// Its name; a pool's member has one of its own.
        name: ChildName,
        /// What to start. Members of a pool share their template.
        spec: Arc<ChildSpec>,
        /// Which member of a pool it is.
        member: Option<Member>,
    },
    /// Stop the child; answer with `Stopped` (or `Exited`, if it was quicker).
    StopChild {
        /// The life to end.
        incarnation: Incarnation,
        /// How.
        how: Shutdown,
    },
    /// Call `step` with [`Event::Timer`] at this time. Replaces the timer armed before.
    ArmTimer(Time),
    /// Answer a request.
    Reply {
        /// Who asked.
        to: RequestId,
        /// The answer.
        reply: Reply,
    },
    /// Tell the operator.
    Report(SupervisorReport),
    /// Tell other supervisors how things stand with a child they depend on.
    Standing {
        /// The child.
        child: ChildName,
        /// How things stand with it.
        standing: Standing,
    },
    /// The supervisor's own start is complete.
    Started,
    /// Nothing runs or waits any more (`true`), or something does again.
    Idle(bool),
    /// The supervisor has ended; no child is left and nothing more will be asked for.
    Finish(ExitReason),
}

/// Which member of a pool a child is.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Its number, from 0; replaces `{index}`.
    pub index: u32,
    /// Arguments appended to the template's.
    pub args: Arc<[toml::Value]>,
}
