//! What a function that takes its arguments and gives its value is to the types.

use futures_core::future::LocalBoxFuture;

use super::Function;

/// A function that can run in another process.
///
/// [`#[treewright::task]`](macro@crate::task) implements it for the type that has the name
/// of the function; by that type generic code names the task. It is not implemented by hand.
///
/// # Examples
///
/// ```
/// use treewright::{Call, Portal, Task};
///
/// /// Runs a task on each of the actors.
/// async fn run_on_all<T>(portals: &[Portal], call: Call<T>) -> treewright::Result<Vec<T::Value>>
/// where
///     T: Task<Args: Clone>,
/// {
///     let mut values = Vec::new();
///     for portal in portals {
///         values.push(portal.run(call.clone()).await?);
///     }
///     Ok(values)
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a task",
    label = "only a function marked `#[treewright::task]` can be run",
    note = "a context is opened by `portal.open_context(..)`, a stream by `portal.open_stream_from(..)`"
)]
pub trait Task: Function {
    /// Runs it here. `is_prime(7).await` is the usual way to do so.
    fn run(args: Self::Args) -> LocalBoxFuture<'static, Self::Output>;

    /// The same without a box, for who runs it many times in a row.
    #[doc(hidden)]
    fn call(args: Self::Args) -> impl Future<Output = Self::Output> + 'static;
}
