//! The receiving half of a stream.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures_core::{FusedStream, Stream};
use serde::de::DeserializeOwned;

use super::BroadcastReceiver;
use super::arrivals::Arrivals;
use super::broadcast::capacity_of;
use crate::dialog::Dialog;
use crate::error::{Error, ErrorKind, Result};

/// The receiving half of a stream, from [`MsgStream::split`](super::MsgStream::split).
///
/// Dropping it says that nothing more is wanted: what still comes is dropped, and the other
/// side may go on sending. Where others have subscribed, it says so for this one alone.
pub struct StreamReceiver<Receives> {
    inlet: Inlet<Receives>,
}

/// Where its messages come from.
enum Inlet<Receives> {
    Own(Arrivals<Receives>),
    /// From where all who have subscribed get them, too.
    Shared(BroadcastReceiver<Receives>),
    Closed,
}

impl<Receives: DeserializeOwned + 'static> StreamReceiver<Receives> {
    pub(crate) fn new(dialog: Rc<Dialog>) -> Self {
        let inlet = Inlet::Own(Arrivals::new(dialog));
        Self { inlet }
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
    /// Where others have [subscribed](Self::subscribe), also one for which
    /// [`Error::lagged`] holds, if this one is read too slowly. Then it goes on.
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

    /// Another receiver of the same messages, from the next one on that this side takes.
    ///
    /// From then on this half is one receiver among them: up to `capacity` messages are kept
    /// for who is slower than the fastest, and who falls behind by more
    /// [lags](super::Lag). So whoever wants to send only may leave this half unread. The other
    /// side is slowed by the fastest; or by one that is set to [`Lag::Block`](super::Lag::Block).
    /// Of several capacities the largest holds.
    ///
    /// # Errors
    ///
    /// When `capacity` is 0. One for which [`Error::is_closed`] holds when the stream has come
    /// to its end, or this half was closed.
    pub fn subscribe(&mut self, capacity: usize) -> Result<BroadcastReceiver<Receives>>
    where
        Receives: Clone,
    {
        let checked = capacity_of(capacity)?;
        match std::mem::replace(&mut self.inlet, Inlet::Closed) {
            Inlet::Own(arrivals) if !arrivals.is_over() => {
                let receiver = BroadcastReceiver::new(arrivals, capacity)?;
                let subscriber = receiver.subscribe();
                self.inlet = Inlet::Shared(receiver);
                subscriber
            }
            Inlet::Shared(receiver) => {
                receiver.keep(checked);
                let subscriber = receiver.subscribe();
                self.inlet = Inlet::Shared(receiver);
                subscriber
            }
            Inlet::Own(_) | Inlet::Closed => {
                let text = "cannot subscribe to a stream that has ended";
                Err(Error::new(ErrorKind::Closed, text))
            }
        }
    }

    /// Wants no more messages, as if it were dropped.
    pub fn close(&mut self) {
        self.inlet = Inlet::Closed;
    }

    pub(super) fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Receives>>> {
        match &mut self.inlet {
            Inlet::Own(arrivals) => Pin::new(arrivals).poll_next(cx),
            Inlet::Shared(receiver) => Pin::new(receiver).poll_next(cx),
            Inlet::Closed => Poll::Ready(None),
        }
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
        match &self.inlet {
            Inlet::Own(arrivals) => arrivals.is_over(),
            Inlet::Shared(receiver) => receiver.is_terminated(),
            Inlet::Closed => true,
        }
    }
}

impl<Receives> fmt::Debug for StreamReceiver<Receives> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut receiver = f.debug_struct("StreamReceiver");
        match &self.inlet {
            Inlet::Own(arrivals) => receiver.field("arrivals", arrivals),
            Inlet::Shared(shared) => receiver.field("shared", shared),
            Inlet::Closed => receiver.field("is_closed", &true),
        };
        receiver.finish_non_exhaustive()
    }
}
