//! What the end of an actor is in a supervisor's words. The table is in docs/semantics.md.

use std::error::Error as StdError;
use std::sync::Arc;

use treewright_supervisors::duration::Written;
use treewright_supervisors::spec::{Shutdown, Signal, Success};
use treewright_supervisors::supervisor::ExitReason;

use super::convert;
use crate::error::{CancelOrigin, CancelReason, Error, ErrorKind};
use crate::nursery::ActorEnd;
use crate::process::ExitStatus;

/// How the call of an actor's function ended.
#[derive(Debug)]
pub(super) struct CallEnd {
    /// The function had started before.
    pub(super) has_started: bool,
    pub(super) outcome: Result<(), CallError>,
}

/// Why the call did not come to a good end.
#[derive(Debug)]
pub(super) enum CallError {
    /// The actor was never up.
    NotUp(Error),
    /// The function failed, or could not be called.
    Failed(Error),
    /// The process ended before the function did.
    Lost(Error),
}

/// Why an actor ended that nobody had ordered to stop.
pub(super) fn of_call(outcome: &Result<(), CallError>, end: &ActorEnd) -> ExitReason {
    match outcome {
        Ok(()) => ExitReason::Normal,
        Err(CallError::NotUp(error)) => ExitReason::NotStarted {
            message: text_of(error),
        },
        Err(CallError::Failed(error)) => of_error(error),
        Err(CallError::Lost(error)) => of_process(end, error),
    }
}

/// Why an actor ended that was ordered to stop in this way; `failure` is what its function
/// failed with, if it did.
pub(super) fn of_stop(
    failure: Option<Error>,
    end: &ActorEnd,
    how: &Shutdown,
    success: &Success,
) -> ExitReason {
    // A cancelled function did as it was asked; any other failure is one of its own.
    if let Some(error) = failure.filter(|error| !error.is_cancelled()) {
        return of_error(&error);
    }
    if end.exit.reason == ExitStatus::Code(0) {
        return ExitReason::Shutdown;
    }
    convert::stop(end.exit, how, success).0
}

/// The reason in what a function failed with.
pub(super) fn of_error(error: &Error) -> ExitReason {
    if let Some(reason) = error.cancel_reason().filter(|_| error.is_cancelled()) {
        return of_cancellation(reason);
    }
    failed(&texts_of(error))
}

/// The reason in the end of a process whose function had not ended.
fn of_process(end: &ActorEnd, error: &Error) -> ExitReason {
    if let Some(reason) = &end.goodbye {
        return of_cancellation(reason);
    }
    match end.facts.is_unlinked {
        true => failed(&texts_of(error)),
        false => convert::reason(end.exit.reason),
    }
}

/// A signal is as for a command; whoever else asked is named.
fn of_cancellation(reason: &CancelReason) -> ExitReason {
    let by = match reason.origin() {
        CancelOrigin::Signal(number) => match Signal::from_number(*number) {
            Some(signal) => {
                return ExitReason::Signalled {
                    signal,
                    core_dumped: false,
                };
            }
            None => format!("signal {number}"),
        },
        CancelOrigin::Actor(id) => format!("actor `{}`", id.name()),
        CancelOrigin::Deadline(limit) => format!("a deadline of {}", Written(*limit)),
        _ => "itself".to_owned(),
    };
    ExitReason::Cancelled {
        by,
        message: reason.message().map(str::to_owned),
    }
}

/// An error with its causes and its advice on one line, without the name of the actor.
pub(super) fn text_of(error: &Error) -> String {
    texts_of(error).join(": ")
}

/// The texts of an error, of its causes, and its advice.
fn texts_of(error: &Error) -> Vec<String> {
    let mut texts = Vec::new();
    match error.remote().filter(|_| error.kind() != ErrorKind::Spawn) {
        Some(remote) => {
            texts.push(remote.message().to_owned());
            texts.extend(remote.causes().map(str::to_owned));
            texts.extend(remote.failures().iter().map(|one| one.message().to_owned()));
        }
        None => {
            texts.push(error.to_string());
            let mut cause = error.source();
            while let Some(deeper) = cause {
                texts.push(deeper.to_string());
                cause = deeper.source();
            }
        }
    }
    texts.extend(error.hint().map(str::to_owned));
    texts
}

