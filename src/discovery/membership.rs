//! One actor's part in one tree: its lines to others, and what is said and asked over them.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use super::direct::DirectLinks;
use super::directory::{Action, Directory, LineKey, Way};
use super::ends;
use super::relay::Relays;
use crate::actor::Actor;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{ActorId, ContextId};
use crate::portal::{Lifeline, Peer, Portal};
use crate::process::Exit;
use crate::rt::channel::{Sender, bounded};
use crate::scope::Node;
use crate::wire::{Answer, Encoded, Find, Found, Frame, Introduce, Kind, Question};

/// How many bytes may wait for somebody who asks and does not read.
const MOST_UNREAD: usize = 16 * 1024 * 1024;

/// One actor's part in one tree.
#[derive(Debug)]
pub(super) struct Membership {
    actor: Rc<Actor>,
    /// Whether it is not of the tree, but has joined it.
    is_guest: bool,
    /// What the calls of others are cancelled with.
    node: RefCell<Rc<Node>>,
    directory: RefCell<Directory>,
    above: RefCell<Option<Rc<Peer>>>,
    lines: RefCell<HashMap<LineKey, Line>>,
    direct: DirectLinks,
    relays: Relays,
    /// Those who wait here for an answer, by the numbers of their questions.
    waiting: RefCell<HashMap<u64, Sender<Answer>>>,
    asked: Cell<u64>,
}

/// Somebody who is served by this actor.
#[derive(Debug, Clone)]
struct Line {
    peer: Rc<Peer>,
    /// What looks after a child; a guest looks after itself.
    lifeline: Option<Rc<dyn Lifeline>>,
}

/// The key of a line. It is unique for as long as the line is there, which holds the peer.
fn key_of(peer: &Rc<Peer>) -> LineKey {
    Rc::as_ptr(peer).addr()
}

impl Membership {
    /// The part of `actor` in a tree at whose root it is, or `has_above` it some other.
    pub(super) fn new(
        actor: &Rc<Actor>,
        has_above: bool,
        is_guest: bool,
        node: &Rc<Node>,
    ) -> Rc<Self> {
        Rc::new(Self {
            actor: Rc::clone(actor),
            is_guest,
            node: RefCell::new(Rc::clone(node)),
            directory: RefCell::new(Directory::new(actor.id.clone(), has_above)),
            above: RefCell::default(),
            lines: RefCell::default(),
            direct: DirectLinks::default(),
            relays: Relays::default(),
            waiting: RefCell::default(),
            asked: Cell::new(0),
        })
    }

    /// The actor whose part it is.
    pub(super) fn actor(&self) -> &Rc<Actor> {
        &self.actor
    }

    /// Whether it is not of the tree, but has joined it.
    pub(super) fn is_guest(&self) -> bool {
        self.is_guest
    }

    /// What the calls of others are cancelled with.
    pub(super) fn node(&self) -> Rc<Node> {
        Rc::clone(&self.node.borrow())
    }

    /// Its links to others than parent, children and guests.
    pub(super) fn direct(&self) -> &DirectLinks {
        &self.direct
    }

    /// The links of others that go through this actor as bytes.
    pub(super) fn relays(&self) -> &Relays {
        &self.relays
    }

    /// Who is above, as long as it is there.
    pub(super) fn above(&self) -> Option<Rc<Peer>> {
        self.above.borrow().clone()
    }

    /// Who is above is at the other end of this link.
    pub(super) fn set_above(&self, peer: &Rc<Peer>, node: &Rc<Node>) {
        self.above.replace(Some(Rc::clone(peer)));
        self.node.replace(Rc::clone(node));
    }

    /// Nobody is above any more: whoever waits for an answer is told so.
    pub(super) fn above_gone(&self) {
        self.above.replace(None);
        let actions = self.directory.borrow_mut().above_gone();
        self.act(actions);
    }

    /// A child is up.
    pub(super) fn child_up(&self, peer: &Rc<Peer>, lifeline: Rc<dyn Lifeline>) {
        if peer.link().is_closed() {
            // Its owner may have seen its end before its first word came.
            return;
        }
        self.add_line(peer, Some(lifeline));
        let (way, id) = (Way::Line(key_of(peer)), peer.id().clone());
        let enrolled = self.directory.borrow_mut().enrol(way, vec![id]);
        self.act(enrolled.unwrap_or_default());
    }

    /// A program of outside has come in.
    pub(super) fn guest_came(&self, peer: &Rc<Peer>) {
        self.add_line(peer, None);
    }

    fn add_line(&self, peer: &Rc<Peer>, lifeline: Option<Rc<dyn Lifeline>>) {
        let line = Line {
            peer: Rc::clone(peer),
            lifeline,
        };
        self.lines.borrow_mut().insert(key_of(peer), line);
    }

