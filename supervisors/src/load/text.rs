//! Places inside a string, and what is said about one.

use std::ops::Range;

use super::document::Span;
use super::faults::Problem;
use super::files::Files;
use super::substitute::Failure;
use crate::report::{Code, named, plain};

/// The place of a part of a string: exact where the text is written without escapes, else all of it.
pub(super) fn inside(files: &Files, span: Span, text: &str, part: Range<usize>) -> Span {
    let raw = files.raw(span);
    let quotes = ["'''", "\"\"\"", "'", "\""]
        .iter()
        .find(|quote| raw.starts_with(**quote))
        .map_or(0, |quote| quote.len());
    let inner = raw
        .get(quotes..raw.len().saturating_sub(quotes))
        .unwrap_or("");
    // A word of a command is a part of the string it was split from.
    let mut found = inner.match_indices(text);
    let (Some((at, _)), None, true) = (found.next(), found.next(), quotes > 0) else {
        return span;
    };
    let start = span.start as usize + quotes + at;
    Span::new(span.file, &(start + part.start..start + part.end))
}

/// What is said about a `${…}` that cannot be expanded.
pub(super) fn substitution(files: &Files, span: Span, text: &str, failure: &Failure) -> Problem {
    let at = |part: &Range<usize>| inside(files, span, text, part.clone());
    match failure {
        Failure::Open(part) => {
            Problem::error(Code::InvalidSubstitution, at(part), "`${` is not closed")
                .label("expected `}` after this")
                .hint("write `$$` for a dollar sign")
        }
        Failure::Malformed(part) => Problem::error(
            Code::InvalidSubstitution,
            at(part),
            "this is not a substitution",
        )
        .label("expected `${VAR}`, `${VAR:-default}` or `${VAR:?message}`")
        .hint("write `$${…}` to keep it as it is"),
        Failure::Unset(part, name, None) => Problem::error(
            Code::UnsetVariable,
            at(part),
            format!("variable {} is not set", named(name)),
        )
        .label("not in the environment")
        .hint("give it a default: `${VAR:-default}`"),
        Failure::Unset(part, name, Some(message)) if message.is_empty() => Problem::error(
            Code::UnsetVariable,
            at(part),
            format!("variable {} is not set", named(name)),
        )
        .label("needed here"),
        Failure::Unset(part, name, Some(message)) => Problem::error(
            Code::UnsetVariable,
            at(part),
            format!("variable {} is not set: {}", named(name), plain(message)),
        )
        .label("needed here"),
        Failure::NotUtf8(part, name) => Problem::error(
            Code::NotUtf8,
            at(part),
            format!("the value of variable {} is not UTF-8", named(name)),
        )
        .label("used here"),
        Failure::TooLong(part) => Problem::error(
            Code::TooLarge,
            at(part),
            "this expands to more than a megabyte",
        )
        .label("expanded here"),
    }
}
