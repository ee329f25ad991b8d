//! Links between two actors of which neither is the other's parent, at either end.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::Duration;

use futures_lite::future::or;

use super::ends::SOMEHOW;
use super::introduction::refuse;
use super::lifeline::PeersEar;
use super::membership::Membership;
use super::usage::{self, Usage};
use crate::actor::{Conversation, Heard, Server, Trust, our_hello};
use crate::error::{
    CancelOrigin, CancelReason, Error, ErrorContext, ErrorKind, RemoteError, RemoteKind, Result,
};
use crate::id::{ActorId, ContextId, Side};
use crate::link::{self, Incoming, LinkError, Socket, Transport, greet};
use crate::portal::{Peer, Portal};
use crate::process::Exit;
use crate::rt::{self, Latch};
use crate::scope::Urgency;
use crate::undertaker::{self, Undertaker};
use crate::wire::{Encoded, Introduce, Kind, Limits};

/// How long the other side may take to say hello.
pub(super) const HELLO: Duration = Duration::from_secs(10);

/// How long the end of an actor may take to be known after its link was closed.
const NEWS: Duration = Duration::from_secs(5);

/// How many links one actor may have to another: more than one only when both want one at the
/// same moment, or an earlier one has broken or served and is not closed yet.
const MOST_OF_ONE: usize = 8;

/// A link to another actor, with what is heard over it beside calls.
#[derive(Debug)]
pub(super) struct Direct {
    pub(super) peer: Rc<Peer>,
    /// What it answered when it was asked to end, if it did not do so.
    pub(super) refusal: OnceCell<Error>,
    pub(super) refused: Latch,
    /// How the actor ended, once that is known to those who have a handle over this.
    pub(super) exit: OnceCell<Exit>,
    usage: Cell<Usage>,
    leases: Cell<usize>,
    /// This side has had a handle over it since it left it last.
    was_used: Cell<bool>,
}

impl Direct {
    fn step(&self, event: usage::Event) {
        let mut usage = self.usage.get();
        let action = usage.step(event);
        self.usage.set(usage);
        match action {
            Some(usage::Action::Leave) => self.say_goodbye(),
            Some(usage::Action::Close) => self.peer.link().close(),
            None => {}
        }
    }

    fn say_goodbye(&self) {
        let reason = CancelReason::new(CancelOrigin::Request).with_message(NO_USE);
        let codec = self.peer.link().codec();
        let goodbye = Encoded::new(codec, Kind::Goodbye, ContextId::LINK, &reason);
        if let Ok(goodbye) = goodbye {
            // One that is not there any more has left, too.
            let _gone = self.peer.send(goodbye);
        }
    }

    fn is_used(&self) -> bool {
        self.leases.get() > 0 || self.peer.is_calling()
    }

    /// Leaves the link whenever this side has used it and does so no more.
    async fn leave_when_idle<T>(&self) -> T {
        loop {
            // It listens before it looks, so that nothing comes in between.
            let freed = self.peer.freed();
            if self.was_used.get() && !self.is_used() {
                self.was_used.set(false);
                self.step(usage::Event::Idle);
            }
            freed.await;
        }
    }
}

/// What is said when a link is left.
const NO_USE: &str = "nobody uses the link any more";

/// The use of a link by one handle and its clones.
#[derive(Debug)]
pub(super) struct Lease {
    pub(super) direct: Rc<Direct>,
}

impl Lease {
    fn new(direct: &Rc<Direct>) -> Self {
        direct.leases.set(direct.leases.get() + 1);
        direct.was_used.set(true);
        direct.peer.free(false);
        Self {
            direct: Rc::clone(direct),
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let left = self.direct.leases.get() - 1;
        self.direct.leases.set(left);
        // Calls and contexts that are open still are waited for.
        self.direct.peer.free(left == 0);
    }
}

/// An attempt to get a link to an actor. Several may wait for it, and it is nobody's.
#[derive(Debug, Default)]
struct Attempt {
    /// None if the actor has ended. It holds the link for those who wait.
    outcome: OnceCell<Result<Option<Portal>>>,
    is_over: Latch,
    /// Why a hop on the way could not pass it on.
    refusal: OnceCell<Error>,
    is_refused: Latch,
}

/// The links of one actor to others that it is not parent or child of.
#[derive(Debug, Default)]
pub(super) struct DirectLinks {
    open: RefCell<Vec<Rc<Direct>>>,
    attempts: RefCell<HashMap<ActorId, Rc<Attempt>>>,
}

impl DirectLinks {
    /// A link to this actor that may be used, if there is one.
    fn to(&self, id: &ActorId) -> Option<Rc<Direct>> {
        let open = self.open.borrow();
        let mut open = open.iter();
        let usable = open.find(|one| one.peer.id() == id && one.usage.get().is_open());
        usable.cloned()
    }

    fn count(&self, id: &ActorId) -> usize {
        let open = self.open.borrow();
        open.iter().filter(|one| one.peer.id() == id).count()
    }

