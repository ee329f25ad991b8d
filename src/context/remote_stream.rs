//! What a function elsewhere yields, as a stream.

use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use futures_core::{FusedStream, Stream};
use serde::de::DeserializeOwned;

use super::StreamReceiver;
use super::charge::Charge;
use crate::error::Result;
use crate::id::ActorId;

/// What a function marked [`#[treewright::stream]`](macro@crate::stream) yields, from
/// [`Portal::open_stream_from`](crate::Portal::open_stream_from).
///
/// It ends when the function has ended, with the function's error if it failed. Dropping it
/// asks the function to end; the nursery around waits until it has.
#[derive(Debug)]
pub struct RemoteStream<T> {
    receiver: StreamReceiver<T>,
    is_over: bool,
    charge: Charge,
}

impl<T: DeserializeOwned + 'static> RemoteStream<T> {
    pub(super) fn new(charge: Charge) -> Self {
        Self {
            receiver: StreamReceiver::new(Rc::clone(&charge.dialog)),
            is_over: false,
            charge,
        }
    }

    /// The actor in which the function runs.
    #[must_use]
    pub fn peer(&self) -> &ActorId {
        self.charge.dialog.peer_id()
    }

    /// Waits for the next item. `None` when the function has ended well.
    ///
    /// # Errors
    ///
    /// What the function failed with, once.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no item.
    pub async fn next(&mut self) -> Option<Result<T>> {
        poll_fn(|cx| self.poll_item(cx)).await
    }

    /// The same with the error first, for use with `?`.
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no item.
    pub async fn try_next(&mut self) -> Result<Option<T>> {
        self.next().await.transpose()
    }

    fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        let next = match ready!(self.receiver.poll_receive(cx)) {
            // The last item is not the end: the function may still fail.
            None => ready!(self.charge.dialog.poll_failed(cx)).map(Err),
            item => item,
        };
        self.is_over = !matches!(next, Some(Ok(_)));
        Poll::Ready(next)
    }
}

impl<T: DeserializeOwned + 'static> Stream for RemoteStream<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_item(cx)
    }
}

impl<T: DeserializeOwned + 'static> FusedStream for RemoteStream<T> {
    fn is_terminated(&self) -> bool {
        self.is_over
    }
}
