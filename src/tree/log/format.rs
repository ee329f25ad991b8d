//! How a line is written: as it is, with a prefix, or as a JSON record.

use std::time::SystemTime;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::line::{Ending, OutputStream, Run};

/// Stands at the end of each piece of a line that was too long.
pub const CUT_MARK: &[u8] = b" [cut]";

/// What was lost between two lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loss {
    /// Lines.
    pub lines: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Loss {
    pub(crate) fn add(&mut self, run: &Run<'_>) {
        self.lines += run.line_count();
        self.bytes += run.bytes.len() as u64;
    }

    fn words(self) -> String {
        let lines = if self.lines == 1 { "line" } else { "lines" };
        format!(
            "[treewright: {} {lines} dropped, {} bytes]",
            self.lines, self.bytes
        )
    }
}

/// How the lines of one stream of one child are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LineFormat {
    /// As the child wrote them.
    Raw,
    /// Each with this in front.
    Prefixed(Vec<u8>),
    /// Each as one JSON object.
    Json {
        /// The child's name as a JSON string.
        name: String,
        stream: OutputStream,
    },
}

impl LineFormat {
    pub(crate) fn json(name: &str, stream: OutputStream) -> Self {
        Self::Json {
            name: json_string(name),
            stream,
        }
    }

    /// Appends the run, every line of it ended.
    pub(crate) fn append(&self, run: &Run<'_>, time: SystemTime, out: &mut Vec<u8>) {
        match self {
            Self::Raw => {
                out.extend_from_slice(run.bytes);
                end_piece(run.ending, out);
            }
            Self::Prefixed(prefix) => {
                append_prefixed(prefix, run, out);
                end_piece(run.ending, out);
            }
            Self::Json { name, stream } => {
                let head = json_head(name, *stream, time);
                for line in run.lines() {
                    out.extend_from_slice(head.as_bytes());
                    append_json_text(line, out);
                    if run.ending == Ending::Cut {
                        out.extend_from_slice(b",\"cut\":true");
                    }
                    out.extend_from_slice(b"}\n");
                }
            }
        }
    }

    /// Appends the line that says what was dropped here.
    pub(crate) fn append_loss(&self, loss: Loss, time: SystemTime, out: &mut Vec<u8>) {
        match self {
            Self::Raw => {
                out.extend_from_slice(loss.words().as_bytes());
                out.push(b'\n');
            }
            Self::Prefixed(prefix) => {
                out.extend_from_slice(prefix);
                out.extend_from_slice(loss.words().as_bytes());
                out.push(b'\n');
            }
            Self::Json { name, stream } => {
                let Loss { lines, bytes } = loss;
                let head = json_head(name, *stream, time);
                let record =
                    format!("{head}\"dropped_lines\":{lines},\"dropped_bytes\":{bytes}}}\n");
                out.extend_from_slice(record.as_bytes());
            }
        }
    }
}

/// Ends a piece of a line, so that what is written next starts a line of its own.
fn end_piece(ending: Ending, out: &mut Vec<u8>) {
    match ending {
        Ending::Whole => {}
        Ending::Cut => {
            out.extend_from_slice(CUT_MARK);
            out.push(b'\n');
        }
        Ending::Flushed => out.push(b'\n'),
    }
}

/// Appends each line with the prefix in front. This is the inner loop of every log on a terminal.
fn append_prefixed(prefix: &[u8], run: &Run<'_>, out: &mut Vec<u8>) {
    let bytes = run.bytes;
    // Lines of some eighty bytes are usual; the buffer grows once where they are shorter.
    out.reserve(bytes.len() + (bytes.len() / 64 + 1) * prefix.len());
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', bytes) {
        out.extend_from_slice(prefix);
        out.extend_from_slice(&bytes[start..=end]);
        start = end + 1;
    }
    if start < bytes.len() {
        out.extend_from_slice(prefix);
        out.extend_from_slice(&bytes[start..]);
    }
}

