//! Ways for bytes to go both ways between two ends.

mod claim;
#[cfg(test)]
mod faulty;
mod interface;
mod memory;
mod named;
mod pipes;
mod socket;
mod tcp;

#[cfg(test)]
pub(crate) use faulty::{Fault, Faulty, Plan};
pub(crate) use interface::{Arrived, Transport};
pub(crate) use memory::{Memory, memory_pair};
pub(crate) use named::{NamedError, NamedListener, connect_named};
pub(crate) use pipes::Pipes;
pub(crate) use socket::Socket;
pub(crate) use tcp::{TcpDoor, connect_tcp};
