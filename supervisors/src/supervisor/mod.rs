//! The state machine behind every supervisor: OTP's semantics as a pure `step`.
//!
//! [`SupervisorState`] is told what happened ([`Event`]) and when ([`Time`](crate::Time)), and
//! answers what is to be done ([`Action`]). It never waits, reads no clock and draws no random
//! numbers, so every decision can be replayed.
//!
//! # Theory of operation
//!
//! - **Children** are one table in start order; what a child is doing is one enum. Each start
//!   makes a new [`Incarnation`], and news of an old one changes nothing.
//! - **A pass** stops a set of children in reverse order, waits for the backoff of the child
//!   that failed, and starts the set in order. The supervisor's own start, `one_for_all`,
//!   `rest_for_one` and a reload are passes. A failure during a pass widens it; there is never
//!   more than one. `one_for_one` restarts need none: each child is restarted by itself.
//! - **Ending** (asked for, given up, rolled back, or because of a significant child) replaces
//!   the pass: nothing is started any more, and when the last child is gone the machine says
//!   [`Action::Finish`].
//! - **Requests** are answered at once where the answer is known; those that start or stop a
//!   child are answered when it has; those that must not interfere with a pass are queued until
//!   it is over. A stop never queues.
//!
//! # Examples
//!
//! ```
//! use treewright_supervisors::Time;
//! use treewright_supervisors::spec::{ChildKind, ChildSpec, SupervisorSpec};
//! use treewright_supervisors::supervisor::{Action, Event, SupervisorState};
//!
//! let mut spec = SupervisorSpec::new("root");
//! spec.children.push(ChildSpec::new("web", ChildKind::Local));
//! let mut supervisor = SupervisorState::new(&spec);
//!
//! let actions = supervisor.step(Event::Start, Time::ORIGIN);
//! let Action::StartChild { incarnation, .. } = actions[0] else { panic!("{actions:?}") };
//!
//! let actions = supervisor.step(Event::Started { incarnation }, Time::ORIGIN);
//! assert!(actions.iter().any(|action| matches!(action, Action::Started)));
//! ```

mod api;
mod backoff;
mod child;
mod dependency;
mod ending;
mod event;
mod exit;
mod intensity;
mod pass;
mod pool;
mod reason;
mod reload;
mod report;
mod request;
mod start;
mod state;
mod table;
mod waiters;

pub use backoff::delay as backoff_delay;
pub use child::ChildStatus;
pub use dependency::{Links, Standing};
pub use event::{Action, ChildKey, Event, Incarnation, Member};
pub use intensity::RestartWindow;
pub use reason::{ExitClass, ExitReason};
pub use report::{Offender, ReportContext, RestartNotice, SupervisorReport};
pub use request::{
    Answer, ChildCounts, ChildInfo, ChildRef, ReloadMode, Reply, Request, RequestError, RequestId,
};
pub use state::SupervisorState;