fn json_head(name: &str, stream: OutputStream, time: SystemTime) -> String {
    let time = humantime::format_rfc3339_micros(time);
    format!("{{\"time\":\"{time}\",\"name\":{name},\"stream\":\"{stream}\",")
}

/// `"text":…` where the line is UTF-8, else `"base64":…`.
fn append_json_text(line: &[u8], out: &mut Vec<u8>) {
    match std::str::from_utf8(line) {
        Ok(text) => {
            out.extend_from_slice(b"\"text\":");
            out.extend_from_slice(json_string(text).as_bytes());
        }
        Err(_) => {
            out.extend_from_slice(b"\"base64\":\"");
            out.extend_from_slice(BASE64_STANDARD.encode(line).as_bytes());
            out.push(b'"');
        }
    }
}

fn json_string(text: &str) -> String {
    serde_json::to_string(text).expect("invariant: a string is a JSON value")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn formatted(format: &LineFormat, bytes: &[u8], ending: Ending) -> String {
        let mut out = Vec::new();
        let time = SystemTime::UNIX_EPOCH + Duration::from_micros(1_500_000);
        format.append(&Run { bytes, ending }, time, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn raw_lines_are_unchanged_and_pieces_are_ended() {
        let raw = LineFormat::Raw;
        assert_eq!(formatted(&raw, b"a\n\nb\n", Ending::Whole), "a\n\nb\n");
        assert_eq!(formatted(&raw, b"abc", Ending::Cut), "abc [cut]\n");
        assert_eq!(formatted(&raw, b"abc", Ending::Flushed), "abc\n");
    }

    #[test]
    fn prefix_stands_before_each_line() {
        let format = LineFormat::Prefixed(b"web | ".to_vec());
        assert_eq!(
            formatted(&format, b"a\n\nb\n", Ending::Whole),
            "web | a\nweb | \nweb | b\n"
        );
        assert_eq!(formatted(&format, b"abc", Ending::Cut), "web | abc [cut]\n");
    }

    #[test]
    fn json_line_holds_text_or_base64() {
        let format = LineFormat::json("web", OutputStream::Stderr);
        let head = r#"{"time":"1970-01-01T00:00:01.500000Z","name":"web","stream":"stderr","#;
        assert_eq!(
            formatted(&format, b"say \"hi\"\n\xff\n", Ending::Whole),
            format!("{head}\"text\":\"say \\\"hi\\\"\"}}\n{head}\"base64\":\"/w==\"}}\n")
        );
        assert_eq!(
            formatted(&format, b"abc", Ending::Cut),
            format!("{head}\"text\":\"abc\",\"cut\":true}}\n")
        );
    }

    #[test]
    fn loss_is_one_line_in_every_format() {
        let loss = Loss {
            lines: 3,
            bytes: 120,
        };
        let said = |format: LineFormat| {
            let mut out = Vec::new();
            format.append_loss(loss, SystemTime::UNIX_EPOCH, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(
            said(LineFormat::Raw),
            "[treewright: 3 lines dropped, 120 bytes]\n"
        );
        assert_eq!(
            said(LineFormat::Prefixed(b"web | ".to_vec())),
            "web | [treewright: 3 lines dropped, 120 bytes]\n"
        );
        let json = said(LineFormat::json("web", OutputStream::Stdout));
        let record: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(record["dropped_lines"], 3);
        assert_eq!(record["dropped_bytes"], 120);
    }

    #[test]
    fn every_json_line_parses_back_to_its_bytes() {
        let format = LineFormat::json("a\"b", OutputStream::Stdout);
        let text = formatted(
            &format,
            "tab\t nul\0 é\u{1b}[0m\n".as_bytes(),
            Ending::Whole,
        );
        let record: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(record["text"], "tab\t nul\0 é\u{1b}[0m");
        assert_eq!(record["name"], "a\"b");
    }
}
