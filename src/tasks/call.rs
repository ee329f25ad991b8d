//! A call that was not made yet.

use std::fmt;
use std::future::IntoFuture;

use futures_core::future::LocalBoxFuture;
use serde::{Serialize, Serializer};

use super::{Function, Task};

/// "This function, with these arguments": a call that nobody has made yet.
///
/// What calling a [`task`](macro@crate::task), a [`context`](macro@crate::context) or a
/// [`stream`](macro@crate::stream) returns. Hand it to what runs it elsewhere; the call of a
/// task can also be awaited, which runs the function right here.
///
/// # Examples
///
/// ```
/// #[treewright::task]
/// async fn add(a: u32, b: u32) -> u32 {
///     a + b
/// }
///
/// # treewright::run(async || {
/// let call = add(1, 2);
/// assert_eq!(call.args(), &(1, 2));
/// assert_eq!(call.await, 3);
/// # Ok(())
/// # })?;
/// # Ok::<(), treewright::Error>(())
/// ```
#[must_use = "a call does nothing until it is awaited, or handed to what runs it elsewhere"]
pub struct Call<T: Function> {
    args: T::Args,
}

impl<T: Function> Call<T> {
    /// The call of `T` with these arguments.
    pub fn from_args(args: T::Args) -> Self {
        Self { args }
    }

    /// The arguments.
    pub fn args(&self) -> &T::Args {
        &self.args
    }

    /// The arguments, out of the call.
    #[must_use]
    pub fn into_args(self) -> T::Args {
        self.args
    }
}

/// Runs the function in the task that awaits it.
impl<T: Task> IntoFuture for Call<T> {
    type Output = T::Output;
    type IntoFuture = LocalBoxFuture<'static, T::Output>;

    fn into_future(self) -> Self::IntoFuture {
        T::run(self.args)
    }
}

impl<T: Function<Args: Clone>> Clone for Call<T> {
    fn clone(&self) -> Self {
        Self {
            args: self.args.clone(),
        }
    }
}

impl<T: Function<Args: Copy>> Copy for Call<T> {}

impl<T: Function<Args: PartialEq>> PartialEq for Call<T> {
    fn eq(&self, other: &Self) -> bool {
        self.args == other.args
    }
}

impl<T: Function<Args: Eq>> Eq for Call<T> {}

impl<T: Function<Args: fmt::Debug>> fmt::Debug for Call<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("function", &T::PATH)
            .field("args", &self.args)
            .finish()
    }
}

/// The arguments, by position.
impl<T: Function> Serialize for Call<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.args.serialize(serializer)
    }
}
