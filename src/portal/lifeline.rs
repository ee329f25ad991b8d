//! What the handle of an actor needs of whoever looks after its process.

use std::fmt::Debug;
use std::pin::Pin;

use crate::error::CancelReason;
use crate::process::Exit;

/// What the handle of an actor needs of whoever looks after its process.
pub(crate) trait Lifeline: Debug {
    /// Asks it to end in order.
    fn cancel(&self, reason: CancelReason);

    /// Whether it was asked to.
    fn is_cancelled(&self) -> bool;

    /// Waits until it has ended and nothing of it is left.
    fn ended(&self) -> Pin<Box<dyn Future<Output = Exit> + '_>>;

    /// How it ended, if it has.
    fn try_ended(&self) -> Option<Exit>;
}
