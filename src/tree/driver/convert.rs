//! From what `process` knows of an end to what a supervisor makes of it.

use treewright_supervisors::spec::{Shutdown, Success};
use treewright_supervisors::supervisor::ExitReason;

use crate::process::{self, Exit, Rung};

/// Why a process ended, in a supervisor's words.
pub(in crate::tree) fn reason(ended: process::ExitStatus) -> ExitReason {
    match ended {
        process::ExitStatus::Code(code) => ExitReason::Exited { code },
        process::ExitStatus::Signal { signal, core } => ExitReason::Signalled {
            signal,
            core_dumped: core,
        },
        process::ExitStatus::OutOfMemory => ExitReason::OutOfMemory,
        other => ExitReason::Failed {
            message: other.to_string(),
            cause: None,
        },
    }
}

/// How a stop ended: the reason, and whether the child had to be killed.
///
/// A process that did as it was asked was shut down, whichever way it said so: by the signal
/// itself, by the code a shell gives for it, or by a code that is success.
pub(super) fn stop(exit: Exit, how: &Shutdown, success: &Success) -> (ExitReason, bool) {
    let is_killed = exit.stopped == Some(Rung::Killed);
    let did_as_asked = match exit.reason {
        process::ExitStatus::Code(code) => {
            success.codes.contains(&code) || code == 128 + how.signal.number()
        }
        process::ExitStatus::Signal { signal, .. } => signal == how.signal,
        _ => false,
    };
    let reason = match exit.stopped {
        Some(Rung::Asked) if did_as_asked => ExitReason::Shutdown,
        _ => reason(exit.reason),
    };
    (reason, is_killed)
}
