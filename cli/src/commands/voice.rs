//! Writes what `treewright run` says on standard error: lines, and one that is updated in place.

use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::SystemTime;

use serde_json::Value;

use super::run::Format;

/// Lines that may wait for a slow terminal. More are dropped: a terminal that stands still must
/// not hold up the tree.
const CAPACITY: usize = 4096;

/// The status line is no longer than this, so that a terminal does not wrap it.
const WIDTH: usize = 79;

/// Moves to the start of the terminal's line and clears it.
const CLEAR: &str = "\r\x1b[K";

/// Something to be written.
#[derive(Debug)]
enum Said {
    Line(String),
    /// Replaces the line that is updated in place.
    Status(String),
}

/// Says things, in whatever format. Never waits.
#[derive(Clone, Debug)]
pub(super) struct Voice {
    said: SyncSender<Said>,
    format: Format,
    has_status: bool,
}

impl Voice {
    /// A voice, and the thread that writes. It ends when the last voice is dropped.
    pub(super) fn new(format: Format) -> (Self, JoinHandle<()>) {
        let (said, received) = sync_channel(CAPACITY);
        let has_status = format == Format::Text && can_show_status();
        let writer = std::thread::spawn(move || write_on(&received, has_status));
        let voice = Self {
            said,
            format,
            has_status,
        };
        (voice, writer)
    }

    /// Whether a line can be updated in place: on a terminal.
    pub(super) fn has_status(&self) -> bool {
        self.has_status
    }

    /// Whether records are said, and no lines.
    pub(super) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Says a line, or the record in its place.
    pub(super) fn say(&self, text: &str, record: impl FnOnce() -> Value) {
        let line = match self.format {
            Format::Text => format!("treewright: {text}"),
            Format::Json => {
                let mut record = record();
                let time = humantime::format_rfc3339_micros(SystemTime::now()).to_string();
                record["time"] = Value::String(time);
                record["name"] = Value::String("treewright".to_owned());
                record.to_string()
            }
        };
        let _ = self.said.try_send(Said::Line(line));
    }

    /// Replaces the status line; the empty text takes it away.
    pub(super) fn show(&self, status: &str) {
        let status: String = match status {
            "" => String::new(),
            text => format!("treewright: {text}").chars().take(WIDTH).collect(),
        };
        let _ = self.said.try_send(Said::Status(status));
    }
}

/// Whether standard error is a terminal that can clear a line.
pub(super) fn can_show_status() -> bool {
    io::stderr().is_terminal() && std::env::var_os("TERM").is_some_and(|term| term != "dumb")
}

fn write_on(received: &Receiver<Said>, has_status: bool) {
    let mut status = String::new();
    for said in received {
        let text = match said {
            Said::Line(line) if has_status => format!("{CLEAR}{line}\n{}", in_place(&status)),
            Said::Line(line) => format!("{line}\n"),
            Said::Status(new) => {
                status = new;
                format!("{CLEAR}{}", in_place(&status))
            }
        };
        // Nobody reads it any more, and there is nobody to tell.
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }
}

/// The status line with the cursor at its start: whoever writes next writes over it.
fn in_place(status: &str) -> String {
    match status {
        "" => String::new(),
        text => format!("{text}\r"),
    }
}