    fn remove(&self, direct: &Rc<Direct>) {
        let mut open = self.open.borrow_mut();
        open.retain(|one| !Rc::ptr_eq(one, direct));
    }

    /// A hop on the way to this actor could not pass the link on that is waited for.
    pub(super) fn refuse(&self, to: &ActorId, error: Error) {
        if let Some(attempt) = self.attempts.borrow().get(to) {
            let _first_stays = attempt.refusal.set(error);
            attempt.is_refused.set();
        }
    }

    /// Ends all of them.
    pub(super) fn close(&self) {
        let open = self.open.borrow().clone();
        open.iter().for_each(|one| one.peer.link().abort());
    }

    /// Holds none any more.
    pub(super) fn clear(&self) {
        self.open.take();
        self.attempts.take();
    }
}

impl Membership {
    /// A handle of this actor, over the link to it that there is or over a new one. None if it
    /// has ended.
    pub(super) async fn portal_to(self: &Rc<Self>, id: &ActorId) -> Result<Option<Portal>> {
        if let Some(above) = self.above().filter(|above| above.id() == id) {
            return Ok(Some(self.portal_above(above)));
        }
        if let Some(child) = self.child(id) {
            return Ok(Some(child));
        }
        match self.direct().to(id) {
            Some(direct) => Ok(Some(self.portal_over(&direct))),
            None => self.attempt(id).await,
        }
    }

    fn portal_over(self: &Rc<Self>, direct: &Rc<Direct>) -> Portal {
        let ear = PeersEar::new(Rc::clone(self), Lease::new(direct));
        Portal::new(Rc::clone(&direct.peer), Rc::new(ear))
    }

    /// Waits for the attempt that is under way, or for a new one.
    async fn attempt(self: &Rc<Self>, id: &ActorId) -> Result<Option<Portal>> {
        let under_way = self.direct().attempts.borrow().get(id).cloned();
        let attempt = match under_way {
            Some(attempt) => attempt,
            None => self.begin_attempt(id)?,
        };
        attempt.is_over.wait().await;
        let outcome = attempt.outcome.get().cloned();
        outcome.expect("invariant: the outcome is set before the latch")
    }

    fn begin_attempt(self: &Rc<Self>, id: &ActorId) -> Result<Rc<Attempt>> {
        let undertaker = undertaker::current()?;
        let attempt = Rc::new(Attempt::default());
        let mut attempts = self.direct().attempts.borrow_mut();
        attempts.insert(id.clone(), Rc::clone(&attempt));
        let (membership, id, under_way) = (Rc::clone(self), id.clone(), Rc::clone(&attempt));
        // Beside everything: one of those who wait for it may be dropped.
        undertaker.run_beside(async move {
            let refused = async {
                under_way.is_refused.wait().await;
                let error = under_way.refusal.get().cloned();
                let error = error.expect("invariant: the refusal is set before the latch");
                Err(error.context(format!("cannot get a link to actor `{}`", id.name())))
            };
            let outcome = or(membership.dial(&id), refused).await;
            membership.direct().attempts.borrow_mut().remove(&id);
            let _once = under_way.outcome.set(outcome);
            under_way.is_over.set();
        });
        Ok(attempt)
    }

    /// Gets a new link to this actor.
    async fn dial(self: &Rc<Self>, id: &ActorId) -> Result<Option<Portal>> {
        let cannot = || format!("cannot get a link to actor `{}`", id.name());
        let ours: Box<dyn Transport> = match *id == self.actor().id {
            true => self.dial_oneself(id),
            false => Box::new(Socket::new(self.introduce(id)?).with_context(cannot)?),
        };
        match self
            .open(id, ours, Side::Starter, self.trust(id, self.is_guest()))
            .await
        {
            Ok(direct) => Ok(Some(self.portal_over(&direct))),
            Err(error) if is_closed(&error) && self.has_ended(id).await => Ok(None),
            Err(error) => Err(broken(error).context(cannot())),
        }
    }

    /// One end of a link in this thread, the other of which is served here, too.
    fn dial_oneself(self: &Rc<Self>, id: &ActorId) -> Box<dyn Transport> {
        let (near, far) = link::memory_pair(64 * 1024);
        let from = Introduce {
            from: id.clone(),
            to: Some(id.clone()),
            is_guest: false,
            refused: None,
        };
        self.serve_link(from, Box::new(far));
        Box::new(near)
    }

    /// Whether an actor whose link was closed has ended; the news of that may be on its way.
    pub(super) async fn has_ended(&self, id: &ActorId) -> bool {
        matches!(rt::within(NEWS, self.end_of(id)).await, Ok(Ok(_)))
    }

