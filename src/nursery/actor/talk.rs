//! The parent's half of the conversation with an actor.

use std::cell::RefCell;
use std::rc::Rc;

use serde::de::DeserializeOwned;

use super::life::Event;
use crate::actor::{Boot, Conversation, Heard, Ready, Server, our_hello};
use crate::discovery;
use crate::error::{CancelReason, Error, ErrorContext, ErrorKind, Result};
use crate::id::ContextId;
use crate::link::{Incoming, Link};
use crate::portal::{Lifeline, Peer};
use crate::rt::channel::Sender;
use crate::wire::{Codec, Encoded, Hello, Kind, negotiate};

/// What came over the link that the owner of the actor wants to know when it has ended.
#[derive(Debug, Default)]
pub(super) struct Overheard {
    /// Why it ends on its own account.
    pub(super) goodbye: Option<CancelReason>,
    /// How the link broke, if it did not just end.
    pub(super) breach: Option<Error>,
}

/// Tells a new actor who speaks, and what it is to be. It reads that when it is up.
pub(super) fn introduce(link: &Link, boot: &Boot) -> Result<()> {
    let context = ContextId::LINK;
    let hello = Encoded::new(Codec::Cbor, Kind::Hello, context, &our_hello());
    let boot = Encoded::new(Codec::Cbor, Kind::Boot, context, boot);
    let _cork = link.cork();
    let first = link.send(hello.context("cannot encode a hello")?);
    first.context("cannot say hello")?;
    let second = link.send(boot.context("cannot encode what the actor is to be")?);
    second.context("cannot say what the actor is to be")
}

/// Talks with the actor from its first word to the end of the link, and tells its owner
/// what happens.
pub(super) async fn talk(
    peer: Rc<Peer>,
    mut incoming: Incoming,
    server: Server,
    ear: Rc<dyn Lifeline>,
    owner: Sender<Event>,
    overheard: Rc<RefCell<Overheard>>,
) {
    // The owner listens for as long as this runs, and until it has seen its end.
    let tell = |event| {
        let _sent = owner.try_send(event);
    };
    if let Err(error) = shake_hands(peer.link(), &mut incoming).await {
        overheard.borrow_mut().breach = Some(error);
        tell(Event::Refused);
        return;
    }
    discovery::child_up(&peer, ear);
    tell(Event::Ready);
    let mut conversation = Conversation::new(peer, incoming, server);
    let outcome = conversation
        .run(|heard| match heard {
            Heard::CancelAck => tell(Event::Acknowledged),
            Heard::Goodbye(reason) => overheard.borrow_mut().goodbye = Some(reason),
            // Refused by the server before it comes here: a child does not end its parent. And
            // it does not refuse to end; if it did, its process would be ended.
            Heard::Cancel(_) | Heard::Refused(_) => {}
        })
        .await;
    overheard.borrow_mut().breach = outcome.err();
    tell(Event::LinkEnded);
}

/// Hears who it is, and that it is up.
async fn shake_hands(link: &Link, incoming: &mut Incoming) -> Result<()> {
    let hello: Hello = expect(incoming, Kind::Hello, Codec::Cbor).await?;
    let agreed = negotiate(&our_hello(), &hello).context("cannot agree with the actor")?;
    link.set_agreed(agreed);
    let _ready: Ready = expect(incoming, Kind::Ready, link.codec()).await?;
    Ok(())
}

/// The next frame, which must be of this kind.
async fn expect<T: DeserializeOwned>(
    incoming: &mut Incoming,
    kind: Kind,
    codec: Codec,
) -> Result<T> {
    let frame = incoming.next().await.transpose();
    match frame.context("the link broke")? {
        Some(frame) if frame.kind == kind => frame
            .decode(codec)
            .with_context(|| format!("cannot read the {kind:?} of the actor")),
        Some(frame) => Err(Error::new(
            ErrorKind::Broken,
            format!("the actor sent {:?} instead of {kind:?}", frame.kind),
        )),
        None => Err(Error::new(ErrorKind::Broken, "the link ended")),
    }
}
