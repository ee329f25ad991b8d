//! Work that a cancellation does not cut off at once.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::node::{Hold, Kind, Node, Urgency};
use crate::error::{CancelOrigin, CancelReason};
use crate::rt;

/// Runs `future` so that a cancellation from around it does not cut it off at once.
///
/// A cancelled task is dropped at its next await. Inside of `shielded` it is not: the
/// work goes on, and whoever cancelled waits for it, for the grace of the scope at most
/// (10 s unless the runtime was told otherwise). After that it is dropped like
/// everything else. Use it for what must not be left half done.
///
/// Nothing is protected when the future that opened the scope is itself dropped, for
/// example as the losing branch of a race.
///
/// # Cancel safety
///
/// Dropping the future drops `future` at once.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use treewright::{open_nursery, run, shielded, sleep};
///
/// run(async || {
///     let mut is_saved = false;
///     let saved = &mut is_saved;
///     open_nursery(async move |n| {
///         n.spawn(async move {
///             shielded(async {
///                 sleep(Duration::from_millis(5)).await;
///                 *saved = true;
///             })
///             .await
///         });
///         sleep(Duration::from_millis(1)).await;
///         n.cancel("enough");
///         Ok(())
///     })
///     .await?;
///     assert!(is_saved);
///     Ok(())
/// })
/// # .unwrap()
/// ```
pub fn shielded<F: Future>(future: F) -> impl Future<Output = F::Output> {
    Shielded {
        slot: Some(future),
        place: None,
        grace: None,
    }
}

pin_project_lite::pin_project! {
    struct Shielded<F> {
        #[pin]
        slot: Option<F>,
        place: Option<Place>,
        grace: Option<rt::Sleep>,
    }
}

/// Where in the tree it stands, from the first poll on.
struct Place {
    node: Rc<Node>,
    /// Keeps whoever waits here from being dropped.
    hold: Option<Hold>,
}

impl Place {
    fn here() -> Self {
        let above = Node::current();
        let hold = above.as_ref().map(Hold::new);
        let node = Node::new(Kind::Shield, above);
        Self { node, hold }
    }
}

impl<F: Future> Future for Shielded<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let place = this.place.get_or_insert_with(Place::here);
        let node = &place.node;
        node.register(cx.waker());
        if node.is_cancelled() && !node.is_pressed() {
            let timer = this
                .grace
                .get_or_insert_with(|| rt::sleep_until(node.end_of_grace()));
            if Pin::new(timer).poll(cx).is_ready() {
                node.cancel(CancelReason::new(CancelOrigin::Enclosing), Urgency::AtOnce);
            }
        }
        if node.is_pressed() && !node.is_held() {
            // There is no value to return any more. Once it lets go, whoever cancelled
            // drops the task that waits here.
            node.enter(|| this.slot.set(None));
            place.hold = None;
        }
        match this.slot.as_pin_mut() {
            Some(future) => node.enter(|| future.poll(cx)),
            None => Poll::Pending,
        }
    }
}
