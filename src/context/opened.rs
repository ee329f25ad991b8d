//! The side of who opened a context.

use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::rc::Rc;

use bytes::Bytes;

use super::charge::Charge;
use super::{ContextFunction, MsgStream};
use crate::dialog::Dialog;
use crate::error::{CancelOrigin, CancelReason, Error, ErrorContext, Result};
use crate::id::ActorId;

/// A conversation with a function in another actor, from
/// [`Portal::open_context`](crate::Portal::open_context).
///
/// It is a guard: dropping it asks the function to end. The nursery around waits until it has,
/// and fails with an error of the function that nobody was told of.
///
/// An error of the function comes at the next operation here or on the stream. In
/// [`Portal::with_context`](crate::Portal::with_context) it interrupts whatever is going on.
///
/// # Examples
///
/// ```no_run
/// use treewright::{Context, Outcome, Portal, Result};
///
/// #[treewright::context]
/// async fn watch(ctx: Context<u32>) -> Result<()> {
///     ctx.started(std::process::id()).await?;
///     std::future::pending().await
/// }
///
/// async fn for_a_while(portal: &Portal) -> Result<()> {
///     let (ctx, process) = portal.open_context(watch()).await?;
///     println!("it watches in process {process}");
///     let outcome = ctx.cancel().await?;
///     assert!(matches!(outcome, Outcome::Cancelled(_)));
///     Ok(())
/// }
/// ```
pub struct OpenContext<T: ContextFunction> {
    charge: Charge,
    function: PhantomData<fn() -> T>,
}

/// How a context ended that was perhaps cancelled from here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<T> {
    /// The function returned this. That wins over a cancellation that came too late.
    Returned(T),
    /// It was cancelled, as was asked for here.
    Cancelled(CancelReason),
}

impl<T> Outcome<T> {
    /// What the function returned, unless it was cancelled.
    #[must_use]
    pub fn returned(self) -> Option<T> {
        match self {
            Self::Returned(value) => Some(value),
            Self::Cancelled(_) => None,
        }
    }

    /// Whether it was cancelled before it returned.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled(_))
    }
}

impl<T: ContextFunction> OpenContext<T> {
    pub(super) fn new(charge: Charge) -> Self {
        Self {
            charge,
            function: PhantomData,
        }
    }

    /// Waits for its first value.
    pub(crate) async fn first_value(&self) -> Result<T::First> {
        let first = self.dialog().first().await?;
        let decoded = self.dialog().codec().decode(&first);
        decoded.with_context(|| format!("cannot read the first value of context `{}`", T::PATH))
    }

    pub(super) fn dialog(&self) -> &Rc<Dialog> {
        &self.charge.dialog
    }

    /// The actor in which the function runs.
    #[must_use]
    pub fn peer(&self) -> &ActorId {
        self.dialog().peer_id()
    }

    /// Opens the stream, of which there is one. What the function has sent already waits in
    /// it.
    ///
    /// # Errors
    ///
    /// If the stream was opened before; an error for which
    /// [`Error::is_closed`](crate::Error::is_closed) holds.
    pub async fn open_stream(&self) -> Result<MsgStream<T::Sends, T::Receives>> {
        self.dialog().open_stream()?;
        Ok(MsgStream::new(Rc::clone(self.dialog())))
    }

    /// Waits until the function has ended, and gives its value; any number of times.
    ///
    /// A function that reads its stream to the end ends only when this side has closed it: open it and
    /// [close](MsgStream::close) it before, also if there is nothing to send.
    ///
    /// # Errors
    ///
    /// What the function failed with, or its panic, or how its actor died. If it was
    /// cancelled, by whomever, an error for which
    /// [`Error::is_cancelled`](crate::Error::is_cancelled) holds and whose reason names who
    /// asked; see [`outcome`](Self::outcome) for who cancels it himself.
    ///
    /// # Cancel safety
    ///
    /// Safe; the function runs on.
    pub async fn result(&self) -> Result<T::Value> {
        let value = self.dialog().ended().await?;
        self.read(&value)
    }

    /// Waits until the function has ended. A cancellation that was asked for by
    /// [`cancel`](Self::cancel) is an outcome and no error.
    ///
    /// # Errors
    ///
    /// As [`result`](Self::result), but for that. A cancellation that somebody else asked for
    /// is an error, whoever else asked, too.
    ///
    /// # Cancel safety
    ///
    /// Safe; the function runs on.
    pub async fn outcome(&self) -> Result<Outcome<T::Value>> {
        match self.dialog().ended().await {
            Ok(value) => Ok(Outcome::Returned(self.read(&value)?)),
            Err(error) => match self.own_cancellation(&error) {
                Some(reason) => Ok(Outcome::Cancelled(reason)),
                None => Err(error),
            },
        }
    }

    /// Asks the function to end, which drops it at its next await, and waits until it has.
    ///
    /// # Errors
    ///
    /// As [`outcome`](Self::outcome).
    ///
    /// # Cancel safety
    ///
    /// Safe: it was asked when this was called.
    #[track_caller]
    pub fn cancel(&self) -> impl Future<Output = Result<Outcome<T::Value>>> + '_ {
        self.ask_to_end(CancelReason::new(self.own_origin()).asked_at(Location::caller()));
        self.outcome()
    }

    pub(super) fn ask_to_end(&self, reason: CancelReason) {
        self.dialog().cancel(&reason);
    }

    fn own_origin(&self) -> CancelOrigin {
        CancelOrigin::Actor(self.dialog().here().clone())
    }

    /// The reason in `error`, if it tells of what this side asked for.
    pub(super) fn own_cancellation(&self, error: &Error) -> Option<CancelReason> {
        let reason = error.cancel_reason()?;
        let is_own = self.dialog().was_cancelled() && *reason.origin() == self.own_origin();
        is_own.then(|| reason.clone())
    }

    fn read(&self, value: &Bytes) -> Result<T::Value> {
        self.dialog().codec().decode(value).with_context(|| {
            let (path, actor) = (T::PATH, self.peer().name());
            format!("cannot read what context `{path}` of actor `{actor}` returned")
        })
    }
}

impl<T: ContextFunction> fmt::Debug for OpenContext<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OpenContext").field(self.dialog()).finish()
    }
}
