//! What a local task gives, and the handle on it.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use super::node::{Node, Urgency};
use crate::error::{CancelReason, Error, Result};
use crate::rt::Latch;

/// What a task may come out with: nothing, a plain value, or a [`Result`] whose error
/// ends the scope.
///
/// It is implemented for [`Result`] and for common types of the standard library. For a
/// type of your own, return `Ok(value)`, or implement it in one line.
#[diagnostic::on_unimplemented(
    message = "a task cannot come out with `{Self}`",
    note = "return `Ok(value)`; errors of other types become `treewright::Error` with `?`"
)]
pub trait TaskOutput {
    /// What the task's handle gives.
    type Value;

    /// The value, or the failure that ends the scope.
    ///
    /// # Errors
    ///
    /// The failure, if this is one.
    fn into_result(self) -> Result<Self::Value>;
}

// Only for our own error, so that `Ok(())` at the end of an async block needs no
// annotation.
impl<T> TaskOutput for Result<T> {
    type Value = T;

    fn into_result(self) -> Result<T> {
        self
    }
}

/// The type `!`, which has no name outside of a function's return type yet.
type Never = <fn() -> ! as Return>::Type;

trait Return {
    type Type;
}

impl<T> Return for fn() -> T {
    type Type = T;
}

/// A task that never comes to its end, but by cancellation.
#[expect(
    private_interfaces,
    reason = "the name is private, the type it stands for is not"
)]
impl TaskOutput for Never {
    type Value = std::convert::Infallible;

    fn into_result(self) -> Result<Self::Value> {
        self
    }
}

macro_rules! plain_value {
    ($($({$($generic:tt)*})? $type:ty),* $(,)?) => {$(
        impl $(<$($generic)*>)? TaskOutput for $type {
            type Value = Self;

            fn into_result(self) -> Result<Self> {
                Ok(self)
            }
        }
    )*};
}

plain_value!(
    (), bool, char, String, &'static str,
    u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize, f32, f64,
    std::time::Duration, std::path::PathBuf, std::convert::Infallible,
    {T} Option<T>, {T} Vec<T>, {T: ?Sized} Box<T>, {T: ?Sized} Rc<T>,
    {T: ?Sized} std::sync::Arc<T>, {T, const N: usize} [T; N],
    {K, V} std::collections::BTreeMap<K, V>, {K, V, S} std::collections::HashMap<K, V, S>,
    {A, B} (A, B), {A, B, C} (A, B, C), {A, B, C, D} (A, B, C, D),
);

/// A handle on a task of a nursery.
///
/// Dropping it does not cancel the task: the nursery owns what it started.
pub struct TaskHandle<T> {
    shared: Rc<Shared<T>>,
    /// Missing if the task was never started.
    node: Option<Rc<Node>>,
}

struct Shared<T> {
    result: RefCell<Option<Result<T>>>,
    finished: Latch,
}

impl<T> TaskHandle<T> {
    pub(super) fn new(node: Rc<Node>) -> (Self, Outlet<T>) {
        let shared = Rc::new(Shared {
            result: RefCell::default(),
            finished: Latch::new(),
        });
        let outlet = Outlet(Rc::clone(&shared));
        let node = Some(node);
        (Self { shared, node }, outlet)
    }

    /// The handle of a task that was not started.
    pub(super) fn refused(error: Error) -> Self {
        let finished = Latch::new();
        finished.set();
        let result = RefCell::new(Some(Err(error)));
        let shared = Rc::new(Shared { result, finished });
        Self { shared, node: None }
    }

    /// Waits until the task has ended, and gives what it came out with.
    ///
    /// A failure also ends the scope, so code of the same scope that waits here is
    /// usually cancelled before it sees the error.
    ///
    /// # Errors
    ///
    /// What the task failed with; the reason if it was cancelled; an error for which
    /// [`Error::is_closed`] holds if its scope had ended before it was started.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses the result, since it has consumed the handle. To wait
    /// without that, use [`finished`](Self::finished).
    pub async fn result(self) -> Result<T> {
        self.finished().await;
        let result = self.shared.result.take();
        result.expect("invariant: a finished task has a result, and taking it consumes the handle")
    }

    /// Waits until the task has ended, and leaves its result where it is.
    ///
    /// # Cancel safety
    ///
    /// Safe.
    pub async fn finished(&self) {
        self.shared.finished.wait().await;
    }

    /// Whether the task has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.shared.finished.is_set()
    }

    /// Cancels this task and leaves the others alone. That is no failure of the scope.
    #[track_caller]
    pub fn cancel(&self, reason: impl Into<CancelReason>) {
        let reason = reason.into().asked_at(std::panic::Location::caller());
        if let Some(node) = &self.node {
            node.cancel(reason, Urgency::InOrder);
        }
    }
}

impl<T> fmt::Debug for TaskHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskHandle")
            .field("is_finished", &self.is_finished())
            .finish_non_exhaustive()
    }
}

/// The task's end of its handle. Dropped with its task, it says that nothing will come.
pub(super) struct Outlet<T>(Rc<Shared<T>>);

impl<T> Outlet<T> {
    pub(super) fn put(self, result: Result<T>) {
        self.0.result.replace(Some(result));
    }
}

impl<T> Drop for Outlet<T> {
    fn drop(&mut self) {
        if let Ok(mut result) = self.0.result.try_borrow_mut() {
            result.get_or_insert_with(|| Err(super::open::dropped()));
        }
        self.0.finished.set();
    }
}
