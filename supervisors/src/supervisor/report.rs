//! What a supervisor tells its operator.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{ExitReason, Incarnation};
use crate::duration::{Measured, Written};
use crate::spec::ChildName;

/// One abnormal event, or one step of progress, with OTP's four fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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

/// One line for a person, without the supervisor's name in front.
///
/// # Examples
///
/// ```
/// # use treewright_supervisors::Time;
/// # use treewright_supervisors::spec::{ChildKind, ChildSpec, SupervisorSpec};
/// # use treewright_supervisors::supervisor::{Action, Event, ExitReason, SupervisorState};
/// # use std::time::Duration;
/// # let mut spec = SupervisorSpec::new("root");
/// # let mut web = ChildSpec::new("web", ChildKind::Local);
/// # web.backoff.jitter = 0.0;
/// # spec.children.push(web);
/// # let mut supervisor = SupervisorState::new(&spec);
/// # let Action::StartChild { incarnation, .. } = supervisor.step(Event::Start, Time::ORIGIN)[0] else { panic!() };
/// # supervisor.step(Event::Started { incarnation }, Time::ORIGIN);
/// # let exited = Event::Exited { incarnation, reason: ExitReason::Exited { code: 1 } };
/// # let now = Time::ORIGIN + Duration::from_millis(2300);
/// let report = supervisor.step(exited, now).into_iter().find_map(|action| match action {
///     Action::Report(report) => Some(report),
///     _ => None,
/// });
/// assert_eq!(
///     report.unwrap().to_string(),
///     "web exited with code 1 after 2.3 s, restart 1 of 5 in 1m, next try in 100 ms",
/// );
/// ```
impl fmt::Display for SupervisorReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self
            .offender
            .as_ref()
            .map_or(&self.supervisor, |offender| &offender.name);
        let uptime = self
            .offender
            .as_ref()
            .map_or(Duration::ZERO, |offender| offender.uptime);
        match (self.context, &self.reason) {
            (ReportContext::Progress, _) => write!(f, "{name} started after {}", Measured(uptime))?,
            (ReportContext::StartError, Some(reason)) => {
                write!(f, "{name} did not start: {}", Chain(reason))?;
            }
            (ReportContext::ChildTerminated, Some(reason)) => {
                write!(f, "{name} {} after {}", Deed(reason), Measured(uptime))?;
            }
            (ReportContext::ShutdownError, Some(reason)) => {
                write!(f, "{name} did not stop as it should: it {}", Deed(reason))?;
            }
            (ReportContext::Shutdown, Some(reason)) => {
                write!(f, "{} {}", self.supervisor, Chain(reason))?;
            }
            (context, None) => write!(f, "{name}: {context:?}")?,
        }
        self.restart
            .as_ref()
            .map_or(Ok(()), |restart| write!(f, ", {restart}"))
    }
}

impl fmt::Display for RestartNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            number,
            intensity,
            period,
            delay,
        } = self;
        write!(f, "restart {number} of {intensity} in {}", Written(*period))?;
        if delay.is_zero() {
            f.write_str(", at once")
        } else {
            write!(f, ", next try in {}", Measured(*delay))
        }
    }
}

/// What a child did that ended for this reason.
struct Deed<'a>(&'a ExitReason);

impl fmt::Display for Deed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            // Of all reasons this one has words of somebody else, which go with no name.
            ExitReason::Failed { message, .. } if !message.starts_with("panicked") => {
                write!(f, "failed: {}", Chain(self.0))
            }
            reason => Chain(reason).fmt(f),
        }
    }
}

/// A reason with its causes, outermost first.
struct Chain<'a>(&'a ExitReason);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        self.0
            .cause()
            .map_or(Ok(()), |cause| write!(f, ": {}", Chain(cause)))
    }
}

/// What the supervisor was about when it had something to report (OTP's `errorContext`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Offender {
    /// Its name.
    pub name: ChildName,
    /// Its life at that moment.
    pub incarnation: Incarnation,
    /// How long that life has lasted, from its start.
    pub uptime: Duration,
}

/// The restart that follows a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
