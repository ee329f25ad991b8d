//! Making an error out of other errors, and adding context on the way.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::io;

use treewright_supervisors::report::Report;

use super::{CancelReason, Error, ErrorKind, Result};

type Boxed = Box<dyn StdError + Send + Sync>;

impl From<io::Error> for Error {
    #[track_caller]
    fn from(error: io::Error) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::TimedOut => ErrorKind::TimedOut,
            _ => ErrorKind::Io,
        };
        Self::wrap(kind, error)
    }
}

/// What is wrong with the spec of a tree.
impl From<Report> for Error {
    #[track_caller]
    fn from(report: Report) -> Self {
        Self::wrap(ErrorKind::InvalidSpec, report)
    }
}

impl From<rustix::io::Errno> for Error {
    #[track_caller]
    fn from(errno: rustix::io::Errno) -> Self {
        io::Error::from(errno).into()
    }
}

/// An error of ours in the box comes out as it went in.
impl From<Boxed> for Error {
    #[track_caller]
    fn from(error: Boxed) -> Self {
        let error = match error.downcast::<Self>() {
            Ok(error) => return *error,
            Err(error) => error,
        };
        match error.downcast::<io::Error>() {
            Ok(error) => Self::from(*error),
            Err(error) => Self::wrap(ErrorKind::Other, error),
        }
    }
}

/// Keeps the texts only, since the error itself may not leave its thread.
impl From<Box<dyn StdError>> for Error {
    #[track_caller]
    fn from(error: Box<dyn StdError>) -> Self {
        let error = match error.downcast::<Self>() {
            Ok(error) => return *error,
            Err(error) => error,
        };
        let mut texts = vec![error.to_string()];
        let mut cause = error.source();
        while let Some(error) = cause {
            texts.push(error.to_string());
            cause = error.source();
        }
        let root = texts.pop().unwrap_or_default();
        let root = Self::other(root);
        texts.into_iter().rev().fold(root, Self::context)
    }
}

impl From<&'static str> for Error {
    #[track_caller]
    fn from(message: &'static str) -> Self {
        Self::other(message)
    }
}

impl From<String> for Error {
    #[track_caller]
    fn from(message: String) -> Self {
        Self::other(message)
    }
}

impl From<CancelReason> for Error {
    #[track_caller]
    fn from(reason: CancelReason) -> Self {
        Self::cancelled(reason)
    }
}

