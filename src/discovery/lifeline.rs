//! What the handles of actors can do that this one has not started.

use std::any::Any;
use std::pin::Pin;
use std::rc::Rc;

use futures_lite::future::or;

use super::direct::{Direct, Lease, lost};
use super::ends::SOMEHOW;
use super::membership::Membership;
use crate::error::{CancelReason, Error, ErrorKind, Result};
use crate::id::ContextId;
use crate::portal::{Lifeline, Peer, Portal};
use crate::process::Exit;
use crate::rt::Latch;

/// What the handle of an actor needs of the link to it.
#[derive(Debug)]
pub(super) struct PeersEar {
    membership: Rc<Membership>,
    lease: Lease,
    asked: Latch,
}

impl PeersEar {
    pub(super) fn new(membership: Rc<Membership>, lease: Lease) -> Self {
        Self {
            membership,
            lease,
            asked: Latch::new(),
        }
    }

    /// Waits until the root knows that it has ended, or cannot be asked.
    async fn until_ended(&self) -> Exit {
        let direct = self.direct();
        let exit = match self.membership.end_of(direct.peer.id()).await {
            Ok(exit) => exit,
            Err(_) => {
                direct.peer.link().closed().await;
                SOMEHOW
            }
        };
        *direct.exit.get_or_init(|| exit)
    }

    fn direct(&self) -> &Direct {
        &self.lease.direct
    }
}

impl Lifeline for PeersEar {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn cancel(&self, reason: CancelReason) {
        self.asked.set();
        self.direct().peer.send_cancel(ContextId::LINK, &reason);
    }

    fn is_cancelled(&self) -> bool {
        self.asked.is_set()
    }

    fn ended(&self) -> Pin<Box<dyn Future<Output = Exit> + '_>> {
        Box::pin(self.until_ended())
    }

    fn cancelled(&self) -> Pin<Box<dyn Future<Output = Result<Exit>> + '_>> {
        let refused = async {
            self.direct().refused.wait().await;
            let refusal = self.direct().refusal.get().cloned();
            Err(refusal.expect("invariant: the refusal is set before the latch"))
        };
        let ended = async { Ok(self.until_ended().await) };
        let lost = async {
            let peer = &self.direct().peer;
            peer.link().closed().await;
            match self.membership.has_ended(peer.id()).await {
                true => Ok(self.until_ended().await),
                false => Err(lost(peer, Ok(()))),
            }
        };
        // All only wait. One that refuses does not end.
        Box::pin(or(refused, or(ended, lost)))
    }

    fn try_ended(&self) -> Option<Exit> {
        self.direct().exit.get().copied()
    }
}

/// What the handle of who is above needs of the link to it.
#[derive(Debug)]
struct AbovesEar {
    membership: Rc<Membership>,
    peer: Rc<Peer>,
}

impl Lifeline for AbovesEar {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn cancel(&self, _reason: CancelReason) {
        // It is refused below, and who is above does not hear of it.
    }

    fn is_cancelled(&self) -> bool {
        false
    }

    fn ended(&self) -> Pin<Box<dyn Future<Output = Exit> + '_>> {
        Box::pin(async {
            self.peer.link().closed().await;
            SOMEHOW
        })
    }

    fn cancelled(&self) -> Pin<Box<dyn Future<Output = Result<Exit>> + '_>> {
        let message = format!("actor `{}` is not ended by this one", self.peer.id().name());
        let error = Error::new(ErrorKind::Refused, message)
            .with_hint("an actor ends those that it has started, and others that are not above it");
        Box::pin(std::future::ready(Err(error)))
    }

    fn try_ended(&self) -> Option<Exit> {
        self.peer.link().is_closed().then_some(SOMEHOW)
    }
}

impl Membership {
    /// The handle of who is above.
    pub(super) fn portal_above(self: &Rc<Self>, peer: Rc<Peer>) -> Portal {
        let ear = AbovesEar {
            membership: Rc::clone(self),
            peer: Rc::clone(&peer),
        };
        Portal::new(peer, Rc::new(ear))
    }

    /// The tree in which an actor was found; none for one that was started here.
    pub(super) fn of(lifeline: &dyn Lifeline) -> Option<Rc<Self>> {
        let any = lifeline.as_any();
        let found = any.downcast_ref().map(|ear: &PeersEar| &ear.membership);
        let above = || any.downcast_ref().map(|ear: &AbovesEar| &ear.membership);
        found.or_else(above).cloned()
    }
}
