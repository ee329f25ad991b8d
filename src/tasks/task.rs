//! What a function that runs in other processes is to the types.

use futures_core::future::LocalBoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::TaskFailure;

/// A function that can run in another process.
///
/// [`#[treewright::task]`](macro@crate::task) implements it for the type that has the name
/// of the function; by that type generic code names the task. It is not implemented by hand.
///
/// # Examples
///
/// ```
/// use treewright::{Call, Task};
///
/// #[treewright::task]
/// async fn double(n: u32) -> u32 {
///     2 * n
/// }
///
/// fn describe<T: Task>(_: &Call<T>) -> String {
///     format!("{}({})", T::PATH, T::PARAMETERS.join(", "))
/// }
///
/// assert!(describe(&double(4)).ends_with("::double(n)"));
/// ```
pub trait Task: 'static {
    /// Its arguments, as a tuple.
    type Args: Serialize + DeserializeOwned + 'static;

    /// What the function returns.
    type Output: 'static;

    /// What comes back from the process that ran it: the `T` of a `Result<T, E>`, and the
    /// output itself if it is no result.
    type Value: Serialize + DeserializeOwned + 'static;

    /// What it is known by to files and to other processes.
    const PATH: &'static str;

    /// A hash of the names and types of its arguments and of what it returns, as they are
    /// written. Two programs of different builds tell by it whether they mean the same.
    const SIGNATURE: u64;

    /// The names of its arguments.
    const PARAMETERS: &'static [&'static str];

    /// Runs it here. `is_prime(7).await` is the usual way to do so.
    fn run(args: Self::Args) -> LocalBoxFuture<'static, Self::Output>;

    /// What the process that asked for it is told.
    ///
    /// # Errors
    ///
    /// The failure that the output stands for, if it is a `Result`.
    #[doc(hidden)]
    fn outcome(output: Self::Output) -> Result<Self::Value, TaskFailure>;
}
