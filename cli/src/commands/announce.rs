//! What `treewright run` says of the tree itself, beside the output of its children.

use std::cell::Cell;
use std::rc::Rc;
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::json;
use treewright::spec::ChildName;
use treewright::supervisors::duration::Measured;
use treewright::supervisors::reload::{Plan, What};
use treewright::supervisors::supervisor::{ExitReason, ReportContext, SupervisorReport};
use treewright::time::{Clock, Time};
use treewright::tree::log::LogReport;
use treewright::tree::{Notice, ReloadError, StartProgress, StopCause, TreeOutcome};

use super::run::Format;
use super::summary::Summary;
use super::voice::Voice;

/// How long a start goes on before a word is said about it, where no line can be updated, and
/// how long until the next one.
const QUIET: Duration = Duration::from_secs(5);

/// How long a start goes on before a line is shown that is updated.
const SHORT: Duration = Duration::from_millis(500);

/// Names that are shown in one line; of more it is said how many.
const SHOWN: usize = 10;

/// Says what happens to a tree, and in the end what it went through.
#[derive(Debug)]
pub(super) struct Announcer {
    voice: Voice,
    writer: JoinHandle<()>,
    summary: Rc<Summary>,
    began: Time,
    is_verbose: bool,
}

impl Announcer {
    pub(super) fn new(format: Format, is_verbose: bool) -> Self {
        let (voice, writer) = Voice::new(format);
        Self {
            voice,
            writer,
            summary: Rc::default(),
            began: now(),
            is_verbose,
        }
    }

    /// `root` is the supervisor that need not be named: it is the tree.
    pub(super) fn on_report(&self, root: ChildName) -> impl Fn(&SupervisorReport) + use<> {
        let (voice, summary) = (self.voice.clone(), Rc::clone(&self.summary));
        let is_verbose = self.is_verbose;
        move |report| {
            summary.note(report);
            if is_verbose || report.context != ReportContext::Progress {
                let text = match report.supervisor == root {
                    true => root_text(report),
                    false => format!("[{}] {report}", report.supervisor),
                };
                voice.say(&text, || json!({ "report": report }));
            }
        }
    }

    pub(super) fn on_log_report(&self) -> impl Fn(LogReport) + use<> {
        let voice = self.voice.clone();
        move |report| voice.say(&report.to_string(), || json!({ "log": report.to_string() }))
    }

    pub(super) fn on_notice(&self) -> impl Fn(Notice) + use<> {
        let (voice, began) = (self.voice.clone(), self.began);
        let said_at = Cell::new(None::<Time>);
        move |notice| match notice {
            Notice::Starting { progress } if voice.has_status() => {
                if now() - began >= SHORT {
                    voice.show(&progress_text(&progress));
                }
            }
            Notice::Starting { progress } => {
                if now() - said_at.get().unwrap_or(began) >= QUIET {
                    said_at.set(Some(now()));
                    say(&voice, &progress_text(&progress));
                }
            }
            Notice::Started { children, after } => {
                if voice.has_status() {
                    voice.show("");
                }
                if said_at.get().is_some() || (voice.has_status() && after >= SHORT) {
                    say(
                        &voice,
                        &format!("all {children} started after {}", Measured(after)),
                    );
                }
            }
            other => {
                // What it showed of the start is of no interest any more.
                if voice.has_status() {
                    voice.show("");
                }
                say(&voice, &notice_text(&other));
            }
        }
    }

    /// Says lines that were made elsewhere, such as a report of the loader.
    pub(super) fn on_fault(&self) -> impl Fn(&str) + use<> {
        let voice = self.voice.clone();
        move |text| {
            for line in text.lines() {
                voice.say(line, || json!({ "notice": line }));
            }
        }
    }

    /// Says how the tree ended and what it went through, and waits until all is written.
    pub(super) fn finish(self, outcome: &TreeOutcome) {
        let ran = now() - self.began;
        match self.voice.is_json() {
            true => self.voice.say("", || self.summary.record(outcome, ran)),
            false => {
                for line in self.summary.lines(outcome, ran) {
                    self.voice.say(&line, || json!({}));
                }
            }
        }
        drop(self.voice);
        // It ends with the last sender; a panic of it has been said already.
        let _ = self.writer.join();
    }
}

fn now() -> Time {
    Clock::default().now()
}

fn say(voice: &Voice, text: &str) {
    voice.say(text, || json!({ "notice": text }));
}

/// What the root has to tell. That it ends is told with its causes when it has.
fn root_text(report: &SupervisorReport) -> String {
    match (report.context, &report.reason) {
        (ReportContext::Shutdown, Some(ExitReason::GaveUp { child, .. })) => {
            format!("giving up on {child}, stopping the others")
        }
        (ReportContext::Shutdown, Some(ExitReason::AutoShutdown { child })) => {
            format!("significant child {child} has ended, stopping the others")
        }
        _ => report.to_string(),
    }
}

fn progress_text(progress: &StartProgress) -> String {
    let StartProgress { started, of, .. } = progress;
    match progress.waiting_for.as_slice() {
        [] => format!("started {started} of {of}"),
        names => format!(
            "started {started} of {of}, waiting for {}",
            list(names.iter())
        ),
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
            format!(
                "still stopping; waiting for {}",
                list(waiting_for.iter().rev())
            )
        }
        Notice::Killing { signal } => format!("got {signal} again, killing what is left"),
        Notice::Reloaded { result: Ok(plan) } => reload_text(plan),
        Notice::Reloaded { result: Err(error) } => match error {
            ReloadError::Incomplete(cause) => format!("{error}: {cause}"),
            other => format!("nothing was reloaded: {other}"),
        },
        _ => "stopping".to_owned(),
    }
}

/// What a reload changed: `reloaded: 1 stopped, 2 started, 1 restarted`.
fn reload_text(plan: &Plan) -> String {
    if plan.is_empty() {
        return "reloaded: nothing has changed".to_owned();
    }
    let count = |is: fn(&What) -> bool| {
        plan.changes
            .iter()
            .filter(|change| is(&change.what))
            .count()
    };
    let counts = [
        (count(|what| matches!(what, What::Remove)), "removed"),
        (count(|what| matches!(what, What::Add)), "added"),
        (
            count(|what| matches!(what, What::Restart { .. })),
            "restarted",
        ),
        (
            count(|what| matches!(what, What::Update { .. } | What::Reorder)),
            "changed without a restart",
        ),
    ];
    let parts = counts.into_iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    format!("reloaded: {}", parts.join(", "))
}

/// The first names, and how many more there are.
fn list<'a>(names: impl ExactSizeIterator<Item = &'a ChildName>) -> String {
    let more = names.len().saturating_sub(SHOWN);
    let shown: Vec<&str> = names.take(SHOWN).map(ChildName::as_str).collect();
    match more {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
