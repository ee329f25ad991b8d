//! Both halves of a stream in one.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures_core::{FusedStream, Stream};
use futures_sink::Sink;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{BroadcastReceiver, StreamReceiver, StreamSender, TrySendError};
use crate::dialog::Dialog;
use crate::error::{Error, Result};

/// The stream of a context: messages both ways, each side at its own pace.
///
/// A side that sends faster than the other reads is made to wait, and nothing is lost: at most
/// so much is on its way as the reader has room for. Nobody else has to wait for it.
///
/// It is a [`Stream`] of what comes and a [`Sink`] for what goes. With [`bytes::Bytes`] as the
/// type of its messages, these travel as they are, without the codec.
///
/// Dropping it is closing it.
///
/// # Examples
///
/// ```no_run
/// use treewright::{MsgStream, Result};
///
/// /// Asks one thing after the other.
/// async fn ask(stream: &mut MsgStream<u64, String>, questions: Vec<String>) -> Result<Vec<u64>> {
///     let mut answers = Vec::new();
///     for question in questions {
///         stream.send(question).await?;
///         answers.extend(stream.try_next().await?);
///     }
///     Ok(answers)
/// }
/// ```
#[derive(Debug)]
pub struct MsgStream<Receives, Sends> {
    receiver: StreamReceiver<Receives>,
    sender: StreamSender<Sends>,
}

impl<Receives, Sends> MsgStream<Receives, Sends>
where
    Receives: DeserializeOwned + 'static,
    Sends: Serialize + 'static,
{
    pub(super) fn new(dialog: Rc<Dialog>) -> Self {
        Self {
            receiver: StreamReceiver::new(Rc::clone(&dialog)),
            sender: StreamSender::new(dialog),
        }
    }

    /// Sends a message, as soon as the other side has room for it.
    ///
    /// # Errors
    ///
    /// As [`StreamSender::send`].
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, nothing was sent.
    pub async fn send(&mut self, message: Sends) -> Result<()> {
        self.sender.send(message).await
    }

    /// Sends a message if the other side has room for it now.
    ///
    /// # Errors
    ///
    /// As [`StreamSender::try_send`].
    pub fn try_send(&mut self, message: Sends) -> Result<(), TrySendError<Sends>> {
        self.sender.try_send(message)
    }

    /// Waits for the next message. `None` when there are no more.
    ///
    /// # Errors
    ///
    /// As [`StreamReceiver::next`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no message.
    pub async fn next(&mut self) -> Option<Result<Receives>> {
        self.receiver.next().await
    }

    /// The same with the error first, for use with `?`.
    ///
    /// # Errors
    ///
    /// As [`StreamReceiver::next`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no message.
    pub async fn try_next(&mut self) -> Result<Option<Receives>> {
        self.receiver.try_next().await
    }

    /// Another receiver of what comes, from the next message on that this side takes. This
    /// stream goes on, as one receiver among the others.
    ///
    /// Up to `capacity` messages are kept for who is slower than the fastest; who falls behind
    /// by more [lags](super::Lag), this stream included. So whoever wants to send only may leave
    /// it unread. The other side is slowed by the fastest, or by a subscriber that is set to
    /// [`Lag::Block`](super::Lag::Block). Of several capacities the largest holds.
    ///
    /// Subscribers go on when this stream is closed or dropped.
    ///
    /// # Errors
    ///
    /// When `capacity` is 0. One for which [`Error::is_closed`] holds when the stream has come
    /// to its end, or was closed.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # use treewright::{MsgStream, Nursery, Result};
    /// # async fn f(n: Nursery<'_>, mut stream: MsgStream<u64, ()>) -> Result<()> {
    /// for _ in 0..3 {
    ///     let mut prices = stream.subscribe(64)?;
    ///     n.spawn(async move {
    ///         while let Some(price) = prices.try_next().await? {
    ///             println!("{price}");
    ///         }
    ///         Ok(())
    ///     });
    /// }
    /// # Ok(()) }
    /// ```
    pub fn subscribe(&mut self, capacity: usize) -> Result<BroadcastReceiver<Receives>>
    where
        Receives: Clone,
    {
        self.receiver.subscribe(capacity)
    }

    /// Ends what this side sends, and goes on receiving.
    pub fn close_sending(&mut self) {
        self.sender.close();
    }

    /// Ends what this side sends, and wants no more. What still comes is dropped, so the other
    /// side may go on sending until it sees the end.
    ///
    /// # Errors
    ///
    /// None today: closing what has ended is fine.
    pub async fn close(&mut self) -> Result<()> {
        self.sender.close();
        self.receiver.close();
        Ok(())
    }

    /// The two halves, for two tasks.
    #[must_use]
    pub fn split(self) -> (StreamSender<Sends>, StreamReceiver<Receives>) {
        (self.sender, self.receiver)
    }
}

impl<Receives, Sends> Stream for MsgStream<Receives, Sends>
where
    Receives: DeserializeOwned + 'static,
    Sends: Serialize + 'static,
{
    type Item = Result<Receives>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.receiver.poll_receive(cx)
    }
}

impl<Receives, Sends> FusedStream for MsgStream<Receives, Sends>
where
    Receives: DeserializeOwned + 'static,
    Sends: Serialize + 'static,
{
    fn is_terminated(&self) -> bool {
        self.receiver.is_terminated()
    }
}

/// Messages leave by themselves: a flush is done at once. Closing the sink ends what this side
/// sends.
impl<Receives, Sends> Sink<Sends> for MsgStream<Receives, Sends>
where
    Receives: DeserializeOwned + 'static,
    Sends: Serialize + 'static,
{
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.sender).poll_ready(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, message: Sends) -> Result<()> {
        Pin::new(&mut self.sender).start_send(message)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.sender).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.sender).poll_close(cx)
    }
}
