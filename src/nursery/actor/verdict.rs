//! How the end of an actor is to be taken: by its nursery, and by whoever waits for it.

use treewright_supervisors::spec::Signal;

use super::life::Facts;
use crate::error::{CancelOrigin, CancelReason, Error, RemoteError, RemoteKind};
use crate::id::ActorId;
use crate::process::{Exit, ExitStatus};

/// What is known of an actor that has ended.
#[derive(Debug)]
pub(super) struct Obituary {
    pub(super) id: ActorId,
    pub(super) facts: Facts,
    pub(super) exit: Exit,
    /// Why we ended it, if we did.
    pub(super) reason: Option<CancelReason>,
    /// What it said before it ended on its own account.
    pub(super) goodbye: Option<CancelReason>,
    /// How its link broke, if it did not just end.
    pub(super) breach: Option<Error>,
    /// What it wrote last to its standard error.
    pub(super) stderr: Vec<u8>,
}

impl Obituary {
    /// Whether it ended because it was told to, by us.
    pub(super) fn is_wanted(&self) -> bool {
        self.facts.was_asked
    }

    /// The error for whoever waits for something of it.
    pub(super) fn error(self) -> Error {
        if self.is_wanted() {
            let reason = self.reason;
            let reason = reason.unwrap_or(CancelReason::new(CancelOrigin::Enclosing));
            return Error::cancelled(reason)
                .context(format!("actor `{}` was cancelled", self.id.name()));
        }
        let (kind, message) = self.judge();
        let remote = RemoteError::of_process(self.id, kind, message).with_stderr(self.stderr);
        match (kind, self.goodbye, self.breach) {
            (RemoteKind::Cancelled, Some(reason), _) => remote.with_reason(reason).into(),
            (_, _, Some(breach)) => remote.with_cause(&breach).into(),
            _ => remote.into(),
        }
    }

    fn judge(&self) -> (RemoteKind, String) {
        let status = self.exit.reason;
        if self.facts.is_late {
            return (RemoteKind::BootTimeout, "was not up in time".to_owned());
        }
        if !self.facts.was_up {
            return (RemoteKind::BootDeath, format!("{status} before it was up"));
        }
        if let Some(reason) = &self.goodbye {
            return (RemoteKind::Cancelled, reason.to_string());
        }
        if self.facts.is_unlinked {
            return (RemoteKind::LinkLost, "lived on without its link".to_owned());
        }
        (
            kind_of(status),
            format!("{status}, and nobody had asked it to end"),
        )
    }
}

fn kind_of(status: ExitStatus) -> RemoteKind {
    match status {
        ExitStatus::Code(code) => RemoteKind::Exited(code),
        ExitStatus::Signal { signal, core } => RemoteKind::Signalled {
            signal: Signal::number(signal),
            core,
        },
        ExitStatus::OutOfMemory => RemoteKind::Oom,
        ExitStatus::Lost => RemoteKind::LinkLost,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn obituary(status: ExitStatus) -> Obituary {
        Obituary {
            id: ActorId::new("worker"),
            facts: Facts {
                was_up: true,
                ..Facts::default()
            },
            exit: Exit {
                reason: status,
                stopped: None,
                left_behind: None,
            },
            reason: None,
            goodbye: None,
            breach: None,
            stderr: b"last words".to_vec(),
        }
    }

    #[test]
    fn actor_that_exits_unasked_has_failed_even_with_code_0() {
        let error = obituary(ExitStatus::Code(0)).error();
        assert_eq!(error.kind(), ErrorKind::LostProcess);
        let remote = error.remote().unwrap();
        assert_eq!(remote.kind(), RemoteKind::Exited(0));
        assert_eq!(remote.stderr(), b"last words");
        assert_eq!(
            error.to_string(),
            "actor `worker` exited with code 0, and nobody had asked it to end"
        );
    }

    #[test]
    fn actor_that_dies_before_it_is_up_says_how() {
        let mut obituary = obituary(ExitStatus::Code(2));
        obituary.facts.was_up = false;
        let error = obituary.error();
        assert_eq!(error.kind(), ErrorKind::Spawn);
        assert_eq!(
            error.to_string(),
            "actor `worker` exited with code 2 before it was up"
        );
    }

    #[test]
    fn actor_that_is_not_up_in_time_is_a_timeout() {
        let mut obituary = obituary(ExitStatus::Lost);
        obituary.facts = Facts {
            is_late: true,
            ..Facts::default()
        };
        assert!(obituary.error().is_timeout());
    }

    #[test]
    fn actor_that_was_asked_to_end_is_cancelled_whatever_its_status() {
        let mut obituary = obituary(ExitStatus::Code(9));
        obituary.facts.was_asked = true;
        obituary.reason = Some("enough".into());
        let error = obituary.error();
        assert!(error.is_cancelled());
        assert_eq!(error.cancel_reason().unwrap().message(), Some("enough"));
    }

    #[test]
    fn actor_that_said_goodbye_is_cancelled_by_whom_it_said() {
        let mut obituary = obituary(ExitStatus::Code(143));
        obituary.goodbye = Some(CancelReason::new(CancelOrigin::Signal(15)));
        let error = obituary.error();
        let origin = error.cancel_reason().unwrap().origin().clone();
        assert_eq!(origin, CancelOrigin::Signal(15));
        assert_eq!(
            error.to_string(),
            "actor `worker` was cancelled by signal TERM"
        );
    }
}