impl From<std::convert::Infallible> for Error {
    #[track_caller]
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

macro_rules! from_standard {
    ($($type:ty),* $(,)?) => {$(
        impl From<$type> for Error {
            #[track_caller]
            fn from(error: $type) -> Self {
                Self::wrap(ErrorKind::Other, error)
            }
        }
    )*};
}

// What `?` meets most often. There cannot be one for every error, because ours is an error
// itself; `.context(..)` takes the others.
from_standard!(
    std::num::ParseIntError,
    std::num::ParseFloatError,
    std::num::TryFromIntError,
    std::str::ParseBoolError,
    std::str::Utf8Error,
    std::string::FromUtf8Error,
    std::char::ParseCharError,
    std::net::AddrParseError,
    std::env::VarError,
    std::time::SystemTimeError,
    std::fmt::Error,
);

/// Says what was being done when something failed.
///
/// # Examples
///
/// ```
/// use treewright::{ErrorContext, Result};
///
/// fn port(text: &str) -> Result<u16> {
///     text.parse().with_context(|| format!("cannot read port `{text}`"))
/// }
///
/// let error = port("http").unwrap_err();
/// assert_eq!(error.to_string(), "cannot read port `http`");
/// ```
pub trait ErrorContext<T> {
    /// The value, or the error under `message`.
    ///
    /// # Errors
    ///
    /// The error it had, or for a missing value one that says `message`.
    #[track_caller]
    fn context(self, message: impl Into<Cow<'static, str>>) -> Result<T>;

    /// The value, or the error under the message that `message` makes.
    ///
    /// # Errors
    ///
    /// The error it had, or for a missing value one that says the message.
    #[track_caller]
    fn with_context(self, message: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: Into<Boxed>> ErrorContext<T> for std::result::Result<T, E> {
    #[track_caller]
    fn context(self, message: impl Into<Cow<'static, str>>) -> Result<T> {
        // A closure would be the place of the error, in all of them.
        match self {
            Ok(value) => Ok(value),
            Err(error) => Err(Error::from(error.into()).context(message)),
        }
    }

    #[track_caller]
    fn with_context(self, message: impl FnOnce() -> String) -> Result<T> {
        match self {
            Ok(value) => Ok(value),
            Err(error) => Err(Error::from(error.into()).context(message())),
        }
    }
}

impl<T> ErrorContext<T> for Option<T> {
    #[track_caller]
    fn context(self, message: impl Into<Cow<'static, str>>) -> Result<T> {
        match self {
            Some(value) => Ok(value),
            None => Err(Error::other(message)),
        }
    }

    #[track_caller]
    fn with_context(self, message: impl FnOnce() -> String) -> Result<T> {
        match self {
            Some(value) => Ok(value),
            None => Err(Error::other(message())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] io::Error);

    #[test]
    fn error_goes_to_other_threads_and_into_boxes() {
        fn check<E: StdError + Send + Sync + 'static>() {}
        check::<Error>();
    }

    #[test]
    fn question_mark_takes_errors_of_the_standard_library() {
        fn number(bytes: &[u8]) -> Result<u8> {
            Ok(std::str::from_utf8(bytes)?.parse()?)
        }
        assert_eq!(number(b"7").unwrap(), 7);
        let error = number(b"seven").unwrap_err();
        assert!(error.downcast_ref::<std::num::ParseIntError>().is_some());
        assert!(number(&[0xff]).unwrap_err().to_string().contains("utf-8"));
    }

    #[test]
    fn boxed_error_of_ours_comes_out_as_it_went_in() {
        let error = Error::new(ErrorKind::Closed, "scope has ended");
        let boxed: Boxed = Box::new(error.clone());
        assert!(Error::from(boxed).is_same_failure(&error));
    }

    #[test]
    fn error_knows_where_it_was_made_under_context_and_by_a_question_mark() {
        fn fails() -> Result<u8> {
            Ok("x".parse::<u8>()?)
        }
        let (error, line) = (fails().context("cannot start").unwrap_err(), line!() - 2);
        let place = format!("{}:{line}:", file!());
        assert!(error.location().starts_with(&place), "{}", error.location());
        let (error, line) = (None::<u8>.context("nothing there").unwrap_err(), line!());
        assert!(error.location().contains(&format!(":{line}:")));
    }

    #[test]
    fn context_keeps_kind_reason_and_causes() {
        let reason = CancelReason::from("enough");
        let error = Error::cancelled(reason.clone()).context("cannot fetch");
        assert!(error.is_cancelled());
        assert_eq!(error.cancel_reason(), Some(&reason));
        let outer = Error::wrap(ErrorKind::Other, Outer(io::Error::other("inner")));
        let text = format!("{:?}", outer.context("top"));
        assert_eq!(text, "top\ncaused by: outer\ncaused by: inner");
    }

    #[test]
    fn cause_is_found_by_type_under_context_and_hint() {
        let error = Error::wrap(ErrorKind::Other, Outer(io::Error::other("inner")))
            .context("middle")
            .with_hint("try again");
        assert!(error.downcast_ref::<Outer>().is_some());
        assert!(error.downcast_ref::<io::Error>().is_some());
        assert!(error.downcast_ref::<std::fmt::Error>().is_none());
        assert_eq!(error.clone().context("top").hint(), Some("try again"));
        assert_eq!(error.to_string(), "middle");
    }

    #[test]
    fn boxed_error_that_cannot_leave_its_thread_keeps_its_texts() {
        let boxed: Box<dyn StdError> = Box::new(Outer(io::Error::other("inner")));
        assert_eq!(
            format!("{:?}", Error::from(boxed)),
            "outer\ncaused by: inner"
        );
    }

    #[test]
    fn group_has_the_first_as_its_cause_and_lists_all() {
        let first = Error::new(ErrorKind::Panic, "first");
        let group = Error::group(first.clone(), vec![Error::other("second")]).context("scope");
        assert!(group.is_group() && group.is_panic());
        let texts: Vec<_> = group.failures().map(Error::to_string).collect();
        assert_eq!(texts, ["first", "second"]);
        assert!(group.is_same_failure(&first));
        assert!(!Error::group(first, Vec::new()).is_group());
    }

    #[test]
    fn same_text_made_twice_is_not_the_same_failure() {
        assert!(!Error::other("x").is_same_failure(&Error::other("x")));
    }
}
