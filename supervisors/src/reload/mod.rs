//! What a reload must change: the smallest set of stops, starts and restarts.

mod change;
mod plan;

pub use change::{ChildChange, child_change};
pub use plan::{Change, Plan, What, plan};
