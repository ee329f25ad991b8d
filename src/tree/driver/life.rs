//! One life of a child: what its supervisor orders it, and what it tells its supervisor.

use std::sync::Arc;

use treewright_supervisors::spec::ChildSpec;
use treewright_supervisors::supervisor::{Event, ExitReason, Incarnation};

use super::mail::Mailbox;

/// What a life is, and whom it tells what becomes of it.
///
/// A life ends by telling one of `start_failed`, `exited` and `stopped`, when nothing of it is
/// left.
pub(in crate::tree) struct Life {
    pub(in crate::tree) spec: Arc<ChildSpec>,
    pub(in crate::tree) incarnation: Incarnation,
    pub(in crate::tree) supervisor: Mailbox,
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

    pub(in crate::tree) fn start_failed(&self, message: String) {
        self.start_failed_because(ExitReason::NotStarted { message });
    }

    pub(in crate::tree) fn start_failed_because(&self, why: ExitReason) {
        self.supervisor.tell(Event::StartFailed {
            incarnation: self.incarnation,
            why,
        });
    }

    pub(super) fn ignored(&self) {
        self.supervisor.tell(Event::Ignored {
            incarnation: self.incarnation,
        });
    }

    pub(in crate::tree) fn exited(&self, reason: ExitReason) {
        self.supervisor.tell(Event::Exited {
            incarnation: self.incarnation,
            reason,
        });
    }

    pub(in crate::tree) fn stopped(&self, reason: ExitReason, killed: bool) {
        let incarnation = self.incarnation;
        self.supervisor.tell(Event::Stopped {
            incarnation,
            reason,
            killed,
        });
    }
}
