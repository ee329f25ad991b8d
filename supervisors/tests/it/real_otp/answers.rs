//! What our machines say, in the words of the transcripts.

use treewright_supervisors::spec::{ChildSpec, ShutdownMode};
use treewright_supervisors::supervisor::{
    Answer, ChildInfo, ChildStatus, ExitReason, Reply, RequestError,
};

/// What a parent would hear of this end in OTP, where a supervisor that gives up ends with
/// `shutdown`. That ours does not is one of the differences in `docs/semantics.md`.
pub(super) fn as_otp(reason: ExitReason) -> ExitReason {
    match reason {
        ExitReason::GaveUp { .. } => ExitReason::Shutdown,
        other => other,
    }
}

pub(super) fn end(reason: &ExitReason) -> String {
    match reason {
        ExitReason::GaveUp { .. } | ExitReason::AutoShutdown { .. } | ExitReason::Shutdown => {
            "shutdown".into()
        }
        ExitReason::FailedToStart { .. } => "failed to start".into(),
        other => other.to_string(),
    }
}

pub(super) fn reply(reply: &Reply) -> String {
    match reply {
        Ok(Answer::Child(None)) => "ok undefined".into(),
        Ok(Answer::Spec(spec)) => format!("ok {}", childspec(spec)),
        Ok(_) => "ok".into(),
        Err(RequestError::AlreadyStarted(_)) => "already_started".into(),
        Err(RequestError::AlreadyPresent) => "already_present".into(),
        Err(RequestError::NotFound) => "not_found".into(),
        Err(RequestError::Running) => "running".into(),
        Err(RequestError::Restarting) => "restarting".into(),
        Err(RequestError::SimpleOneForOne) => "simple_one_for_one".into(),
        Err(RequestError::Failed(_)) => "failed".into(),
        Err(RequestError::Invalid(_)) => "invalid".into(),
        Err(RequestError::ShuttingDown) => "noproc".into(),
        Err(other) => other.to_string(),
    }
}

fn childspec(spec: &ChildSpec) -> String {
    let shutdown = match spec.shutdown.mode {
        ShutdownMode::BrutalKill => "brutal_kill".into(),
        ShutdownMode::Timeout(timeout) => timeout.as_millis().to_string(),
        ShutdownMode::Infinity => "infinity".into(),
    };
    let (restart, significant) = (spec.restart.word(), spec.significant);
    let kind = if spec.kind.is_supervisor() {
        "supervisor"
    } else {
        "worker"
    };
    format!("{restart} {significant} {shutdown} {kind}")
}

/// OTP's word for what a child is doing.
pub(super) fn status(child: &ChildInfo) -> &'static str {
    match child.status {
        ChildStatus::Down | ChildStatus::Completed => "undefined",
        ChildStatus::Restarting { .. } => "restarting",
        ChildStatus::Running => "up",
        _ => "between two states",
    }
}
