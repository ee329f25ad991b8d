//! Making a link of a way to the peer.

use std::rc::Rc;

use crate::wire::{Agreed, Decoder, Limits};

use super::shared::Shared;
use super::transport::Transport;
use super::{Incoming, Link, Writer};

/// Makes a link: a handle to send by, what comes in, and the writer that its owner runs.
/// Nothing is sent by it of its own accord; [`greet`](super::greet) says hello.
pub(crate) fn open(transport: Box<dyn Transport>, limits: Limits) -> (Link, Incoming, Writer) {
    open_with(Shared::new(transport, limits), Decoder::new())
}

/// Makes a link of a way on which both ends have said hello already. `decoder` has what
/// came behind that.
pub(crate) fn open_agreed(
    transport: Box<dyn Transport>,
    limits: Limits,
    agreed: Agreed,
    decoder: Decoder,
) -> (Link, Incoming, Writer) {
    let shared = Shared::new(transport, limits);
    shared.set_agreed(agreed);
    open_with(shared, decoder)
}

fn open_with(shared: Shared, decoder: Decoder) -> (Link, Incoming, Writer) {
    let shared = Rc::new(shared);
    let incoming = Incoming::new(Rc::clone(&shared), decoder);
    let writer = Writer(Rc::clone(&shared));
    (Link::new(shared), incoming, writer)
}
