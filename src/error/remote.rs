//! An error that came from another process, and how one is made ready to travel.

use std::error::Error as StdError;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{CancelReason, Error, ErrorKind};
use crate::id::ActorId;

/// Groups in groups beyond this depth travel as text, so that an error that is read never
/// nests deeper than a codec allows.
const DEEPEST: usize = 24;

/// A failure in another actor, or the end of one: what an [`Error`] of this process holds
/// when the failure came over a link. [`Error::remote`] finds it.
///
/// It is whole: the actor it happened in, the actors that passed it on, its text with all
/// causes, its place in the source, and what the process wrote last to its standard error
/// where the process died of it.
///
/// # Examples
///
/// ```no_run
/// # async fn f(n: treewright::Nursery<'_>) -> treewright::Result<()> {
/// # let error = treewright::Error::other("x");
/// if let Some(remote) = error.remote() {
///     println!("{} failed at {:?}", remote.origin(), remote.location());
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteError {
    origin: ActorId,
    #[serde(default)]
    relay: Vec<ActorId>,
    kind: RemoteKind,
    message: String,
    #[serde(default)]
    causes: Causes,
    #[serde(default)]
    location: Option<String>,
    #[serde(default)]
    hint: Option<String>,
    #[serde(default, with = "serde_bytes")]
    stderr: Vec<u8>,
    #[serde(default)]
    reason: Option<CancelReason>,
    #[serde(default)]
    payload: Option<Payload>,
    /// The failures it stands for, if they are several.
    #[serde(default)]
    failures: Vec<RemoteError>,
}

/// What went wrong in another actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum RemoteKind {
    /// A task there returned an error.
    Error,
    /// A task there panicked.
    Panic,
    /// A function there does not want to run now, as a child of a tree may say.
    Ignored,
    /// It was cancelled; [`RemoteError::reason`] says by whom.
    Cancelled,
    /// The process exited with this code, and nobody had asked it to.
    Exited(i32),
    /// A signal killed the process.
    Signalled {
        /// The number of the signal.
        signal: i32,
        /// Whether it left a core dump.
        core: bool,
    },
    /// The kernel killed the process because its control group ran out of memory.
    Oom,
    /// The process ended before it was an actor.
    BootDeath,
    /// The process was not an actor when its time was up.
    BootTimeout,
    /// The actor could not be reached any more, and whether it lives is not known.
    LinkLost,
}

/// An error value as it travels: the name of its type, and the value in CBOR.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    /// The name of the type, by `std::any::type_name`.
    pub type_name: String,
    /// The value in CBOR.
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
}

/// Causes as texts, each the cause of the one before; linked, so that they can be an
/// error's `source`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Vec<String>", into = "Vec<String>")]
struct Causes(Option<Box<Cause>>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Cause {
    text: String,
    next: Causes,
}

impl Causes {
    fn iter(&self) -> impl Iterator<Item = &str> {
        let first = self.0.as_deref();
        std::iter::successors(first, |cause| cause.next.0.as_deref())
            .map(|cause| cause.text.as_str())
    }

    fn as_source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.as_deref().map(|cause| cause as _)
    }
}

impl From<Vec<String>> for Causes {
    fn from(texts: Vec<String>) -> Self {
        let link = |next, text| Causes(Some(Box::new(Cause { text, next })));
        texts.into_iter().rev().fold(Self::default(), link)
    }
}

impl From<Causes> for Vec<String> {
    fn from(causes: Causes) -> Self {
        causes.iter().map(str::to_owned).collect()
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl StdError for Cause {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.next.as_source()
    }
}

impl RemoteError {
    /// A failure of `origin` that is told by somebody else: how its process ended.
    #[must_use]
    pub(crate) fn of_process(origin: ActorId, kind: RemoteKind, message: String) -> Self {
        Self {
            origin,
            relay: Vec::new(),
            kind,
            message,
            causes: Causes::default(),
            location: None,
            hint: None,
            stderr: Vec::new(),
            reason: None,
            payload: None,
            failures: Vec::new(),
        }
    }

    /// The same with what the process wrote last to its standard error.
    #[must_use]
    pub(crate) fn with_stderr(mut self, stderr: Vec<u8>) -> Self {
        self.stderr = stderr;
        self
    }

    /// The same with the reason of a cancellation.
    #[must_use]
    pub(crate) fn with_reason(mut self, reason: CancelReason) -> Self {
        self.reason = Some(reason);
        self
    }

    /// The same because of `cause`.
    #[must_use]
    pub(crate) fn with_cause(mut self, cause: &Error) -> Self {
        self.causes = texts_of(cause).into();
        self
    }

    /// The same with a value of the failing function's own error type.
    #[must_use]
    pub(crate) fn with_payload(mut self, payload: Option<Payload>) -> Self {
        self.payload = payload.or(self.payload);
        self
    }

    /// `error`, which came up in the actor `here`, made ready to leave it.
    #[must_use]
    pub(crate) fn pack(error: &Error, here: &ActorId) -> Self {
        Self::pack_at(error, here, 0)
    }

