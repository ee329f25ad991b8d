//! The one error type of the public API.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use super::chain::{self, Chain};
use super::lagged::Lagged;
use super::{CancelReason, ErrorKind};

/// The result of most functions here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Boxed = Box<dyn StdError + Send + Sync>;

/// An error: a kind to decide by, a text to read, and a cause.
///
/// It is cheap to clone, so that one failure can be told to all whom it concerns. Its
/// `Debug` form, which `main` prints, is for people: the text, its causes, and a hint
/// where there is one.
///
/// # Examples
///
/// ```
/// use treewright::{Error, ErrorKind};
///
/// let cause = std::io::Error::from(std::io::ErrorKind::AddrInUse);
/// let error = Error::from(cause).context("cannot bind control socket `/run/app.sock`");
/// assert_eq!(error.kind(), ErrorKind::Io);
/// assert_eq!(error.to_string(), "cannot bind control socket `/run/app.sock`");
/// assert!(std::error::Error::source(&error).is_some());
/// ```
#[derive(Clone)]
pub struct Error(Arc<Inner>);

struct Inner {
    kind: ErrorKind,
    text: Text,
    hint: Option<Cow<'static, str>>,
    reason: Option<CancelReason>,
    /// The failures after the first, when this stands for several.
    others: Vec<Error>,
    /// Where in the source it was made.
    place: Place,
}

/// Where in the source an error was made.
enum Place {
    /// Here.
    Known(&'static Location<'static>),
    /// At a place that came as text: of a panic, or from another process.
    Told(Box<str>),
}

enum Text {
    Message(Cow<'static, str>),
    /// A message over the error it explains.
    Context(Cow<'static, str>, Boxed),
    /// Somebody else's error as it is.
    Wrapped(Boxed),
}

impl Error {
    /// An error of `kind` that says `message`: lowercase, without a full stop, with what
    /// failed and on which object.
    #[must_use]
    #[track_caller]
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self::build(kind, Text::Message(message.into()))
    }

    /// An error of the program itself that says `message`.
    #[must_use]
    #[track_caller]
    pub fn other(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Other, message)
    }

    /// Somebody else's error as one of `kind`, with its text and its causes unchanged.
    #[must_use]
    #[track_caller]
    pub fn wrap(kind: ErrorKind, error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::build(kind, Text::Wrapped(error.into()))
    }

    /// The error of what was cancelled for `reason`.
    #[must_use]
    #[track_caller]
    pub fn cancelled(reason: CancelReason) -> Self {
        let text = Text::Message(reason.to_string().into());
        let mut inner = Inner::new(ErrorKind::Cancelled, text);
        inner.reason = Some(reason);
        Self(Arc::new(inner))
    }

