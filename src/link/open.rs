//! Making a link of a way to the peer.

use std::rc::Rc;

use crate::wire::Limits;

use super::shared::Shared;
use super::transport::Transport;
use super::{Incoming, Link, Writer};

/// Makes a link: a handle to send by, what comes in, and the writer that its owner runs.
/// Nothing is sent by it of its own accord; [`greet`](super::greet) says hello.
pub(crate) fn open(transport: Box<dyn Transport>, limits: Limits) -> (Link, Incoming, Writer) {
    let shared = Rc::new(Shared::new(transport, limits));
    let incoming = Incoming::new(Rc::clone(&shared));
    let writer = Writer(Rc::clone(&shared));
    (Link::new(shared), incoming, writer)
}
