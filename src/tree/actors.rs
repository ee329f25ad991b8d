//! The actors of a tree that are up, by the names of their children.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use event_listener::{Event, EventListener};
use treewright_supervisors::spec::ChildName;

use super::isolated::{Told, Uplink};
use crate::portal::Portal;

/// The actors of a tree that are up.
#[derive(Default)]
pub(super) struct Actors {
    seats: RefCell<HashMap<ChildName, Seat>>,
    changed: Event,
    has_ended: Cell<bool>,
    /// Numbers the lives for the process above.
    entered: Cell<u64>,
    above: Option<Uplink>,
}

/// What is known of the actor of one name.
#[derive(Clone, Default)]
pub(super) struct Seat {
    /// Whether a life is up.
    pub(super) is_up: bool,
    /// The portal to it, unless it is the child of another process.
    pub(super) portal: Option<Portal>,
    /// Counts the lives that were up.
    pub(super) number: u64,
}

impl std::fmt::Debug for Actors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Actors").finish_non_exhaustive()
    }
}

impl Actors {
    pub(super) fn new(above: Option<Uplink>) -> Rc<Self> {
        Rc::new(Self {
            above,
            ..Self::default()
        })
    }

    /// A life of this actor is up until the guard is dropped. There is no portal to one that
    /// another process has started.
    pub(super) fn enter(self: &Rc<Self>, name: &ChildName, portal: Option<Portal>) -> ActorUp {
        let mut seats = self.seats.borrow_mut();
        let seat = seats.entry(name.clone()).or_default();
        seat.number += 1;
        seat.is_up = true;
        let (number, former) = (seat.number, std::mem::replace(&mut seat.portal, portal));
        drop(seats);
        drop(former);
        let life = self.entered.get() + 1;
        self.entered.set(life);
        if let Some(above) = &self.above {
            let child = name.clone();
            above.tell(Told::ActorUp {
                child,
                number: life,
            });
        }
        self.note_change();
        ActorUp {
            actors: Rc::clone(self),
            name: name.clone(),
            number,
            life,
        }
    }

    /// Nobody is called so any more.
    pub(super) fn forget(&self, name: &ChildName) {
        let mut seats = self.seats.borrow_mut();
        if seats.get(name).is_some_and(|seat| !seat.is_up) {
            seats.remove(name);
        }
    }

    pub(super) fn seat(&self, name: &str) -> Seat {
        self.seats.borrow().get(name).cloned().unwrap_or_default()
    }

    /// Something has happened to children of the tree: whoever waits for one looks again.
    pub(super) fn note_change(&self) {
        self.changed.notify(usize::MAX);
    }

    pub(super) fn next_change(&self) -> EventListener {
        self.changed.listen()
    }

    /// The tree has ended.
    pub(super) fn end(&self) {
        self.has_ended.set(true);
        self.note_change();
    }

    pub(super) fn has_ended(&self) -> bool {
        self.has_ended.get()
    }
}

/// That a life of an actor is up.
#[must_use = "the actor is up for as long as this is there"]
pub(super) struct ActorUp {
    actors: Rc<Actors>,
    name: ChildName,
    number: u64,
    life: u64,
}

impl Drop for ActorUp {
    fn drop(&mut self) {
        let mut seats = self.actors.seats.borrow_mut();
        let seat = seats.get_mut(&self.name);
        // The next life may be up already; that one stays.
        let portal = seat
            .filter(|seat| seat.number == self.number)
            .and_then(|seat| {
                seat.is_up = false;
                seat.portal.take()
            });
        drop(seats);
        drop(portal);
        if let Some(above) = &self.actors.above {
            above.tell(Told::ActorDown { number: self.life });
        }
        self.actors.note_change();
    }
}

#[cfg(test)]
mod tests {
    use futures_lite::future;

    use super::*;
    use crate::rt::block_on;
    use crate::time::Clock;

    #[test]
    fn life_that_ends_late_leaves_the_next_one_its_place() {
        let actors = Rc::<Actors>::default();
        let name = ChildName::from("web");
        let first = actors.enter(&name, None);
        let second = actors.enter(&name, None);
        drop(first);
        let seat = actors.seat("web");
        assert_eq!((seat.is_up, seat.number), (true, 2));
        drop(second);
        let seat = actors.seat("web");
        assert_eq!((seat.is_up, seat.number), (false, 2));
        actors.forget(&name);
        assert_eq!(actors.seat("web").number, 0);
    }

    #[test]
    fn whoever_listened_before_a_change_hears_of_it() {
        let actors = Rc::<Actors>::default();
        block_on(&Clock::Monotonic, async {
            let mut change = actors.next_change();
            assert!(future::poll_once(&mut change).await.is_none());
            let up = actors.enter(&"web".into(), None);
            change.await;
            let change = actors.next_change();
            drop(up);
            change.await;
            let change = actors.next_change();
            actors.end();
            change.await;
            assert!(actors.has_ended());
        });
    }
}
