//! A started process: waiting for it, sending it signals, reaping it.

use std::fmt;
use std::future::Future;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::pin::pin;
use std::sync::Arc;

use rustix::io::Errno;
use rustix::process::{Pid, WaitId, WaitIdOptions, pidfd_send_signal, waitid};
use treewright_supervisors::spec::{Shutdown, Signal};

use super::numbers::Birth;
use super::stop::Stopping;
use super::{Cgroup, Command, Exit, ExitStatus, Mark, driver, registry, unix};
use crate::rt;

/// A process that was started here, and that nobody else reaps.
///
/// When it has ended it stays a zombie until [`Child::stop`] has seen to it that nothing of
/// it is left; so long its number, and that of the group it leads, cannot become another's.
/// Dropped before that, it and its group are killed, and it is reaped later.
#[derive(Debug)]
pub struct Child {
    pub(super) pid: Pid,
    pub(super) birth: Birth,
    pub(super) pidfd: Arc<rt::Async<OwnedFd>>,
    backing: Backing,
    pub(super) is_group_leader: bool,
    pub(super) mark: Option<Mark>,
    pub(super) cgroup: Option<Cgroup>,
    stdout: Option<OwnedFd>,
    stderr: Option<OwnedFd>,
    state: State,
    pub(super) stopping: Option<Stopping>,
}

/// What a spawn gives.
pub(super) struct Started {
    pub(super) pid: Pid,
    pub(super) birth: Birth,
    pub(super) pidfd: OwnedFd,
    pub(super) backing: Backing,
}

/// Who has to be told that it was reaped.
#[derive(Debug)]
pub(super) enum Backing {
    /// async-process, and the standard library behind it.
    Library(Box<async_process::Child>),
    /// Nobody: it came from the exact spawn.
    Exact,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Running,
    /// It has ended, and is a zombie on purpose.
    Ended(ExitStatus),
    /// It is reaped and nothing of it is left.
    Gone(Exit),
}

impl Child {
    pub(super) fn new(
        command: &Command,
        started: Started,
        stdout: Option<OwnedFd>,
        stderr: Option<OwnedFd>,
    ) -> io::Result<Self> {
        let pidfd = match rt::Async::new_nonblocking(started.pidfd) {
            Ok(pidfd) => pidfd,
            Err(error) => {
                registry::bury(started.pid, command.is_group_leader);
                return Err(error);
            }
        };
        Ok(Self {
            pid: started.pid,
            birth: started.birth,
            pidfd: Arc::new(pidfd),
            backing: started.backing,
            is_group_leader: command.is_group_leader,
            mark: command.mark.clone(),
            cgroup: command.cgroup.clone(),
            stdout,
            stderr,
            state: State::Running,
            stopping: None,
        })
    }

    /// Its process id. It is its own until it was stopped; for signals see [`Child::signal`].
    #[must_use]
    pub fn id(&self) -> u32 {
        self.pid.as_raw_pid().unsigned_abs()
    }

    /// Our end of its standard output, if that is a pipe, the first time it is asked for.
    pub fn take_stdout(&mut self) -> Option<OwnedFd> {
        self.stdout.take()
    }

    /// Our end of its standard error, if that is a pipe, the first time it is asked for.
    pub fn take_stderr(&mut self) -> Option<OwnedFd> {
        self.stderr.take()
    }

    /// What can send it signals while somebody else waits for it.
    #[must_use]
    pub fn signaller(&self) -> Signaller {
        Signaller {
            pidfd: Arc::clone(&self.pidfd),
        }
    }

