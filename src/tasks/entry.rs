//! One registered function: how it is started from what came over a link or out of a file.

use std::fmt;
use std::rc::Rc;

use futures_core::future::LocalBoxFuture;

use crate::dialog::Dialog;
use crate::error::{Error, ErrorKind};
use crate::id::ContextId;
use crate::wire::{Codec, CodecError, Encoded, Kind};

use super::argument_fault::ArgumentFaults;
use super::series::{Calls, run_series};
use super::{Function, FunctionKind, Task, TaskFailure, arguments};

/// A task that runs; it ends with the frame that carries its value.
pub(crate) type RunningTask = LocalBoxFuture<'static, Result<Encoded, TaskFailure>>;

/// How a function of one kind begins: with arguments by position, encoded by the codec, or with
/// arguments as a file has them, which are an array by position, a table by name, or nothing.
pub(crate) enum Begin {
    /// It takes its arguments and gives its value, which comes back in a frame for the
    /// context, in the same codec.
    Task {
        start: fn(Codec, ContextId, &[u8]) -> Result<RunningTask, CodecError>,
        start_from_file:
            fn(Codec, ContextId, Option<toml::Value>) -> Result<RunningTask, ArgumentFaults>,
        /// Many calls, one after the other.
        run_series: fn(Codec, Rc<dyn Calls>) -> LocalBoxFuture<'static, ()>,
    },
    /// It also talks with its caller.
    Context {
        start: fn(Rc<Dialog>, &[u8]) -> Result<RunningTask, CodecError>,
        start_from_file: fn(Rc<Dialog>, Option<toml::Value>) -> Result<RunningTask, ArgumentFaults>,
    },
}

/// A function that this program can be told to run.
///
/// [`registered_tasks`](crate::registered_tasks) lists them.
pub struct TaskEntry {
    kind: FunctionKind,
    path: &'static str,
    signature: u64,
    parameters: &'static [&'static str],
    is_public: bool,
    file: &'static str,
    line: u32,
    begin: Begin,
    check: fn(Option<toml::Value>) -> Result<(), ArgumentFaults>,
}

impl TaskEntry {
    /// The entry of the task `T`, which stands at `line` of `file`.
    #[doc(hidden)]
    #[must_use]
    pub const fn of<T: Task>(is_public: bool, file: &'static str, line: u32) -> Self {
        let begin = Begin::Task {
            start: start::<T>,
            start_from_file: start_from_file::<T>,
            run_series: run_series::<T>,
        };
        Self::new::<T>(begin, is_public, file, line)
    }

    /// The entry of `F`, which begins by `begin`.
    pub(crate) const fn new<F: Function>(
        begin: Begin,
        is_public: bool,
        file: &'static str,
        line: u32,
    ) -> Self {
        Self {
            kind: F::KIND,
            path: F::PATH,
            signature: F::SIGNATURE,
            parameters: F::PARAMETERS,
            is_public,
            file,
            line,
            begin,
            check: check::<F>,
        }
    }

    /// What it is: a task, a context or a stream.
    #[must_use]
    pub fn kind(&self) -> FunctionKind {
        self.kind
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

    /// What is wrong with arguments of a file, before anything is started.
    pub(crate) fn check(&self, args: Option<toml::Value>) -> Result<(), ArgumentFaults> {
        (self.check)(args)
    }

    /// How it begins.
    pub(crate) fn begin(&self) -> &Begin {
        &self.begin
    }
}

impl fmt::Debug for TaskEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskEntry")
            .field("kind", &self.kind)
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
    let args = read_arguments::<T>(args)?;
    Ok(Box::pin(run::<T>(codec, context, args)))
}

fn check<F: Function>(args: Option<toml::Value>) -> Result<(), ArgumentFaults> {
    read_arguments::<F>(args).map(drop)
}

/// The arguments of `F` out of a file.
pub(crate) fn read_arguments<F: Function>(
    args: Option<toml::Value>,
) -> Result<F::Args, ArgumentFaults> {
    arguments::read::<F>(args)
}

async fn run<T: Task>(
    codec: Codec,
    context: ContextId,
    args: T::Args,
) -> Result<Encoded, TaskFailure> {
    answer::<T>(codec, context, T::run(args).await)
}

/// The frame that ends `context` with what `F` returned.
pub(crate) fn answer<F: Function>(
    codec: Codec,
    context: ContextId,
    output: F::Output,
) -> Result<Encoded, TaskFailure> {
    let value = F::outcome(output)?;
    Encoded::new(codec, Kind::Result, context, &value).map_err(|error| {
        let error = Error::wrap(ErrorKind::Other, error);
        error
            .context(format!(
                "cannot return the value of {} `{}`",
                F::KIND,
                F::PATH
            ))
            .into()
    })
}
