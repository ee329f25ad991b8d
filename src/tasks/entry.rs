//! One registered function: how it is started from what came over a link or out of a file.

use std::fmt;

use futures_core::future::LocalBoxFuture;

use crate::error::{Error, ErrorKind};
use crate::id::ContextId;
use crate::wire::{Codec, CodecError, Encoded, Kind};

use super::argument_fault::ArgumentFaults;
use super::{Task, TaskFailure, arguments};

/// A task that runs; it ends with the frame that carries its value.
pub(crate) type RunningTask = LocalBoxFuture<'static, Result<Encoded, TaskFailure>>;

/// A function that this program can be told to run.
///
/// [`registered_tasks`](crate::registered_tasks) lists them.
pub struct TaskEntry {
    path: &'static str,
    signature: u64,
    parameters: &'static [&'static str],
    is_public: bool,
    file: &'static str,
    line: u32,
    start: fn(Codec, ContextId, &[u8]) -> Result<RunningTask, CodecError>,
    start_from_file:
        fn(Codec, ContextId, Option<toml::Value>) -> Result<RunningTask, ArgumentFaults>,
    check: fn(Option<toml::Value>) -> Result<(), ArgumentFaults>,
}

impl TaskEntry {
    /// The entry of `T`, which stands at `line` of `file`.
    #[doc(hidden)]
    #[must_use]
    pub const fn of<T: Task>(is_public: bool, file: &'static str, line: u32) -> Self {
        Self {
            path: T::PATH,
            signature: T::SIGNATURE,
            parameters: T::PARAMETERS,
            is_public,
            file,
            line,
            start: start::<T>,
            start_from_file: start_from_file::<T>,
            check: check::<T>,
        }
    }

    /// What it is known by to files and to other processes.
    #[must_use]
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// The names of its arguments.
    #[must_use]
    pub fn parameters(&self) -> &'static [&'static str] {
        self.parameters
    }

    /// Whether any actor of the tree may call it.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.is_public
    }

    /// Where it stands in the source, as `file:line`.
    #[must_use]
    pub fn location(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }

    /// The hash of its signature, by which two builds tell whether they mean the same.
    pub(crate) fn signature(&self) -> u64 {
        self.signature
    }

    /// Starts it with arguments by position, encoded by `codec`. Its value comes back in a
    /// frame for `context`, in the same codec.
    pub(crate) fn start(
        &self,
        codec: Codec,
        context: ContextId,
        args: &[u8],
    ) -> Result<RunningTask, CodecError> {
        (self.start)(codec, context, args)
    }

    /// Starts it with arguments as a file has them: an array by position, a table by name,
    /// nothing for no arguments.
    pub(crate) fn start_from_file(
        &self,
        codec: Codec,
        context: ContextId,
        args: Option<toml::Value>,
    ) -> Result<RunningTask, ArgumentFaults> {
        (self.start_from_file)(codec, context, args)
    }

    /// What is wrong with arguments of a file, before anything is started.
    pub(crate) fn check(&self, args: Option<toml::Value>) -> Result<(), ArgumentFaults> {
        (self.check)(args)
    }
}

impl fmt::Debug for TaskEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskEntry")
            .field("path", &self.path)
            .field("parameters", &self.parameters)
            .field("is_public", &self.is_public)
            .field("location", &self.location())
            .finish_non_exhaustive()
    }
}

fn start<T: Task>(
    codec: Codec,
    context: ContextId,
    args: &[u8],
) -> Result<RunningTask, CodecError> {
    let args = codec.decode(args)?;
    Ok(Box::pin(run::<T>(codec, context, args)))
}

fn start_from_file<T: Task>(
    codec: Codec,
    context: ContextId,
    args: Option<toml::Value>,
) -> Result<RunningTask, ArgumentFaults> {
    let args = arguments::read::<T>(args)?;
    Ok(Box::pin(run::<T>(codec, context, args)))
}

fn check<T: Task>(args: Option<toml::Value>) -> Result<(), ArgumentFaults> {
    arguments::read::<T>(args).map(drop)
}

async fn run<T: Task>(
    codec: Codec,
    context: ContextId,
    args: T::Args,
) -> Result<Encoded, TaskFailure> {
    let value = T::outcome(T::run(args).await)?;
    Encoded::new(codec, Kind::Result, context, &value).map_err(|error| {
        let error = Error::wrap(ErrorKind::Other, error);
        error
            .context(format!("cannot return the value of task `{}`", T::PATH))
            .into()
    })
}
