//! Log records, on their way from every actor to the logger of the root.
//!
//! Records are made with the `log` crate. In the process of an actor they wait in a
//! [`queue`] until its [`relay`] sends them to the parent, which passes them on; in the root
//! they are handed to the program's logger, or to the plain [`console`].

mod arrival;
mod console;
mod queue;
mod record;
mod relay;
mod source;

pub(crate) use arrival::pass_on;
pub(crate) use console::install as install_console;
pub(crate) use relay::{Relay, attach};
