//! The receiving half of a stream.

use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use futures_core::{FusedStream, Stream};
use serde::de::DeserializeOwned;

use super::payload;
use crate::dialog::Dialog;
use crate::error::{CancelOrigin, CancelReason, Result};
use crate::wire::Frame;

/// The receiving half of a stream, from [`MsgStream::split`](super::MsgStream::split).
///
/// Dropping it says that nothing more is wanted: what still comes is dropped, and the other
/// side may go on sending.
pub struct StreamReceiver<Receives> {
    dialog: Rc<Dialog>,
    /// The end was told.
    is_over: bool,
    types: PhantomData<fn() -> Receives>,
}

impl<Receives: DeserializeOwned + 'static> StreamReceiver<Receives> {
    pub(crate) fn new(dialog: Rc<Dialog>) -> Self {
        Self {
            dialog,
            is_over: false,
            types: PhantomData,
        }
    }

    /// Waits for the next message. `None` when the other side sends no more, or has ended
    /// well.
    ///
    /// # Errors
    ///
    /// What ended the context, if it has failed; or that a message cannot be read as what it
    /// should be, which ends the context, and not the link. Either is told once, and then the
    /// stream is over.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no message.
    pub async fn next(&mut self) -> Option<Result<Receives>> {
        poll_fn(|cx| self.poll_receive(cx)).await
    }

    /// The same with the error first, for use with `?`.
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no message.
    pub async fn try_next(&mut self) -> Result<Option<Receives>> {
        self.next().await.transpose()
    }

    /// Wants no more messages, as if it were dropped.
    pub fn close(&mut self) {
        self.is_over = true;
        self.dialog.close_receiving();
    }

    pub(super) fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Receives>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        let next = ready!(self.dialog.poll_next(cx));
        let next = next.map(|frame| frame.and_then(|frame| self.read(&frame)));
        if !matches!(next, Some(Ok(_))) {
            self.is_over = true;
        }
        Poll::Ready(next)
    }

    fn read(&self, frame: &Frame) -> Result<Receives> {
        payload::unpack(self.dialog.codec(), frame).inspect_err(|error| {
            self.dialog.close_receiving();
            let here = CancelOrigin::Actor(self.dialog.here().clone());
            let reason = CancelReason::new(here).with_message(error.to_string());
            // Where the function runs here, it is told by the error, and goes its own way.
            self.dialog.cancel(&reason);
        })
    }
}

impl<Receives: DeserializeOwned + 'static> Stream for StreamReceiver<Receives> {
    type Item = Result<Receives>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_receive(cx)
    }
}

impl<Receives: DeserializeOwned + 'static> FusedStream for StreamReceiver<Receives> {
    fn is_terminated(&self) -> bool {
        self.is_over
    }
}

impl<Receives> Drop for StreamReceiver<Receives> {
    fn drop(&mut self) {
        self.dialog.close_receiving();
    }
}

impl<Receives> fmt::Debug for StreamReceiver<Receives> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamReceiver")
            .field("dialog", &self.dialog)
            .field("is_over", &self.is_over)
            .finish_non_exhaustive()
    }
}
