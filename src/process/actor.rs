//! What a process does that was started to be an actor.

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};

use super::role::{self, Role};
use super::{ROLE_VARIABLE, unix, world};

/// How an actor is linked to its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ActorRole {
    /// By a socket that is its standard input.
    Link,
    /// By its standard input and output.
    Stdio,
}

impl ActorRole {
    /// The name and the value of the variable that tells a re-executed program of it.
    pub(crate) fn variable(self) -> (&'static str, String) {
        let role = match self {
            Self::Link => Role::Actor {
                parent: rustix::process::getpid(),
            },
            Self::Stdio => Role::ActorOnStdio,
        };
        (ROLE_VARIABLE, role.to_string())
    }
}

/// Whether this process was started to be an actor. Asked once: it forgets what it was
/// told, so that no program it starts takes the part for its own.
pub(crate) fn take_actor_role() -> Option<ActorRole> {
    let role = match role::given()? {
        // Whoever inherited the variable from an actor is none.
        Role::Actor { parent } if getppid() == Some(parent) => ActorRole::Link,
        Role::ActorOnStdio => ActorRole::Stdio,
        _ => return None,
    };
    unix::forget_variable(ROLE_VARIABLE);
    unix::ignore_broken_pipes();
    // Before anything in it changes what it was started with.
    world::world();
    Some(role)
}

/// The lowest descriptor that is not standard input, output or error.
const FIRST_OWN: i32 = 3;

/// The descriptor that is standard input, which is the null device from now on.
pub(crate) fn take_stdin() -> io::Result<OwnedFd> {
    let taken = fcntl_dupfd_cloexec(rustix::stdio::stdin(), FIRST_OWN)?;
    let null = File::open("/dev/null")?;
    rustix::stdio::dup2_stdin(null.as_fd())?;
    Ok(taken)
}

/// The descriptors that are standard input and output. From now on the former is the null
/// device, and the latter where errors go: what is printed shall not come between frames.
pub(crate) fn take_stdio() -> io::Result<(OwnedFd, OwnedFd)> {
    let output = fcntl_dupfd_cloexec(rustix::stdio::stdout(), FIRST_OWN)?;
    rustix::stdio::dup2_stdout(rustix::stdio::stderr())?;
    Ok((take_stdin()?, output))
}

/// Gives this process a name for `ps` and `top`, of which the kernel keeps 15 bytes.
pub(crate) fn set_title(name: &str) {
    if let Ok(name) = CString::new(name) {
        // A name is of use and nothing more.
        let _ = rustix::thread::set_name(&name);
    }
}

/// Gives this process the name its program was called by. Started again by the link to its
/// own file, it would be called `exe`.
pub(super) fn set_title_of_program() {
    let program = std::env::args_os().next().unwrap_or_default();
    if let Some(name) = Path::new(&program).file_name() {
        set_title(&name.to_string_lossy());
    }
}

/// Sees to it that this process does not outlive `parent`, even if it never looks at its
/// link again: SIGTERM asks it to end in order, and an alarm `grace` later ends it whatever
/// it is doing.
pub(crate) fn die_with_parent(parent: u32, grace: Duration) {
    unix::end_after_sigterm(grace);
    // Refused for no signal that exists.
    let _ = set_parent_process_death_signal(Some(Signal::TERM));
    let parent = i32::try_from(parent).ok().and_then(Pid::from_raw);
    if getppid() != parent {
        // It died before it was asked for.
        let _ = rustix::process::kill_process(rustix::process::getpid(), Signal::TERM);
    }
}
