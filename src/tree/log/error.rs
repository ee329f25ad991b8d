//! What can go wrong with a log: as the failure of a start, or as a report while it runs.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::line::OutputStream;

/// The log of a child cannot be opened, and so the child is not started.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The directory of the file is not there.
    #[error("cannot open log file `{}`", .path.display())]
    NoDirectory {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The path leads to something that is not a file.
    #[error("cannot open log file `{}`", .path.display())]
    NotAFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The pipe from the child cannot be watched.
    #[error("cannot watch {stream} of child `{name}`")]
    Pipe {
        /// The child.
        name: String,
        /// Which of its streams.
        stream: OutputStream,
        /// What the system said.
        source: io::Error,
    },
}

impl LogError {
    /// Advice for the user, where there is some.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoDirectory { path, .. } => {
                let directory = path.parent().unwrap_or(Path::new("/"));
                Some(format!(
                    "create the directory `{}`; it is not made for you, since a typing error would make one too",
                    directory.display()
                ))
            }
            Self::NotAFile { .. } | Self::Pipe { .. } => None,
        }
    }

    /// Sorts the failure of an opening: a wrong path fails the start, while a full or
    /// forbidden disk is something a child can be run without; it is reported and tried again.
    pub(crate) fn of_open(path: &Path, source: io::Error) -> Result<io::Error, Self> {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound => Err(Self::NoDirectory { path, source }),
            io::ErrorKind::NotADirectory
            | io::ErrorKind::IsADirectory
            | io::ErrorKind::InvalidFilename
            | io::ErrorKind::InvalidInput => Err(Self::NotAFile { path, source }),
            _ => Ok(source),
        }
    }
}

/// Where lines are written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LogTarget {
    /// This file.
    File(PathBuf),
    /// The tree's own standard output or error.
    Stream(OutputStream),
}

impl fmt::Display for LogTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "log file `{}`", path.display()),
            Self::Stream(stream) => write!(f, "own {stream}"),
        }
    }
}

/// Something about a log that the user is told once, not at each line.
#[derive(Clone, Debug)]
pub enum LogReport {
    /// Lines cannot be written. Children run on; lines wait while there is room and are then
    /// dropped and counted. The write is tried again and again.
    WriteFailed {
        /// Where to.
        target: LogTarget,
        /// What the system said.
        error: Arc<io::Error>,
    },
    /// Lines are written again.
    WriteRecovered {
        /// Where to.
        target: LogTarget,
    },
    /// A file has reached its size and cannot be rotated. It grows on.
    RotationFailed {
        /// The file.
        target: LogTarget,
        /// What the system said.
        error: Arc<io::Error>,
    },
    /// The file could be rotated after all.
    RotationRecovered {
        /// The file.
        target: LogTarget,
    },
    /// A pipe from a child cannot be read and was given up.
    ReadFailed {
        /// The child.
        name: String,
        /// Which of its streams.
        stream: OutputStream,
        /// What the system said.
        error: Arc<io::Error>,
    },
}

impl fmt::Display for LogReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WriteFailed { target, error } => {
                write!(f, "cannot write {target}, trying again: {error}")
            }
            Self::WriteRecovered { target } => write!(f, "can write {target} again"),
            Self::RotationFailed { target, error } => {
                write!(f, "cannot rotate {target}, it grows on: {error}")
            }
            Self::RotationRecovered { target } => write!(f, "could rotate {target} again"),
            Self::ReadFailed {
                name,
                stream,
                error,
            } => write!(f, "cannot read {stream} of child `{name}`: {error}"),
        }
    }
}

/// Tells the user. It is called from the loop and must not wait.
pub(crate) type Report = std::rc::Rc<dyn Fn(LogReport)>;
