//! What stands between two things of a file: blank lines and comments.

/// How comments and blank lines before something at the start of a line are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Above {
    /// Directly below a header: no blank line first.
    First,
    /// One blank line at most.
    Next,
    /// A table: one blank line at least, somewhere above it.
    Table,
}

/// Comments and blank lines above a key or a header, each line ended; no indentation after them.
pub(super) fn above(raw: &str, place: Above) -> String {
    let mut lines: Vec<&str> = raw.split('\n').map(str::trim).collect();
    // Behind the last line end is the indentation of what follows.
    if lines.last() == Some(&"") {
        lines.pop();
    }
    lines.dedup_by(|next, last| next.is_empty() && last.is_empty());
    if place == Above::First && lines.first() == Some(&"") {
        lines.remove(0);
    }
    if place == Above::Table && !lines.contains(&"") {
        lines.insert(0, "");
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// A comment behind something on the same line, with the space before it.
pub(super) fn behind(raw: &str) -> String {
    match raw.trim() {
        "" => String::new(),
        comment => format!(" {comment}"),
    }
}

/// What stands between two elements of an array that has a line for each.
///
/// A comment on the line of the element before stays there; the text ends with the indentation of
/// what follows.
pub(super) fn between(raw: &str, indent: &str) -> String {
    let (same_line, below) = raw.split_once('\n').unwrap_or((raw, ""));
    let mut text = behind(same_line);
    let mut lines: Vec<&str> = below.split('\n').map(str::trim).collect();
    lines.retain(|line| !line.is_empty());
    for line in lines {
        text.push_str(&format!("\n{indent}{line}"));
    }
    text.push_str(&format!("\n{indent}"));
    text
}
