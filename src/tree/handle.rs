//! What can be asked of a tree while it runs.

use treewright_supervisors::supervisor::{Event, Reply, Request, RequestError};

use treewright_supervisors::spec::ChildName;

use super::driver::{Living, Mail, Mailbox};
use crate::rt::channel;

/// Stops a tree that runs, and asks its root supervisor. Cheap to clone; keeps nothing alive.
#[derive(Clone, Debug)]
pub struct TreeHandle {
    root: Mailbox,
    living: Living,
}

impl TreeHandle {
    pub(super) fn new(root: Mailbox, living: Living) -> Self {
        Self { root, living }
    }

    /// The children that have a process at the moment, in the order in which they were started.
    #[must_use]
    pub fn living(&self) -> Vec<ChildName> {
        self.living.names()
    }

    /// Stops the children in reverse order, each as its spec says, and ends the tree.
    pub fn shut_down(&self) {
        self.root.tell(Event::Shutdown);
    }

    /// Kills every child at once, and ends the tree.
    pub fn kill(&self) {
        self.root.tell(Event::Kill);
    }

    /// Asks the root supervisor.
    ///
    /// # Errors
    ///
    /// What the supervisor answers; [`RequestError::ShuttingDown`] when it has ended.
    ///
    /// # Cancel safety
    ///
    /// The request is carried out whether the answer is awaited or not.
    pub async fn request(&self, request: Request) -> Reply {
        let (caller, answer) = channel::bounded(1);
        self.root.post(Mail::Request(request, caller));
        answer
            .recv()
            .await
            .unwrap_or(Err(RequestError::ShuttingDown))
    }
}
