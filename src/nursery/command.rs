//! Starting a plain program in a nursery.

use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use treewright_supervisors::spec::{KillScope, Shutdown, ShutdownMode, Signal, Success};

use super::capture::{CommandOutput, capture};
use super::process::{ProcessFailure, ProcessHandle};
use super::running::Owner;
use crate::error::{CancelOrigin, CancelReason, Error, ErrorKind, Result};
use crate::process::{Child, Command, Exit, Mark, Outcome, Output, Rung, SpawnError};
use crate::scope::{Ending, Hold, Kind, Node, Scope, Urgency, closed};
use crate::undertaker::{self, Undertaker};

impl From<SpawnError> for Error {
    fn from(error: SpawnError) -> Self {
        let hint = error.hint();
        let error = Self::wrap(ErrorKind::Spawn, error);
        match hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}

/// A plain program that is to run in a nursery: how it is called, how it is stopped, and
/// what counts as success.
///
/// Whichever way it is started, the nursery ends only when it is reaped and nothing of it
/// is left, and stops it when the nursery is cancelled: by a signal (SIGTERM), then a grace
/// (that of the runtime), then SIGKILL, to its process group, its descendants, and whatever
/// carries its mark. If this program is itself killed, its keeper kills them, provided that
/// [`bootstrap`](crate::bootstrap()) was called.
#[derive(Debug, Clone)]
#[must_use = "a command does nothing until it is started"]
pub struct CommandBuilder<'env> {
    scope: Scope<'env>,
    command: Command,
    name: Option<String>,
    shutdown: Shutdown,
    success: Success,
    mark: Option<Mark>,
}

/// Who is told of a bad end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Judge {
    /// The nursery, which fails.
    Nursery,
    /// Whoever started it, as a value.
    Caller,
}

impl<'env> CommandBuilder<'env> {
    pub(super) fn new(scope: Scope<'env>, command: Command) -> Self {
        let shutdown = Shutdown {
            mode: ShutdownMode::Timeout(scope.node().grace()),
            signal: Signal::TERM,
            scope: KillScope::Tree,
        };
        let success = Success {
            codes: [0].into(),
            signals: [].into(),
        };
        Self {
            scope,
            command,
            name: None,
            shutdown,
            success,
            mark: None,
        }
    }

