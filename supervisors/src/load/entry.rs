//! The way in: read, lower, check, report.

use std::path::{Path, PathBuf};

use super::build::build;
use super::faults::Faults;
use super::gather::gather;
use super::lower::Lower;
use super::resolve::Resolver;
use super::source::Source;
use crate::check::{ProgramCheck, Scope, faults};
use crate::report::Report;
use crate::spec::TreeSpec;

/// A spec that may run, and what is odd about it.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The spec: every check holds for it, and its children are in start order.
    pub spec: TreeSpec,
    /// Warnings; there is no error among them.
    pub warnings: Report,
}

/// Loads the file at `path` with what it includes, and merges the overlays into it, in order.
///
/// # Errors
///
/// Every fault of every file, in one report.
pub fn load(path: &Path, overlays: &[PathBuf], source: &dyn Source) -> Result<Loaded, Report> {
    load_any(path, None, overlays, source, &|_| Vec::new())
}

/// Loads as [`load`] does, and has what the program itself finds wrong told among the other
/// faults, each at its place.
///
/// # Errors
///
/// Every fault of every file, in one report.
pub fn load_with(
    path: &Path,
    overlays: &[PathBuf],
    source: &dyn Source,
    program: &ProgramCheck<'_>,
) -> Result<Loaded, Report> {
    load_any(path, None, overlays, source, program)
}

/// Loads a text as if it were the file at `path`.
///
/// # Errors
///
/// Every fault of the text and of every file it includes, in one report.
///
/// # Examples
///
/// ```
/// use treewright_supervisors::load::{MemorySource, load_str};
///
/// let text = "
///     [process.db]
///     run = 'postgres -D data'
///     ready = { tcp = '127.0.0.1:5432' }
///
///     [process.web]
///     run = 'web'
///     depends_on = { db = 'ready' }
/// ";
/// let loaded = load_str("shop.toml", text, &MemorySource::new()).unwrap();
/// assert_eq!(loaded.spec.root.children[0].name, "db");
/// assert!(loaded.warnings.is_empty());
/// ```
pub fn load_str(path: impl AsRef<Path>, text: &str, source: &dyn Source) -> Result<Loaded, Report> {
    load_any(path.as_ref(), Some(text), &[], source, &|_| Vec::new())
}

/// Loads a text as [`load_str`] does, and has what the program itself finds wrong told among the
/// other faults, each at its place.
///
/// # Errors
///
/// Every fault of the text and of every file it includes, in one report.
pub fn load_str_with(
    path: impl AsRef<Path>,
    text: &str,
    source: &dyn Source,
    program: &ProgramCheck<'_>,
) -> Result<Loaded, Report> {
    load_any(path.as_ref(), Some(text), &[], source, program)
}

fn load_any(
    path: &Path,
    text: Option<&str>,
    overlays: &[PathBuf],
    source: &dyn Source,
    program: &ProgramCheck<'_>,
) -> Result<Loaded, Report> {
    let mut found = Faults::default();
    let gathered = gather(path, text, overlays, source, &mut found);
    let stem = path
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default();
    let is_broken = found.errors() > 0;
    found.end_of_reading();
    let mut lower = Lower::new(source, gathered.files, &mut found);
    let mut built = build(&gathered.table, &stem, &mut lower);
    let files = lower.files;
    // A file that could not be read whole lacks things that others name.
    let scope = if built.is_sound && !is_broken {
        Scope::Whole
    } else {
        Scope::Children
    };
    let resolver = Resolver::new(&gathered.table);
    let of_format = faults(&mut built.spec, scope);
    for fault in of_format.into_iter().chain(program(&built.spec)) {
        resolver.add(fault, &mut found);
    }
    let has_errors = found.errors() > 0;
    let report = found.into_report(files.sources);
    if has_errors {
        Err(report)
    } else {
        Ok(Loaded {
            spec: built.spec,
            warnings: report,
        })
    }
}
