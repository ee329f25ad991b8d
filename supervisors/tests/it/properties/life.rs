//! What the environment knows about one life of a child.

use std::sync::Arc;

use treewright_supervisors::Time;
use treewright_supervisors::spec::{ChildName, ChildSpec, Shutdown, StartCondition};
use treewright_supervisors::supervisor::{Event, Incarnation};

/// A life that was asked for and is not known to be over.
#[derive(Clone, Debug)]
pub(crate) struct Life {
    pub(crate) incarnation: Incarnation,
    pub(crate) name: ChildName,
    /// What it was started with: decides what counts as started.
    pub(crate) spec: Arc<ChildSpec>,
    /// What it is by now, after reloads: decides what its end means.
    pub(crate) current: Arc<ChildSpec>,
    pub(crate) asked_at: Time,
    /// `Started` was said, so that `StartFailed` and `Ignored` would be lies.
    pub(crate) is_up: bool,
    pub(crate) is_ready: bool,
    /// By its start condition it has started.
    pub(crate) is_counted: bool,
    pub(crate) stop: Option<Shutdown>,
    /// Its turn to be stopped comes, so it may take as long as it likes to start.
    pub(crate) has_time: bool,
}

impl Life {
    pub(crate) fn is_probed(&self) -> bool {
        let exec = self.spec.kind.exec();
        exec.is_some_and(|exec| exec.ready.is_some())
    }

    pub(crate) fn is_running(&self) -> bool {
        self.is_counted && self.stop.is_none()
    }

    pub(crate) fn is_starting(&self) -> bool {
        !self.is_counted && self.stop.is_none()
    }

    /// When it must count as started.
    pub(crate) fn deadline(&self) -> Option<Time> {
        let timeout = self
            .spec
            .start_timeout
            .filter(|_| self.is_starting() && !self.has_time);
        timeout.map(|timeout| self.asked_at + timeout)
    }

    pub(crate) fn start(&mut self) {
        self.is_up = true;
        self.is_ready |= !self.is_probed();
        self.is_counted |= self.stop.is_none()
            && match self.spec.start {
                StartCondition::Spawned => true,
                StartCondition::Ready => self.is_ready,
                StartCondition::Completed => false,
            };
    }

    pub(crate) fn make_ready(&mut self) {
        self.is_ready = true;
        self.is_counted |= self.stop.is_none() && self.spec.start != StartCondition::Completed;
    }
}

/// The life an event is news of.
pub(crate) fn subject(event: &Event) -> Option<Incarnation> {
    match event {
        Event::Started { incarnation }
        | Event::Ready { incarnation }
        | Event::StartFailed { incarnation, .. }
        | Event::Ignored { incarnation }
        | Event::Exited { incarnation, .. }
        | Event::Unhealthy { incarnation, .. }
        | Event::Stopped { incarnation, .. }
        | Event::Idle { incarnation, .. } => Some(*incarnation),
        _ => None,
    }
}
