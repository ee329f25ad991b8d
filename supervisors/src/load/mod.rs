//! From TOML files to a checked spec, or to a report of every fault in them.
//!
//! [`load`] reads a file, what it includes, and its overlays; [`load_str`] takes the text itself.
//! Neither touches the file system or the environment but through [`Source`].

mod memory;
mod source;

pub use memory::MemorySource;
pub use source::{NotUtf8, Source, Unreadable};

use std::path::{Path, PathBuf};

use crate::report::{Code, Diagnostic, Report, Severity};
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
    let _ = (path, overlays, source);
    Err(Report::new(
        vec![Diagnostic {
            severity: Severity::Error,
            code: Code::Unreadable,
            message: "not yet".to_owned(),
            place: None,
            path: None,
            expected: None,
            hint: None,
            related: Vec::new(),
        }],
        0,
        Vec::new(),
    ))
}

/// Loads a text as if it were the file at `path`.
///
/// # Errors
///
/// Every fault of the text and of every file it includes, in one report.
pub fn load_str(path: impl AsRef<Path>, text: &str, source: &dyn Source) -> Result<Loaded, Report> {
    let _ = text;
    load(path.as_ref(), &[], source)
}
