//! What the handle of an actor needs of whoever looks after its process.

use std::any::Any;
use std::fmt::Debug;
use std::pin::Pin;

use crate::error::{CancelReason, Result};
use crate::process::Exit;

/// What the handle of an actor needs of whoever looks after its process.
pub(crate) trait Lifeline: Debug {
    /// Itself, for whoever has made it.
    fn as_any(&self) -> &dyn Any;

    /// Asks it to end in order.
    fn cancel(&self, reason: CancelReason);

    /// Ends the actor at once, as far as that is ours to do.
    fn kill(&self, reason: CancelReason) {
        self.cancel(reason);
    }

    /// Whether it was asked to.
    fn is_cancelled(&self) -> bool;

    /// Waits until it has ended and nothing of it is left.
    fn ended(&self) -> Pin<Box<dyn Future<Output = Exit> + '_>>;

    /// Waits until it has ended because it was asked to, or has refused to.
    fn cancelled(&self) -> Pin<Box<dyn Future<Output = Result<Exit>> + '_>> {
        Box::pin(async { Ok(self.ended().await) })
    }

    /// How it ended, if it has.
    fn try_ended(&self) -> Option<Exit>;
}
