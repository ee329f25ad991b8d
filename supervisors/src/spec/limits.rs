//! Limits on what a child may use.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Limits on what a child may use.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes of memory, by control group (never `RLIMIT_AS`).
    pub memory: Option<u64>,
    /// Processors' worth of time (1.5 is one and a half), by control group.
    pub cpu: Option<f64>,
    /// Processes and threads, by control group.
    pub pids: Option<u64>,
    /// Resource limits of `setrlimit(2)`, soft and hard.
    pub rlimits: BTreeMap<Rlimit, Limit>,
}

/// A resource limit of `setrlimit(2)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rlimit {
    /// Size of a core file, bytes.
    Core,
    /// Processor time, seconds.
    CpuTime,
    /// Size of the data segment, bytes.
    Data,
    /// Size of a file that is written, bytes.
    Fsize,
    /// Locked memory, bytes.
    Memlock,
    /// Bytes in POSIX message queues.
    Msgqueue,
    /// Open files.
    Nofile,
    /// Processes of the user.
    Nproc,
    /// Ceiling of the real-time priority.
    Rtprio,
    /// Queued signals.
    Sigpending,
    /// Size of the main thread's stack, bytes.
    Stack,
}

/// The value of a resource limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// At most this much.
    To(u64),
    /// No limit.
    Unlimited,
}
