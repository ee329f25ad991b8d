//! What a tree went through, for the last words about it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use treewright::TreeOutcome;
use treewright::supervisors::duration::Measured;
use treewright::supervisors::supervisor::{ExitReason, ReportContext, SupervisorReport};

/// Children that failed and are named; of more it is said how many.
const SHOWN: usize = 10;

/// What a tree went through. Bounded by the number of its children's names.
#[derive(Debug, Default)]
pub(super) struct Summary(RefCell<Counts>);

#[derive(Debug, Default)]
struct Counts {
    restarts: u64,
    failed: BTreeMap<String, Failed>,
}

/// A child that failed.
#[derive(Debug)]
struct Failed {
    last: String,
    times: u64,
}

impl Summary {
    pub(super) fn note(&self, report: &SupervisorReport) {
        let mut counts = self.0.borrow_mut();
        counts.restarts += u64::from(report.restart.is_some());
        let is_failure = matches!(
            report.context,
            ReportContext::StartError
                | ReportContext::ChildTerminated
                | ReportContext::ShutdownError
        );
        let (Some(reason), Some(child), true) = (&report.reason, &report.offender, is_failure)
        else {
            return;
        };
        // A supervisor fails because of a child, which is told of by itself.
        if reason.cause().is_some() {
            return;
        }
        let failed = counts.failed.entry(child.name.to_string());
        let failed = failed.or_insert(Failed {
            last: String::new(),
            times: 0,
        });
        failed.last = match report.context {
            ReportContext::StartError => format!("did not start: {reason}"),
            _ => reason.to_string(),
        };
        failed.times += 1;
    }

    /// Why the tree ended and how long it ran; then what failed in it, a line each.
    pub(super) fn lines(&self, outcome: &TreeOutcome, ran: Duration) -> Vec<String> {
        let counts = self.0.borrow();
        let restarts = match counts.restarts {
            0 => "no restarts".to_owned(),
            1 => "1 restart".to_owned(),
            more => format!("{more} restarts"),
        };
        let ran = Measured(ran);
        let mut lines = vec![match outcome {
            TreeOutcome::Stopped => format!("stopped after {ran}, {restarts}"),
            other => format!("{}; it ran for {ran}, {restarts}", words(other)),
        }];
        lines.extend(counts.failed.iter().take(SHOWN).map(|(name, failed)| {
            let last = &failed.last;
            match failed.times {
                1 => format!("  {name} {last}"),
                times => format!("  {name} failed {times} times, the last time it {last}"),
            }
        }));
        let more = counts.failed.len().saturating_sub(SHOWN);
        if more > 0 {
            lines.push(format!("  and {more} more failed"));
        }
        lines
    }

    pub(super) fn record(&self, outcome: &TreeOutcome, ran: Duration) -> Value {
        let counts = self.0.borrow();
        let failed = counts.failed.iter().map(|(name, failed)| {
            let Failed { last, times } = failed;
            json!({ "child": name, "reason": last, "times": times })
        });
        json!({
            "outcome": words(outcome),
            "exit_code": outcome.exit_code(),
            "ran_for": ran.as_secs_f64(),
            "restarts": counts.restarts,
            "failed": failed.collect::<Vec<Value>>(),
        })
    }
}

/// Why the tree ended.
fn words(outcome: &TreeOutcome) -> String {
    match outcome {
        TreeOutcome::Stopped => "stopped".to_owned(),
        TreeOutcome::Ended {
            code,
            significant: Some(child),
        } => format!("ended with exit code {code} because significant child `{child}` ended"),
        TreeOutcome::Ended { code, .. } => {
            format!("ended with exit code {code} because nothing runs any more")
        }
        TreeOutcome::GaveUp { reason } | TreeOutcome::StartFailed { reason, .. } => chain(reason),
        other => format!("{other:?}"),
    }
}

/// A reason with its causes, on one line.
fn chain(reason: &ExitReason) -> String {
    match reason.cause() {
        Some(cause) => format!("{reason}: {}", chain(cause)),
        None => reason.to_string(),
    }
}
