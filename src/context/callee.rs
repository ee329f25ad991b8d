//! The side of the function: what it says first, and its half of the stream.

use std::fmt;
use std::marker::PhantomData;
use std::os::fd::OwnedFd;
use std::panic::Location;
use std::rc::Rc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::MsgStream;
use crate::dialog::Dialog;
use crate::error::{CancelOrigin, CancelReason, ErrorContext, Result};
use crate::id::ActorId;
use crate::wire::{Encoded, Kind};

/// A conversation with whoever opened it, as the function that it was opened with has it.
///
/// `First` is the first value, which [`started`](Self::started) sends; `Receives` and `Sends`
/// are the types of the messages of the stream, as this function sees them. Functions that
/// have one are marked [`#[treewright::context]`](macro@crate::context).
///
/// What comes of the function is the end of the conversation. When whoever opened it asks
/// the function to end, or is gone, the function is dropped at its next await, as a task of a
/// nursery is.
///
/// # Examples
///
/// ```no_run
/// use treewright::{Context, Result, open_nursery};
///
/// /// Sums up what it is sent, and says each sum.
/// #[treewright::context]
/// async fn sums(ctx: Context<String, u64, u64>) -> Result<u64> {
///     let ctx = ctx.started("ready".to_owned()).await?;
///     let mut stream = ctx.open_stream().await?;
///     let mut sum = 0;
///     while let Some(number) = stream.try_next().await? {
///         sum += number;
///         stream.send(sum).await?;
///     }
///     Ok(sum)
/// }
///
/// #[treewright::main]
/// async fn main() -> Result<()> {
///     open_nursery(async |n| {
///         let portal = n.start_actor("adder").await?;
///         let (ctx, first) = portal.open_context(sums()).await?;
///         assert_eq!(first, "ready");
///         let mut stream = ctx.open_stream().await?;
///         for number in [1, 2, 3] {
///             stream.send(number).await?;
///             println!("{:?}", stream.try_next().await?);
///         }
///         stream.close().await?;
///         assert_eq!(ctx.result().await?, 6);
///         portal.cancel_actor().await?;
///         Ok(())
///     })
///     .await
/// }
/// ```
pub struct Context<First = (), Receives = (), Sends = ()> {
    dialog: Rc<Dialog>,
    types: PhantomData<fn(First, Receives) -> Sends>,
}

impl<First, Receives, Sends> Context<First, Receives, Sends> {
    pub(crate) fn new(dialog: Rc<Dialog>) -> Self {
        Self {
            dialog,
            types: PhantomData,
        }
    }

    /// The descriptor that came with the call, once.
    pub(crate) fn take_descriptor(&self) -> Option<OwnedFd> {
        self.dialog.take_descriptor()
    }

    /// The actor that opened it.
    #[must_use]
    pub fn peer(&self) -> &ActorId {
        self.dialog.peer_id()
    }

    /// Ends this function: it is dropped at its next await, and who opened the context gets
    /// an error that names this actor as the one who cancelled.
    #[track_caller]
    pub fn cancel(&self, reason: impl Into<CancelReason>) {
        cancel_here(&self.dialog, reason.into());
    }
}

impl<First: Serialize + 'static, Receives, Sends> Context<First, Receives, Sends> {
    /// Sends the first value, for which whoever opened the context waits.
    ///
    /// It takes the context, so that a first value is sent once, and a stream is opened after
    /// it only.
    ///
    /// # Errors
    ///
    /// If the value cannot be encoded, or if the link has broken. The function is over then.
    pub async fn started(self, first: First) -> Result<StartedContext<Receives, Sends>> {
        let (codec, context) = (self.dialog.codec(), self.dialog.context());
        let frame = Encoded::new(codec, Kind::Started, context, &first);
        let frame = frame.with_context(|| {
            format!(
                "cannot encode the first value of context `{}`",
                self.dialog.task()
            )
        })?;
        self.dialog.start(frame)?;
        Ok(StartedContext {
            dialog: self.dialog,
            types: PhantomData,
        })
    }
}

/// A [`Context`] whose first value was sent: what [`Context::started`] gives.
pub struct StartedContext<Receives = (), Sends = ()> {
    dialog: Rc<Dialog>,
    types: PhantomData<fn(Receives) -> Sends>,
}

impl<Receives, Sends> StartedContext<Receives, Sends> {
    /// The actor that opened it.
    #[must_use]
    pub fn peer(&self) -> &ActorId {
        self.dialog.peer_id()
    }

    /// Ends this function, as [`Context::cancel`].
    #[track_caller]
    pub fn cancel(&self, reason: impl Into<CancelReason>) {
        cancel_here(&self.dialog, reason.into());
    }
}

impl<Receives, Sends> StartedContext<Receives, Sends>
where
    Receives: DeserializeOwned + 'static,
    Sends: Serialize + 'static,
{
    /// Opens the stream, of which there is one. What the other side has sent already waits in
    /// it.
    ///
    /// # Errors
    ///
    /// If the stream was opened before; an error for which
    /// [`Error::is_closed`](crate::Error::is_closed) holds.
    pub async fn open_stream(&self) -> Result<MsgStream<Receives, Sends>> {
        self.dialog.open_stream()?;
        Ok(MsgStream::new(Rc::clone(&self.dialog)))
    }
}

#[track_caller]
fn cancel_here(dialog: &Dialog, reason: CancelReason) {
    let place = Location::caller();
    let reason = match reason.origin() {
        CancelOrigin::Request => reason.asked_by(dialog.here().clone()),
        _ => reason,
    };
    dialog.cancel_here(reason.asked_at(place));
}

impl<First, Receives, Sends> fmt::Debug for Context<First, Receives, Sends> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Context").field(&self.dialog).finish()
    }
}

impl<Receives, Sends> fmt::Debug for StartedContext<Receives, Sends> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StartedContext").field(&self.dialog).finish()
    }
}