fn failed(texts: &[String]) -> ExitReason {
    let mut reason = None;
    for message in texts.iter().rev() {
        let failed = ExitReason::Failed {
            message: message.clone(),
            cause: reason.map(Arc::new),
        };
        reason = Some(failed);
    }
    reason.unwrap_or_else(|| ExitReason::Failed {
        message: "for no reason that is known".to_owned(),
        cause: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{RemoteError, RemoteKind};
    use crate::id::ActorId;
    use crate::process::{Exit, Rung};

    fn end(reason: ExitStatus, stopped: Option<Rung>) -> ActorEnd {
        ActorEnd {
            exit: Exit {
                reason,
                stopped,
                left_behind: None,
            },
            facts: Default::default(),
            goodbye: None,
        }
    }

    fn lost() -> Result<(), CallError> {
        let id = ActorId::new("worker");
        let error = RemoteError::of_process(id, RemoteKind::LinkLost, "is gone".to_owned());
        Err(CallError::Lost(error.into()))
    }

    fn signal(signal: Signal) -> ExitReason {
        ExitReason::Signalled {
            signal,
            core_dumped: false,
        }
    }

    #[test]
    fn end_of_a_process_is_that_of_a_command() {
        let code = end(ExitStatus::Code(7), None);
        assert_eq!(of_call(&lost(), &code), ExitReason::Exited { code: 7 });
        let memory = end(ExitStatus::OutOfMemory, None);
        assert_eq!(of_call(&lost(), &memory), ExitReason::OutOfMemory);
    }

    #[test]
    fn signal_that_an_actor_obeys_is_the_signal() {
        let mut obeyed = end(ExitStatus::Code(143), None);
        obeyed.goodbye = Some(CancelReason::new(CancelOrigin::Signal(15)));
        assert_eq!(of_call(&lost(), &obeyed), signal(Signal::TERM));
    }

    #[test]
    fn cancellation_by_another_actor_names_it() {
        let reason = CancelReason::new(CancelOrigin::Actor(ActorId::new("admin")));
        let error = Error::cancelled(reason.with_message("too old"));
        assert_eq!(
            of_error(&error).to_string(),
            "was cancelled by actor `admin`: too old"
        );
    }

    #[test]
    fn failure_keeps_its_causes_and_its_advice() {
        let error = Error::other("no ink").context("cannot print");
        let remote = RemoteError::pack(&error.with_hint("buy some"), &ActorId::new("printer"));
        let reason = of_error(&remote.into());
        let causes = std::iter::successors(Some(&reason), |reason| ExitReason::cause(reason));
        let texts: Vec<_> = causes.map(ToString::to_string).collect();
        assert_eq!(texts, ["cannot print", "no ink", "buy some"]);
    }

    #[test]
    fn actor_that_was_asked_was_shut_down_unless_it_failed_or_was_killed() {
        let (how, success) = (Shutdown::default(), Success::default());
        let asked = end(ExitStatus::Code(0), Some(Rung::Asked));
        let cancelled = Error::cancelled("enough".into());
        let reason = of_stop(Some(cancelled), &asked, &how, &success);
        assert_eq!(reason, ExitReason::Shutdown);
        let reason = of_stop(Some(Error::other("no ink")), &asked, &how, &success);
        assert_eq!(reason.to_string(), "no ink");
        let status = ExitStatus::Signal {
            signal: Signal::KILL,
            core: false,
        };
        let killed = end(status, Some(Rung::Killed));
        assert_eq!(of_stop(None, &killed, &how, &success), signal(Signal::KILL));
    }
}
