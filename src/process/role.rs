//! The part that a re-executed program plays, told in its environment.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::Pid;

use super::{ROLE_VARIABLE, keeper, procfs};

/// The part a re-executed program plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It supervises, and this is its guardian.
    Supervisor { guardian: Pid },
    /// It keeps the children of this program.
    Keeper { program: Pid },
    /// It is an actor of this program, whose link is its standard input.
    Actor { parent: Pid },
    /// It is an actor, whose link is its standard input and output.
    ActorOnStdio,
}

const ACTOR_ON_STDIO: &str = "actor-on-stdio";

impl Role {
    fn parse(text: &str) -> Option<Self> {
        if text == ACTOR_ON_STDIO {
            return Some(Self::ActorOnStdio);
        }
        let (name, pid) = text.split_once(':')?;
        let pid = procfs::parse_pid(pid)?;
        match name {
            "supervisor" => Some(Self::Supervisor { guardian: pid }),
            "keeper" => Some(Self::Keeper { program: pid }),
            "actor" => Some(Self::Actor { parent: pid }),
            _ => None,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Supervisor { guardian } => write!(f, "supervisor:{guardian}"),
            Self::Keeper { program } => write!(f, "keeper:{program}"),
            Self::Actor { parent } => write!(f, "actor:{parent}"),
            Self::ActorOnStdio => f.write_str(ACTOR_ON_STDIO),
        }
    }
}

/// The part this process was told to play.
pub(super) fn given() -> Option<Role> {
    static GIVEN: OnceLock<Option<Role>> = OnceLock::new();
    *GIVEN.get_or_init(|| Role::parse(std::env::var(ROLE_VARIABLE).ok()?.as_str()))
}

static IS_PLAYED: AtomicBool = AtomicBool::new(false);

/// Plays the part this process was started for, if that is not to be the program itself.
///
/// The first thing a program does that uses processes: it runs its own file again for the
/// keeper, and that process never comes back from here.
pub fn play_role() {
    promise_role();
    if let Some(Role::Keeper { program }) = given() {
        keeper::keep(program);
    }
}

/// Notes that a re-executed copy of this program would play its part, by a hook before `main`.
pub(crate) fn promise_role() {
    IS_PLAYED.store(true, Ordering::Relaxed);
}

/// Whether this process was started for a part.
pub(crate) fn is_role_given() -> bool {
    std::env::var_os(ROLE_VARIABLE).is_some()
}

/// Whether a re-executed copy of this program would play its part.
pub(crate) fn is_played() -> bool {
    IS_PLAYED.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn role_reads_back_as_it_was_written() {
        let pid = Pid::from_raw(42).unwrap();
        for role in [
            Role::Supervisor { guardian: pid },
            Role::Keeper { program: pid },
            Role::Actor { parent: pid },
            Role::ActorOnStdio,
        ] {
            assert_eq!(Role::parse(&role.to_string()), Some(role));
        }
    }

    #[test]
    fn anything_else_is_no_role() {
        for text in [
            "",
            "keeper",
            "keeper:",
            "keeper:0",
            "keeper:-1",
            "keeper:x",
            "cook:1",
        ] {
            assert_eq!(Role::parse(text), None, "{text}");
        }
    }
}
