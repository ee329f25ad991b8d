//! A nursery: a scope with tasks, and processes, in it.

mod capture;
mod command;
mod handle;
mod process;
mod running;

pub use capture::CommandOutput;
pub use command::CommandBuilder;
pub use handle::{Nursery, open_nursery};
pub use process::{ProcessFailure, ProcessHandle};
