//! The files of one load: read, decoded, parsed.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use toml::de::DeTable;

use super::document::{self, Span, Table};
use super::faults::{Faults, Problem};
use super::source::{Source, Unreadable};
use super::syntax;
use crate::report::{Code, SourceText};

/// Bytes one file may have. A child of a tree is written in one to three hundred.
pub(super) const FILE_BYTES: u64 = 32 << 20;

/// Bytes all files of one load may have.
const ALL_BYTES: u64 = 64 << 20;

/// A file with more bytes gets its first syntax error reported, not all: each costs memory.
const RECOVERABLE_BYTES: usize = 1 << 20;

/// The files read so far. A [`Span`] names a file by its number here.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) sources: Vec<SourceText>,
    /// The directory of each file, absolute: what its relative paths are relative to.
    directories: Vec<PathBuf>,
    bytes: u64,
}

impl Files {
    /// The directory of a file.
    pub(super) fn directory(&self, file: u32) -> &Path {
        self.directories
            .get(file as usize)
            .map_or(Path::new("/"), PathBuf::as_path)
    }

    /// The bytes of a file as they are written.
    pub(super) fn raw(&self, span: Span) -> &str {
        self.sources
            .get(span.file as usize)
            .and_then(|source| source.text.get(span.bytes()))
            .unwrap_or("")
    }

    /// How a path is shown that is written in this file: beside it.
    pub(super) fn shown_beside(&self, file: u32, path: &str) -> PathBuf {
        let directory = self.shown(file).parent().unwrap_or(Path::new(""));
        normal(&directory.join(path))
    }

    /// The name of a file as it is shown.
    pub(super) fn shown(&self, file: u32) -> &Path {
        self.sources
            .get(file as usize)
            .map_or(Path::new(""), |source| &source.shown)
    }

    /// The bytes of a file, or why there are none.
    pub(super) fn read(
        &mut self,
        path: &Path,
        limit: u64,
        source: &dyn Source,
    ) -> Result<Vec<u8>, Unreadable> {
        let left = ALL_BYTES.saturating_sub(self.bytes);
        let contents = source.read(path, limit.min(left))?;
        self.bytes += contents.len() as u64;
        Ok(contents)
    }

    /// Takes a file in and returns its number; what is not UTF-8 is a fault and is read up to there.
    pub(super) fn add(
        &mut self,
        path: &Path,
        contents: Vec<u8>,
        source: &dyn Source,
        faults: &mut Faults,
    ) -> u32 {
        let file = u32::try_from(self.sources.len()).unwrap_or(u32::MAX);
        let directory = match path.parent() {
            Some(parent) if parent != Path::new("") => source.absolute(parent),
            _ => source.absolute(Path::new(".")),
        };
        let shown = normal(path);
        let (text, broken) = decode(contents);
        self.sources.push(SourceText::new(shown.clone(), text));
        self.directories.push(directory);
        if let Some(at) = broken {
            faults.push(
                Problem::error(
                    Code::NotUtf8,
                    Span::new(file, &(at..at + char::REPLACEMENT_CHARACTER.len_utf8())),
                    format!("`{}` is not UTF-8", shown.display()),
                )
                .label("no character begins with this byte")
                .hint("TOML files are UTF-8: convert the file"),
            );
        }
        file
    }

    /// Takes a file in whose text is never shown, because it may hold secrets.
    pub(super) fn add_hidden(
        &mut self,
        path: &Path,
        shown: PathBuf,
        contents: Vec<u8>,
        source: &dyn Source,
        faults: &mut Faults,
    ) -> u32 {
        let file = self.add(path, contents, source, faults);
        if let Some(text) = self.sources.last_mut() {
            text.shown = shown;
            text.is_hidden = true;
        }
        file
    }

    /// The text of a file.
    pub(super) fn text(&self, file: u32) -> Arc<str> {
        self.sources
            .get(file as usize)
            .map_or_else(|| "".into(), |source| Arc::clone(&source.text))
    }

    /// The table of a file; of a broken one what could be understood.
    pub(super) fn parse(&self, file: u32, faults: &mut Faults) -> Table {
        let Some(source) = self.sources.get(file as usize) else {
            return Table::new();
        };
        if faults.has_not_utf8(file) {
            return Table::new();
        }
        let (parsed, errors) = if source.text.len() > RECOVERABLE_BYTES {
            match DeTable::parse(&source.text) {
                Ok(parsed) => (Some(parsed), Vec::new()),
                Err(error) => (None, vec![error]),
            }
        } else {
            let (parsed, errors) = DeTable::parse_recoverable(&source.text);
            (Some(parsed), errors)
        };
        for error in &errors {
            if let Some(problem) = syntax::problem(file, &source.text, error) {
                faults.push(problem);
            }
        }
        parsed.map_or_else(Table::new, |parsed| {
            document::table(file, parsed.into_inner())
        })
    }
}

/// The text of a file, and the first byte that is not UTF-8.
fn decode(contents: Vec<u8>) -> (Arc<str>, Option<usize>) {
    match String::from_utf8(contents) {
        Ok(text) => (text.into(), None),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            // The rest is only for the excerpt around the fault.
            let contents = error.as_bytes();
            let end = contents.len().min(at + 200);
            (String::from_utf8_lossy(&contents[..end]).into(), Some(at))
        }
    }
}

/// A path without `.`; a `..` stays, since what it means depends on links.
pub(super) fn tidy(path: &Path) -> PathBuf {
    let mut tidied = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            other => tidied.push(other),
        }
    }
    if tidied.as_os_str().is_empty() {
        tidied.push(".");
    }
    tidied
}

/// A path without `.` and `..`, as if no directory were a link: to be shown, or where there are none.
pub(super) fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        let last = normal.components().next_back();
        match (component, last) {
            (Component::CurDir, _) => {}
            (Component::ParentDir, Some(Component::Normal(_))) => {
                normal.pop();
            }
            (Component::ParentDir, Some(Component::RootDir)) => {}
            (other, _) => normal.push(other),
        }
    }
    if normal.as_os_str().is_empty() {
        normal.push(".");
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_goes_up_by_name() {
        for (path, normal_path) in [
            ("/a/./b/../c", "/a/c"),
            ("a/../../b", "../b"),
            ("/../a", "/a"),
            ("a/..", "."),
        ] {
            assert_eq!(normal(Path::new(path)), Path::new(normal_path));
        }
    }

    #[test]
    fn tidy_drops_dots_and_keeps_the_way_up() {
        assert_eq!(tidy(Path::new("/a/./b/../c")), Path::new("/a/b/../c"));
        assert_eq!(tidy(Path::new(".")), Path::new("."));
    }
}
