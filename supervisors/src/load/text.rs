//! Places inside a string, and what is said about one.

use std::ops::Range;

use super::document::Span;
use super::faults::Problem;
use super::files::Files;
use super::substitute::Failure;
use crate::report::Code;

/// The place of a part of a string: exact where the string is written without escapes, else all of it.
pub(super) fn inside(files: &Files, span: Span, text: &str, part: Range<usize>) -> Span {
    let raw = files.raw(span);
    let quotes = ["'''", "\"\"\"", "'", "\""]
        .iter()
        .find(|quote| raw.starts_with(**quote))
        .map_or(0, |quote| quote.len());
    let inner = raw
        .get(quotes..raw.len().saturating_sub(quotes))
        .unwrap_or("");
    if quotes == 0 || inner != text {
        return span;
    }
    let start = span.start as usize + quotes;
    Span::new(span.file, &(start + part.start..start + part.end))
}

/// A string as it is shown in a message: in quotes, and not longer than a line.
pub(super) fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    if text.chars().nth(LONGEST).is_none() {
        return format!("{text:?}");
    }
    let cut: String = text.chars().take(LONGEST).collect();
    let shown = format!("{cut:?}");
    format!("{}…\"", &shown[..shown.len() - 1])
}

/// A name as it is shown in a message: in backquotes, and not longer than a line.
pub(super) fn named(name: &str) -> String {
    let shown = quoted(name);
    format!("`{}`", &shown[1..shown.len() - 1])
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
        .hint(format!("give it a default: `${{{name}:-…}}`")),
        Failure::Unset(part, name, Some(message)) if message.is_empty() => Problem::error(
            Code::UnsetVariable,
            at(part),
            format!("variable {} is not set", named(name)),
        )
        .label("needed here"),
        Failure::Unset(part, name, Some(message)) => Problem::error(
            Code::UnsetVariable,
            at(part),
            format!(
                "variable {} is not set: {}",
                named(name),
                message.escape_debug()
            ),
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
