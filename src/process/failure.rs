//! From an errno of a failed spawn to what was in the way.

use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

use super::spawn::describe;
use super::unix::Step;
use super::{Command, SpawnError};

/// What was being started.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) command: &'a Command,
    pub(super) program: &'a Path,
}

impl Context<'_> {
    fn program(&self) -> PathBuf {
        self.program.to_owned()
    }

    /// Something around the spawn was refused: a pipe, the null device, the process itself.
    pub(super) fn refused(&self, source: io::Error) -> SpawnError {
        let program = self.program();
        let Some(limit) = Errno::from_io_error(&source).and_then(exhausted) else {
            return SpawnError::Os { program, source };
        };
        SpawnError::Exhausted {
            limit,
            program,
            source,
        }
    }

    pub(super) fn has_nul(&self, what: &str) -> SpawnError {
        SpawnError::Nul {
            what: what.to_owned(),
            program: self.program(),
        }
    }

    fn program_refused(&self, source: io::Error) -> SpawnError {
        SpawnError::Program {
            program: self.program(),
            source,
        }
    }
}

/// The standard library has one errno for the program and its working directory, so the
/// directory is looked at.
pub(super) fn of_standard_library(context: &Context<'_>, source: io::Error) -> SpawnError {
    if source.kind() == io::ErrorKind::InvalidInput && source.raw_os_error().is_none() {
        return context.has_nul("an argument or a variable");
    }
    if let Some(path) = &context.command.cwd
        && let Err(source) = try_directory(path)
    {
        return SpawnError::WorkingDirectory {
            path: path.clone(),
            source,
        };
    }
    of_exec(context, source)
}

/// Why the directory cannot be entered, if it cannot.
fn try_directory(path: &Path) -> io::Result<()> {
    match path.metadata()?.is_dir() {
        true => Ok(access(path, Access::EXEC_OK)?),
        false => Err(Errno::NOTDIR.into()),
    }
}

/// The exact spawn knows where it failed.
pub(super) fn of_exact_spawn(context: &Context<'_>, step: Step, errno: Errno) -> SpawnError {
    let source = io::Error::from(errno);
    match (step, &context.command.cwd) {
        (Step::Exec, _) => of_exec(context, source),
        (Step::WorkingDirectory, Some(path)) => SpawnError::WorkingDirectory {
            path: path.clone(),
            source,
        },
        (Step::Clone | Step::Stdio, _) => context.refused(source),
        (step, _) => SpawnError::Setting {
            what: describe(step, context.command),
            program: context.program(),
            source,
        },
    }
}

fn of_exec(context: &Context<'_>, source: io::Error) -> SpawnError {
    match Errno::from_io_error(&source) {
        Some(Errno::AGAIN | Errno::NOMEM | Errno::MFILE | Errno::NFILE) => context.refused(source),
        _ => context.program_refused(source),
    }
}

/// Which limit this errno of a spawn means.
fn exhausted(errno: Errno) -> Option<String> {
    let with_value = |name: &str, resource| match getrlimit(resource).current {
        Some(value) => format!("{name} ({value})"),
        None => name.to_owned(),
    };
    match errno {
        Errno::MFILE => Some(with_value(
            "limit `nofile` of this process",
            Resource::Nofile,
        )),
        Errno::NFILE => Some("the limit of open files of this machine".to_owned()),
        Errno::AGAIN => Some(with_value(
            "limit `nproc`, or `pids.max` of the control group,",
            Resource::Nproc,
        )),
        Errno::NOMEM => Some("the memory of this machine".to_owned()),
        _ => None,
    }
}
