//! Where files and variables come from.

use std::path::{Path, PathBuf};

/// Where files and variables come from.
///
/// The loader asks for everything here, so that it does no I/O of its own. `treewright::tree::OsSource`
/// is the machine's file system and environment, [`MemorySource`](super::MemorySource) a map.
pub trait Source {
    /// The contents of a file.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or holds more than `limit` bytes.
    fn read(&self, path: &Path, limit: u64) -> Result<Vec<u8>, Unreadable>;

    /// Whether there is a file at this path. It is asked about secrets, which are not read.
    fn is_file(&self, path: &Path) -> bool;

    /// The names in a directory, in any order.
    ///
    /// # Errors
    ///
    /// The directory cannot be read.
    fn list(&self, directory: &Path) -> Result<Vec<PathBuf>, Unreadable>;

    /// The path from the root of the file system, without touching it.
    fn absolute(&self, path: &Path) -> PathBuf;

    /// What tells files apart: the same for two paths to one file.
    ///
    /// By itself it is the absolute path without `.` and `..`, which is wrong where directories are
    /// links; a source that can should follow them.
    fn identity(&self, path: &Path) -> PathBuf {
        super::files::normal(&self.absolute(path))
    }

    /// The value of an environment variable.
    ///
    /// # Errors
    ///
    /// It is set, and is not UTF-8.
    fn variable(&self, name: &str) -> Result<Option<String>, NotUtf8>;
}

/// Why a file or directory cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unreadable {
    /// It does not exist.
    #[error("no such file")]
    Missing,
    /// It is larger than the limit.
    #[error("larger than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// Anything else; the text says what, in lowercase.
    #[error("{0}")]
    Other(String),
}

/// A variable that is set to something that is not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not UTF-8")]
pub struct NotUtf8;
