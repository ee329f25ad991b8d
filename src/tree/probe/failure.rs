//! Why a child is not ready, or not well.

use std::io;
use std::sync::Arc;
use std::time::Duration;

/// Why one try of a probe failed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TryFailure {
    /// Nothing accepted the connection.
    #[error("cannot connect to `{address}`")]
    Connect {
        /// Host and port.
        address: String,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// The connection broke before there was an answer.
    #[error("no answer from `{url}`")]
    NoAnswer {
        /// What was asked.
        url: String,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// The answer has another status than 200 to 399.
    #[error("`{url}` answered with status {status}")]
    Status {
        /// What was asked.
        url: String,
        /// The status of the answer.
        status: u16,
    },
    /// The answer is not HTTP.
    #[error("the answer of `{url}` is not HTTP: {why}")]
    NotHttp {
        /// What was asked.
        url: String,
        /// What is wrong with the answer.
        why: String,
    },
    /// What is to be asked is not a URL that can be asked.
    #[error("`{url}` cannot be asked: {why}")]
    Url {
        /// What was to be asked.
        url: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The file is not there.
    #[error("there is no file `{path}`")]
    NoFile {
        /// Its path.
        path: String,
    },
    /// The file cannot be looked for.
    #[error("cannot look for file `{path}`")]
    File {
        /// Its path.
        path: String,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// The command cannot be started.
    #[error("cannot start probe command `{command}`")]
    Spawn {
        /// The command.
        command: String,
        /// Why.
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// The command ended in failure.
    #[error("probe command `{command}` {how}")]
    Exited {
        /// The command.
        command: String,
        /// How it ended, as in "exited with code 1".
        how: String,
    },
    /// The try took too long and was given up.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
}

impl PartialEq for TryFailure {
    /// Two failures are the same when they read the same.
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

/// The child did not become ready in time.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("not ready after {after:?}")]
pub struct NotReady {
    /// The time it was given in all.
    pub after: Duration,
    /// How often it was asked; zero where the probe waits for a sign of the child itself.
    pub tries: u32,
    /// Why the last try failed.
    #[source]
    pub last: Option<TryFailure>,
}

/// The child runs and is no use.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Unwell {
    /// It failed the probe so often in a row.
    #[error("failed its probe {failures} times in a row")]
    Failed {
        /// How often.
        failures: u32,
        /// Why the last time.
        #[source]
        last: TryFailure,
    },
    /// It did not send `WATCHDOG=1` in time.
    #[error("sent no WATCHDOG=1 for {0:?}")]
    WatchdogMissed(Duration),
    /// It sent `WATCHDOG=trigger`.
    #[error("asked to be restarted with WATCHDOG=trigger")]
    WatchdogTriggered,
}
