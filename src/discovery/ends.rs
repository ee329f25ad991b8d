//! The end of an actor as actors tell each other of it.

use treewright_supervisors::spec::Signal;

use crate::error::RemoteKind;
use crate::process::{Exit, ExitStatus};

/// An end of which nobody knows how it came.
pub(super) const SOMEHOW: Exit = Exit {
    reason: ExitStatus::Lost,
    stopped: None,
    left_behind: None,
};

/// How an end is told of; not at all, if it is not known.
pub(super) fn told(status: ExitStatus) -> Option<RemoteKind> {
    match status {
        ExitStatus::Code(code) => Some(RemoteKind::Exited(code)),
        ExitStatus::Signal { signal, core } => Some(RemoteKind::Signalled {
            signal: signal.number(),
            core,
        }),
        ExitStatus::OutOfMemory => Some(RemoteKind::Oom),
        ExitStatus::Lost => None,
    }
}

/// The end that was told of.
pub(super) fn heard(how: Option<RemoteKind>) -> Exit {
    let reason = match how {
        Some(RemoteKind::Exited(code)) => ExitStatus::Code(code),
        Some(RemoteKind::Signalled { signal, core }) => match Signal::from_number(signal) {
            Some(signal) => ExitStatus::Signal { signal, core },
            None => ExitStatus::Lost,
        },
        Some(RemoteKind::Oom) => ExitStatus::OutOfMemory,
        _ => ExitStatus::Lost,
    };
    Exit { reason, ..SOMEHOW }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_is_heard_as_it_was_told() {
        for status in [
            ExitStatus::Code(0),
            ExitStatus::Code(101),
            ExitStatus::Signal {
                signal: Signal::KILL,
                core: true,
            },
            ExitStatus::OutOfMemory,
            ExitStatus::Lost,
        ] {
            assert_eq!(heard(told(status)).reason, status);
        }
    }
}
