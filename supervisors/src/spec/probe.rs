//! How it is found out that a child is ready, and that it still works.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// One way to ask whether a child is ready or well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Probe {
    /// `host:port` accepts a connection.
    Tcp(String),
    /// A GET of this URL is answered with a status from 200 to 399.
    Http(String),
    /// This command ends with 0.
    Exec(Vec<String>),
    /// This file exists.
    File(PathBuf),
    /// The child printed a line that contains this text.
    Log(String),
    /// The child sent `READY=1` (`sd_notify(3)`).
    Notify,
    /// The child has run this long.
    Uptime(Duration),
}

impl Probe {
    /// `host:port` accepts a connection.
    #[must_use]
    pub fn tcp(address: impl Into<String>) -> Self {
        Self::Tcp(address.into())
    }

    /// A GET of this URL is answered with a status from 200 to 399.
    #[must_use]
    pub fn http(url: impl Into<String>) -> Self {
        Self::Http(url.into())
    }

    /// This command ends with 0.
    #[must_use]
    pub fn exec<W: Into<String>>(argv: impl IntoIterator<Item = W>) -> Self {
        Self::Exec(argv.into_iter().map(Into::into).collect())
    }

    /// This file exists.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::File(path.into())
    }

    /// The child printed a line that contains this text.
    #[must_use]
    pub fn log(text: impl Into<String>) -> Self {
        Self::Log(text.into())
    }
}

/// When a child counts as ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadySpec {
    /// What is asked.
    pub probe: Probe,
    /// Time between two tries.
    pub every: Duration,
    /// Time allowed in all.
    pub timeout: Duration,
}

/// How it is found out that a child, though running, is no use; it is then restarted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LiveSpec {
    /// Asked again and again.
    Check(LiveCheck),
    /// The child must send `WATCHDOG=1` (`sd_notify(3)`) at least this often.
    Watchdog(Duration),
}

/// A probe that is repeated while the child runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveCheck {
    /// What is asked: `Tcp`, `Http`, `Exec` or `File`.
    pub probe: Probe,
    /// Time between two tries.
    pub every: Duration,
    /// Time allowed for one try.
    pub timeout: Duration,
    /// Failures in a row after which the child is restarted.
    pub failures: u32,
}
