//! How much of a stream waits on this side to be written, whatever its reader has room for.

use std::cell::RefCell;
use std::fmt;
use std::task::{Context, Poll, ready};

use futures_core::future::LocalBoxFuture;

use crate::id::ContextId;
use crate::link::Link;

/// A sender that is further ahead of what the kernel takes gains nothing by it: what waits has
/// left the processor's cache when it is its turn.
const MOST: usize = 512 * 1024;

/// What a sender with credit waits for: that what it has sent leaves.
#[derive(Default)]
pub(super) struct Backlog {
    draining: RefCell<Option<LocalBoxFuture<'static, ()>>>,
}

impl Backlog {
    /// Whether one more message of `context` may wait.
    pub(super) fn has_room(link: &Link, context: ContextId) -> bool {
        link.pending_bytes() <= MOST || link.waiting_of(context) <= MOST
    }

    /// Waits until one more message of `context` may wait, or the link is over.
    pub(super) fn poll_room(
        &self,
        cx: &mut Context<'_>,
        link: &Link,
        context: ContextId,
    ) -> Poll<()> {
        let mut draining = self.draining.borrow_mut();
        if draining.is_none() && Self::has_room(link, context) {
            return Poll::Ready(());
        }
        let wait = draining.get_or_insert_with(|| {
            let link = link.clone();
            Box::pin(async move { link.room(context, MOST / 2).await })
        });
        ready!(wait.as_mut().poll(cx));
        *draining = None;
        Poll::Ready(())
    }
}

impl fmt::Debug for Backlog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backlog")
            .field("is_draining", &self.draining.borrow().is_some())
            .finish()
    }
}
