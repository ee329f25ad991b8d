//! What every function that other processes call is to the types.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Arguments, TaskFailure};

/// A function that other processes can call, of whichever kind.
///
/// [`#[treewright::task]`](macro@crate::task), [`#[treewright::context]`](macro@crate::context)
/// and [`#[treewright::stream]`](macro@crate::stream) implement it, with the trait of the kind,
/// for the type that has the name of the function. It is not implemented by hand.
///
/// # Examples
///
/// ```
/// use treewright::{Call, Function};
///
/// #[treewright::task]
/// async fn double(n: u32) -> u32 {
///     2 * n
/// }
///
/// fn describe<F: Function>(_: &Call<F>) -> String {
///     format!("the {} {}({})", F::KIND, F::PATH, F::PARAMETERS.join(", "))
/// }
///
/// let text = describe(&double(4));
/// assert!(text.starts_with("the task ") && text.ends_with("::double(n)"));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no function that other processes can call",
    label = "this is no task, no context and no stream",
    note = "`#[treewright::task]` above an `async fn` makes it one"
)]
pub trait Function: 'static {
    /// Its arguments, as a tuple.
    type Args: Arguments;
    /// What the function returns.
    type Output: 'static;
    /// What comes back from the process that ran it: the `T` of a `Result<T, E>`, and the
    /// output itself if it is no result.
    type Value: Serialize + DeserializeOwned + 'static;

    /// What it is: a task, a context or a stream.
    const KIND: FunctionKind;
    /// What it is known by to files and to other processes.
    const PATH: &'static str;
    /// A hash of its kind, of the names and types of its arguments, of what goes through its
    /// context or stream and of what it returns, as they are written. Two programs of different builds tell by it whether they mean the
    /// same. Its lowest two bits are the kind; it is never 0.
    const SIGNATURE: u64;
    /// The names of its arguments.
    const PARAMETERS: &'static [&'static str];

    /// What the process that asked for it is told.
    ///
    /// # Errors
    ///
    /// The failure that the output stands for, if it is a `Result`.
    #[doc(hidden)]
    fn outcome(output: Self::Output) -> Result<Self::Value, TaskFailure>;
}

/// What a function that other processes call is: how one talks with it while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FunctionKind {
    /// It takes its arguments and gives its value.
    Task,
    /// It and its caller also send each other messages.
    Context,
    /// It also sends its caller items.
    Stream,
}

impl FunctionKind {
    /// The kind that a signature says, unless it is one of no such function.
    pub(crate) fn of_signature(signature: u64) -> Option<Self> {
        match signature & 0b11 {
            1 => Some(Self::Task),
            2 => Some(Self::Context),
            3 => Some(Self::Stream),
            _ => None,
        }
    }
}

/// One word, such as `task`.
impl fmt::Display for FunctionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Task => "task",
            Self::Context => "context",
            Self::Stream => "stream",
        })
    }
}
