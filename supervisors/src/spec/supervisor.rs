//! A supervisor: its flags and its children.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{ChildName, ChildSpec};

/// A supervisor: OTP's `sup_flags()` and the child specs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SupervisorSpec {
    /// Its name.
    pub name: ChildName,
    /// Which children are restarted when one fails.
    pub strategy: Strategy,
    /// Restarts allowed in `period`; one more and the supervisor gives up.
    pub intensity: u32,
    /// The window in which restarts are counted.
    pub period: Duration,
    /// Whether the end of significant children ends the supervisor.
    pub auto_shutdown: AutoShutdown,
    /// In which order its children are stopped.
    pub stop: StopOrder,
    /// What the failure of a child's first start means.
    pub on_start_failure: OnStartFailure,
    /// Whether it runs in a process of its own.
    pub isolated: bool,
    /// Its children in start order; they are stopped in reverse.
    pub children: Vec<ChildSpec>,
}

/// Which children are restarted when one fails (OTP's `strategy`).
///
/// OTP's fourth, `simple_one_for_one`, is a [`PoolSpec`](super::PoolSpec).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Only the one that failed.
    OneForOne,
    /// All of them.
    OneForAll,
    /// The one that failed and those after it.
    RestForOne,
}

impl Strategy {
    /// Its word in a file and in OTP.
    ///
    /// ```
    /// # use treewright_supervisors::spec::Strategy;
    /// assert_eq!(Strategy::RestForOne.word(), "rest_for_one");
    /// ```
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::OneForOne => "one_for_one",
            Self::OneForAll => "one_for_all",
            Self::RestForOne => "rest_for_one",
        }
    }
}

/// Whether the end of significant children ends the supervisor (OTP's `auto_shutdown`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AutoShutdown {
    /// It does not.
    Never,
    /// The first significant child that ends by itself does.
    AnySignificant,
    /// The last one does.
    AllSignificant,
}

/// In which order children are stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopOrder {
    /// One after the other, the last started first.
    Reverse,
    /// All at the same time.
    Parallel,
}

/// What the failure of a child's first start means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnStartFailure {
    /// The children started so far are stopped in reverse and the supervisor's own start fails.
    Rollback,
    /// It is tried again, by the child's backoff and the supervisor's intensity.
    Retry,
}
