//! What the TOML parser refuses, in our words.

use super::document::Span;
use super::faults::Problem;
use crate::report::Code;

/// The problem for an error of the parser.
///
/// None for one that only follows from another.
pub(super) fn problem(file: u32, text: &str, error: &toml::de::Error) -> Option<Problem> {
    let bytes = error.span().unwrap_or(text.len()..text.len());
    let span = Span::new(file, &bytes);
    let (what, expected) = match error.message().split_once(", expected ") {
        Some((what, expected)) => (what, Some(expected)),
        None => (error.message(), None),
    };
    if what == "duplicate key" {
        return duplicate(file, text, &bytes);
    }
    let raw = text.get(bytes).unwrap_or("");
    let is_word = raw.starts_with(|c: char| c.is_alphabetic())
        && raw
            .chars()
            .all(|c| c.is_alphanumeric() || "_-./:".contains(c));
    if what.starts_with("invalid ") && is_word {
        let problem = Problem::error(Code::Syntax, span, "a string without quotes")
            .label("expected a value")
            .hint(format!("put it into quotes: \"{raw}\""));
        return Some(problem);
    }
    let what = match (what, expected) {
        ("invalid basic string" | "invalid literal string", Some("`\"`" | "`'`")) => {
            "a string is not closed"
        }
        (what, _) => what,
    };
    let mut problem = Problem::error(Code::Syntax, span, what.to_owned());
    problem.label = expected.map(|expected| format!("expected {expected}"));
    Some(problem)
}

/// A key or heading written twice; the parser does not say where it was first, so it is looked for.
fn duplicate(file: u32, text: &str, bytes: &std::ops::Range<usize>) -> Option<Problem> {
    let key = text.get(bytes.clone()).unwrap_or("");
    let line_start = text[..bytes.start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = text[bytes.end..]
        .find('\n')
        .map_or(text.len(), |at| bytes.end + at);
    let line = text[line_start..line_end].trim();
    let is_heading = line.starts_with('[');
    let shown = if is_heading {
        without_comment(line)
    } else {
        key
    };
    let problem = Problem::error(
        Code::DuplicateKey,
        Span::new(file, bytes),
        format!("`{shown}` is written twice"),
    )
    .label("again here");
    let first = if is_heading {
        first_heading(&text[..line_start], shown)
    } else {
        first_key(&text[..line_start], key)
    };
    match first {
        Some(first) => Some(problem.related(Span::new(file, &first), "first here")),
        None if !is_heading && is_under_second_heading(&text[..line_start]) => None,
        None => Some(problem),
    }
}

/// Whether the last heading before was there already, so that its keys meet those of the first.
fn is_under_second_heading(before: &str) -> bool {
    let section = before.rfind("\n[").map_or(0, |at| at + 1);
    let heading = before[section..].lines().next().unwrap_or("").trim();
    heading.starts_with('[')
        && first_heading(&before[..section], without_comment(heading)).is_some()
}

fn without_comment(line: &str) -> &str {
    line.find(']').map_or(line, |at| {
        let end = line[at..]
            .find(|c| c != ']')
            .map_or(line.len(), |more| at + more);
        &line[..end]
    })
}

/// The bytes of the first line before that is this heading.
fn first_heading(before: &str, heading: &str) -> Option<std::ops::Range<usize>> {
    lines(before)
        .find(|(_, line)| without_comment(line.trim()) == heading)
        .map(|(at, line)| {
            let indent = line.len() - line.trim_start().len();
            at + indent..at + indent + heading.len()
        })
}

/// The bytes of the last line before, under the same heading, that sets this key.
fn first_key(before: &str, key: &str) -> Option<std::ops::Range<usize>> {
    let section = before.rfind("\n[").map_or(0, |at| at + 1);
    lines(&before[section..])
        .find(|(_, line)| {
            line.trim_start()
                .strip_prefix(key)
                .is_some_and(|rest| rest.trim_start().starts_with('='))
        })
        .map(|(at, line)| {
            let indent = line.len() - line.trim_start().len();
            let start = section + at + indent;
            start..start + key.len()
        })
}

/// Lines with the byte each begins at.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        (start, line.trim_end_matches(['\n', '\r']))
    })
}
