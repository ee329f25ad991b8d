//! The trees that the actor of this thread is in: its own, and those it has joined.

use std::cell::RefCell;
use std::rc::Rc;

use super::membership::Membership;
use crate::actor::Actor;
use crate::error::{Error, ErrorKind, Result};
use crate::portal::{Lifeline, Peer, Portal};
use crate::process::Exit;
use crate::scope::Node;
use crate::wire::Frame;

thread_local! {
    static HERE: RefCell<Option<Rc<Here>>> = const { RefCell::new(None) };
}

/// The trees that the actor of this thread is in.
#[derive(Debug)]
pub(super) struct Here {
    own: Rc<Membership>,
    joined: RefCell<Vec<Rc<Membership>>>,
}

/// Lets the actor of this thread find others until the guard is dropped. `node` is what the
/// calls of others are cancelled with.
pub(crate) fn enter(actor: &Rc<Actor>, node: &Rc<Node>) -> impl Drop {
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            if let Some(here) = HERE.take() {
                here.all().iter().for_each(|membership| membership.clear());
            }
        }
    }
    let own = Membership::new(actor, actor.parent.is_some(), false, node);
    let here = Here {
        own,
        joined: RefCell::default(),
    };
    HERE.set(Some(Rc::new(here)));
    Leave
}

/// The trees that the actor of this thread is in.
pub(super) fn here() -> Result<Rc<Here>> {
    HERE.with_borrow(Clone::clone).ok_or_else(|| {
        let message = "no treewright runtime runs on this thread";
        Error::new(ErrorKind::Closed, message)
            .with_hint("enter one with `treewright::run` or `#[treewright::main]`")
    })
}

/// The parent is at the other end of this link; `node` is what the calls of others are cancelled
/// with from now on.
pub(crate) fn parent_is(peer: &Rc<Peer>, node: &Rc<Node>) {
    if let Ok(here) = here() {
        here.own.set_above(peer, node);
    }
}

/// A child is up at the other end of this link.
pub(crate) fn child_up(peer: &Rc<Peer>, lifeline: Rc<dyn Lifeline>) {
    if let Ok(here) = here() {
        here.own.child_up(peer, lifeline);
    }
}

/// A child has ended so, and all that was below it. One that was never up is fine.
pub(crate) fn child_gone(peer: &Rc<Peer>, exit: Exit) {
    if let Ok(here) = here() {
        here.own.line_gone(peer, Some(exit));
    }
}

/// Takes in a frame by which actors find each other. An error says how it breaks the protocol.
pub(crate) fn hear(peer: &Rc<Peer>, frame: &Frame) -> Result<(), &'static str> {
    let memberships = here().map(|here| here.all()).unwrap_or_default();
    let found = memberships
        .iter()
        .find_map(|membership| Some((membership, membership.way_of(peer)?)));
    match found {
        Some((membership, way)) => membership.hear(way, peer, frame),
        // Discovery ends before the last link does.
        None if memberships.is_empty() => Ok(()),
        None => Err("a frame that has no place on a link between two actors"),
    }
}

/// Ends the links to all but parent and children: the body of the runtime has ended.
pub(crate) fn close() {
    if let Ok(here) = here() {
        here.all().iter().for_each(|membership| membership.close());
    }
}

impl Here {
    /// The tree it was started in.
    pub(super) fn own(&self) -> &Rc<Membership> {
        &self.own
    }

    /// The tree that the actor of `portal` is in.
    pub(super) fn tree_of(&self, portal: &Portal) -> Rc<Membership> {
        let found = Membership::of(portal.lifeline());
        found.unwrap_or_else(|| Rc::clone(&self.own))
    }

    /// The tree that was joined whose root this is.
    pub(super) fn add_joined(&self, membership: Rc<Membership>) {
        self.joined.borrow_mut().push(membership);
    }

    /// A tree that was joined is left.
    pub(super) fn remove_joined(&self, membership: &Rc<Membership>) {
        let mut joined = self.joined.borrow_mut();
        joined.retain(|one| !Rc::ptr_eq(one, membership));
    }

    fn all(&self) -> Vec<Rc<Membership>> {
        let mut all = vec![Rc::clone(&self.own)];
        all.extend(self.joined.borrow().iter().cloned());
        all
    }
}