    fn pack_at(error: &Error, here: &ActorId, depth: usize) -> Self {
        if error.is_group() {
            return Self::pack_group(error, here, depth);
        }
        let mut texts = texts_of(error);
        let message = texts.remove(0);
        match error.remote() {
            Some(remote) => {
                let mut packed = remote.clone().passed_on_by(here);
                // What was added on the way here stands above what came.
                if message != remote.to_string() {
                    packed.message = message;
                    packed.causes = texts.into();
                }
                packed
            }
            None => Self {
                causes: texts.into(),
                location: Some(error.location()),
                hint: error.hint().map(str::to_owned),
                reason: error.cancel_reason().cloned(),
                ..Self::of_process(here.clone(), kind_of(error), message)
            },
        }
    }

    /// The same, with `here` on the way of it and of all that it stands for.
    fn passed_on_by(mut self, here: &ActorId) -> Self {
        self.relay.push(here.clone());
        let failures = self.failures.into_iter();
        self.failures = failures.map(|one| one.passed_on_by(here)).collect();
        self
    }

    fn pack_group(error: &Error, here: &ActorId, depth: usize) -> Self {
        let mut packed = Self::of_process(here.clone(), kind_of(error), error.to_string());
        packed.location = Some(error.location());
        match depth < DEEPEST {
            true => {
                packed.failures = error
                    .failures()
                    .map(|failure| Self::pack_at(failure, here, depth + 1))
                    .collect();
            }
            false => {
                let texts: Vec<_> = error.failures().map(Error::to_string).collect();
                packed.causes = texts.into();
            }
        }
        packed
    }

    /// The actor it happened in.
    #[must_use]
    pub fn origin(&self) -> &ActorId {
        &self.origin
    }

    /// The actors it came through, the one nearest to its origin first.
    #[must_use]
    pub fn relay(&self) -> &[ActorId] {
        &self.relay
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> RemoteKind {
        self.kind
    }

    /// Its text, without the name of the actor.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The texts of its causes, each the cause of the one before.
    pub fn causes(&self) -> impl Iterator<Item = &str> {
        self.causes.iter()
    }

    /// Where in the source of that actor's program it came up, as `file:line:column`.
    #[must_use]
    pub fn location(&self) -> Option<&str> {
        self.location.as_deref()
    }

    /// What the process wrote last to its standard error, if it died of this.
    #[must_use]
    pub fn stderr(&self) -> &[u8] {
        &self.stderr
    }

    /// Why and by whom it was cancelled, if it was.
    #[must_use]
    pub fn reason(&self) -> Option<&CancelReason> {
        self.reason.as_ref()
    }

    /// The value of the failing function's error type, if that type can travel.
    #[must_use]
    pub fn payload(&self) -> Option<&Payload> {
        self.payload.as_ref()
    }

    /// The failures it stands for, the first of which was the cause, if they are several;
    /// else none.
    #[must_use]
    pub fn failures(&self) -> &[RemoteError] {
        &self.failures
    }

    fn error_kind(&self) -> ErrorKind {
        match self.kind {
            RemoteKind::Error => ErrorKind::Remote,
            RemoteKind::Panic => ErrorKind::Panic,
            RemoteKind::Cancelled => ErrorKind::Cancelled,
            RemoteKind::Ignored => ErrorKind::Ignored,
            RemoteKind::Exited(_) | RemoteKind::Signalled { .. } | RemoteKind::Oom => {
                ErrorKind::LostProcess
            }
            RemoteKind::BootDeath => ErrorKind::Spawn,
            RemoteKind::BootTimeout => ErrorKind::TimedOut,
            RemoteKind::LinkLost => ErrorKind::Broken,
        }
    }
}

/// The texts of an error and of its causes.
fn texts_of(error: &Error) -> Vec<String> {
    let mut texts = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        texts.push(error.to_string());
        cause = error.source();
    }
    texts
}

fn kind_of(error: &Error) -> RemoteKind {
    match error.kind() {
        ErrorKind::Panic => RemoteKind::Panic,
        ErrorKind::Cancelled => RemoteKind::Cancelled,
        ErrorKind::Ignored => RemoteKind::Ignored,
        _ => RemoteKind::Error,
    }
}

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.origin.name();
        match self.kind {
            RemoteKind::Error => write!(f, "actor `{name}` failed: {}", self.message),
            RemoteKind::Cancelled => write!(f, "actor `{name}` was {}", self.message),
            RemoteKind::Ignored => {
                write!(f, "actor `{name}` does not want to run: {}", self.message)
            }
            _ => write!(f, "actor `{name}` {}", self.message),
        }
    }
}

impl StdError for RemoteError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self.failures.first() {
            Some(first) => Some(first),
            None => self.causes.as_source(),
        }
    }
}

impl From<RemoteError> for Error {
    fn from(remote: RemoteError) -> Self {
        let (kind, hint) = (remote.error_kind(), remote.hint.clone());
        let (place, reason) = (remote.location.clone(), remote.reason.clone());
        let error = Self::wrap(kind, remote).with_reason(reason);
        let error = match place {
            Some(place) => error.made_at(place),
            None => error,
        };
        match hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}

impl Error {
    /// The failure in another actor that this error or one of its causes tells of.
    #[must_use]
    pub fn remote(&self) -> Option<&RemoteError> {
        self.downcast_ref()
    }
}

#[cfg(test)]
#[path = "remote_tests.rs"]
mod tests;
