//! Ways for bytes to go both ways between two ends.

mod interface;
mod memory;
mod pipes;
mod socket;

pub(crate) use interface::Transport;
pub(crate) use memory::{Memory, memory_pair};
pub(crate) use pipes::Pipes;
pub(crate) use socket::Socket;
