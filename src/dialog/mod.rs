//! One context on one link, as one of its two sides sees it.
//!
//! [`phases`] decides which frames have their place and what the user may do, [`credit`]
//! how much of a stream may be on its way; [`state`] puts both together with what waits to
//! be read. [`backlog`] bounds what waits to be written. [`handle`] is what is waited on,
//! [`incoming`] what wakes, and [`outgoing`] what sends.

mod backlog;
mod credit;
mod handle;
mod incoming;
mod outgoing;
mod phases;
#[cfg(test)]
mod phases_tests;
mod state;

pub(crate) use credit::Growth;
pub(crate) use handle::Dialog;
pub(crate) use phases::Role;
