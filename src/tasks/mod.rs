//! Functions that run in other processes: what they are to the types, how they are called,
//! found by name and started from bytes.

mod argument_fault;
mod arguments;
mod call;
mod entry;
mod failure;
mod file_arguments;
mod function;
mod outcome;
mod payload;
mod registry;
mod series;
mod task;
#[cfg(test)]
mod tests;
mod written;

pub(crate) use argument_fault::{ArgumentFault, ArgumentFaults};
pub use arguments::{ArgumentValues, Arguments};
pub use call::Call;
pub use entry::TaskEntry;
pub(crate) use entry::{Begin, RunningTask, answer, read_arguments};
pub use failure::{ErrorType, LocalFailure, PlainFailure, TaskFailure, TypedFailure, UnfitFailure};
pub(crate) use file_arguments::{arguments_as_text, arguments_of_text};
pub use function::{Function, FunctionKind};
pub use outcome::Fallible;
pub use registry::{TASKS, registered_tasks};
pub(crate) use registry::{TaskLookupError, registry};
pub(crate) use series::Calls;
pub use task::Task;
