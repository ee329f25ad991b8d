//! The handle on a process that runs in a nursery, and the error of one that failed.

use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::panic::Location;
use std::rc::Rc;

use treewright_supervisors::spec::Signal;

use crate::error::{CancelReason, Error, ErrorKind};
use crate::process::{Exit, Outcome, Signaller};
use crate::scope::{Node, Urgency};

/// A process ended in a way that is no success, and nobody had asked it to end.
///
/// It is found behind an [`Error`] by [`Error::process_failure`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("process `{name}` {exit}")]
pub struct ProcessFailure {
    name: String,
    exit: Exit,
}

impl ProcessFailure {
    pub(super) fn new(name: &str, exit: Exit) -> Self {
        let name = name.to_owned();
        Self { name, exit }
    }

    /// What the process was called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it ended.
    #[must_use]
    pub fn exit(&self) -> Exit {
        self.exit
    }
}

impl From<ProcessFailure> for Error {
    fn from(failure: ProcessFailure) -> Self {
        Self::wrap(ErrorKind::LostProcess, failure)
    }
}

impl Error {
    /// The process that failed, if that is what this error or one of its causes tells of.
    #[must_use]
    pub fn process_failure(&self) -> Option<&ProcessFailure> {
        self.downcast_ref()
    }
}

/// A handle on a process that runs in a nursery.
///
/// Dropping it does not end the process: the nursery owns what it started. When the
/// process ends badly the nursery fails, whether somebody waits here or not; who wants
/// the end as a value starts it with
/// [`CommandBuilder::status`](super::CommandBuilder::status).
pub struct ProcessHandle {
    pub(super) name: Rc<str>,
    pub(super) id: u32,
    pub(super) node: Rc<Node>,
    pub(super) outcome: Rc<Outcome>,
    pub(super) signaller: Signaller,
    pub(super) stdout: Option<OwnedFd>,
    pub(super) stderr: Option<OwnedFd>,
}

impl ProcessHandle {
    /// What the process is called in messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its process id, which is another's as soon as it has ended: to send it a signal, use
    /// [`signal`](Self::signal).
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Waits until the process has ended, is reaped, and nothing of it is left.
    ///
    /// # Cancel safety
    ///
    /// Safe; the process runs on.
    pub async fn exited(&self) -> Exit {
        self.outcome.wait().await
    }

    /// How it ended, if it has.
    #[must_use]
    pub fn try_exited(&self) -> Option<Exit> {
        self.outcome.get()
    }

    /// Stops it in order, as the nursery would, and waits until nothing of it is left. That
    /// is no failure of the nursery, whatever the process comes out with.
    ///
    /// # Cancel safety
    ///
    /// Safe: it goes on being stopped.
    #[track_caller]
    pub fn stop(&self) -> impl Future<Output = Exit> + '_ {
        self.cancel(Urgency::InOrder, Location::caller());
        self.exited()
    }

    /// Kills it with all that belongs to it, and waits until nothing of it is left. That is
    /// no failure of the nursery.
    ///
    /// # Cancel safety
    ///
    /// Safe: it is killed already.
    #[track_caller]
    pub fn kill(&self) -> impl Future<Output = Exit> + '_ {
        self.cancel(Urgency::AtOnce, Location::caller());
        self.exited()
    }

    fn cancel(&self, urgency: Urgency, location: &Location<'_>) {
        let reason = CancelReason::from("stop of a process").asked_at(location);
        self.node.cancel(reason, urgency);
    }

    /// Sends it a signal, and nobody else, ever. If it dies by that, it has failed.
    ///
    /// # Errors
    ///
    /// `ESRCH` when it is reaped; `EPERM` when it runs as a user that this process may not
    /// signal.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        self.signaller.send(signal)
    }

    /// Our end of its standard output, if that was made a pipe, the first time it is asked
    /// for. Nobody reads it but who takes it.
    pub fn take_stdout(&mut self) -> Option<OwnedFd> {
        self.stdout.take()
    }

    /// Our end of its standard error, if that was made a pipe, the first time it is asked
    /// for. Nobody reads it but who takes it.
    pub fn take_stderr(&mut self) -> Option<OwnedFd> {
        self.stderr.take()
    }
}

impl fmt::Debug for ProcessHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessHandle")
            .field("name", &self.name)
            .field("id", &self.id)
            .field("exit", &self.try_exited())
            .finish_non_exhaustive()
    }
}
