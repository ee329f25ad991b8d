//! A future under a node: dropped when the node is cancelled and nothing holds it.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use super::node::Node;
use super::panics::catch;
use crate::error::{Error, Result};

/// How a guarded future came to its end.
#[derive(Debug)]
pub(super) enum Ended<T> {
    Done(T),
    Panicked(Error),
    Cancelled,
}

pin_project_lite::pin_project! {
    /// Runs a future under a node to its end, or until the node is cancelled and lets go.
    ///
    /// A panic of the future is caught, and so is one of its destructors. (The futures of
    /// this folder that hold another are structs, since an async block would keep room
    /// for it twice, and nesting would double that each time.)
    #[derive(Debug)]
    pub(super) struct Guarded<F> {
        node: Rc<Node>,
        #[pin]
        slot: Option<F>,
    }
}

impl<F: Future> Guarded<F> {
    pub(super) fn new(node: Rc<Node>, future: F) -> Self {
        let slot = Some(future);
        Self { node, slot }
    }
}

impl<F> Guarded<F> {
    pub(super) fn node(&self) -> &Rc<Node> {
        &self.node
    }
}

/// Runs `future` under `node`. A panic of it is an error, and so is the reason why it was
/// cancelled. It can be moved between two polls if `future` can.
pub(crate) fn guarded<F: Future>(node: Rc<Node>, future: F) -> AsResult<F> {
    AsResult {
        guarded: Guarded::new(node, future),
    }
}

pin_project_lite::pin_project! {
    /// What [`guarded`] runs.
    #[derive(Debug)]
    #[must_use = "a future does nothing unless it is polled"]
    pub(crate) struct AsResult<F> {
        #[pin]
        guarded: Guarded<F>,
    }
}

impl<F: Future> Future for AsResult<F> {
    type Output = Result<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let ended = ready!(this.guarded.as_mut().poll(cx));
        let reason = || this.guarded.node().reason();
        Poll::Ready(match ended {
            Ended::Done(value) => Ok(value),
            Ended::Panicked(error) => Err(error),
            Ended::Cancelled => Err(reason().map_or_else(super::open::dropped, Error::cancelled)),
        })
    }
}

impl<F: Future> Future for Guarded<F> {
    type Output = Ended<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let node = &*this.node;
        node.register(cx.waker());
        if node.may_be_dropped() {
            return Poll::Ready(clear(node, this.slot, Ended::Cancelled));
        }
        let polled = catch(|| {
            node.enter(|| match this.slot.as_mut().as_pin_mut() {
                Some(future) => future.poll(cx),
                None => Poll::Pending,
            })
        });
        let ended = match polled {
            Ok(Poll::Ready(value)) => Ended::Done(value),
            Err(panic) => Ended::Panicked(panic),
            // It may have cancelled itself, or have let go of its last hold.
            Ok(Poll::Pending) if node.may_be_dropped() => Ended::Cancelled,
            Ok(Poll::Pending) => return Poll::Pending,
        };
        Poll::Ready(clear(node, this.slot, ended))
    }
}

/// Drops the future where it is. A panic of its destructors replaces a good end, so that
/// it is not lost.
fn clear<F, T>(node: &Rc<Node>, mut slot: Pin<&mut Option<F>>, ended: Ended<T>) -> Ended<T> {
    match (catch(|| node.enter(|| slot.set(None))), ended) {
        (Err(panic), Ended::Done(_) | Ended::Cancelled) => Ended::Panicked(panic),
        (_, ended) => ended,
    }
}
