//! What an actor is from inside: who it is, what it serves, and the life of its process.

mod boot;
mod conversation;
mod current;
mod entry;
mod handshake;
mod logging;
mod server;

#[cfg(test)]
mod cut_tests;

pub(crate) use boot::{Boot, Ready, our_hello};
pub(crate) use conversation::{Conversation, Heard};
pub(crate) use current::{Actor, enter, here};
pub use current::{CurrentActor, current_actor};
pub(crate) use entry::{Body, live, play_actor};
pub(crate) use handshake::Way;
pub(crate) use logging::install_console;
pub(crate) use server::{Server, Trust};
