//! The root file, what it includes, and its overlays, as one document.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::document::{Entry, Span, Table, Value};
use super::faults::{Faults, Problem};
use super::files::{FILE_BYTES, Files, normal};
use super::merge;
use super::source::{Source, Unreadable};
use super::substitute;
use crate::keys::{self, Section};
use crate::report::Code;

/// Files that may include each other in a chain.
const DEEPEST: usize = 16;

/// Files one load may have.
const MOST_FILES: usize = 1_000;

/// All files of a load as one table.
#[derive(Debug)]
pub(super) struct Gathered {
    pub(super) table: Table,
    pub(super) files: Files,
}

/// Reads and merges everything; what is wrong on the way is in `faults`.
pub(super) fn gather(
    path: &Path,
    text: Option<&str>,
    overlays: &[PathBuf],
    source: &dyn Source,
    faults: &mut Faults,
) -> Gathered {
    let mut gatherer = Gatherer {
        source,
        faults,
        files: Files::default(),
        chain: Vec::new(),
        known: BTreeSet::new(),
    };
    let table = gatherer.root(path, text, overlays);
    Gathered {
        table,
        files: gatherer.files,
    }
}

struct Gatherer<'a> {
    source: &'a dyn Source,
    faults: &'a mut Faults,
    files: Files,
    /// The files that are being included right now, outermost first.
    chain: Vec<PathBuf>,
    /// Every file that was read.
    known: BTreeSet<PathBuf>,
}

