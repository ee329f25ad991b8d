//! The state of a broadcast against a model of a few lines, under random interleavings.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::rc::{Rc, Weak};

use proptest::prelude::*;

use super::Lag;
use super::state::{Answer, BroadcastState, ReceiverId};
use crate::error::Error;

#[derive(Debug, Clone)]
enum Step {
    /// A receiver asks this many times in a row.
    Ask(usize, usize),
    Subscribe(Lag),
    Duplicate(usize),
    Remove(usize),
    SetLag(usize, Lag),
    Grow(usize),
    /// The source has this many items more to give.
    Offer(usize),
    End(bool),
}

fn lags() -> impl Strategy<Value = Lag> {
    prop_oneof![Just(Lag::Fail), Just(Lag::Skip), Just(Lag::Block)]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let receiver = 0..8_usize;
    let step = prop_oneof![
        20 => (receiver.clone(), 1..6_usize).prop_map(|(who, times)| Step::Ask(who, times)),
        8 => (1..6_usize).prop_map(Step::Offer),
        3 => lags().prop_map(Step::Subscribe),
        2 => receiver.clone().prop_map(Step::Duplicate),
        2 => receiver.clone().prop_map(Step::Remove),
        2 => (receiver, lags()).prop_map(|(who, lag)| Step::SetLag(who, lag)),
        1 => (1..8_usize).prop_map(Step::Grow),
        1 => any::<bool>().prop_map(Step::End),
    ];
    prop::collection::vec(step, 1..60)
}

/// What is known of a receiver from the outside.
#[derive(Debug, Clone)]
struct Reader {
    lag: Lag,
    position: u64,
    has_heard_the_end: bool,
}

/// The state, and beside it what it ought to do: all that ever came, and a window on it.
struct Model {
    state: BroadcastState<Rc<u64>>,
    readers: BTreeMap<ReceiverId, Reader>,
    capacity: usize,
    came: u64,
    /// All that came, to see what is still kept.
    items: Vec<Weak<u64>>,
    /// The oldest item that the window has ever ended at.
    floor: u64,
    offered: u64,
    end: Option<bool>,
    waits: BTreeSet<ReceiverId>,
}

impl Model {
    fn new(capacity: usize) -> Self {
        Self {
            state: BroadcastState::new(NonZeroUsize::new(capacity).unwrap()),
            readers: BTreeMap::new(),
            capacity,
            came: 0,
            items: Vec::new(),
            floor: 0,
            offered: 0,
            end: None,
            waits: BTreeSet::new(),
        }
    }

    fn nth(&self, index: usize) -> Option<ReceiverId> {
        let count = self.readers.len();
        (count > 0).then(|| *self.readers.keys().nth(index % count).unwrap())
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Ask(who, times) => {
                for _ in 0..times {
                    if let Some(id) = self.nth(who) {
                        self.ask(id);
                    }
                }
            }
            Step::Subscribe(lag) => {
                let id = self.state.subscribe(lag);
                self.enter(id, lag, self.came, false);
            }
            Step::Duplicate(who) => {
                if let Some(original) = self.nth(who) {
                    let id = self.state.duplicate(original);
                    let of = self.readers[&original].clone();
                    self.enter(id, of.lag, of.position, of.has_heard_the_end);
                }
            }
            Step::Remove(who) => {
                if let Some(id) = self.nth(who) {
                    drop(self.state.remove(id));
                    self.readers.remove(&id);
                    self.waits.remove(&id);
                }
            }
            Step::SetLag(who, lag) => {
                if let Some(id) = self.nth(who) {
                    self.state.set_lag(id, lag);
                    self.readers.get_mut(&id).unwrap().lag = lag;
                }
            }
            Step::Grow(capacity) => {
                self.state.grow(NonZeroUsize::new(capacity).unwrap());
                self.capacity = self.capacity.max(capacity);
            }
            Step::Offer(count) => self.offered += count as u64,
            Step::End(fails) => {
                if self.end.is_none() {
                    self.end = Some(fails);
                    self.state.end(fails.then(|| Error::other("boom")));
                }
            }
        }
        self.told_of_room();
    }

    fn enter(&mut self, id: ReceiverId, lag: Lag, position: u64, has_heard_the_end: bool) {
        let reader = Reader {
            lag,
            position,
            has_heard_the_end,
        };
        assert!(self.readers.insert(id, reader).is_none());
    }

    /// Whether the next item would be lost to one that blocks.
    fn is_blocked(&self) -> bool {
        let mut readers = self.readers.values();
        readers.any(|reader| {
            let unread = self.came - reader.position.max(self.floor);
            reader.lag == Lag::Block && unread >= self.capacity as u64
        })
    }

    /// Who waits for room is told when there is some, and not before.
    fn told_of_room(&mut self) {
        let expected = !self.waits.is_empty() && !self.is_blocked();
        let told = self.state.take_room();
        assert!(told || !expected, "{:?} wait in vain", self.waits);
        assert!(
            !told || !self.is_blocked(),
            "told of room that is not there"
        );
        if told {
            self.waits.clear();
        }
    }

    fn ask(&mut self, id: ReceiverId) {
        let (came, floor, blocked) = (self.came, self.floor, self.is_blocked());
        let reader = self.readers.get_mut(&id).unwrap();
        let lost = floor.saturating_sub(reader.position);
        reader.position = reader.position.max(floor);
        let answer = self.state.ask(id);
        if lost > 0 && reader.lag != Lag::Skip {
            assert!(matches!(answer, Answer::Lagged(count) if count == lost));
        } else if reader.position < came {
            let Answer::Item(item) = answer else {
                panic!("{answer:?} instead of item {}", reader.position);
            };
            assert_eq!(*item, reader.position);
            reader.position += 1;
        } else if let Some(fails) = self.end {
            let says_so = fails && !reader.has_heard_the_end;
            reader.has_heard_the_end = true;
            assert!(matches!(
                (says_so, answer),
                (true, Answer::Failed(_)) | (false, Answer::Ended)
            ));
        } else if blocked {
            assert!(matches!(answer, Answer::Wait));
            self.waits.insert(id);
        } else {
            self.pull(id, answer);
        }
    }

    fn pull(&mut self, id: ReceiverId, mut answer: Answer<Rc<u64>>) {
        for _ in 1..self.readers.len() {
            if matches!(answer, Answer::GiveWay) {
                let brink = self.came - self.capacity as u64;
                let mut others = self.readers.values();
                assert!(others.any(|other| other.position <= brink), "for nobody");
                answer = self.state.ask(id);
            }
        }
        assert!(matches!(answer, Answer::Pull), "{answer:?}");
        if self.came < self.offered {
            let item = Rc::new(self.came);
            self.items.push(Rc::downgrade(&item));
            drop(self.state.take_in(item));
            self.came += 1;
            self.floor = self
                .floor
                .max(self.came.saturating_sub(self.capacity as u64));
            self.ask(id);
        }
    }
}

proptest! {
    #[test]
    fn every_receiver_is_told_what_the_model_says_and_only_the_unread_is_kept(
        capacity in 1..6_usize,
        steps in steps(),
    ) {
        let mut model = Model::new(capacity);
        let id = model.state.subscribe(Lag::Fail);
        model.enter(id, Lag::Fail, 0, false);
        for step in &steps {
            model.step(step);
            let slowest = model.readers.values().map(|reader| reader.position).min();
            let unread = model.came - slowest.unwrap_or(model.came).max(model.floor);
            let kept = model.items.iter().filter(|item| item.strong_count() > 0);
            prop_assert_eq!(kept.count() as u64, unread);
        }
    }
}
