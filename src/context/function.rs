//! What functions that talk with their callers are to the types, and how they begin.

use std::future::poll_fn;
use std::rc::Rc;

use futures_core::future::LocalBoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Context, StreamSender};
use crate::dialog::Dialog;
use crate::tasks::{
    ArgumentFaults, Begin, Function, RunningTask, TaskEntry, TaskFailure, answer, read_arguments,
};
use crate::wire::CodecError;

/// A function that can run in another process and talk with its caller meanwhile.
///
/// [`#[treewright::context]`](macro@crate::context) implements it for the type that has the
/// name of the function; by that type generic code names it. It is not implemented by hand.
///
/// # Examples
///
/// ```
/// use treewright::{Call, ContextFunction, Portal, Result};
///
/// /// What a context says first, whatever else it would say.
/// async fn first_of<T: ContextFunction>(portal: &Portal, call: Call<T>) -> Result<T::First> {
///     let (ctx, first) = portal.open_context(call).await?;
///     ctx.cancel().await?;
///     Ok(first)
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a context",
    label = "only a function marked `#[treewright::context]` can be opened as one",
    note = "a task is run by `portal.run(..)`, a stream opened by `portal.open_stream_from(..)`"
)]
pub trait ContextFunction: Function {
    /// The first value, which it sends when it has started.
    type First: Serialize + DeserializeOwned + 'static;
    /// The messages it receives.
    type Receives: Serialize + DeserializeOwned + 'static;
    /// The messages it sends.
    type Sends: Serialize + DeserializeOwned + 'static;

    /// Runs it.
    #[doc(hidden)]
    fn run(
        ctx: Context<Self::First, Self::Receives, Self::Sends>,
        args: Self::Args,
    ) -> LocalBoxFuture<'static, Self::Output>;
}

/// A function that can run in another process and yields items to its caller.
///
/// [`#[treewright::stream]`](macro@crate::stream) implements it for the type that has the
/// name of the function; by that type generic code names it. It is not implemented by hand.
///
/// # Examples
///
/// ```
/// use treewright::{Call, Portal, Result, StreamFunction};
///
/// /// At most so many items of a stream.
/// async fn take<T: StreamFunction>(
///     portal: &Portal,
///     call: Call<T>,
///     count: usize,
/// ) -> Result<Vec<T::Item>> {
///     let mut items = Vec::new();
///     let mut stream = portal.open_stream_from(call).await?;
///     while items.len() < count
///         && let Some(item) = stream.try_next().await?
///     {
///         items.push(item);
///     }
///     Ok(items)
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a stream",
    label = "only a function marked `#[treewright::stream]` can be opened as one",
    note = "a task is run by `portal.run(..)`, a context opened by `portal.open_context(..)`"
)]
pub trait StreamFunction: Function<Value = ()> {
    /// What it yields.
    type Item: Serialize + DeserializeOwned + 'static;

    /// Runs it.
    #[doc(hidden)]
    fn run(
        out: StreamSender<Self::Item>,
        args: Self::Args,
    ) -> LocalBoxFuture<'static, Self::Output>;
}

impl TaskEntry {
    /// The entry of the context `T`, which stands at `line` of `file`.
    #[doc(hidden)]
    #[must_use]
    pub const fn of_context<T: ContextFunction>(
        is_public: bool,
        file: &'static str,
        line: u32,
    ) -> Self {
        let begin = Begin::Context {
            start: begin::<T>,
            start_from_file: begin_from_file::<T>,
        };
        Self::new::<T>(begin, is_public, file, line)
    }

    /// The entry of the stream `T`, which stands at `line` of `file`.
    #[doc(hidden)]
    #[must_use]
    pub const fn of_stream<T: StreamFunction>(
        is_public: bool,
        file: &'static str,
        line: u32,
    ) -> Self {
        let begin = Begin::Context {
            start: begin_stream::<T>,
            start_from_file: begin_stream_from_file::<T>,
        };
        Self::new::<T>(begin, is_public, file, line)
    }
}

fn begin<T: ContextFunction>(dialog: Rc<Dialog>, args: &[u8]) -> Result<RunningTask, CodecError> {
    let args = dialog.codec().decode(args)?;
    Ok(run::<T>(dialog, args))
}

fn begin_from_file<T: ContextFunction>(
    dialog: Rc<Dialog>,
    args: Option<toml::Value>,
) -> Result<RunningTask, ArgumentFaults> {
    let args = read_arguments::<T>(args)?;
    Ok(run::<T>(dialog, args))
}

fn run<T: ContextFunction>(dialog: Rc<Dialog>, args: T::Args) -> RunningTask {
    let (codec, context) = (dialog.codec(), dialog.context());
    let running = T::run(Context::new(Rc::clone(&dialog)), args);
    Box::pin(async move { answer::<T>(codec, context, attended(dialog, running).await) })
}

fn begin_stream<T: StreamFunction>(
    dialog: Rc<Dialog>,
    args: &[u8],
) -> Result<RunningTask, CodecError> {
    let args = dialog.codec().decode(args)?;
    Ok(run_stream::<T>(dialog, args))
}

fn begin_stream_from_file<T: StreamFunction>(
    dialog: Rc<Dialog>,
    args: Option<toml::Value>,
) -> Result<RunningTask, ArgumentFaults> {
    let args = read_arguments::<T>(args)?;
    Ok(run_stream::<T>(dialog, args))
}

fn run_stream<T: StreamFunction>(dialog: Rc<Dialog>, args: T::Args) -> RunningTask {
    let (codec, context) = (dialog.codec(), dialog.context());
    Box::pin(async move {
        let ctx = Context::<(), (), T::Item>::new(Rc::clone(&dialog));
        let started = ctx.started(()).await.map_err(TaskFailure::from)?;
        let (out, nothing) = started
            .open_stream()
            .await
            .map_err(TaskFailure::from)?
            .split();
        drop(nothing);
        let running = T::run(out, args);
        answer::<T>(codec, context, attended(dialog, running).await)
    })
}

/// Runs a function, and looks after its stream whenever it waits.
async fn attended<T>(dialog: Rc<Dialog>, mut running: LocalBoxFuture<'static, T>) -> T {
    poll_fn(|cx| {
        let polled = running.as_mut().poll(cx);
        if polled.is_pending() {
            dialog.function_waits();
        }
        polled
    })
    .await
}
