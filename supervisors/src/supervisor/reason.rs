//! Why a child ended, and what its supervisor makes of that.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::duration::Written;
use crate::spec::{ChildName, ChildSpec, Signal};

/// Why a child ended, or why it could not be started.
///
/// A reason that has a deeper one keeps it: [`Error::source`] walks the whole chain, across
/// as many levels of supervisors as it came up through.
///
/// # Examples
///
/// ```
/// use treewright_supervisors::supervisor::ExitReason;
///
/// assert_eq!(ExitReason::Exited { code: 3 }.to_string(), "exited with code 3");
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ExitReason {
    /// It came to its end (OTP's `normal`).
    Normal,
    /// It ended because it was asked to (OTP's `shutdown`).
    Shutdown,
    /// A supervisor that ended because a significant child did.
    AutoShutdown {
        /// The significant child.
        child: ChildName,
    },
    /// A process that exited with this code.
    Exited {
        /// Its exit code.
        code: i32,
    },
    /// A process that a signal ended.
    Signalled {
        /// The signal.
        signal: Signal,
        /// Whether it left a core file.
        core_dumped: bool,
    },
    /// A process the kernel killed for want of memory.
    OutOfMemory,
    /// It did not come to run: the program is missing, a limit is reached and the like.
    NotStarted {
        /// What failed, on which object.
        message: String,
    },
    /// It did not count as started in time.
    StartTimeout {
        /// The time it had.
        after: Duration,
    },
    /// A probe found it to be no use.
    Unhealthy {
        /// Which probe, and what it saw.
        message: String,
    },
    /// Something it depends on is down for good.
    DependencyFailed {
        /// The dependency.
        dependency: ChildName,
    },
    /// An actor or a closure that returned an error or panicked.
    Failed {
        /// The error's text.
        message: String,
        /// The deeper error.
        cause: Option<Arc<ExitReason>>,
    },
    /// An actor that was cancelled, and not by its supervisor.
    Cancelled {
        /// Who asked, such as "actor `shop.admin`".
        by: String,
        /// What was said with it.
        message: Option<String>,
    },
    /// A supervisor whose own start failed because a child's did.
    FailedToStart {
        /// The child.
        child: ChildName,
        /// Why it did not start.
        cause: Arc<ExitReason>,
    },
    /// A supervisor that restarted more often than its intensity allows.
    GaveUp {
        /// The child whose failure was one too many.
        child: ChildName,
        /// The restarts allowed.
        intensity: u32,
        /// The window they were counted in.
        period: Duration,
        /// Why that child ended.
        cause: Arc<ExitReason>,
    },
}

/// What an end means for the decision to restart (OTP's `normal`, `shutdown`, anything else).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExitClass {
    /// In success, by itself.
    Normal,
    /// Because it was asked to.
    Shutdown,
    /// Anything else.
    Abnormal,
}

impl ExitReason {
    /// What this end means for a child with this spec: its `success` set decides about codes and signals.
    #[must_use]
    pub fn class(&self, spec: &ChildSpec) -> ExitClass {
        match self {
            Self::Normal => ExitClass::Normal,
            Self::Shutdown | Self::AutoShutdown { .. } => ExitClass::Shutdown,
            Self::Exited { code } if spec.success.codes.contains(code) => ExitClass::Normal,
            Self::Signalled { signal, .. } if spec.success.signals.contains(signal) => {
                ExitClass::Normal
            }
            _ => ExitClass::Abnormal,
        }
    }

    /// The reason at the bottom of the chain: what went wrong first.
    #[must_use]
    pub fn root_cause(&self) -> &Self {
        match self.cause() {
            Some(cause) => cause.root_cause(),
            None => self,
        }
    }

    /// The deeper reason, if there is one.
    #[must_use]
    pub fn cause(&self) -> Option<&Self> {
        match self {
            Self::FailedToStart { cause, .. } | Self::GaveUp { cause, .. } => Some(cause),
            Self::Failed { cause, .. } => cause.as_deref(),
            _ => None,
        }
    }
}

impl fmt::Display for ExitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Normal => f.write_str("ended normally"),
            Self::Shutdown => f.write_str("was shut down"),
            Self::AutoShutdown { child } => {
                write!(f, "shut down because significant child `{child}` ended")
            }
            Self::Exited { code } => write!(f, "exited with code {code}"),
            Self::Signalled {
                signal,
                core_dumped: false,
            } => {
                write!(f, "was ended by signal {signal}")
            }
            Self::Signalled {
                signal,
                core_dumped: true,
            } => {
                write!(f, "was ended by signal {signal} and dumped core")
            }
            Self::OutOfMemory => f.write_str("was killed because memory ran out"),
            Self::NotStarted { message }
            | Self::Unhealthy { message }
            | Self::Failed { message, .. } => f.write_str(message),
            Self::StartTimeout { after } => write!(f, "did not start within {}", Written(*after)),
            Self::Cancelled { by, message: None } => write!(f, "was cancelled by {by}"),
            Self::Cancelled {
                by,
                message: Some(message),
            } => write!(f, "was cancelled by {by}: {message}"),
            Self::DependencyFailed { dependency } => {
                write!(f, "depends on `{dependency}`, which is down for good")
            }
            Self::FailedToStart { child, .. } => write!(f, "failed to start child `{child}`"),
            Self::GaveUp {
                child,
                intensity,
                period,
                ..
            } => {
                let restarts = if *intensity == 1 {
                    "restart"
                } else {
                    "restarts"
                };
                let period = Written(*period);
                write!(
                    f,
                    "gave up: child `{child}` failed after {intensity} {restarts} within {period}"
                )
            }
        }
    }
}

impl Error for ExitReason {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause().map(|cause| cause as &(dyn Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reason_survives_the_way_through_text_with_all_its_causes() {
        let cause = Arc::new(ExitReason::Failed {
            message: "cannot open the shop".into(),
            cause: Some(Arc::new(ExitReason::Signalled {
                signal: Signal::TERM,
                core_dumped: true,
            })),
        });
        let reason = ExitReason::GaveUp {
            child: "web".into(),
            intensity: 5,
            period: Duration::from_millis(2500),
            cause,
        };
        let text = serde_json::to_string(&reason).unwrap();
        assert_eq!(serde_json::from_str::<ExitReason>(&text).unwrap(), reason);
    }

    #[test]
    fn cancelled_reason_names_who_asked() {
        let by = "actor `shop.admin`".to_owned();
        let quiet = ExitReason::Cancelled {
            by: by.clone(),
            message: None,
        };
        assert_eq!(quiet.to_string(), "was cancelled by actor `shop.admin`");
        let message = Some("too old".to_owned());
        assert_eq!(
            ExitReason::Cancelled { by, message }.to_string(),
            "was cancelled by actor `shop.admin`: too old"
        );
    }
}
