//! Functions that run in other processes: what they are to the types, how they are called,
//! found by name and started from bytes.

mod argument_fault;
mod arguments;
mod call;
mod entry;
mod failure;
mod function;
mod outcome;
mod payload;
mod registry;
mod series;
mod task;
#[cfg(test)]
mod tests;
mod written;

pub use call::Call;
pub use entry::TaskEntry;
pub(crate) use entry::{Begin, RunningTask, answer};
pub use failure::{ErrorType, LocalFailure, PlainFailure, TaskFailure, TypedFailure, UnfitFailure};
pub use function::{Function, FunctionKind};
pub use outcome::Fallible;
pub(crate) use registry::registry;
pub use registry::{TASKS, registered_tasks};
pub(crate) use series::Calls;
pub use task::Task;
