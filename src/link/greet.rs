//! Saying hello.

use std::time::Duration;

use crate::error::RemoteError;
use crate::id::ContextId;
use crate::rt::within;
use crate::wire::{Agreed, Codec, Encoded, Hello, Kind, negotiate};

use super::{Incoming, Link, LinkError};

/// Says hello, waits for the peer's, and goes by what both agree upon from then on.
///
/// # Errors
///
/// If the peer says nothing for `deadline`, says something else, or has nothing in common
/// with this side. The link is closed then.
///
/// # Cancel safety
///
/// Dropping the future leaves a link that has said hello and is of no use for anything
/// but to be dropped.
pub(crate) async fn greet(
    link: &Link,
    incoming: &mut Incoming,
    ours: &Hello,
    deadline: Duration,
) -> Result<(Agreed, Hello), LinkError> {
    let greeted = exchange(link, incoming, ours, deadline).await;
    if let Err(error) = &greeted {
        link.shared().finish(error.clone());
    }
    greeted
}

async fn exchange(
    link: &Link,
    incoming: &mut Incoming,
    ours: &Hello,
    deadline: Duration,
) -> Result<(Agreed, Hello), LinkError> {
    let hello = Encoded::new(Codec::Cbor, Kind::Hello, ContextId::new(0), ours);
    // A peer that has gone may have said why before; what it said is still there to be read.
    let sent = link.send(hello.map_err(LinkError::Hello)?);
    let frame = match within(deadline, incoming.next()).await? {
        Some(frame) => frame?,
        None => return Err(LinkError::Ended),
    };
    if frame.kind == Kind::Error {
        let refusal: RemoteError = frame.decode(Codec::Cbor).map_err(LinkError::Hello)?;
        return Err(LinkError::Refused(Box::new(refusal)));
    }
    if frame.kind != Kind::Hello {
        return Err(LinkError::NoHello(frame.kind));
    }
    sent?;
    let theirs: Hello = frame.decode(Codec::Cbor).map_err(LinkError::Hello)?;
    let agreed = negotiate(ours, &theirs)?;
    link.set_agreed(agreed);
    Ok((agreed, theirs))
}
