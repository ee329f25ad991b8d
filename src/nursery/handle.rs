//! Opening a nursery, and the handle on it.

use std::future::Future;
use std::panic::Location;

use super::actor::{ActorBuilder, ActorTask};
use super::command::CommandBuilder;
use crate::error::{CancelReason, Result};
use crate::portal::Portal;
use crate::process::Command;
use crate::scope::{Kind, Node, Scope, TaskHandle, TaskOutput, open_scope};
use crate::tasks::{Call, Task};

/// Runs `body` in a nursery, and returns when everything started in it has ended.
///
/// `body` and the tasks may borrow what outlives the call. They all run on this thread,
/// each while the others wait.
///
/// - The first failure of anyone (an error, a panic, the death of a process), `body`
///   included, cancels all the others at once.
/// - A cancelled task is dropped at its next await; only [`shielded`](crate::shielded)
///   work and processes get a grace.
/// - One failure comes out as it is. Several come out as a group
///   ([`Error::failures`](crate::Error::failures)), the first of which is the cause;
///   errors that only tell of the cancellation, and the same failure told twice, are
///   left out.
/// - A panic comes out as an error with its message and place.
///
/// # Errors
///
/// What failed first, or the group; the reason if the nursery was cancelled before
/// `body` came to its end. A nursery that was cancelled by [`Nursery::cancel`] after
/// that, or in its last step, has the value of `body`.
///
/// # Cancel safety
///
/// Dropping the future drops `body` and the tasks at once, and shielded work with them.
/// Processes are stopped in order behind it; the runtime does not end before they have.
///
/// # Examples
///
/// ```
/// use std::cell::Cell;
/// use treewright::{open_nursery, run};
///
/// run(async || {
///     let words = ["structured", "concurrency"];
///     let letters = Cell::new(0);
///     open_nursery(async |n| {
///         for word in &words {
///             let letters = &letters;
///             n.spawn(async move { letters.set(letters.get() + word.len()) });
///         }
///         Ok(())
///     })
///     .await?;
///     assert_eq!(letters.get(), 21);
///     Ok(())
/// })
/// # .unwrap()
/// ```
pub async fn open_nursery<'env, R>(
    body: impl AsyncFnOnce(Nursery<'env>) -> Result<R>,
) -> Result<R> {
    let node = Node::new(Kind::Scope, Node::current());
    open_scope(node, async |scope| body(Nursery { scope }).await).await
}

/// A handle on an open nursery.
///
/// It is weak and cheap to clone: it keeps nothing alive, and once the nursery has ended
/// whatever is started with it fails with an error for which
/// [`Error::is_closed`](crate::Error::is_closed) holds.
#[derive(Debug, Clone)]
pub struct Nursery<'env> {
    scope: Scope<'env>,
}

impl<'env> Nursery<'env> {
    /// Starts a task that runs on this thread beside the others.
    ///
    /// Dropping the handle does not cancel it. A task started in a nursery that was
    /// cancelled never runs.
    pub fn spawn<F>(&self, task: F) -> TaskHandle<<F::Output as TaskOutput>::Value>
    where
        F: Future<Output: TaskOutput> + 'env,
        <F::Output as TaskOutput>::Value: 'env,
    {
        self.scope.spawn(task)
    }

    /// A plain program that runs in this nursery once it is started.
    ///
    /// # Examples
    ///
    /// ```
    /// use treewright::process::Command;
    /// use treewright::{open_nursery, run};
    ///
    /// run(async || {
    ///     open_nursery(async |n| {
    ///         let mut sleep = Command::new("sleep");
    ///         sleep.arg("60");
    ///         n.command(sleep).start().await?;
    ///         let exit = n.command(Command::new("false")).status().await?;
    ///         assert_eq!(exit.reason.shell_code(), Some(1));
    ///         n.cancel("enough");
    ///         Ok(())
    ///     })
    ///     .await
    /// })
    /// # .unwrap()
    /// ```
    pub fn command(&self, command: Command) -> CommandBuilder<'env> {
        CommandBuilder::new(self.scope.clone(), command)
    }

    /// An actor that runs in this nursery once it is started.
    pub fn actor(&self, name: impl Into<String>) -> ActorBuilder<'env> {
        ActorBuilder::new(self.scope.clone(), name.into())
    }

    /// Starts an actor with the usual settings and waits until it is up:
    /// [`actor`](Self::actor)`(name).start()`.
    ///
    /// # Errors
    ///
    /// As [`ActorBuilder::start`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cancels the actor; the nursery waits for its end.
    pub async fn start_actor(&self, name: impl Into<String>) -> Result<Portal> {
        self.actor(name).start().await
    }

    /// Runs a function in an actor of its own, called after the function:
    /// [`actor`](Self::actor)`(name).run(call)`.
    ///
    /// # Errors
    ///
    /// As [`ActorBuilder::run`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cancels the actor; the nursery waits for its end.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use treewright::open_nursery;
    ///
    /// #[treewright::task]
    /// async fn process_id() -> u32 {
    ///     std::process::id()
    /// }
    ///
    /// #[treewright::main]
    /// async fn main() -> treewright::Result<()> {
    ///     let id = open_nursery(async |n| n.run_in_actor(process_id()).await?.result().await).await?;
    ///     println!("it ran in process {id}");
    ///     Ok(())
    /// }
    /// ```
    pub async fn run_in_actor<T: Task>(&self, call: Call<T>) -> Result<ActorTask<T::Value>> {
        let name = T::PATH.rsplit("::").next().unwrap_or(T::PATH);
        self.actor(name).run(call).await
    }

    /// Cancels `body` and everything started, and says why. The first reason stays.
    #[track_caller]
    pub fn cancel(&self, reason: impl Into<CancelReason>) {
        let reason = reason.into().asked_at(Location::caller());
        self.scope.cancel(reason);
    }

    /// Waits until the nursery is cancelled or has ended, and gives the reason.
    ///
    /// A task of the nursery is itself dropped at that moment, so there this is of use
    /// inside [`shielded`](crate::shielded) only.
    ///
    /// # Cancel safety
    ///
    /// Safe.
    pub async fn cancelled(&self) -> CancelReason {
        self.scope.cancelled().await
    }

    /// The scope it is, for members that are neither tasks nor programs.
    pub(crate) fn scope(&self) -> &Scope<'env> {
        &self.scope
    }

    /// Whether the nursery has ended, so that nothing can be started in it.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.scope.is_closed()
    }
}
