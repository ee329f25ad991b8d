//! The text of a file, and where its lines begin.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use super::Place;

/// The text of a file under the name it is shown by.
#[derive(Clone, Debug)]
pub(crate) struct SourceText {
    pub(crate) shown: PathBuf,
    pub(crate) text: Arc<str>,
    /// Whether no line of it may be shown.
    pub(crate) is_hidden: bool,
    /// The byte each line begins at.
    lines: Vec<usize>,
}

impl SourceText {
    pub(crate) fn new(shown: PathBuf, text: Arc<str>) -> Self {
        let begins = text
            .bytes()
            .enumerate()
            .filter(|(_, byte)| *byte == b'\n')
            .map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(begins).collect();
        Self {
            shown,
            text,
            is_hidden: false,
            lines,
        }
    }

    /// The place of these bytes; a range that is outside the text or inside a character is moved into it.
    pub(crate) fn place(&self, source: usize, span: Range<usize>) -> Place {
        let start = self.text.floor_char_boundary(span.start);
        let end = self.text.ceil_char_boundary(span.end.max(start));
        let line = self.line_of(start);
        let col = self.text[self.lines[line]..start].chars().count();
        Place {
            file: self.shown.clone(),
            line: line + 1,
            col: col + 1,
            span: start..end,
            source,
        }
    }

    /// The line (from 0) that holds this byte.
    pub(super) fn line_of(&self, at: usize) -> usize {
        self.lines
            .partition_point(|begin| *begin <= at)
            .saturating_sub(1)
    }

    /// The bytes of these lines (from 0, both included), without the last line's end.
    pub(super) fn bytes_of_lines(&self, first: usize, last: usize) -> Range<usize> {
        let start = self.lines.get(first).copied().unwrap_or(self.text.len());
        let end = match self.lines.get(last + 1) {
            Some(next) => next.saturating_sub(1).max(start),
            None => self.text.len(),
        };
        let line = &self.text[start..end];
        start..start + line.strip_suffix('\r').unwrap_or(line).len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> SourceText {
        SourceText::new("x.toml".into(), text.into())
    }

    #[test]
    fn place_counts_lines_and_characters_from_one() {
        let place = text("a = 1\nö = 2\n").place(0, 9..10);
        assert_eq!((place.line, place.col), (2, 3));
    }

    #[test]
    fn place_outside_the_text_is_its_end() {
        let place = text("ab").place(0, 7..9);
        assert_eq!((place.line, place.col, place.span), (1, 3, 2..2));
    }

    #[test]
    fn place_inside_a_character_is_widened_to_it() {
        assert_eq!(text("aöb").place(0, 2..2).span, 1..3);
        assert_eq!(text("aöb").place(0, 1..2).span, 1..3);
    }
}
