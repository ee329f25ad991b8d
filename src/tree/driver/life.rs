//! One life of a child: what it tells its supervisor.

use std::sync::Arc;

use treewright_supervisors::spec::ChildSpec;
use treewright_supervisors::supervisor::{Event, ExitReason, Incarnation};

use super::mail::Mailbox;

/// What a life is, and whom it tells what becomes of it.
pub(in crate::tree) struct Life {
    pub(in crate::tree) spec: Arc<ChildSpec>,
    pub(in crate::tree) incarnation: Incarnation,
    pub(in crate::tree) supervisor: Mailbox,
}

/// What became of a life, of which nothing is left.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tree) enum Verdict {
    /// It said that it is not needed, and has not begun.
    Ignored,
    /// It has not come to its start.
    StartFailed(ExitReason),
    /// It came to its end by itself.
    Exited(ExitReason),
    /// It was ordered to stop.
    Stopped {
        /// Why it ended.
        reason: ExitReason,
        /// Whether it had to be killed.
        killed: bool,
    },
}

impl Verdict {
    /// It could not be started at all.
    pub(in crate::tree) fn not_started(message: String) -> Self {
        Self::StartFailed(ExitReason::NotStarted { message })
    }
}

impl Life {
    pub(in crate::tree) fn started(&self) {
        self.supervisor.tell(Event::Started {
            incarnation: self.incarnation,
        });
    }

    pub(in crate::tree) fn ready(&self) {
        self.supervisor.tell(Event::Ready {
            incarnation: self.incarnation,
        });
    }

    pub(in crate::tree) fn unhealthy(&self, message: String) {
        let why = ExitReason::Unhealthy { message };
        self.supervisor.tell(Event::Unhealthy {
            incarnation: self.incarnation,
            why,
        });
    }

    /// Tells what became of it, which is the last that is told of it.
    pub(in crate::tree) fn end(&self, verdict: Verdict) {
        let incarnation = self.incarnation;
        self.supervisor.tell(match verdict {
            Verdict::Ignored => Event::Ignored { incarnation },
            Verdict::StartFailed(why) => Event::StartFailed { incarnation, why },
            Verdict::Exited(reason) => Event::Exited {
                incarnation,
                reason,
            },
            Verdict::Stopped { reason, killed } => Event::Stopped {
                incarnation,
                reason,
                killed,
            },
        });
    }
}