    /// Whoever was on this line has ended; how is known of a child.
    pub(super) fn line_gone(&self, peer: &Rc<Peer>, exit: Option<Exit>) {
        let key = key_of(peer);
        if self.lines.borrow_mut().remove(&key).is_some() {
            let how = exit.and_then(|exit| ends::told(exit.reason));
            let child = how.map(|how| (peer.id(), how));
            let actions = self.directory.borrow_mut().line_gone(key, child);
            self.act(actions);
        }
    }

    /// Which way this link goes, if it is one of the tree's own.
    pub(super) fn way_of(&self, peer: &Rc<Peer>) -> Option<Way> {
        let above = self.above.borrow();
        if above.as_ref().is_some_and(|above| Rc::ptr_eq(above, peer)) {
            return Some(Way::Above);
        }
        let key = key_of(peer);
        let is_line = self.lines.borrow().contains_key(&key);
        is_line.then_some(Way::Line(key))
    }

    /// Which way the parent or a child of this name and number is, or a guest.
    pub(super) fn way_to_neighbour(&self, id: &ActorId) -> Option<Way> {
        let above = self.above.borrow();
        if above.as_ref().is_some_and(|above| above.id() == id) {
            return Some(Way::Above);
        }
        let lines = self.lines.borrow();
        let mut lines = lines.iter();
        let (key, _) = lines.find(|(_, line)| line.peer.id() == id)?;
        Some(Way::Line(*key))
    }

    /// Who is at the end of this way.
    pub(super) fn peer_at(&self, way: Way) -> Option<Rc<Peer>> {
        match way {
            Way::Here => None,
            Way::Above => self.above(),
            Way::Line(key) => Some(Rc::clone(&self.lines.borrow().get(&key)?.peer)),
        }
    }

    /// The handle of a child, if it is one.
    pub(super) fn child(&self, id: &ActorId) -> Option<Portal> {
        let Some(Way::Line(key)) = self.route(id) else {
            return None;
        };
        let line = self.lines.borrow().get(&key).cloned()?;
        match line.peer.id() == id {
            true => Some(Portal::new(line.peer, line.lifeline?)),
            false => None,
        }
    }

    /// Which way this one is, who may be a guest.
    pub(super) fn way_back(&self, id: &ActorId) -> Option<Way> {
        let lines = self.lines.borrow();
        let mut lines = lines.iter();
        let guest = lines.find(|(_, line)| line.lifeline.is_none() && line.peer.id() == id);
        match guest {
            Some((key, _)) => Some(Way::Line(*key)),
            None => self.route(id),
        }
    }

    /// Whether the line of this key is to a guest, and to which.
    pub(super) fn guest(&self, key: LineKey) -> Option<ActorId> {
        let lines = self.lines.borrow();
        let line = lines.get(&key)?;
        let is_guest = line.lifeline.is_none();
        is_guest.then(|| line.peer.id().clone())
    }

    /// Whether an actor of this number is known here, or a guest of it.
    pub(super) fn knows(&self, id: &ActorId) -> bool {
        let lines = self.lines.borrow();
        let is_on_line = lines.values().any(|line| line.peer.id() == id);
        is_on_line || matches!(self.route(id), Some(Way::Here | Way::Line(_)))
    }

    /// Which way an actor is.
    pub(super) fn route(&self, id: &ActorId) -> Option<Way> {
        self.directory.borrow().route(id)
    }

    /// Whether an actor was started by this one, or below it.
    pub(super) fn is_below(&self, id: &ActorId) -> bool {
        self.directory.borrow().is_below(id)
    }

    /// Whether it is not the root, and nobody is above any more.
    fn is_cut_off(&self) -> bool {
        !self.directory.borrow().is_root() && self.above.borrow().is_none()
    }

    /// Asks for actors, and waits for the answer. Dropping the future forgets the question.
    pub(super) async fn ask(&self, question: Question) -> Result<Vec<ActorId>> {
        match self.question(question).await? {
            Answer::Actors(actors) => Ok(actors),
            _ => Err(Error::new(
                ErrorKind::Broken,
                "the root answers what was not asked",
            )),
        }
    }

    /// Waits until this actor has ended, and gives how, as far as the root knows. Dropping the
    /// future forgets the question.
    pub(super) async fn end_of(&self, id: &ActorId) -> Result<Exit> {
        match self.question(Question::Ended(id.clone())).await? {
            Answer::Ended(how) => Ok(ends::heard(how)),
            _ => Err(Error::new(
                ErrorKind::Broken,
                "the root answers what was not asked",
            )),
        }
    }

