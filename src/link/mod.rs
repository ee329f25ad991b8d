//! One connection to a peer: what is sent on it and in which order, what is received, and
//! the ways there are to connect.
#![expect(unused_imports, reason = "the layers above take these up one by one")]

mod error;
mod greet;
mod handle;
mod incoming;
mod open;
mod outbox;
mod shared;
mod transport;
mod writer;

#[cfg(test)]
mod conformance_tests;
#[cfg(test)]
mod descriptor_tests;
#[cfg(test)]
mod fault_tests;
#[cfg(test)]
mod outbox_tests;
#[cfg(test)]
mod test_support;

pub(crate) use error::LinkError;
pub(crate) use greet::greet;
pub(crate) use handle::{Cork, Link};
pub(crate) use incoming::Incoming;
pub(crate) use open::{open, open_agreed};
pub(crate) use transport::{
    Memory, NamedError, NamedListener, Pipes, Socket, TcpDoor, Transport, connect_named,
    connect_tcp, memory_pair,
};
pub(crate) use writer::Writer;
