//! The machine's file system and environment, for the loader.

use std::env::{self, VarError};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use super::runnable::program_faults;
use crate::supervisors::load::{Loaded, NotUtf8, Source, Unreadable, load_with};
use crate::supervisors::report::Report;

/// The machine's file system and environment.
///
/// Relative paths are relative to the working directory.
///
/// # Examples
///
/// ```no_run
/// use treewright::supervisors::load;
/// use treewright::tree::OsSource;
///
/// match load("shop.toml".as_ref(), &[], &OsSource) {
///     Ok(loaded) => println!("{} is a tree", loaded.spec.name),
///     Err(report) => eprint!("{report}"),
/// }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct OsSource;

impl Source for OsSource {
    fn read(&self, path: &Path, limit: u64) -> Result<Vec<u8>, Unreadable> {
        let metadata = fs::metadata(path).map_err(unreadable)?;
        if metadata.is_dir() {
            return Err(Unreadable::Other("is a directory".to_owned()));
        }
        // Opening a pipe waits for its other end, for ever if there is none.
        if metadata.file_type().is_fifo() && !is_inherited(path) {
            return Err(Unreadable::Other("is a pipe".to_owned()));
        }
        let file = File::open(path).map_err(unreadable)?;
        // The length is not trusted: the file may grow, and a pipe has none.
        let mut contents = Vec::new();
        let read = file
            .take(limit.saturating_add(1))
            .read_to_end(&mut contents);
        read.map_err(unreadable)?;
        if contents.len() as u64 > limit {
            return Err(Unreadable::TooLarge { limit });
        }
        Ok(contents)
    }

    fn is_file(&self, path: &Path) -> bool {
        fs::metadata(path).is_ok_and(|metadata| !metadata.is_dir())
    }

    fn list(&self, directory: &Path) -> Result<Vec<PathBuf>, Unreadable> {
        let entries = fs::read_dir(directory).map_err(unreadable)?;
        entries
            .map(|entry| Ok(PathBuf::from(entry.map_err(unreadable)?.file_name())))
            .collect()
    }

    fn absolute(&self, path: &Path) -> PathBuf {
        // It fails for an empty path, and where the working directory is gone.
        std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
    }

    fn identity(&self, path: &Path) -> PathBuf {
        fs::canonicalize(path).unwrap_or_else(|_| self.absolute(path))
    }

    fn variable(&self, name: &str) -> Result<Option<String>, NotUtf8> {
        match env::var(name) {
            Ok(value) => Ok(Some(value)),
            Err(VarError::NotPresent) => Ok(None),
            Err(VarError::NotUnicode(_)) => Err(NotUtf8),
        }
    }
}

/// Loads a TOML file with what it includes, from the machine's files and this process's environment,
/// for this program: the functions that it names are looked for, and their arguments checked.
///
/// With overlays or from elsewhere: [`load_with`] and [`program_faults`](super::program_faults).
/// For any program: [`supervisors::load`](crate::supervisors::load()).
///
/// # Errors
///
/// Every fault of every file, in one report.
pub fn load(path: impl AsRef<Path>) -> Result<Loaded, Report> {
    load_with(path.as_ref(), &[], &OsSource, &program_faults)
}

/// Whether the path names a file descriptor of this process: `/dev/stdin`, a shell's `<(…)`.
fn is_inherited(path: &Path) -> bool {
    path == Path::new("/dev/stdin")
        || path.starts_with("/dev/fd")
        || path.starts_with("/proc/self/fd")
}

fn unreadable(error: io::Error) -> Unreadable {
    match error.kind() {
        ErrorKind::NotFound => Unreadable::Missing,
        ErrorKind::PermissionDenied => Unreadable::Other("permission denied".to_owned()),
        ErrorKind::IsADirectory => Unreadable::Other("is a directory".to_owned()),
        _ => Unreadable::Other(without_code(&error)),
    }
}

/// The words of the system in lowercase, without the number std adds.
fn without_code(error: &io::Error) -> String {
    let text = error.to_string();
    let words = text.split(" (os error").next().unwrap_or(&text);
    let mut letters = words.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directory_is_refused_as_one() {
        let error = OsSource.read("src".as_ref(), 1_000).unwrap_err();
        assert_eq!(error.to_string(), "is a directory");
    }

    #[test]
    fn missing_file_is_missing() {
        let error = OsSource.read("src/nothing".as_ref(), 1_000).unwrap_err();
        assert_eq!(error, Unreadable::Missing);
    }

    #[test]
    fn file_without_end_is_cut_at_the_limit() {
        let error = OsSource.read("/dev/zero".as_ref(), 1_000).unwrap_err();
        assert_eq!(error, Unreadable::TooLarge { limit: 1_000 });
    }

    #[test]
    fn system_words_lose_their_number() {
        let error = io::Error::from_raw_os_error(40);
        assert_eq!(without_code(&error), "too many levels of symbolic links");
    }
}
