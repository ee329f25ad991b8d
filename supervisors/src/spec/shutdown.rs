//! How a child is stopped.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Signal;

/// How a child is stopped: the signal, how long it may take, and what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shutdown {
    /// How long the child may take (OTP's `shutdown`).
    pub mode: ShutdownMode,
    /// The signal that asks it to end.
    pub signal: Signal,
    /// Which processes the signals reach, and which must be gone before it counts as stopped.
    pub scope: KillScope,
}

/// OTP's three kinds of shutdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShutdownMode {
    /// Kill at once, without asking.
    BrutalKill,
    /// Ask, wait this long, then kill.
    Timeout(Duration),
    /// Ask, and wait for ever. Right for supervisors, dangerous for workers.
    Infinity,
}

/// Which processes belong to a child when it is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KillScope {
    /// The started process only.
    Process,
    /// Its process group.
    Group,
    /// Its process group, all descendants, and adopted orphans that carry its mark.
    Tree,
    /// Its control group, where there is one.
    Cgroup,
}