    /// Makes a link of a way to this actor, once both have said hello, and serves it.
    async fn open(
        self: &Rc<Self>,
        id: &ActorId,
        transport: Box<dyn Transport>,
        side: Side,
        trust: Trust,
    ) -> Result<Rc<Direct>, LinkError> {
        let undertaker = undertaker::current().map_err(|_| LinkError::Closed)?;
        let (link, mut incoming, writer) = link::open(transport, Limits::default());
        undertaker.run_beside(writer.run());
        greet(&link, &mut incoming, &our_hello(), HELLO).await?;
        let here = self.actor().id.clone();
        let direct = Rc::new(Direct {
            peer: Peer::new(id.clone(), here, link, side),
            refusal: OnceCell::new(),
            refused: Latch::new(),
            exit: OnceCell::new(),
            usage: Cell::default(),
            leases: Cell::default(),
            was_used: Cell::default(),
        });
        self.direct().open.borrow_mut().push(Rc::clone(&direct));
        let talk = talk(Rc::clone(self), Rc::clone(&direct), incoming, trust);
        undertaker.run_beside(talk);
        Ok(direct)
    }

    /// What another actor may do here.
    fn trust(&self, id: &ActorId, is_guest: bool) -> Trust {
        match is_guest || self.is_below(id) || *id == self.actor().id {
            true => Trust::Guest,
            false => Trust::Peer,
        }
    }

    fn serve_link(self: &Rc<Self>, body: Introduce, transport: Box<dyn Transport>) {
        let membership = Rc::clone(self);
        let trust = self.trust(&body.from, body.is_guest);
        if let Ok(undertaker) = undertaker::current() {
            undertaker.run_beside(async move {
                // Whoever wanted it is told by its end of the link.
                let opened = membership.open(&body.from, transport, Side::Started, trust);
                let _failed = opened.await;
            });
        }
    }
}

/// Whether the other end was closed without a word, as it is by who has ended.
fn is_closed(error: &LinkError) -> bool {
    matches!(
        error,
        LinkError::Ended | LinkError::EndedMidMessage | LinkError::Io { .. }
    )
}

/// Takes one end of a link that another actor wants.
pub(super) fn accept(membership: &Rc<Membership>, body: Introduce, link: OwnedFd) {
    let name = membership.actor().id.name();
    if membership.direct().count(&body.from) >= MOST_OF_ONE {
        let message = format!("actor `{name}` has {MOST_OF_ONE} links to this one already");
        let error = Error::new(ErrorKind::Refused, message);
        return refuse(&link, &error, &membership.actor().id);
    }
    // It cannot be told over a link that cannot be used; that is closed, which tells.
    if let Ok(socket) = Socket::new(link) {
        membership.serve_link(body, Box::new(socket));
    }
}

/// Talks with another actor until the end of the link.
async fn talk(membership: Rc<Membership>, direct: Rc<Direct>, incoming: Incoming, trust: Trust) {
    let Ok(undertaker) = undertaker::current() else {
        return;
    };
    let peer = &direct.peer;
    let server = server(&membership, peer, trust, &undertaker);
    let mut conversation = Conversation::new(Rc::clone(peer), incoming, server);
    let node = membership.node();
    let talking = conversation.run(|heard| match heard {
        Heard::Cancel(reason) => node.cancel(reason, Urgency::InOrder),
        Heard::Refused(error) => {
            let _first_stays = direct.refusal.set((*error).into());
            direct.refused.set();
        }
        Heard::Goodbye(_) => {
            let is_used = direct.is_used();
            direct.step(usage::Event::PeerLeft { is_used });
        }
        Heard::CancelAck => {}
    });
    // The second one never ends, it is there to be polled.
    let outcome = or(talking, direct.leave_when_idle()).await;
    membership.direct().remove(&direct);
    peer.lose(&lost(peer, outcome));
    if direct.leases.get() > 0 {
        let end = rt::within(NEWS, membership.end_of(peer.id())).await;
        let exit = end.ok().and_then(Result::ok);
        let _known_already = direct.exit.set(exit.unwrap_or(SOMEHOW));
    }
}

pub(super) fn server(
    membership: &Membership,
    peer: &Rc<Peer>,
    trust: Trust,
    undertaker: &Rc<Undertaker>,
) -> Server {
    Server::new(
        Rc::clone(membership.actor()),
        Rc::clone(peer),
        trust,
        membership.node(),
        Rc::clone(undertaker),
    )
}

/// The error for who did not get a link.
pub(super) fn broken(error: LinkError) -> Error {
    match error {
        LinkError::Refused(refusal) => (*refusal).into(),
        error => Error::wrap(ErrorKind::Broken, error),
    }
}

/// The error for who waits for something of an actor whose link has ended.
pub(super) fn lost(peer: &Peer, outcome: Result<()>) -> Error {
    let message = "has ended, or its link has".to_owned();
    let remote = RemoteError::of_process(peer.id().clone(), RemoteKind::LinkLost, message);
    match outcome {
        Ok(()) => remote.into(),
        Err(breach) => remote.with_cause(&breach).into(),
    }
}
