//! Taking one end of a new link from hop to hop to whom it is for.
//!
//! Where a hop cannot pass it, a [`relay`](super::relay) carries its bytes over that hop.
//!
//! The other end is with who wants it. Whoever cannot pass its end on closes it, and the other
//! end sees that; who knows why says so over it before.

use std::os::fd::OwnedFd;
use std::rc::Rc;

use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, send, socketpair};

use super::direct;
use super::directory::{Breach, Way};
use super::membership::Membership;
use crate::error::{Error, ErrorContext, ErrorKind, RemoteError, Result};
use crate::id::{ActorId, ContextId};
use crate::wire::{Codec, Encoded, Introduce, Kind};

impl Membership {
    /// Sends one end of a new link on its way to `to`, and gives the other one.
    pub(super) fn introduce(self: &Rc<Self>, to: &ActorId) -> Result<OwnedFd> {
        let (ours, theirs) = socket_pair()
            .with_context(|| format!("cannot make a link to actor `{}`", to.name()))?;
        let body = Introduce {
            from: self.actor().id.clone(),
            to: Some(to.clone()),
            is_guest: self.is_guest(),
            refused: None,
        };
        // Where there is no way, its end is closed, which is what the other one shows.
        if let Some(way) = self.route(to) {
            self.send_on(way, body, theirs);
        }
        Ok(ours)
    }

    /// Takes in an introduction that came this way, and the link that came with it.
    pub(super) fn pass_on(
        self: &Rc<Self>,
        way: Way,
        mut body: Introduce,
        link: Option<OwnedFd>,
    ) -> Result<(), Breach> {
        let Some(to) = body.to.clone() else {
            return Err("a second introduction of oneself");
        };
        if let Some(refused) = body.refused.take() {
            self.pass_back(way, &to, body, refused);
            return Ok(());
        }
        if let Way::Line(key) = way {
            // Nobody can say that it is somebody else.
            match self.guest(key) {
                Some(guest) if guest == body.from => body.is_guest = true,
                None if self.route(&body.from) == Some(way) => {}
                _ => return Err("an introduction of somebody else"),
            }
        }
        let Some(link) = link else {
            self.refuse_back(way, body);
            return Ok(());
        };
        match self.route(&to) {
            Some(Way::Here) => direct::accept(self, body, link),
            Some(next) if next != way => self.send_on(next, body, link),
            // It has ended since.
            _ => {}
        }
        Ok(())
    }

    /// No link came with this: whoever wants it is told, back the way it came.
    fn refuse_back(&self, way: Way, mut body: Introduce) {
        let here = &self.actor().id;
        let message = format!("actor `{}` has no room for another descriptor", here.name());
        let error = Error::new(ErrorKind::Refused, message).with_hint(
            "raise its limit of open files, or that of descriptors of this user under way",
        );
        body.refused = Some(Box::new(RemoteError::pack(&error, here)));
        self.tell(way, Kind::Introduce, &body);
    }

    /// Takes a refusal back to who wants the link.
    fn pass_back(&self, way: Way, to: &ActorId, mut body: Introduce, refused: Box<RemoteError>) {
        // From below it is believed of those who are there; one of them may just have ended.
        if matches!(way, Way::Line(_)) && self.route(to) != Some(way) {
            return;
        }
        match self.way_back(&body.from) {
            Some(Way::Here) => self.direct().refuse(to, (*refused).into()),
            Some(next) if next != way => {
                body.refused = Some(refused);
                self.tell(next, Kind::Introduce, &body);
            }
            _ => {}
        }
    }

    /// Sends a link on its way: as it is, or where the hop cannot pass it its bytes.
    fn send_on(self: &Rc<Self>, way: Way, body: Introduce, link: OwnedFd) {
        let Some(peer) = self.peer_at(way) else {
            return;
        };
        if !peer.link().passes_descriptors() {
            self.relay_on(way, &peer, body, link);
            return;
        }
        let frame = Encoded::new(peer.link().codec(), Kind::Introduce, ContextId::LINK, &body);
        if let Ok(frame) = frame {
            // Nobody there closes it.
            let _gone = peer.link().send_with(frame, link);
        }
    }
}

/// The two ends of a new link.
pub(super) fn socket_pair() -> Result<(OwnedFd, OwnedFd)> {
    let flags = SocketFlags::CLOEXEC;
    let pair = socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None);
    pair.context("cannot make a pair of sockets")
}

/// The frame that says why there will be no link. It stands in place of a hello.
pub(super) fn refusal(codec: Codec, error: &Error, here: &ActorId) -> Option<Encoded> {
    let error = RemoteError::pack(error, here);
    Encoded::new(codec, Kind::Error, ContextId::LINK, &error).ok()
}

/// Tells who is at the other end why there will be no link. It reads that in place of a hello.
pub(super) fn refuse(link: &OwnedFd, error: &Error, here: &ActorId) {
    if let Some(frame) = refusal(Codec::Cbor, error, here) {
        let bytes = frame.slices().concat();
        // A new socket has room for it. Whoever has gone needs no reason.
        let _gone = send(link, &bytes, SendFlags::NOSIGNAL | SendFlags::DONTWAIT);
    }
}
