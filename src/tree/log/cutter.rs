//! Cuts a stream of bytes into lines of bounded length.

use super::line::{Ending, Run};

/// The longest line that is passed on in one piece, in bytes without its line end.
pub const MAX_LINE: usize = 64 * 1024;

/// Cuts what is pushed into [`Run`]s: whole lines, and pieces of lines longer than the limit.
///
/// Bytes go through unchanged and none is held back but an unfinished line. The lines that
/// come out do not depend on how the bytes were portioned, and the cost is linear in their
/// number: each byte is searched once and copied at most once.
#[derive(Debug)]
pub(crate) struct Cutter {
    partial: Vec<u8>,
    max: usize,
}

impl Cutter {
    pub(crate) fn new(max: usize) -> Self {
        debug_assert!(max > 0, "a line has room for a byte");
        Self {
            partial: Vec::new(),
            max,
        }
    }

    /// Takes the next bytes of the stream and emits every run they complete.
    pub(crate) fn push(&mut self, mut bytes: &[u8], mut emit: impl FnMut(Run<'_>)) {
        while !bytes.is_empty() {
            bytes = if self.partial.is_empty() {
                self.push_fresh(bytes, &mut emit)
            } else {
                self.push_partial(bytes, &mut emit)
            };
        }
    }

    /// Emits the unfinished line, if there is one: the child has ended.
    pub(crate) fn finish(&mut self, mut emit: impl FnMut(Run<'_>)) {
        if !self.partial.is_empty() {
            emit(Run {
                bytes: &self.partial,
                ending: Ending::Flushed,
            });
        }
        // An ended stream needs no buffer; a grandchild that goes on gets a new one.
        self.partial = Vec::new();
    }

    /// At the start of a line: passes on all whole lines of the next window at once, uncopied.
    fn push_fresh<'a>(&mut self, bytes: &'a [u8], emit: &mut impl FnMut(Run<'_>)) -> &'a [u8] {
        // No line inside a window of this size can be over the limit.
        let window = &bytes[..bytes.len().min(self.max + 1)];
        if let Some(end) = memchr::memrchr(b'\n', window) {
            let (lines, rest) = bytes.split_at(end + 1);
            emit(Run {
                bytes: lines,
                ending: Ending::Whole,
            });
            return rest;
        }
        if bytes.len() > self.max {
            let (piece, rest) = bytes.split_at(self.max);
            emit(Run {
                bytes: piece,
                ending: Ending::Cut,
            });
            return rest;
        }
        self.partial.extend_from_slice(bytes);
        &[]
    }

    /// In the middle of a line: completes it, or cuts it when it is over the limit.
    fn push_partial<'a>(&mut self, bytes: &'a [u8], emit: &mut impl FnMut(Run<'_>)) -> &'a [u8] {
        let room = self.max - self.partial.len();
        let window = &bytes[..bytes.len().min(room + 1)];
        let (taken, ending) = match memchr::memchr(b'\n', window) {
            Some(end) => (end + 1, Ending::Whole),
            None if bytes.len() > room => (room, Ending::Cut),
            None => {
                self.partial.extend_from_slice(bytes);
                return &[];
            }
        };
        let (head, rest) = bytes.split_at(taken);
        self.partial.extend_from_slice(head);
        emit(Run {
            bytes: &self.partial,
            ending,
        });
        self.partial.clear();
        rest
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a reader of the log sees: each line, and how it ends.
    fn cut(max: usize, chunks: &[&[u8]]) -> Vec<(Vec<u8>, Ending)> {
        let mut cutter = Cutter::new(max);
        let mut lines = Vec::new();
        let mut record = |run: Run<'_>| {
            lines.extend(run.lines().map(|line| (line.to_vec(), run.ending)));
        };
        for chunk in chunks {
            cutter.push(chunk, &mut record);
        }
        cutter.finish(&mut record);
        lines
    }

    fn whole(text: &str) -> (Vec<u8>, Ending) {
        (text.as_bytes().to_vec(), Ending::Whole)
    }

    fn piece(text: &str, ending: Ending) -> (Vec<u8>, Ending) {
        (text.as_bytes().to_vec(), ending)
    }

    #[test]
    fn lines_in_portions_come_out_whole() {
        assert_eq!(
            cut(10, &[b"ab", b"c\nd", b"ef\n\n", b"g\n"]),
            [whole("abc"), whole("def"), whole(""), whole("g")]
        );
    }

    #[test]
    fn line_of_exactly_the_limit_is_not_cut() {
        assert_eq!(cut(4, &[b"abcd\n"]), [whole("abcd")]);
        assert_eq!(cut(4, &[b"abcd", b"\n"]), [whole("abcd")]);
        assert_eq!(cut(4, &[b"ab", b"cd\n"]), [whole("abcd")]);
    }

    #[test]
    fn line_over_the_limit_is_cut_and_goes_on() {
        assert_eq!(
            cut(4, &[b"abcdefghij\nk\n"]),
            [
                piece("abcd", Ending::Cut),
                piece("efgh", Ending::Cut),
                whole("ij"),
                whole("k")
            ]
        );
    }

    #[test]
    fn unfinished_line_at_the_end_is_flushed() {
        assert_eq!(
            cut(4, &[b"ab\nc"]),
            [whole("ab"), piece("c", Ending::Flushed)]
        );
        assert_eq!(cut(4, &[b"abcd"]), [piece("abcd", Ending::Flushed)]);
        assert_eq!(cut(4, &[]), []);
    }

    #[test]
    fn nul_and_invalid_utf8_go_through() {
        assert_eq!(
            cut(9, &[b"a\0b\n\xff\xfe\n"]),
            [
                (b"a\0b".to_vec(), Ending::Whole),
                (b"\xff\xfe".to_vec(), Ending::Whole)
            ]
        );
    }

    #[test]
    fn line_of_ten_megabytes_comes_out_in_pieces_of_the_limit() {
        let mut bytes = vec![b'x'; 10_000_000];
        bytes.push(b'\n');
        let mut cutter = Cutter::new(MAX_LINE);
        let (mut pieces, mut total) = (0, 0);
        for chunk in bytes.chunks(4096) {
            cutter.push(chunk, |run| {
                pieces += 1;
                total += run.bytes.len();
                assert!(run.bytes.len() <= MAX_LINE + 1);
            });
        }
        assert_eq!(pieces, 10_000_000_usize.div_ceil(MAX_LINE));
        assert_eq!(total, bytes.len());
    }

    /// The rule said in the plainest way, a byte at a time.
    fn model(max: usize, bytes: &[u8]) -> Vec<(Vec<u8>, Ending)> {
        let mut lines = Vec::new();
        let mut line = Vec::new();
        for &byte in bytes {
            if byte == b'\n' {
                lines.push((std::mem::take(&mut line), Ending::Whole));
            } else {
                if line.len() == max {
                    lines.push((std::mem::take(&mut line), Ending::Cut));
                }
                line.push(byte);
            }
        }
        if !line.is_empty() {
            lines.push((line, Ending::Flushed));
        }
        lines
    }

    proptest! {
        #[test]
        fn portions_change_nothing(
            chunks in prop::collection::vec(
                prop::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..12), 0..12),
            max in 1_usize..8,
        ) {
            let portions: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
            prop_assert_eq!(cut(max, &portions), model(max, &chunks.concat()));
        }

        #[test]
        fn bytes_in_are_bytes_out(
            chunks in prop::collection::vec(
                prop::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..12), 0..12),
            max in 1_usize..8,
        ) {
            let mut cutter = Cutter::new(max);
            let mut out = Vec::new();
            for chunk in &chunks {
                cutter.push(chunk, |run| out.extend_from_slice(run.bytes));
            }
            cutter.finish(|run| out.extend_from_slice(run.bytes));
            prop_assert_eq!(out, chunks.concat());
        }
    }
}
