//! What a supervisor tells its operator.

use std::time::Duration;

use serde::Serialize;

use super::{ExitReason, Incarnation};
use crate::spec::ChildName;

/// One abnormal event, or one step of progress, with OTP's four fields.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SupervisorReport {
    /// Whose report it is.
    pub supervisor: ChildName,
    /// What the supervisor was about.
    pub context: ReportContext,
    /// Why, with its whole chain of causes; absent for progress.
    pub reason: Option<ExitReason>,
    /// The child it is about; absent when it is about the supervisor itself.
    pub offender: Option<Offender>,
    /// What follows, when it is a restart.
    pub restart: Option<RestartNotice>,
}

/// What the supervisor was about when it had something to report (OTP's `errorContext`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportContext {
    /// A child did not start.
    StartError,
    /// A child ended by itself.
    ChildTerminated,
    /// A child did not end as it should when it was stopped.
    ShutdownError,
    /// The supervisor ends because of this.
    Shutdown,
    /// A child counts as started.
    Progress,
}

/// The child a report is about.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Offender {
    /// Its name.
    pub name: ChildName,
    /// Its life at that moment.
    pub incarnation: Incarnation,
}

/// The restart that follows a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct RestartNotice {
    /// Which one within the window, from 1.
    pub number: u32,
    /// How many are allowed.
    pub intensity: u32,
    /// The window.
    pub period: Duration,
    /// How long it is waited before.
    pub delay: Duration,
}
