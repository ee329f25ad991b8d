//! A diagnostic as text: title, source line with a caret, other places, help.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::{Diagnostic, Place, Severity, SourceText};

/// Places nearer than this are shown in one excerpt.
const NEAR_LINES: usize = 6;

/// An excerpt longer than this is not shown: the line is data, not something a person wrote.
const LONG_EXCERPT: usize = 2_000;

/// Whether a report is rendered with colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Letters only.
    Plain,
    /// With ANSI colours.
    Coloured,
}

/// One place with what is said of it.
struct Mark<'a> {
    place: &'a Place,
    label: &'a str,
    is_primary: bool,
}

/// The diagnostic as text, without a line end.
pub(super) fn diagnostic(diagnostic: &Diagnostic, sources: &[SourceText], style: Style) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level
        .primary_title(diagnostic.message.as_str())
        .id(diagnostic.code.as_str());
    let mut group = Group::with_title(title);
    for excerpt in excerpts(marks(diagnostic)) {
        group = add_excerpt(group, &excerpt, sources);
    }
    for note in notes(diagnostic) {
        group = group.element(Level::NOTE.message(note));
    }
    if let Some(hint) = &diagnostic.hint {
        group = group.element(Level::HELP.message(hint.as_str()));
    }
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Coloured => Renderer::styled(),
    };
    renderer.decor_style(DecorStyle::Ascii).render(&[group])
}

fn marks(diagnostic: &Diagnostic) -> Vec<Mark<'_>> {
    let primary = diagnostic.place.iter().map(|place| Mark {
        place,
        label: diagnostic.expected.as_deref().unwrap_or(""),
        is_primary: true,
    });
    let related = diagnostic.related.iter().filter_map(|related| {
        Some(Mark {
            place: related.place.as_ref()?,
            label: &related.message,
            is_primary: false,
        })
    });
    primary.chain(related).collect()
}

/// What a diagnostic without a file says in place of an excerpt.
fn notes(diagnostic: &Diagnostic) -> Vec<String> {
    let mut notes = Vec::new();
    if diagnostic.place.is_none() {
        match (&diagnostic.path, &diagnostic.expected) {
            (Some(path), Some(expected)) => notes.push(format!("at `{path}`: {expected}")),
            (Some(path), None) => notes.push(format!("at `{path}`")),
            (None, Some(expected)) => notes.push(expected.clone()),
            (None, None) => {}
        }
    }
    for related in &diagnostic.related {
        if let (None, Some(path)) = (&related.place, &related.path) {
            notes.push(format!("`{path}`: {}", related.message));
        }
    }
    notes
}

/// Puts marks that are near each other in one file together; the primary one comes first.
fn excerpts(marks: Vec<Mark<'_>>) -> Vec<Vec<Mark<'_>>> {
    let mut excerpts: Vec<Vec<Mark<'_>>> = Vec::new();
    for mark in marks {
        let near = excerpts.iter_mut().find(|excerpt| {
            excerpt.iter().any(|other| {
                other.place.source == mark.place.source
                    && other.place.line.abs_diff(mark.place.line) <= NEAR_LINES
            })
        });
        match near {
            Some(excerpt) => excerpt.push(mark),
            None => excerpts.push(vec![mark]),
        }
    }
    excerpts
}

fn add_excerpt<'a>(group: Group<'a>, marks: &[Mark<'a>], sources: &'a [SourceText]) -> Group<'a> {
    let Some(first) = marks.first() else {
        return group;
    };
    let path = first.place.file.to_string_lossy();
    let Some(source) = sources.get(first.place.source) else {
        return group;
    };
    let first_line = marks
        .iter()
        .map(|mark| source.line_of(mark.place.span.start));
    let last_line = marks
        .iter()
        .map(|mark| source.line_of(mark.place.span.end.max(mark.place.span.start)));
    let (first_line, last_line) = (first_line.min().unwrap_or(0), last_line.max().unwrap_or(0));
    let bytes = source.bytes_of_lines(first_line, last_line);
    if source.is_hidden || bytes.len() > LONG_EXCERPT {
        return marks.iter().fold(group, |group, mark| {
            let origin = Origin::path(mark.place.file.to_string_lossy())
                .line(mark.place.line)
                .char_column(mark.place.col);
            let group = group.element(origin);
            if mark.label.is_empty() {
                group
            } else {
                group.element(Level::NOTE.message(mark.label))
            }
        });
    }
    let annotations = marks.iter().map(|mark| {
        let kind = if mark.is_primary {
            AnnotationKind::Primary
        } else {
            AnnotationKind::Context
        };
        let clamp = |at: usize| at.clamp(bytes.start, bytes.end) - bytes.start;
        let span = clamp(mark.place.span.start)..clamp(mark.place.span.end);
        let annotation = kind.span(span);
        if mark.label.is_empty() {
            annotation
        } else {
            annotation.label(mark.label)
        }
    });
    group.element(
        Snippet::source(&source.text[bytes.clone()])
            .path(path)
            .line_start(first_line + 1)
            .annotations(annotations),
    )
}
