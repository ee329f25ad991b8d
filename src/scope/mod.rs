//! The closure scope: tasks, cancellation and failures, without processes.
//!
//! [`state`] decides and [`node`] carries a cancellation down the tree of whoever waits
//! for whom; [`open`] is the loop around them.

mod deadline;
mod guard;
mod node;
mod open;
mod panics;
mod shield;
mod state;
mod task;

pub use deadline::{fail_after, move_on_after, sleep, time_left, timeout};
pub(crate) use guard::guarded;
pub(crate) use node::{DEFAULT_GRACE, Hold, Kind, Node, Urgency};
pub(crate) use open::{EnclosingScope, Member, Scope, closed, open_scope};
pub(crate) use panics::catch;
pub use shield::shielded;
pub(crate) use state::Ending;
pub use task::{TaskHandle, TaskOutput};
