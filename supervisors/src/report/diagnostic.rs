//! One fault or warning.

use std::ops::Range;
use std::path::PathBuf;

use serde::Serialize;

use super::{Code, SpecPath};

/// Whether a spec with this in it may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It may not.
    Error,
    /// It may, and is surely not what was meant.
    Warning,
}

/// One fault or warning.
///
/// Serialized it is flat: `file`, `line` and `col` stand beside `severity`, `code` and `message`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Diagnostic {
    /// Whether it is a fault or a warning.
    pub severity: Severity,
    /// What kind of fault it is.
    pub code: Code,
    /// What is wrong, on which object.
    pub message: String,
    /// Where it is written, if it comes from a file.
    #[serde(flatten)]
    pub place: Option<Place>,
    /// Which thing of the spec it is about, where it is known by that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<SpecPath>,
    /// What should be there, or what is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Other places that belong to it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<Related>,
}

/// Another place that belongs to a diagnostic.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Related {
    /// Where it is written, if it comes from a file.
    #[serde(flatten)]
    pub place: Option<Place>,
    /// Which thing of the spec it is, where it is known by that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<SpecPath>,
    /// What is there.
    pub message: String,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Place {
    /// The file, as it was named.
    pub file: PathBuf,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub col: usize,
    /// The bytes of the file it is about.
    #[serde(skip)]
    pub span: Range<usize>,
    /// Which of the report's texts it is in.
    #[serde(skip)]
    pub(crate) source: usize,
}
