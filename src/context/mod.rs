//! A two-way conversation with a function in another actor.
//!
//! [`opened`] is the side of who asked for it, [`callee`] that of the function, [`stream`]
//! what both send each other, [`broadcast`] what many tasks make of one stream. What they decide by is in [`dialog`](crate::dialog).

mod arrivals;
mod broadcast;
mod callee;
mod charge;
mod function;
mod open;
mod opened;
mod payload;
mod receiver;
mod remote_stream;
mod sender;
mod stream;

pub use broadcast::{BroadcastReceiver, Lag};
pub use callee::{Context, StartedContext};
pub use function::{ContextFunction, StreamFunction};
pub use opened::{OpenContext, Outcome};
pub use receiver::StreamReceiver;
pub use remote_stream::RemoteStream;
pub use sender::{StreamSender, TrySendError};
pub use stream::MsgStream;
