//! What `treewright run` says of the tree itself, beside the output of its children.

use std::io::Write;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::SystemTime;

use serde_json::{Value, json};
use treewright::supervisors::supervisor::{ReportContext, SupervisorReport};
use treewright::tree::log::LogReport;
use treewright::tree::{Notice, StopCause, TreeOutcome};

use super::run::Format;

/// Lines that may wait for a slow terminal. More are dropped and counted: a terminal that
/// stands still must not hold up the tree.
const CAPACITY: usize = 4096;

/// Writes lines to standard error on a thread of its own.
#[derive(Debug)]
pub(super) struct Announcer {
    voice: Voice,
    writer: JoinHandle<()>,
}

#[derive(Clone, Debug)]
struct Voice {
    lines: SyncSender<String>,
    format: Format,
    is_verbose: bool,
}

impl Announcer {
    pub(super) fn new(format: Format, is_verbose: bool) -> Self {
        let (lines, written) = sync_channel::<String>(CAPACITY);
        let writer = std::thread::spawn(move || {
            for line in written {
                // Nobody reads it any more, and there is nobody to tell.
                let _ = writeln!(anstream::stderr().lock(), "{line}");
            }
        });
        Self {
            voice: Voice {
                lines,
                format,
                is_verbose,
            },
            writer,
        }
    }

    pub(super) fn on_report(&self) -> impl Fn(&SupervisorReport) + use<> {
        let voice = self.voice.clone();
        move |report| {
            if voice.is_verbose || report.context != ReportContext::Progress {
                voice.say(
                    &format!("[{}] {report}", report.supervisor),
                    || json!({ "report": report }),
                );
            }
        }
    }

    pub(super) fn on_log_report(&self) -> impl Fn(LogReport) + use<> {
        let voice = self.voice.clone();
        move |report| voice.say(&report.to_string(), || json!({ "log": report.to_string() }))
    }

    pub(super) fn on_notice(&self) -> impl Fn(Notice) + use<> {
        let voice = self.voice.clone();
        move |notice| {
            voice.say(
                &notice_text(&notice),
                || json!({ "notice": notice_text(&notice) }),
            )
        }
    }

    /// Says how the tree ended, and waits until all is written.
    pub(super) fn finish(self, outcome: &TreeOutcome) {
        let text = outcome_text(outcome);
        self.voice.say(
            &text,
            || json!({ "outcome": text, "exit_code": outcome.exit_code() }),
        );
        drop(self.voice);
        // It ends with the last sender; a panic of it has been said already.
        let _ = self.writer.join();
    }
}

impl Voice {
    fn say(&self, text: &str, record: impl FnOnce() -> Value) {
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
        let _ = self.lines.try_send(line);
    }
}

fn notice_text(notice: &Notice) -> String {
    match notice {
        Notice::Stopping {
            because: StopCause::Signal(signal),
        } => {
            format!("got {signal}, stopping; once more kills")
        }
        Notice::Stopping {
            because: StopCause::GuardianLost,
        } => "the guardian is gone, stopping".to_owned(),
        Notice::StillStopping { waiting_for } => {
            let names: Vec<&str> = waiting_for.iter().rev().map(|name| name.as_str()).collect();
            let shown = names
                .iter()
                .take(10)
                .copied()
                .collect::<Vec<_>>()
                .join(", ");
            match names.len().saturating_sub(10) {
                0 => format!("still stopping; waiting for {shown}"),
                more => format!("still stopping; waiting for {shown} and {more} more"),
            }
        }
        Notice::Killing { signal } => format!("got {signal} again, killing what is left"),
        _ => "stopping".to_owned(),
    }
}

fn outcome_text(outcome: &TreeOutcome) -> String {
    match outcome {
        TreeOutcome::Stopped => "stopped".to_owned(),
        TreeOutcome::Ended { code } => format!("the tree has ended, exit code {code}"),
        TreeOutcome::GaveUp { reason } | TreeOutcome::StartFailed { reason, .. } => chain(reason),
        other => format!("{other:?}"),
    }
}

fn chain(reason: &(dyn std::error::Error + 'static)) -> String {
    match reason.source() {
        Some(source) => format!("{reason}: {}", chain(source)),
        None => reason.to_string(),
    }
}
