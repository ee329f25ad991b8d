//! Collects what is wrong while files are read and lowered.

use std::collections::{BTreeSet, HashSet};

use super::document::Span;
use crate::report::{Code, Diagnostic, Omitted, Related, Report, Severity, SourceText, SpecPath};

/// How many are kept; a file of nothing but faults must not fill the memory.
const KEPT: usize = 10_000;

/// A fault or warning at a place in a file.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) severity: Severity,
    pub(super) code: Code,
    pub(super) span: Span,
    pub(super) path: Option<SpecPath>,
    pub(super) message: String,
    pub(super) label: Option<String>,
    pub(super) hint: Option<String>,
    pub(super) related: Vec<(Span, String)>,
}

impl Problem {
    pub(super) fn error(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            span,
            path: None,
            message: message.into(),
            label: None,
            hint: None,
            related: Vec::new(),
        }
    }

    pub(super) fn warning(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, span, message)
        }
    }

    pub(super) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(super) fn related(mut self, span: Span, label: impl Into<String>) -> Self {
        self.related.push((span, label.into()));
        self
    }
}

/// All that was found so far.
#[derive(Debug, Default)]
pub(super) struct Faults {
    problems: Vec<Problem>,
    /// Part of the document could not be read, so that what is missing from it may be there.
    is_partial: bool,
    omitted: Omitted,
    errors: usize,
    /// What was reported already: a value of `[defaults]` is looked at once for each child.
    seen: HashSet<(Span, Code)>,
    /// Values that are at fault, so that a later check does not judge what it could not read.
    spoilt: BTreeSet<Span>,
    /// Keys that are missing from a table for a reason that was reported: misspelt there, or just missing.
    lacking: HashSet<(Span, &'static str)>,
}

impl Faults {
    /// Adds a problem unless it is there already; an error spoils the value it is about.
    pub(super) fn push(&mut self, problem: Problem) {
        if problem.severity == Severity::Error {
            self.spoilt.insert(problem.span);
        }
        let is_partial_news =
            is_about_absence(problem.code) || self.has(problem.span, Code::Syntax);
        if self.is_partial && is_partial_news {
            return;
        }
        if !self.seen.insert((problem.span, problem.code)) {
            return;
        }
        if problem.severity == Severity::Error {
            self.errors += 1;
        }
        if self.problems.len() < KEPT {
            self.problems.push(problem);
        } else if problem.severity == Severity::Error {
            self.omitted.errors += 1;
        } else {
            self.omitted.warnings += 1;
        }
    }

    pub(super) fn is_partial(&self) -> bool {
        self.is_partial
    }

    /// From here on nothing is said about what is not there, if something could not be read.
    pub(super) fn end_of_reading(&mut self) {
        self.is_partial = self.errors > 0;
    }

    /// Whether this very fault was reported already.
    pub(super) fn has(&self, span: Span, code: Code) -> bool {
        self.seen.contains(&(span, code))
    }

    /// Whether this file was not even text.
    pub(super) fn has_not_utf8(&self, file: u32) -> bool {
        self.problems
            .iter()
            .any(|problem| problem.code == Code::NotUtf8 && problem.span.file == file)
    }

    pub(super) fn errors(&self) -> usize {
        self.errors
    }

    /// Says that this value could not be read, for a reason that was reported elsewhere.
    pub(super) fn spoil(&mut self, span: Span) {
        self.spoilt.insert(span);
    }

    pub(super) fn lack(&mut self, table: Span, key: &'static str) {
        self.lacking.insert((table, key));
    }

    pub(super) fn is_lacking(&self, table: Span, key: &str) -> bool {
        !self.lacking.is_empty() && self.lacking.iter().any(|known| *known == (table, key))
    }

    /// Whether this value, or something in it, is at fault.
    pub(super) fn is_spoilt(&self, span: Span) -> bool {
        let last = Span {
            start: span.end,
            end: u32::MAX,
            ..span
        };
        let first = Span { end: 0, ..span };
        self.spoilt
            .range(first..=last)
            .any(|spoilt| spoilt.end <= span.end)
    }

    /// The report, with places looked up.
    pub(super) fn into_report(self, sources: Vec<SourceText>) -> Report {
        let place = |span: Span| {
            let source = span.file as usize;
            sources
                .get(source)
                .map(|text| text.place(source, span.bytes()))
        };
        let diagnostics = self
            .problems
            .into_iter()
            .map(|problem| Diagnostic {
                severity: problem.severity,
                code: problem.code,
                message: problem.message,
                place: place(problem.span),
                path: problem.path,
                expected: problem.label,
                hint: problem.hint,
                related: problem
                    .related
                    .into_iter()
                    .map(|(span, message)| Related {
                        place: place(span),
                        path: None,
                        message,
                    })
                    .collect(),
            })
            .collect();
        Report::new(diagnostics, self.omitted, sources)
    }
}

/// Whether a fault says that something is not there.
fn is_about_absence(code: Code) -> bool {
    matches!(
        code,
        Code::MissingKey
            | Code::MissingArgument
            | Code::NothingToRun
            | Code::UnknownName
            | Code::NotListed
            | Code::SeveralRoots
    )
}
