//! Why a process could not be started.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

/// Why a process could not be started.
///
/// It is never the end of a process: one that ran and exited with 127 was started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpawnError {
    /// No directory of the child's `PATH` has a program of this name.
    #[error("cannot find program `{}` in PATH `{}`", program.display(), path.display())]
    NotFound {
        /// The name as it was given.
        program: OsString,
        /// The `PATH` that was searched.
        path: OsString,
    },
    /// The program could not be executed.
    #[error("cannot execute `{}`", program.display())]
    Program {
        /// The file.
        program: PathBuf,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
    /// The working directory could not be entered.
    #[error("cannot enter working directory `{}`", path.display())]
    WorkingDirectory {
        /// The directory.
        path: PathBuf,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
    /// There is no such user.
    #[error("cannot find user `{name}`")]
    UnknownUser {
        /// The name as it was given.
        name: String,
    },
    /// There is no such group.
    #[error("cannot find group `{name}`")]
    UnknownGroup {
        /// The name as it was given.
        name: String,
    },
    /// A setting of the child was refused.
    #[error("cannot set {what} of `{}`", program.display())]
    Setting {
        /// The setting, with its value: a limit, the user, the niceness, the control group.
        what: String,
        /// The program.
        program: PathBuf,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
    /// A limit of this process or of the machine is reached.
    #[error("cannot start `{}`: {limit} is reached", program.display())]
    Exhausted {
        /// The limit, with its value where it is known.
        limit: String,
        /// The program.
        program: PathBuf,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
    /// An argument or a variable has a NUL byte in it, which no program can be given.
    #[error("cannot start `{}`: {what} has a NUL byte in it", program.display())]
    Nul {
        /// The offender.
        what: String,
        /// The program.
        program: PathBuf,
    },
    /// Anything else the kernel refused.
    #[error("cannot start `{}`", program.display())]
    Os {
        /// The program.
        program: PathBuf,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
}

impl SpawnError {
    /// The errno behind it, where the kernel gave one.
    #[must_use]
    pub fn errno(&self) -> Option<i32> {
        match self {
            Self::NotFound { .. } => Some(rustix::io::Errno::NOENT.raw_os_error()),
            Self::UnknownUser { .. } | Self::UnknownGroup { .. } | Self::Nul { .. } => None,
            Self::Program { source, .. }
            | Self::WorkingDirectory { source, .. }
            | Self::Setting { source, .. }
            | Self::Exhausted { source, .. }
            | Self::Os { source, .. } => source.raw_os_error(),
        }
    }

    /// Whether trying again may help without anyone changing anything.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Exhausted { .. } => true,
            Self::Program { source, .. } => source.kind() == io::ErrorKind::ExecutableFileBusy,
            _ => false,
        }
    }

    /// What to look at, where there is something to say.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotFound { .. } => {
                Some("a program in the working directory is written with a slash, as `./name`")
            }
            Self::Program { program, source } => match source.kind() {
                io::ErrorKind::NotFound if program.exists() => {
                    Some("the file is there, but the interpreter it names is not")
                }
                io::ErrorKind::PermissionDenied => {
                    Some("the file or a directory above it may not be executable for that user")
                }
                io::ErrorKind::InvalidInput | io::ErrorKind::Other => None,
                _ if source.raw_os_error() == Some(rustix::io::Errno::NOEXEC.raw_os_error()) => {
                    Some("a script starts with `#!` and its interpreter")
                }
                _ => None,
            },
            Self::Setting { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                Some("only a privileged process may do that")
            }
            _ => None,
        }
    }
}
