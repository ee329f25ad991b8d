//! Opening a context through the handle of an actor.

use std::future::pending;
use std::os::fd::OwnedFd;
use std::pin::pin;
use std::rc::Rc;

use futures_lite::future::or;

use super::charge::Charge;
use super::{ContextFunction, OpenContext, RemoteStream, StreamFunction};
use crate::dialog::Dialog;
use crate::error::{CancelOrigin, CancelReason, Result};
use crate::portal::Portal;
use crate::scope::{Kind as NodeKind, Node, Urgency, guarded};
use crate::tasks::{Call, Function};

impl Portal {
    /// Opens a context with a function in the actor's process, and waits for the first value
    /// of it.
    ///
    /// # Errors
    ///
    /// What the function failed with before its first value, or that it returned without one;
    /// how the actor died meanwhile; an error of kind
    /// [`ErrorKind::Broken`](crate::ErrorKind::Broken) if there is no link any more.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future asks the function to end; the nursery around waits until it has.
    ///
    /// # Examples
    ///
    /// See [`Context`](crate::Context) and [`OpenContext`].
    pub async fn open_context<T: ContextFunction>(
        &self,
        call: Call<T>,
    ) -> Result<(OpenContext<T>, T::First)> {
        let ctx = self.begin_context(&call, None)?;
        let first = ctx.first_value().await?;
        Ok((ctx, first))
    }

    /// Opens a context and runs `body` with it. When `body` is done, waits for the function to
    /// end, too.
    ///
    /// The two end together: an error of the function cancels `body`, as the failure of a task
    /// cancels its nursery; an error or a panic of `body` asks the function to end.
    ///
    /// # Errors
    ///
    /// That of the function or that of `body`, whichever came first; as
    /// [`open_context`](Self::open_context). A cancellation by
    /// [`OpenContext::cancel`] is no error, unless `body` itself returns it as one.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops `body` and asks the function to end.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use treewright::{Context, Portal, Result};
    ///
    /// #[treewright::context]
    /// async fn length(ctx: Context<(), String, usize>) -> Result<()> {
    ///     let mut stream = ctx.started(()).await?.open_stream().await?;
    ///     while let Some(text) = stream.try_next().await? {
    ///         stream.send(text.len()).await?;
    ///     }
    ///     Ok(())
    /// }
    ///
    /// async fn ask(portal: &Portal) -> Result<Option<usize>> {
    ///     portal
    ///         .with_context(length(), async |ctx, ()| {
    ///             let mut stream = ctx.open_stream().await?;
    ///             stream.send("structured".to_owned()).await?;
    ///             stream.try_next().await
    ///         })
    ///         .await
    /// }
    /// ```
    pub async fn with_context<T: ContextFunction, R>(
        &self,
        call: Call<T>,
        body: impl AsyncFnOnce(&OpenContext<T>, T::First) -> Result<R>,
    ) -> Result<R> {
        let (ctx, first) = self.open_context(call).await?;
        let node = Node::new(NodeKind::Task, Node::current());
        let running = guarded(Rc::clone(&node), async { body(&ctx, first).await });
        let watch = async {
            interrupt(&node, &ctx).await;
            pending().await
        };
        let outcome = or(running, pin!(watch)).await;
        match outcome.and_then(|result| result) {
            Ok(value) => {
                ctx.outcome().await?;
                Ok(value)
            }
            // The function's own error is what interrupted `body`.
            Err(_) if node.is_cancelled() && failure(&ctx).is_some() => {
                Err(failure(&ctx).expect("invariant: it was looked at"))
            }
            Err(error) => {
                let reason = CancelReason::new(CancelOrigin::Failure);
                ctx.ask_to_end(reason.with_message(error.to_string()));
                ctx.dialog().over().await;
                Err(error)
            }
        }
    }

    /// Starts a function that yields, and gives what it yields as a stream.
    ///
    /// # Errors
    ///
    /// What kept the function from being called; what it fails with later comes out of the
    /// stream.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future, or the stream, asks the function to end; the nursery around waits
    /// until it has.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use treewright::{Portal, Result, StreamSender};
    ///
    /// #[treewright::stream]
    /// async fn squares(mut out: StreamSender<u64>, upto: u64) -> Result<()> {
    ///     for n in 0..upto {
    ///         out.send(n * n).await?;
    ///     }
    ///     Ok(())
    /// }
    ///
    /// async fn sum(portal: &Portal) -> Result<u64> {
    ///     let mut squares = portal.open_stream_from(squares(10)).await?;
    ///     let mut sum = 0;
    ///     while let Some(square) = squares.try_next().await? {
    ///         sum += square;
    ///     }
    ///     Ok(sum)
    /// }
    /// ```
    pub async fn open_stream_from<T: StreamFunction>(
        &self,
        call: Call<T>,
    ) -> Result<RemoteStream<T::Item>> {
        let charge = self.open(&call, None)?;
        // No first value to tell: that there is one says that it runs.
        charge.dialog.first().await?;
        charge.dialog.open_stream()?;
        Ok(RemoteStream::new(charge))
    }

    /// Opens a context and does not wait for its first value. Where `descriptor` cannot go
    /// along, the function gets none.
    pub(crate) fn begin_context<T: ContextFunction>(
        &self,
        call: &Call<T>,
        descriptor: Option<OwnedFd>,
    ) -> Result<OpenContext<T>> {
        Ok(OpenContext::new(self.open(call, descriptor)?))
    }

    fn open<T: Function>(&self, call: &Call<T>, descriptor: Option<OwnedFd>) -> Result<Charge> {
        let undertaker = Charge::undertaker()?;
        let dialog = self.peer().open_dialog(call, descriptor)?;
        Ok(Charge::new(dialog, undertaker))
    }
}

/// What the function failed with, unless that was asked for here.
fn failure<T: ContextFunction>(ctx: &OpenContext<T>) -> Option<crate::Error> {
    let error = ctx.dialog().outcome()?.err()?;
    ctx.own_cancellation(&error).is_none().then_some(error)
}

/// Cancels `node` when the function fails.
async fn interrupt<T: ContextFunction>(node: &Node, ctx: &OpenContext<T>) {
    ctx.dialog().over().await;
    if let Some(error) = failure(ctx) {
        Dialog::tell(ctx.dialog());
        let reason = CancelReason::new(CancelOrigin::Failure).with_message(error.to_string());
        node.cancel(reason, Urgency::InOrder);
    }
}
