//! Why something was cancelled, and by whom.

use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use treewright_supervisors::duration::Written;
use treewright_supervisors::spec::Signal;

use crate::id::ActorId;

/// Why something was cancelled, and who asked.
///
/// # Examples
///
/// ```
/// use treewright::{CancelOrigin, CancelReason};
///
/// let reason = CancelReason::from("enough results");
/// assert_eq!(reason.origin(), &CancelOrigin::Request);
/// assert!(reason.to_string().starts_with("cancelled on request"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelReason {
    origin: CancelOrigin,
    message: Option<Cow<'static, str>>,
    location: Option<Cow<'static, str>>,
}

/// Who asked for a cancellation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum CancelOrigin {
    /// Code that holds the handle called `cancel`.
    Request,
    /// A member of the scope failed, which ends all the others.
    Failure,
    /// The scope around this one was cancelled.
    Enclosing,
    /// A deadline passed; it was this long.
    Deadline(Duration),
    /// This process was sent the signal of this number.
    Signal(i32),
    /// Another actor asked.
    Actor(ActorId),
    /// Whoever waited for it was dropped.
    Dropped,
}

impl CancelReason {
    /// A reason with nothing to say but who asked.
    #[must_use]
    pub fn new(origin: CancelOrigin) -> Self {
        Self {
            origin,
            message: None,
            location: None,
        }
    }

    /// The same reason with a message.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.message = Some(message.into());
        self
    }

    /// The same reason with the place in the source that asked, unless it has one.
    #[must_use]
    pub(crate) fn asked_at(mut self, location: &Location<'_>) -> Self {
        self.location
            .get_or_insert_with(|| location.to_string().into());
        self
    }

    /// The same as asked for by `actor`.
    #[must_use]
    pub(crate) fn asked_by(mut self, actor: ActorId) -> Self {
        self.origin = CancelOrigin::Actor(actor);
        self
    }

    /// Who asked.
    #[must_use]
    pub fn origin(&self) -> &CancelOrigin {
        &self.origin
    }

    /// What was said with it.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// Where in the source it was asked for, as `file:line:column`.
    #[must_use]
    pub fn location(&self) -> Option<&str> {
        self.location.as_deref()
    }
}

impl fmt::Display for CancelReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            CancelOrigin::Request => f.write_str("cancelled on request")?,
            CancelOrigin::Failure => f.write_str("cancelled because another task failed")?,
            CancelOrigin::Enclosing => f.write_str("cancelled with the scope around it")?,
            CancelOrigin::Deadline(limit) => {
                write!(f, "cancelled at a deadline of {}", Written(*limit))?;
            }
            CancelOrigin::Signal(number) => match Signal::from_number(*number) {
                Some(signal) => write!(f, "cancelled by signal {signal}")?,
                None => write!(f, "cancelled by signal {number}")?,
            },
            CancelOrigin::Actor(id) => write!(f, "cancelled by actor `{id}`")?,
            CancelOrigin::Dropped => f.write_str("cancelled because nobody waits for it")?,
        }
        if let Some(location) = &self.location {
            write!(f, " at {location}")?;
        }
        match &self.message {
            Some(message) => write!(f, ": {message}"),
            None => Ok(()),
        }
    }
}

impl From<&'static str> for CancelReason {
    fn from(message: &'static str) -> Self {
        Self::new(CancelOrigin::Request).with_message(message)
    }
}

impl From<String> for CancelReason {
    fn from(message: String) -> Self {
        Self::new(CancelOrigin::Request).with_message(message)
    }
}