    /// Sends it a signal, and nobody else, ever: it is addressed by its pidfd.
    ///
    /// # Errors
    ///
    /// `ESRCH` when it is reaped; `EPERM` when it runs as a user that this process may not
    /// signal; `EINVAL` for a signal that belongs to the C library.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        send(&self.pidfd, signal)
    }

    /// Waits until it has ended, and says how.
    ///
    /// What it started may live on: [`Child::stop`] sees to that. Asked again it answers
    /// the same at once.
    ///
    /// # Cancel safety
    ///
    /// Safe: nothing is lost.
    pub async fn wait(&mut self) -> ExitStatus {
        loop {
            if let Some(reason) = self.try_wait() {
                return reason;
            }
            let pidfd = Arc::clone(&self.pidfd);
            let mut ended = pin!(rt::readable(&pidfd));
            let result = std::future::poll_fn(|context| {
                driver::drive(context);
                ended.as_mut().poll(context)
            })
            .await;
            if result.is_err() && self.try_wait().is_none() {
                // The reactor is gone with its thread; there is nothing that could wake us.
                self.state = State::Ended(ExitStatus::Lost);
            }
        }
    }

    /// How it has ended, if it has; never waits.
    pub fn try_wait(&mut self) -> Option<ExitStatus> {
        match self.state {
            State::Ended(reason) => Some(reason),
            State::Gone(exit) => Some(exit.reason),
            State::Running => {
                let reason = self.peek()?;
                self.state = State::Ended(reason);
                Some(reason)
            }
        }
    }

    /// Whether it was seen to have ended, with a status that nobody else has taken.
    pub(super) fn has_ended(&self) -> bool {
        match self.state {
            State::Running => false,
            State::Ended(reason) => reason != ExitStatus::Lost,
            State::Gone(_) => true,
        }
    }

    /// Looks at its status and leaves it where it is.
    fn peek(&self) -> Option<ExitStatus> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        let reason = loop {
            match waitid(WaitId::PidFd(self.pidfd.as_fd()), options) {
                Ok(None) => return None,
                Ok(Some(status)) => break ExitStatus::from_status(&status),
                Err(Errno::INTR) => {}
                Err(_) => return Some(ExitStatus::Lost),
            }
        };
        let is_killed = matches!(
            reason,
            ExitStatus::Signal {
                signal: Signal::KILL,
                ..
            }
        );
        match &self.cgroup {
            Some(cgroup) if is_killed && cgroup.is_out_of_memory() => Some(ExitStatus::OutOfMemory),
            _ => Some(reason),
        }
    }

    /// Ends it, and everything in the scope that `how` names, and reaps it.
    ///
    /// It is asked with the signal, then continued in case it was stopped; when the time is
    /// up it is killed. What has been started since is found by looking again until nothing
    /// is left. When the process has ended by itself before, only what it left behind is
    /// ended, within the same time, or ten seconds when that is infinite. Asked again after
    /// its end it answers the same at once.
    ///
    /// # Cancel safety
    ///
    /// Safe: asked again it goes on where it was, or further up the ladder when `how` is
    /// stricter. That is how a second request to stop kills at once.
    pub async fn stop(&mut self, how: &Shutdown) -> Exit {
        if let State::Gone(exit) = self.state {
            return exit;
        }
        let exit = super::stop::stop(self, how).await;
        self.reap();
        self.state = State::Gone(exit);
        exit
    }

    /// Waits until it has ended by itself, then stops what it left behind, and reaps it.
    ///
    /// What is left gets the default shutdown. It is what a caller wants who has no reason
    /// to stop the process.
    ///
    /// # Cancel safety
    ///
    /// Safe: nothing is lost.
    pub async fn stop_when_ended(&mut self) -> Exit {
        self.wait().await;
        self.stop(&Shutdown::default()).await
    }

    fn reap(&mut self) {
        // While the number is still its own.
        super::keeper_link::dismiss(self.pid);
        let mut owned = registry::lock();
        match &mut self.backing {
            Backing::Library(child) => {
                // Its status is known already; this lets go of the zombie.
                let _ = child.try_status();
            }
            Backing::Exact => {
                let _ = waitid(
                    WaitId::PidFd(self.pidfd.as_fd()),
                    WaitIdOptions::EXITED | WaitIdOptions::NOHANG,
                );
            }
        }
        owned.remove(self.pid);
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if !matches!(self.state, State::Gone(_)) {
            if self.mark.is_some() {
                registry::note_drop(self.pid, self.birth);
            }
            registry::bury(self.pid, self.is_group_leader);
        }
    }
}

/// Sends signals to one process, also while somebody else waits for it.
///
/// It keeps a descriptor open that means this process and no other, even after its end.
#[derive(Clone)]
pub struct Signaller {
    pidfd: Arc<rt::Async<OwnedFd>>,
}

impl Signaller {
    /// Sends it a signal.
    ///
    /// # Errors
    ///
    /// As [`Child::signal`].
    pub fn send(&self, signal: Signal) -> io::Result<()> {
        send(&self.pidfd, signal)
    }
}

impl fmt::Debug for Signaller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signaller").finish_non_exhaustive()
    }
}

fn send(pidfd: &rt::Async<OwnedFd>, signal: Signal) -> io::Result<()> {
    let signal = unix::known_signal(signal).ok_or(Errno::INVAL)?;
    Ok(pidfd_send_signal(pidfd.as_fd(), signal)?)
}
