//! The handle of an actor, and the calls that are open on the link to it.
//!
//! [`peer`] is one link as both sides see it, [`reply`] is where one call waits.

mod handle;
mod lifeline;
mod peer;
mod reply;

pub use handle::Portal;
pub(crate) use lifeline::Lifeline;
pub(crate) use peer::Peer;
