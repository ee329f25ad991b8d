//! What travels through a log: runs of lines of one stream of one child.

use std::fmt;

/// One of the two output streams of a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OutputStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl OutputStream {
    /// The field's word for it: `stdout` or `stderr`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

impl fmt::Display for OutputStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a [`Run`] ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With a line end: the run is one or more whole lines.
    Whole,
    /// In the middle of a line that was too long; the next run goes on with it.
    Cut,
    /// In the middle of a line, because the child ended there.
    Flushed,
}

/// Bytes of one stream, in order: whole lines, or one piece of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run<'a> {
    /// The bytes as the child wrote them, line ends included.
    pub bytes: &'a [u8],
    /// How they end.
    pub ending: Ending,
}

impl<'a> Run<'a> {
    /// How many lines the run counts for: its line ends, and one for a piece of a line.
    #[must_use]
    pub fn line_count(&self) -> u64 {
        let ends = memchr::memchr_iter(b'\n', self.bytes).count() as u64;
        match self.ending {
            Ending::Whole => ends,
            Ending::Cut | Ending::Flushed => ends + 1,
        }
    }

    /// Each line without its line end.
    pub fn lines(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let bytes = match self.ending {
            Ending::Whole => self.bytes.strip_suffix(b"\n").unwrap_or(self.bytes),
            Ending::Cut | Ending::Flushed => self.bytes,
        };
        let mut rest = Some(bytes);
        std::iter::from_fn(move || {
            let bytes = rest?;
            match memchr::memchr(b'\n', bytes) {
                Some(end) => {
                    rest = Some(&bytes[end + 1..]);
                    Some(&bytes[..end])
                }
                None => rest.take(),
            }
        })
    }
}