    /// What it is called in messages; the program's file name unless said.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// How long it may take to end when it is asked to, before it is killed.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.shutdown.mode = ShutdownMode::Timeout(grace);
        self
    }

    /// How it is stopped, all of it.
    pub fn shutdown(mut self, shutdown: Shutdown) -> Self {
        self.shutdown = shutdown;
        self
    }

    /// Which ends count as success; exit code 0 unless said.
    pub fn success(mut self, success: Success) -> Self {
        self.success = success;
        self
    }

    /// The mark it carries, by which what it starts is found; a new one unless said.
    pub fn mark(mut self, mark: Mark) -> Self {
        self.mark = Some(mark);
        self
    }

    /// Starts it as a member of the nursery: if it ends badly, the nursery fails.
    ///
    /// An end by [`ProcessHandle::stop`] or [`ProcessHandle::kill`], or because the nursery
    /// was cancelled, is never bad.
    ///
    /// # Errors
    ///
    /// Whatever keeps the program from running, of kind
    /// [`ErrorKind::Spawn`](crate::ErrorKind::Spawn); an error if the nursery has ended or
    /// is cancelled, or if no runtime runs on this thread.
    ///
    /// # Cancel safety
    ///
    /// Once it is started the nursery owns it; dropping the future does not stop it.
    pub async fn start(self) -> Result<ProcessHandle> {
        let handle = self.launch(Judge::Nursery)?;
        // A spawn holds up the thread; between two of them the others have their turn.
        futures_lite::future::yield_now().await;
        Ok(handle)
    }

    /// Runs it to its end, and gives that as a value, good or bad: the nursery does not
    /// fail by it.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops the program in order; the nursery waits for that.
    pub async fn status(self) -> Result<Exit> {
        let handle = self.launch(Judge::Caller)?;
        let _guard = StopOnDrop(&handle.node);
        Ok(handle.exited().await)
    }

    /// Runs it to its end, and gives all that it wrote besides. Its end is a value, as with
    /// [`status`](Self::status).
    ///
    /// All it writes is kept in memory; for a program that writes without end, make its
    /// output a pipe and take that from the handle.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start); and if a pipe could not be read.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops the program in order; the nursery waits for that.
    pub async fn output(mut self) -> Result<CommandOutput> {
        self.command.stdout(Output::Pipe).stderr(Output::Pipe);
        let mut handle = self.launch(Judge::Caller)?;
        let (stdout, stderr) = (handle.take_stdout(), handle.take_stderr());
        let _guard = StopOnDrop(&handle.node);
        capture(stdout, stderr, handle.exited()).await
    }

    /// Runs it to its end, which must be a success.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start); and the [`ProcessFailure`] if it ended badly.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops the program in order; the nursery waits for that.
    pub async fn run(self) -> Result<()> {
        let (success, name) = (self.success.clone(), self.label());
        let exit = self.status().await?;
        match exit.reason.is_success(&success) {
            true => Ok(()),
            false => Err(ProcessFailure::new(&name, exit).into()),
        }
    }

    fn label(&self) -> String {
        self.name.clone().unwrap_or_else(|| {
            let program = Path::new(self.command.program());
            let name = program.file_name().unwrap_or(program.as_os_str());
            name.to_string_lossy().into_owned()
        })
    }

    fn launch(mut self, judge: Judge) -> Result<ProcessHandle> {
        let undertaker = undertaker::current()?;
        if self.scope.is_closed() {
            return Err(closed());
        }
        if let Some(reason) = self.scope.node().reason() {
            return Err(Error::cancelled(reason));
        }
        undertaker.be_kept()?;
        let name: Rc<str> = self.label().into();
        let mark = self
            .mark
            .take()
            .unwrap_or_else(|| undertaker.new_mark(&name));
        self.command.mark(mark);
        // Everything that sees to its end is there before it is.
        let owner = Owner {
            node: Node::new(Kind::Task, Some(Rc::clone(self.scope.node()))),
            outcome: Rc::new(Outcome::default()),
            member: self.scope.member_started(),
            hold: Some(Hold::new(self.scope.node())),
        };
        let mut child = self.command.spawn()?;
        let handle = ProcessHandle {
            name: Rc::clone(&name),
            id: child.id(),
            node: Rc::clone(&owner.node),
            outcome: Rc::clone(&owner.outcome),
            signaller: child.signaller(),
            stdout: child.take_stdout(),
            stderr: child.take_stderr(),
        };
        self.hand_over(&undertaker, owner, child, judge, name);
        Ok(handle)
    }

    fn hand_over(
        self,
        undertaker: &Rc<Undertaker>,
        owner: Owner,
        child: Child,
        judge: Judge,
        name: Rc<str>,
    ) {
        let success = self.success;
        let label = format!("process `{name}` ({})", child.id());
        let judge = move |exit| match judge {
            Judge::Nursery => ending(&name, exit, &success),
            Judge::Caller => Ending::Done,
        };
        undertaker.take_charge(label, owner.look_after(child, self.shutdown, judge));
    }
}

/// How a nursery takes the end of a process.
fn ending(name: &str, exit: Exit, success: &Success) -> Ending {
    match exit.stopped {
        Some(Rung::Asked | Rung::Killed) => Ending::Cancelled,
        None if exit.reason.is_success(success) => Ending::Done,
        None => Ending::Failed(ProcessFailure::new(name, exit).into()),
    }
}

/// Stops a process that nobody waits for any more.
struct StopOnDrop<'a>(&'a Node);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0
            .cancel(CancelReason::new(CancelOrigin::Dropped), Urgency::InOrder);
    }
}
