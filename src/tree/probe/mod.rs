//! Finding out whether a child is ready, and whether it still works.
//!
//! What decides is pure: `ready::ReadyState` and `live::LiveState`
//! take events with the time and say what is to be done; one small loop asks, listens and waits.

mod asker;
mod failure;
mod http;
mod live;
mod notify;
#[cfg(test)]
mod properties;
mod ready;
mod run;
mod step;
mod tries;

pub use asker::MakeCommand;
pub use failure::{NotReady, TryFailure, Unwell};
pub use notify::{Notification, NotifyError, NotifyInbox, NotifySocket};
pub use ready::READY_TRY;
pub use run::{ReadyProbe, watch_live};
