//! What the decisions of a probe take in and give out.

use std::time::Duration;

use super::notify::Notification;
use super::{NotReady, TryFailure, Unwell};
use crate::time::Time;

/// Something a probe decides upon.
#[derive(Clone, Debug)]
pub(crate) enum ProbeEvent {
    /// The child runs.
    Started,
    /// The try of this number has ended.
    Tried(u64, Result<(), TryFailure>),
    /// The child printed the line that was waited for.
    Printed,
    /// The child sent a message (`sd_notify(3)`).
    Notified(Notification),
    /// The time of `next_deadline` has come.
    Timer,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ProbeAction {
    /// A try is begun, under this number.
    Try(u64),
    /// The try that is on is dropped.
    Abandon,
    /// The child is ready.
    Ready,
    /// The child did not become ready in time.
    NotReady(NotReady),
    /// The child runs and is no use.
    Unwell(Unwell),
}

/// A probe's decisions: pure, with the time given.
pub(crate) trait ProbeState {
    /// Takes an event and says what is to be done. After a verdict nothing is done any more.
    fn step(&mut self, event: ProbeEvent, now: Time) -> Vec<ProbeAction>;

    /// When a [`ProbeEvent::Timer`] is wanted; [`Time::MAX`] for never.
    fn next_deadline(&self) -> Time;
}

/// The failure of a try that had its time.
pub(crate) fn timed_out(limit: Duration) -> TryFailure {
    TryFailure::TimedOut(limit)
}
