//! What is told about a task that failed, and how an error of any type becomes that.

use std::error::Error as StdError;
use std::marker::PhantomData;

use serde::Serialize;

use crate::error::{Error, ErrorKind, Payload};
use crate::wire::Codec;

type Boxed = Box<dyn StdError + Send + Sync>;

/// What is told about a task that failed.
#[derive(Debug, Clone)]
pub struct TaskFailure {
    /// The error with its causes.
    pub(crate) error: Error,
    /// The error as the value it was, if its type can travel.
    pub(crate) payload: Option<Payload>,
}

/// The error as the value it is, in CBOR whatever the codec of the link, so that it can be
/// passed on over others. `None` if CBOR cannot say it: then there are still its texts.
fn payload_of<E: Serialize>(error: &E) -> Option<Payload> {
    let mut bytes = Vec::new();
    Codec::Cbor.encode(error, &mut bytes).ok()?;
    Some(Payload {
        type_name: std::any::type_name::<E>().to_owned(),
        bytes,
    })
}

impl From<Error> for TaskFailure {
    fn from(error: Error) -> Self {
        Self {
            error,
            payload: None,
        }
    }
}

/// How an error becomes a [`TaskFailure`].
///
/// Which way is taken depends on what the type of the error implements, and generic code
/// cannot ask that. The code of `#[task]` knows the type, so it asks with a method call: it
/// calls `failure_source` on a reference to a reference, and so on, to an [`ErrorType`], and
/// the compiler takes the first of the traits below that fits, the one with the most
/// references first.
#[derive(Debug, Clone, Copy)]
pub struct FailureSource<Way>(Way);

/// The type of an error.
#[derive(Debug)]
pub struct ErrorType<E>(PhantomData<E>);

impl<E> ErrorType<E> {
    /// The type of this error.
    pub fn of(_: &E) -> Self {
        Self(PhantomData)
    }
}

/// It can travel as a value.
#[derive(Debug, Clone, Copy)]
pub struct Typed;
/// It is an error.
#[derive(Debug, Clone, Copy)]
pub struct Plain;
/// It is an error that may not leave its thread.
#[derive(Debug, Clone, Copy)]
pub struct Local;
/// It is no error.
#[derive(Debug, Clone, Copy)]
pub struct Unfit;

/// Errors that travel as values.
pub trait TypedFailure {
    /// The way that keeps the value.
    fn failure_source(&self) -> FailureSource<Typed> {
        FailureSource(Typed)
    }
}
impl<E: Serialize + Into<Boxed>> TypedFailure for &&&ErrorType<E> {}

/// Errors that travel as texts.
pub trait PlainFailure {
    /// The way that keeps the error.
    fn failure_source(&self) -> FailureSource<Plain> {
        FailureSource(Plain)
    }
}
impl<E: Into<Boxed>> PlainFailure for &&ErrorType<E> {}

/// Errors that may not leave their thread, such as `Box<dyn Error>`.
pub trait LocalFailure {
    /// The way that keeps the texts only.
    fn failure_source(&self) -> FailureSource<Local> {
        FailureSource(Local)
    }
}
impl<E: Into<Error>> LocalFailure for &ErrorType<E> {}

/// Everything else, so that the compiler says what is wrong with it.
pub trait UnfitFailure {
    /// The way that does not compile.
    fn failure_source(&self) -> FailureSource<Unfit> {
        FailureSource(Unfit)
    }
}
impl<E> UnfitFailure for ErrorType<E> {}

impl FailureSource<Typed> {
    /// The error.
    pub fn error<E: Into<Boxed>>(self, error: E) -> Error {
        error.into().into()
    }

    /// Keeps the error, and its value for who knows the type.
    pub fn make<E: Serialize + Into<Boxed>>(self, error: E) -> TaskFailure {
        let payload = payload_of(&error);
        TaskFailure {
            error: self.error(error),
            payload,
        }
    }
}

impl FailureSource<Plain> {
    /// The error.
    pub fn error<E: Into<Boxed>>(self, error: E) -> Error {
        error.into().into()
    }

    /// Keeps the error.
    pub fn make<E: Into<Boxed>>(self, error: E) -> TaskFailure {
        self.error(error).into()
    }
}

impl FailureSource<Local> {
    /// The error with its texts only.
    pub fn error<E: Into<Error>>(self, error: E) -> Error {
        error.into()
    }

    /// Keeps the texts of the error.
    pub fn make<E: Into<Error>>(self, error: E) -> TaskFailure {
        self.error(error).into()
    }
}

impl FailureSource<Unfit> {
    /// Never called: no type that comes here implements [`TaskError`].
    pub fn error<E: TaskError>(self, error: E) -> Error {
        Error::wrap(ErrorKind::Other, error)
    }

    /// Never called, either.
    pub fn make<E: TaskError>(self, error: E) -> TaskFailure {
        self.error(error).into()
    }
}

/// What the error of a task is.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the error of a task",
    label = "this is no error",
    note = "a task fails with what implements `std::error::Error`, a `String`, `anyhow::Error` or `Box<dyn Error>`",
    note = "`#[derive(Debug, thiserror::Error)]` makes one of a type"
)]
pub trait TaskError: Into<Boxed> {}
impl<E: StdError + Send + Sync + 'static> TaskError for E {}
