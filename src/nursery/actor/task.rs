//! A function that runs in a process of its own.

use std::fmt;

use crate::error::Result;
use crate::portal::Portal;
use crate::scope::TaskHandle;

/// A function that runs in an actor of its own, which ends when the function has.
///
/// Dropping it cancels nothing: the nursery owns what it started.
pub struct ActorTask<T> {
    portal: Portal,
    task: TaskHandle<T>,
}

impl<T> ActorTask<T> {
    pub(super) fn new(portal: Portal, task: TaskHandle<T>) -> Self {
        Self { portal, task }
    }

    /// Waits until the function has ended, and gives its value. The process may live on for
    /// a moment; the nursery waits for it.
    ///
    /// # Errors
    ///
    /// What the function failed with, or how its process died. That also fails the nursery,
    /// so code of the same nursery that waits here is usually cancelled before it sees the
    /// error. Who wants to handle it calls [`Portal::run`], or opens a nursery of its own.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses the value, since it has consumed the handle.
    pub async fn result(self) -> Result<T> {
        self.task.result().await
    }

    /// Whether the function has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.task.is_finished()
    }

    /// The handle of the actor it runs in.
    #[must_use]
    pub fn portal(&self) -> &Portal {
        &self.portal
    }
}

impl<T> fmt::Debug for ActorTask<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActorTask")
            .field("portal", &self.portal)
            .field("is_finished", &self.is_finished())
            .finish_non_exhaustive()
    }
}
