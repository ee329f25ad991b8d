//! Files and variables in memory, for tests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use super::source::{NotUtf8, Source, Unreadable};

/// Files and variables in memory, for tests and for texts that have no file.
///
/// Relative paths are relative to `/`.
///
/// # Examples
///
/// ```
/// use treewright_supervisors::load::{MemorySource, load};
///
/// let source = MemorySource::new()
///     .file("shop.toml", "[process.web]\nrun = 'web --port ${PORT}'\n")
///     .variable("PORT", "8080");
/// let loaded = load("shop.toml".as_ref(), &[], &source).unwrap();
/// assert_eq!(loaded.spec.name, "shop");
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemorySource {
    files: BTreeMap<PathBuf, Vec<u8>>,
    variables: BTreeMap<String, String>,
}

impl MemorySource {
    /// No files, no variables.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With this file too.
    #[must_use]
    pub fn file(mut self, path: impl AsRef<Path>, contents: impl Into<Vec<u8>>) -> Self {
        self.files
            .insert(self.absolute(path.as_ref()), contents.into());
        self
    }

    /// With this variable too.
    #[must_use]
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }
}

impl Source for MemorySource {
    fn read(&self, path: &Path, limit: u64) -> Result<Vec<u8>, Unreadable> {
        let contents = self
            .files
            .get(&self.absolute(path))
            .ok_or(Unreadable::Missing)?;
        if contents.len() as u64 > limit {
            return Err(Unreadable::TooLarge { limit });
        }
        Ok(contents.clone())
    }

    fn is_file(&self, path: &Path) -> bool {
        self.files.contains_key(&self.absolute(path))
    }

    fn list(&self, directory: &Path) -> Result<Vec<PathBuf>, Unreadable> {
        let directory = self.absolute(directory);
        let names: BTreeSet<PathBuf> = self
            .files
            .keys()
            .filter_map(|file| file.strip_prefix(&directory).ok()?.components().next())
            .map(|name| PathBuf::from(name.as_os_str()))
            .collect();
        if names.is_empty() {
            return Err(Unreadable::Missing);
        }
        Ok(names.into_iter().collect())
    }

    fn absolute(&self, path: &Path) -> PathBuf {
        let mut absolute = PathBuf::from("/");
        for component in path.components() {
            match component {
                Component::Normal(name) => absolute.push(name),
                Component::ParentDir => {
                    absolute.pop();
                }
                Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
            }
        }
        absolute
    }

    fn variable(&self, name: &str) -> Result<Option<String>, NotUtf8> {
        Ok(self.variables.get(name).cloned())
    }
}
