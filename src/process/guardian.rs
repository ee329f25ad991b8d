//! The guardian: the parent of a supervisor, which sees to it that nothing outlives it.
//!
//! A command that supervises is two processes. The guardian starts the supervisor, hands it
//! the signals it gets, reaps, and does nothing else, so that there is nothing it could fail
//! in. When the supervisor dies the guardian kills everything that descends from it; when the
//! guardian dies the supervisor is told and stops its tree.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process;

use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal as OsSignal, WaitId, WaitIdOptions, getpid, getppid, kill_process,
    pidfd_open, set_child_subreaper, waitid,
};
use treewright_supervisors::spec::Signal;

use super::actor;
use super::role::{self, Role};
use super::sockets;
use super::sweep;
use super::unix::{self, SignalQueue};
use super::{ExitStatus, procfs};
use crate::rt;

/// Which of the two processes this is.
#[derive(Debug)]
pub enum Guard {
    /// The guardian, after all is over: the supervisor has ended and nothing of it is left.
    Over(GuardedEnd),
    /// The supervisor, at its beginning.
    Supervisor(Guarded),
}

/// How a guarded supervisor ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuardedEnd {
    /// How the supervisor itself ended.
    pub reason: ExitStatus,
    /// How many processes it had left, which were killed.
    pub swept: usize,
}

impl GuardedEnd {
    /// The exit code of a guardian whose supervisor was killed.
    pub const SUPERVISOR_KILLED: i32 = 4;

    /// What the guardian exits with: the supervisor's own code, or 4 when that was killed.
    #[must_use]
    pub fn exit_code(&self) -> i32 {
        match self.reason {
            ExitStatus::Code(code) => code,
            _ => Self::SUPERVISOR_KILLED,
        }
    }
}

/// A supervisor's view of its guardian.
#[derive(Debug)]
pub struct Guarded {
    /// None when it was gone before it could be watched.
    guardian: Option<OwnedFd>,
}

impl Guarded {
    /// Waits until the guardian has died. The supervisor then stops its tree and ends.
    ///
    /// # Cancel safety
    ///
    /// Safe: nothing is lost.
    pub async fn lost(&self) {
        let Some(guardian) = &self.guardian else {
            return;
        };
        // Without the reactor nothing can be waited for; then the guardian counts as lost,
        // because nobody would notice its end.
        if let Ok(guardian) = guardian.try_clone().and_then(rt::Async::new_nonblocking) {
            let _ = rt::readable(&guardian).await;
        }
    }
}

/// Splits this process into a guardian and a supervisor.
///
/// It is the first thing a program does, before it has threads. In the process that was
/// started it returns when all is over, and what is left to do is to exit. In the other one,
/// which runs the same program with the same arguments from its beginning, it returns at
/// once.
///
/// The supervisor is in a process group of its own and gets HUP, INT, QUIT, TERM, USR1, USR2
/// and WINCH from the guardian, so that a key at the terminal reaches it once.
///
/// # Errors
///
/// What kept the supervisor from being started.
pub fn guard() -> io::Result<Guard> {
    match role::given() {
        Some(Role::Supervisor { guardian }) => {
            // What the guardian blocks to take it one by one came along with the spawn.
            unix::unblock_all_signals();
            actor::set_title_of_program();
            Ok(Guard::Supervisor(Guarded {
                guardian: watch(guardian),
            }))
        }
        _ => guard_a_supervisor().map(Guard::Over),
    }
}

fn watch(guardian: Pid) -> Option<OwnedFd> {
    let pidfd = pidfd_open(guardian, PidfdFlags::empty()).ok()?;
    // Had it died before, its number could be another's now; our parent tells.
    (getppid() == Some(guardian)).then_some(pidfd)
}

/// What a supervisor may be sent. Everything else has its usual effect on the guardian.
const FORWARDED: [Signal; 7] = [
    Signal::HUP,
    Signal::INT,
    Signal::QUIT,
    Signal::TERM,
    Signal::USR1,
    Signal::USR2,
    Signal::WINCH,
];

fn guard_a_supervisor() -> io::Result<GuardedEnd> {
    set_child_subreaper(Some(getpid()))?;
    // Before the supervisor exists, so that no signal of its life is missed. As PID 1 it is
    // also what makes the kernel deliver them at all.
    let mut signals = SignalQueue::new(&[&FORWARDED[..], &[Signal::CHLD]].concat())?;
    let supervisor = start_supervisor()?;
    let reason = loop {
        let signal = signals.next()?;
        if signal == Signal::CHLD {
            if let Some(reason) = reap(supervisor)? {
                break reason;
            }
        } else if let Some(signal) = OsSignal::from_named_raw(signal.number()) {
            // It is our child and not reaped, so the number is its own.
            let _ = kill_process(supervisor, signal);
        }
    };
    let swept = sweep::kill_descendants(&mut signals)?;
    sockets::remove_dead(&sockets::base());
    Ok(GuardedEnd { reason, swept })
}

fn start_supervisor() -> io::Result<Pid> {
    let mut arguments = std::env::args_os();
    let mut command = process::Command::new("/proc/self/exe");
    // The name it was called by, for those who look at the process table.
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    let supervisor = Role::Supervisor { guardian: getpid() };
    let child = command
        .args(arguments)
        .env(super::ROLE_VARIABLE, supervisor.to_string())
        .process_group(0)
        .spawn()?;
    Pid::from_raw(child.id().cast_signed()).ok_or_else(|| Errno::SRCH.into())
}

/// Reaps whoever has ended: adopted orphans without a word, the supervisor with its reason.
fn reap(supervisor: Pid) -> io::Result<Option<ExitStatus>> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
    for child in procfs::own_children() {
        if child != supervisor {
            // Only we reap, so it is still our child, dead or alive.
            waitid(WaitId::Pid(child), options)?;
        }
    }
    let status = waitid(WaitId::Pid(supervisor), options)?;
    Ok(status.map(|status| ExitStatus::from_status(&status)))
}
