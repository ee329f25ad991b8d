//! Entering a runtime, and leaving it only when everything begun in it has ended.

mod bootstrap;
mod builder;
mod child_hook;
mod signals;

pub use bootstrap::bootstrap;
pub use builder::{Runtime, RuntimeBuilder, run};
pub use child_hook::{child_hook, pass};
pub(crate) use signals::hold_signals;