    /// What a child of a tree returns that does not want to run now (OTP's `ignore`): its
    /// supervisor leaves it down, and that is no failure.
    ///
    /// It counts as that before the child has started only: of a context before
    /// [`Context::started`](crate::Context::started), of a local closure before
    /// [`LocalChild::started`](crate::LocalChild::started), or before it waits for the first
    /// time where its `start` is `spawned`.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use treewright::{Context, Error, Result};
    ///
    /// #[treewright::context]
    /// async fn mirror(ctx: Context) -> Result<()> {
    ///     if std::env::var_os("MIRROR").is_none() {
    ///         return Err(Error::ignored("there is nothing to mirror"));
    ///     }
    ///     ctx.started(()).await?;
    ///     std::future::pending().await
    /// }
    /// ```
    #[must_use]
    #[track_caller]
    pub fn ignored(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Ignored, message)
    }

    /// The error of a receiver of a broadcast that was too slow and lost this many items.
    #[must_use]
    #[track_caller]
    pub(crate) fn of_lag(lost: u64) -> Self {
        Self::wrap(ErrorKind::Lagged, Lagged { lost })
            .with_hint("read it sooner, keep more items, or say what to do with `on_lag`")
    }

    /// Several failures of one scope as one error, which has the kind of the first: the
    /// first is the cause. One alone comes out as it is.
    #[track_caller]
    pub(crate) fn group(first: Self, others: Vec<Self>) -> Self {
        if others.is_empty() {
            return first;
        }
        let message = format!("{} tasks of one scope failed", others.len() + 1);
        let text = Text::Context(message.into(), Box::new(first.clone()));
        let mut inner = Inner::new(first.kind(), text);
        inner.others = others;
        Self(Arc::new(inner))
    }

    #[track_caller]
    fn build(kind: ErrorKind, text: Text) -> Self {
        Self(Arc::new(Inner::new(kind, text)))
    }

    /// The same error under a message that says what was being done.
    #[must_use]
    #[track_caller]
    pub fn context(self, message: impl Into<Cow<'static, str>>) -> Self {
        let mut inner = Inner::new(
            self.kind(),
            Text::Context(message.into(), Box::new(self.clone())),
        );
        inner.reason = self.0.reason.clone();
        Self(Arc::new(inner))
    }

    /// The same error with advice, which is shown apart from its text.
    #[must_use]
    #[track_caller]
    pub fn with_hint(self, hint: impl Into<Cow<'static, str>>) -> Self {
        let mut inner = Inner::new(self.kind(), Text::Wrapped(Box::new(self.clone())));
        inner.hint = Some(hint.into());
        inner.reason = self.0.reason.clone();
        Self(Arc::new(inner))
    }

    /// What kind of thing went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether it was cancelled, by whomever.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.kind() == ErrorKind::Cancelled
    }

    /// Whether its time was up.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.kind() == ErrorKind::TimedOut
    }

    /// Whether this side had closed it before.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.kind() == ErrorKind::Closed
    }

    /// Whether a task panicked.
    #[must_use]
    pub fn is_panic(&self) -> bool {
        self.kind() == ErrorKind::Panic
    }

    /// How many items a receiver of a broadcast has lost, if that is what it tells.
    ///
    /// # Examples
    ///
    /// ```
    /// let error = treewright::Error::other("boom");
    /// assert_eq!(error.lagged(), None);
    /// ```
    #[must_use]
    pub fn lagged(&self) -> Option<u64> {
        self.downcast_ref().map(|lagged: &Lagged| lagged.lost)
    }

    /// Why and by whom it was cancelled, if it was.
    #[must_use]
    pub fn cancel_reason(&self) -> Option<&CancelReason> {
        self.0.reason.as_ref()
    }

    /// Advice on what to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        let below = || self.below()?.hint();
        self.0.hint.as_deref().or_else(below)
    }

    /// Where in the source the failure was made an error, as `file:line:column`; of a
    /// panic, where it began; of an error from another actor, where it was made there.
    ///
    /// # Examples
    ///
    /// ```
    /// let error = treewright::Error::other("boom").context("cannot start");
    /// assert!(error.location().contains(':'));
    /// ```
    #[must_use]
    pub fn location(&self) -> String {
        // Context and advice are added later; the place of the failure is the lowest one.
        std::iter::successors(Some(self), |error| error.below())
            .last()
            .map_or_else(String::new, |error| error.0.place.to_string())
    }

    /// The same error with the reason of a cancellation. It has been shared with nobody yet.
    #[must_use]
    pub(crate) fn with_reason(mut self, reason: Option<CancelReason>) -> Self {
        match Arc::get_mut(&mut self.0) {
            Some(inner) => inner.reason = reason,
            None => debug_assert!(false, "the reason of a shared error is settled"),
        }
        self
    }

    /// The same error with a place that is known as text only. It has been shared with
    /// nobody yet.
    #[must_use]
    pub(crate) fn made_at(mut self, place: impl Into<Box<str>>) -> Self {
        match Arc::get_mut(&mut self.0) {
            Some(inner) => inner.place = Place::Told(place.into()),
            None => debug_assert!(false, "the place of a shared error is settled"),
        }
        self
    }

    /// Whether it says that a child of a tree does not want to run now.
    #[must_use]
    pub fn is_ignored(&self) -> bool {
        self.kind() == ErrorKind::Ignored
    }

    /// Whether it stands for several failures of one scope.
    #[must_use]
    pub fn is_group(&self) -> bool {
        !self.failures_after_first().is_empty()
    }

    /// The failures it stands for, the first of which is the cause of the others' end;
    /// just this error if it is not a group.
    pub fn failures(&self) -> impl Iterator<Item = &Error> {
        let mut first = self;
        while first.is_group()
            && let Some(below) = first.below()
        {
            first = below;
        }
        std::iter::once(first).chain(self.failures_after_first())
    }

    fn failures_after_first(&self) -> &[Error] {
        match (self.0.others.is_empty(), self.below()) {
            (true, Some(below)) => below.failures_after_first(),
            _ => &self.0.others,
        }
    }

    /// The error of ours that this one explains or advises on.
    fn below(&self) -> Option<&Error> {
        match &self.0.text {
            Text::Message(_) => None,
            Text::Context(_, error) | Text::Wrapped(error) => error.downcast_ref(),
        }
    }

    /// The first error of type `E` among this and its causes.
    #[must_use]
    pub fn downcast_ref<E: StdError + 'static>(&self) -> Option<&E> {
        self.chain().find_map(|error| error.downcast_ref())
    }

    /// Whether this and `other` tell of the same failure: they are clones, or one is the
    /// other with context added.
    pub(crate) fn is_same_failure(&self, other: &Self) -> bool {
        let is_below = |upper: &Self, lower: &Self| {
            std::iter::successors(Some(upper), |error| error.below())
                .any(|error| Arc::ptr_eq(&error.0, &lower.0))
        };
        is_below(self, other) || is_below(other, self)
    }

    /// This error and its causes, each once, also those hidden under a plain wrap.
    fn chain(&self) -> Chain<'_> {
        chain::of(self)
    }

    /// The error that this one shows as its own, if it is a wrap.
    pub(super) fn wrapped(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.0.text {
            Text::Wrapped(error) => Some(&**error),
            _ => None,
        }
    }
}

impl Inner {
    #[track_caller]
    fn new(kind: ErrorKind, text: Text) -> Self {
        Self {
            kind,
            text,
            hint: None,
            reason: None,
            others: Vec::new(),
            place: Place::Known(Location::caller()),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(location) => location.fmt(f),
            Self::Told(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.text {
            Text::Message(message) | Text::Context(message, _) => f.write_str(message),
            Text::Wrapped(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)?;
        chain::write_causes(self, f)?;
        for other in self.failures_after_first() {
            write!(f, "\nalso: {other}")?;
            chain::write_causes(other, f)?;
        }
        match self.hint() {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.0.text {
            Text::Message(_) => None,
            Text::Context(_, error) => Some(&**error),
            Text::Wrapped(error) => error.source(),
        }
    }
}
