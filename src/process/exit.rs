//! How a process ended, and how far it had to be pushed.

use std::fmt;

use rustix::process::WaitIdStatus;
use treewright_supervisors::spec::{Signal, Success};

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExitStatus {
    /// It exited with this code.
    Code(i32),
    /// A signal killed it.
    Signal {
        /// The signal.
        signal: Signal,
        /// Whether it left a core dump.
        core: bool,
    },
    /// The kernel killed it because its control group ran out of memory.
    OutOfMemory,
    /// Its status was taken by other code of this program, which waits for any child.
    Lost,
}

impl ExitStatus {
    /// Whether it exited with code 0.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self == Self::Code(0)
    }

    /// Whether `success` counts this as success.
    #[must_use]
    pub fn is_success(self, success: &Success) -> bool {
        match self {
            Self::Code(code) => success.codes.contains(&code),
            Self::Signal { signal, .. } => success.signals.contains(&signal),
            Self::OutOfMemory | Self::Lost => false,
        }
    }

    /// The exit code a shell would show: 128 + n for a signal; none when it is not known.
    #[must_use]
    pub fn shell_code(self) -> Option<i32> {
        match self {
            Self::Code(code) => Some(code),
            Self::Signal { signal, .. } => Some(128 + signal.number()),
            Self::OutOfMemory => Some(128 + Signal::KILL.number()),
            Self::Lost => None,
        }
    }

    pub(super) fn from_status(status: &WaitIdStatus) -> Self {
        if let Some(code) = status.exit_status() {
            return Self::Code(code);
        }
        match status.terminating_signal().and_then(Signal::from_number) {
            Some(signal) => Self::Signal {
                signal,
                core: status.dumped(),
            },
            None => Self::Lost,
        }
    }
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exited with code {code}"),
            Self::Signal {
                signal,
                core: false,
            } => write!(f, "killed by signal {signal}"),
            Self::Signal { signal, core: true } => {
                write!(f, "killed by signal {signal}, core dumped")
            }
            Self::OutOfMemory => f.write_str("killed because it ran out of memory"),
            Self::Lost => f.write_str("ended with a status that other code took"),
        }
    }
}

/// The rung of the kill ladder at which a stop was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rung {
    /// The signal that asks was enough.
    Asked,
    /// It had to be killed.
    Killed,
}

/// The end of a process and of all that belonged to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    /// How the process itself ended.
    pub reason: ExitStatus,
    /// How far we went to end it; none when the process had ended by itself.
    pub stopped: Option<Rung>,
    /// How far we went to end what it left behind; none when it left nothing.
    pub left_behind: Option<Rung>,
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)?;
        match self.stopped {
            None => {}
            Some(Rung::Asked) => f.write_str(", when asked to")?,
            Some(Rung::Killed) => f.write_str(", after it had to be killed")?,
        }
        match self.left_behind {
            None => Ok(()),
            Some(Rung::Asked) => f.write_str("; what it left behind ended when asked to"),
            Some(Rung::Killed) => f.write_str("; what it left behind had to be killed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(signal: Signal) -> ExitStatus {
        ExitStatus::Signal {
            signal,
            core: false,
        }
    }

    #[test]
    fn success_is_what_the_spec_says_it_is() {
        let success = Success {
            codes: [0, 143].into(),
            signals: [Signal::TERM].into(),
        };
        for reason in [ExitStatus::Code(0), ExitStatus::Code(143), by(Signal::TERM)] {
            assert!(reason.is_success(&success), "{reason}");
        }
        for reason in [
            ExitStatus::Code(1),
            by(Signal::KILL),
            ExitStatus::OutOfMemory,
            ExitStatus::Lost,
        ] {
            assert!(!reason.is_success(&success), "{reason}");
        }
    }

    #[test]
    fn end_is_said_in_one_line() {
        let exit = Exit {
            reason: by(Signal::KILL),
            stopped: Some(Rung::Killed),
            left_behind: None,
        };
        assert_eq!(
            exit.to_string(),
            "killed by signal KILL, after it had to be killed"
        );
    }
}