    async fn question(&self, question: Question) -> Result<Answer> {
        if self.is_cut_off() {
            let message = "there is no link to the tree any more";
            return Err(Error::new(ErrorKind::Closed, message));
        }
        let number = self.asked.get() + 1;
        self.asked.set(number);
        let (tell, answer) = bounded(1);
        self.waiting.borrow_mut().insert(number, tell);
        // The guard is there before what it guards.
        let _asked = Asking {
            membership: self,
            number,
        };
        let asked = self.directory.borrow_mut();
        let actions = { asked }.ask(Way::Here, number, question);
        self.act(actions.unwrap_or_default());
        match answer.recv().await {
            Ok(Answer::Refused(why)) => Err(Error::new(ErrorKind::Broken, why)),
            Ok(answer) => Ok(answer),
            Err(_) => Err(Error::new(ErrorKind::Closed, "the runtime has ended")),
        }
        .map_err(|error| error.context("cannot ask the root for actors"))
    }

    /// Takes in what came this way. An error says how it breaks the protocol.
    pub(super) fn hear(
        self: &Rc<Self>,
        way: Way,
        peer: &Peer,
        frame: &Frame,
    ) -> Result<(), &'static str> {
        let codec = peer.link().codec();
        match (frame.kind, way) {
            (Kind::Find, Way::Line(key)) => {
                let find = frame.decode(codec);
                self.hear_find(key, find.map_err(|_| "a question that cannot be read")?)
            }
            (Kind::Found, Way::Above) => {
                let found: Found = frame
                    .decode(codec)
                    .map_err(|_| "an answer that cannot be read")?;
                let mut directory = self.directory.borrow_mut();
                let action = directory.found(found.question, found.answer);
                drop(directory);
                self.act(action);
                Ok(())
            }
            (Kind::Introduce, _) => {
                let body: Introduce = frame
                    .decode(codec)
                    .map_err(|_| "an introduction that cannot be read")?;
                self.pass_on(way, body, peer.link().take_descriptor())
            }
            _ => Err("a word about actors from who has none to say"),
        }
    }

    fn hear_find(&self, key: LineKey, find: Find) -> Result<(), &'static str> {
        let way = Way::Line(key);
        let is_guest = self.guest(key).is_some();
        let mut directory = self.directory.borrow_mut();
        let actions = match find {
            Find::Enrol(_) | Find::Withdraw(_) if is_guest => Err("an actor of another tree"),
            Find::Enrol(actors) => directory.enrol(way, actors),
            Find::Withdraw(actors) => directory.withdraw(way, actors),
            Find::Ask(number, question) => directory.ask(way, number, question),
            Find::Forget(number) => Ok(directory.forget(way, number)),
        };
        drop(directory);
        self.act(actions?);
        Ok(())
    }

    fn act(&self, actions: impl IntoIterator<Item = Action>) {
        for action in actions {
            match action {
                Action::TellAbove(find) => self.tell(Way::Above, Kind::Find, &find),
                Action::Answer(Way::Here, number, answer) => {
                    let waiting = self.waiting.borrow_mut().remove(&number);
                    // Whoever asked may have been dropped a moment ago.
                    let _gone = waiting.map(|waiting| waiting.try_send(answer));
                }
                Action::Answer(way, question, answer) => {
                    let found = Found { question, answer };
                    self.tell(way, Kind::Found, &found);
                }
            }
        }
    }

    /// Tells whoever is on this way. One who is not there any more needs to know nothing.
    pub(super) fn tell(&self, way: Way, kind: Kind, body: &impl serde::Serialize) {
        let Some(peer) = self.peer_at(way) else {
            return;
        };
        let frame = Encoded::new(peer.link().codec(), kind, ContextId::LINK, body);
        let Ok(frame) = frame else { return };
        let _gone = peer.send(frame);
        if kind != Kind::Find && peer.link().pending_bytes() > MOST_UNREAD {
            peer.link().abort();
        }
    }

    /// Ends the links to all but parent and children.
    pub(super) fn close(&self) {
        self.direct.close();
        let lines: Vec<_> = self.lines.borrow().values().cloned().collect();
        for line in lines.iter().filter(|line| line.lifeline.is_none()) {
            line.peer.link().abort();
        }
        if self.is_guest
            && let Some(above) = self.above()
        {
            above.link().abort();
        }
    }

    /// Holds nobody any more, whoever still holds this.
    pub(super) fn clear(&self) {
        self.above.take();
        self.lines.take();
        self.waiting.take();
        self.direct.clear();
    }
}

/// A question that somebody here waits for. Dropped before the answer, it is forgotten.
struct Asking<'a> {
    membership: &'a Membership,
    number: u64,
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        let membership = self.membership;
        let waiting = membership.waiting.borrow_mut().remove(&self.number);
        if waiting.is_some() {
            let mut directory = membership.directory.borrow_mut();
            let actions = directory.forget(Way::Here, self.number);
            drop(directory);
            membership.act(actions);
        }
    }
}