impl Gatherer<'_> {
    fn root(&mut self, path: &Path, text: Option<&str>, overlays: &[PathBuf]) -> Table {
        let contents = match text {
            Some(text) => Ok(text.as_bytes().to_vec()),
            None => self.files.read(path, FILE_BYTES, self.source),
        };
        let mut table = Table::new();
        if let Some(file) = self.take_in(path, contents) {
            table = self.files.parse(file, self.faults);
            self.enter(path);
            self.include(file, &mut table);
            self.chain.pop();
        }
        for overlay in overlays {
            let contents = self.files.read(overlay, FILE_BYTES, self.source);
            if let Some(file) = self.take_in(overlay, contents) {
                let mut over = self.files.parse(file, self.faults);
                self.refuse_include(&mut over);
                merge::overlay(&mut table, over);
            }
        }
        table
    }

    /// Takes a file the user named in; one that cannot be read is a fault of its own.
    fn take_in(&mut self, path: &Path, contents: Result<Vec<u8>, Unreadable>) -> Option<u32> {
        let why = match contents {
            Ok(contents) => {
                return Some(self.files.add(path, contents, self.source, self.faults));
            }
            Err(why) => why,
        };
        let file = self.files.add(path, Vec::new(), self.source, self.faults);
        let code = match why {
            Unreadable::TooLarge { .. } => Code::TooLarge,
            _ => Code::Unreadable,
        };
        self.faults.push(Problem::error(
            code,
            Span::top(file),
            format!("cannot read `{}`: {why}", path.display()),
        ));
        None
    }

    fn enter(&mut self, path: &Path) {
        let identity = self.source.identity(path);
        self.known.insert(identity.clone());
        self.chain.push(identity);
    }

    fn refuse_include(&mut self, over: &mut Table) {
        if let Some(entry) = over.remove("include") {
            self.faults.push(
                Problem::error(Code::RootOnly, entry.key, "an overlay cannot include files").hint(
                    "give each file with an `-f` of its own, or include it from the first file",
                ),
            );
        }
    }

    /// Adds the tables of every file that `table` includes.
    fn include(&mut self, file: u32, table: &mut Table) {
        let Some(entry) = table.remove("include") else {
            return;
        };
        let Value::Array(items) = &entry.node.value else {
            self.faults.push(
                Problem::error(
                    Code::WrongType,
                    entry.node.span,
                    format!("`include` cannot be {}", entry.node.type_name()),
                )
                .label("expected an array of paths"),
            );
            return;
        };
        for item in items {
            let Value::String(text) = &item.value else {
                self.faults.push(
                    Problem::error(
                        Code::WrongType,
                        item.span,
                        format!("a path in `include` cannot be {}", item.type_name()),
                    )
                    .label("expected a path"),
                );
                continue;
            };
            let lookup = |name: &str| self.source.variable(name);
            match substitute::expand(text, &lookup) {
                Ok(pattern) => self.include_pattern(file, item.span, &pattern, table),
                Err(failure) => {
                    let problem = super::text::substitution(&self.files, item.span, text, &failure);
                    self.faults.push(problem);
                }
            }
        }
    }

    fn include_pattern(&mut self, file: u32, span: Span, pattern: &str, table: &mut Table) {
        let base = self
            .files
            .shown(file)
            .parent()
            .map_or_else(PathBuf::new, Path::to_owned);
        if !pattern.contains(['*', '?', '[']) {
            self.include_file(span, &base.join(pattern), table);
            return;
        }
        match super::glob::paths(&base, pattern, self.source) {
            Ok(paths) => {
                for path in paths {
                    let identity = self.source.identity(&path);
                    // A pattern may match the file it stands in, or one that is here already.
                    if !self.known.contains(&identity) {
                        self.include_file(span, &path, table);
                    }
                }
            }
            Err(why) => self.faults.push(
                Problem::error(
                    Code::InvalidValue,
                    span,
                    format!("`{}` is not a pattern", pattern.escape_debug()),
                )
                .label(why),
            ),
        }
    }

    fn include_file(&mut self, span: Span, path: &Path, table: &mut Table) {
        let shown = normal(path);
        let identity = self.source.identity(path);
        if let Some(at) = self.chain.iter().position(|known| *known == identity) {
            self.report_cycle(span, at, &shown);
            return;
        }
        if self.known.contains(&identity) {
            return;
        }
        if self.chain.len() > DEEPEST || self.files.sources.len() >= MOST_FILES {
            self.faults.push(
                Problem::error(Code::TooLarge, span, "too many files are included").label(format!(
                    "at most {MOST_FILES} files, and {DEEPEST} in a chain"
                )),
            );
            return;
        }
        let contents = match self.files.read(path, FILE_BYTES, self.source) {
            Ok(contents) => contents,
            Err(why) => {
                self.report_unreadable(span, &shown, &why);
                return;
            }
        };
        let file = self.files.add(path, contents, self.source, self.faults);
        let mut included = self.files.parse(file, self.faults);
        self.refuse_root_only(&mut included);
        self.chain.push(identity.clone());
        self.known.insert(identity);
        // What an included file includes comes after its own tables, as for the root.
        let nested = included.remove("include");
        merge::include(table, included, self.faults);
        if let Some(nested) = nested {
            self.include_nested(file, nested, table);
        }
        self.chain.pop();
    }

    fn include_nested(&mut self, file: u32, nested: Entry, table: &mut Table) {
        table.insert("include".to_owned(), nested);
        self.include(file, table);
    }

    fn refuse_root_only(&mut self, included: &mut Table) {
        for name in keys::names(Section::File) {
            let is_root_only = keys::find(Section::File, name).is_some_and(|key| !key.shared);
            if !is_root_only {
                continue;
            }
            if let Some(entry) = included.remove(name) {
                self.faults.push(
                    Problem::error(
                        Code::RootOnly,
                        entry.key,
                        format!("an included file cannot have `[{name}]`"),
                    )
                    .hint("only the file that is loaded has `[tree]` and `[defaults.*]`: move it there"),
                );
            }
        }
    }

    fn report_cycle(&mut self, span: Span, at: usize, shown: &Path) {
        let mut names: Vec<String> = self.chain[at..]
            .iter()
            .map(|path| file_name(path))
            .collect();
        names.push(file_name(&self.chain[at]));
        self.faults.push(
            Problem::error(
                Code::IncludeCycle,
                span,
                format!("`{}` includes itself", shown.display()),
            )
            .label(names.join(" includes ")),
        );
    }

    fn report_unreadable(&mut self, span: Span, shown: &Path, why: &Unreadable) {
        let code = match why {
            Unreadable::Missing => Code::MissingFile,
            Unreadable::TooLarge { .. } => Code::TooLarge,
            Unreadable::Other(_) => Code::Unreadable,
        };
        self.faults.push(
            Problem::error(code, span, format!("cannot include `{}`", shown.display()))
                .label(why.to_string()),
        );
    }
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    format!("`{}`", name.to_string_lossy())
}
