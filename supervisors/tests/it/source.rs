//! The files of the repository as a `Source`, the same on every machine.

use std::path::{Component, Path, PathBuf};

use treewright_supervisors::load::{NotUtf8, Source, Unreadable};

/// Files below the top of the repository, which is `/`; no environment but what a test sets.
pub(crate) struct Repository;

/// The top of the repository on this machine.
pub(crate) fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

impl Repository {
    fn real(&self, path: &Path) -> PathBuf {
        top().join(self.absolute(path).strip_prefix("/").unwrap())
    }
}

impl Source for Repository {
    #[expect(clippy::disallowed_methods, reason = "a test may read its own files")]
    fn read(&self, path: &Path, limit: u64) -> Result<Vec<u8>, Unreadable> {
        let contents = std::fs::read(self.real(path)).map_err(|_| Unreadable::Missing)?;
        if contents.len() as u64 > limit {
            return Err(Unreadable::TooLarge { limit });
        }
        Ok(contents)
    }

    fn is_file(&self, path: &Path) -> bool {
        self.real(path).is_file()
    }

    #[expect(clippy::disallowed_methods, reason = "a test may read its own files")]
    fn list(&self, directory: &Path) -> Result<Vec<PathBuf>, Unreadable> {
        let entries = std::fs::read_dir(self.real(directory)).map_err(|_| Unreadable::Missing)?;
        Ok(entries
            .map(|entry| PathBuf::from(entry.unwrap().file_name()))
            .collect())
    }

    fn absolute(&self, path: &Path) -> PathBuf {
        let mut absolute = PathBuf::from("/");
        for component in path.components() {
            match component {
                Component::Normal(name) => absolute.push(name),
                Component::ParentDir => {
                    absolute.pop();
                }
                _ => {}
            }
        }
        absolute
    }

    fn variable(&self, _name: &str) -> Result<Option<String>, NotUtf8> {
        Ok(None)
    }
}

/// The files with this ending in a folder of the repository, sorted.
pub(crate) fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let names = Repository.list(Path::new(folder)).unwrap();
    let mut files: Vec<PathBuf> = names
        .into_iter()
        .filter(|name| name.to_string_lossy().ends_with(ending))
        .map(|name| Path::new(folder).join(name))
        .collect();
    files.sort();
    files
}
