//! What arrives on the stream of a context, read as messages.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use serde::de::DeserializeOwned;

use super::payload;
use crate::dialog::Dialog;
use crate::error::{CancelOrigin, CancelReason, Result};
use crate::wire::Frame;

/// The messages of one dialog, until its end or its first error. Dropping it says that nothing
/// more is wanted.
pub(super) struct Arrivals<Receives> {
    dialog: Rc<Dialog>,
    /// The end was told.
    is_over: bool,
    types: PhantomData<fn() -> Receives>,
}

impl<Receives: DeserializeOwned + 'static> Arrivals<Receives> {
    pub(super) fn new(dialog: Rc<Dialog>) -> Self {
        Self {
            dialog,
            is_over: false,
            types: PhantomData,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over
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

impl<Receives: DeserializeOwned + 'static> Stream for Arrivals<Receives> {
    type Item = Result<Receives>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        let next = ready!(self.dialog.poll_next(cx));
        let next = next.map(|frame| frame.and_then(|frame| self.read(&frame)));
        self.is_over = !matches!(next, Some(Ok(_)));
        Poll::Ready(next)
    }
}

impl<Receives> Drop for Arrivals<Receives> {
    fn drop(&mut self) {
        self.dialog.close_receiving();
    }
}

impl<Receives> fmt::Debug for Arrivals<Receives> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arrivals")
            .field("dialog", &self.dialog)
            .field("is_over", &self.is_over)
            .finish_non_exhaustive()
    }
}
