//! The sending half of a stream.

use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures_sink::Sink;
use serde::Serialize;

use super::payload;
use crate::dialog::Dialog;
use crate::error::{Error, Result};

/// The sending half of a stream, from [`MsgStream::split`](super::MsgStream::split), or of a
/// function marked [`#[treewright::stream]`](macro@crate::stream).
///
/// Dropping it ends what this side sends; the other side's stream then ends when it has read
/// all.
pub struct StreamSender<Sends> {
    dialog: Rc<Dialog>,
    /// How long the last message was: the next one is often as long.
    length: usize,
    types: PhantomData<fn(Sends)>,
}

impl<Sends: Serialize + 'static> StreamSender<Sends> {
    pub(crate) fn new(dialog: Rc<Dialog>) -> Self {
        Self {
            dialog,
            length: 112,
            types: PhantomData,
        }
    }

    /// Sends a message, as soon as the other side has room for it.
    ///
    /// It waits while the other side has as much unread as it lets come; other streams, and
    /// cancellations, go on meanwhile.
    ///
    /// # Errors
    ///
    /// What ended the context, if it has failed; an error for which
    /// [`Error::is_closed`](crate::Error::is_closed) holds, if it has ended well or this side
    /// has closed the stream; or if the message cannot be encoded or is longer than the other
    /// side takes, after which the stream goes on.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, nothing was sent.
    pub async fn send(&mut self, message: Sends) -> Result<()> {
        poll_fn(|cx| self.dialog.poll_may_send(cx)).await?;
        self.put(&message)
    }

    /// Sends a message if the other side has room for it now.
    ///
    /// # Errors
    ///
    /// [`TrySendError::Full`] with the message if not, and else as [`send`](Self::send).
    pub fn try_send(&mut self, message: Sends) -> Result<(), TrySendError<Sends>> {
        match self.dialog.may_send() {
            Ok(true) => self.put(&message).map_err(TrySendError::Failed),
            Ok(false) => Err(TrySendError::Full(message)),
            Err(error) => Err(TrySendError::Failed(error)),
        }
    }

    /// Writes at once what the other side has room for.
    pub(crate) fn flush_now(&self) {
        self.dialog.flush();
    }

    /// Waits until all that was sent is with the kernel, or the link is over.
    pub(crate) fn written(&self) -> impl Future<Output = ()> + use<Sends> {
        let dialog = Rc::clone(&self.dialog);
        async move { dialog.written().await }
    }

    /// Ends what this side sends. The other side goes on.
    pub fn close(&mut self) {
        self.dialog.close_sending();
    }

    fn put(&mut self, message: &Sends) -> Result<()> {
        let (codec, context) = (self.dialog.codec(), self.dialog.context());
        let frame = payload::pack(codec, context, message, self.length)?;
        self.length = frame.body_length();
        self.dialog.send(frame)
    }
}

impl<Sends: Serialize + 'static> Sink<Sends> for StreamSender<Sends> {
    type Error = Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.dialog.poll_may_send(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, message: Sends) -> Result<()> {
        self.put(&message)
    }

    /// Ready: what was sent leaves by itself.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<()>> {
        self.close();
        Poll::Ready(Ok(()))
    }
}

impl<Sends> Drop for StreamSender<Sends> {
    fn drop(&mut self) {
        self.dialog.sender_dropped();
    }
}

impl<Sends> fmt::Debug for StreamSender<Sends> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StreamSender").field(&self.dialog).finish()
    }
}

/// Why a message was not sent at once.
#[derive(Debug, thiserror::Error)]
pub enum TrySendError<T> {
    /// The other side has no room for it now. Here it is again.
    #[error("the other side of the stream has no room for a message")]
    Full(T),
    /// It cannot be sent at all.
    #[error(transparent)]
    Failed(#[from] Error),
}
