//! All that is wrong with a spec.

use std::fmt;

use super::{Diagnostic, Fault, Related, Severity, SourceText, Style, render};

/// How many diagnostics of a report are shown; the rest is counted.
const SHOWN: usize = 100;

/// All faults and warnings of one load or one check, sorted by place.
///
/// Shows itself as text for people, without colour; see [`Report::render`] for colour and
/// [`Report::diagnostics`] for the data.
///
/// # Examples
///
/// ```
/// use treewright_supervisors::load::{MemorySource, load_str};
///
/// let report = load_str("shop.toml", "[process.web]\nrn = 'web'\n", &MemorySource::new()).unwrap_err();
/// assert!(report.has_errors());
/// assert_eq!(report.diagnostics()[0].code.as_str(), "unknown-key");
/// assert!(report.to_string().contains("shop.toml:2:1"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Report {
    diagnostics: Vec<Diagnostic>,
    omitted: Omitted,
    sources: Vec<SourceText>,
}

/// Diagnostics that were found and not kept.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Omitted {
    pub(crate) errors: usize,
    pub(crate) warnings: usize,
}

impl Report {
    /// Sorts the diagnostics by place; those past the hundredth are only counted.
    pub(crate) fn new(
        mut diagnostics: Vec<Diagnostic>,
        omitted: Omitted,
        sources: Vec<SourceText>,
    ) -> Self {
        diagnostics.sort_by_key(|diagnostic| {
            let place = diagnostic.place.as_ref();
            (
                place.map(|place| (place.source, place.span.start, place.span.end)),
                diagnostic.severity,
                diagnostic.code,
            )
        });
        Self {
            diagnostics,
            omitted,
            sources,
        }
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.diagnostics.is_empty()
    }

    /// Whether one of them is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    /// How many were found of this severity, [omitted](Self::omitted) ones included.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        let kept = self
            .diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.severity == severity)
            .count();
        kept + match severity {
            Severity::Error => self.omitted.errors,
            Severity::Warning => self.omitted.warnings,
        }
    }

    /// How many more were found than are kept; a report is bounded.
    #[must_use]
    pub fn omitted(&self) -> usize {
        self.omitted.errors + self.omitted.warnings
    }

    /// Every diagnostic, sorted by place.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// The report as text, at most its first hundred diagnostics.
    #[must_use]
    pub fn render(&self, style: Style) -> String {
        let shown = &self.diagnostics[..self.diagnostics.len().min(SHOWN)];
        let mut text = String::new();
        for diagnostic in shown {
            text.push_str(&render::diagnostic(diagnostic, &self.sources, style));
            text.push_str("\n\n");
        }
        let more = self.diagnostics.len() - shown.len() + self.omitted();
        if more > 0 {
            text.push_str(&format!("and {more} more\n\n"));
        }
        text.push_str(&self.summary());
        text
    }

    /// `2 errors, 1 warning`, with a line end; empty when there is nothing.
    fn summary(&self) -> String {
        let counts = [
            (self.count(Severity::Error), "error"),
            (self.count(Severity::Warning), "warning"),
        ];
        let counts: Vec<String> = counts
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count} {word}{}", if count == 1 { "" } else { "s" }))
            .collect();
        if counts.is_empty() {
            String::new()
        } else {
            format!("{}\n", counts.join(", "))
        }
    }
}

/// What is told of faults that have no place in a file.
impl FromIterator<Fault> for Report {
    fn from_iter<T: IntoIterator<Item = Fault>>(faults: T) -> Self {
        let diagnostics = faults.into_iter().map(|fault| Diagnostic {
            severity: fault.severity,
            code: fault.code,
            message: fault.message,
            place: None,
            path: Some(fault.at),
            expected: fault.label,
            hint: fault.hint,
            related: fault
                .related
                .into_iter()
                .map(|(path, message)| Related {
                    place: None,
                    path: Some(path),
                    message,
                })
                .collect(),
        });
        Self::new(diagnostics.collect(), Omitted::default(), Vec::new())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Style::Plain))
    }
}

impl std::error::Error for Report {}
