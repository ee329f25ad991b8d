//! The task that writes what gathers.

use std::future::poll_fn;
use std::rc::Rc;

use super::shared::Shared;

/// Writes what gathers on a link. Its owner runs it as a task.
#[must_use = "without it only what finds the link idle is written"]
pub(crate) struct Writer(pub(super) Rc<Shared>);

impl Writer {
    /// Runs until the link is over: closed and written out, or broken. Dropping the future
    /// stops the writing, no more.
    pub(crate) async fn run(self) {
        poll_fn(|cx| self.0.poll_writer(cx)).await;
    }
}
