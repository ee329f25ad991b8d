//! What a broadcast decides: who gets which item, who has lost some, and when the source
//! is asked for another.

use std::collections::VecDeque;
use std::num::NonZeroUsize;

use slab::Slab;

use super::Lag;
use crate::error::Error;

/// Names one receiver of one broadcast.
pub(super) type ReceiverId = usize;

/// What a receiver that asks for an item is told.
#[derive(Debug)]
pub(super) enum Answer<T> {
    /// This is its next item.
    Item(T),
    /// It has lost this many items, and is now at the oldest that is kept.
    Lagged(u64),
    /// The source has failed. Said once to each.
    Failed(Error),
    /// There will be no more.
    Ended,
    /// Nothing is there for it: ask the source.
    Pull,
    /// As `Pull`, but the item would push out one that a receiver has not read which has
    /// not had its turn: let the others run, and ask again.
    GiveWay,
    /// Nothing is there for it, and there is no room for more until a receiver that blocks
    /// has read.
    Wait,
}

/// The state of one broadcast.
///
/// Items have numbers, from 0 on. What is kept is without gaps: the numbers from
/// [`oldest`](Self::oldest) to `next`, at most `capacity` of them. An item that every
/// receiver has read is not kept.
pub(super) struct BroadcastState<T> {
    /// Kept here, so that who holds a receiver need not know that items can be cloned.
    clone: fn(&T) -> T,
    capacity: NonZeroUsize,
    kept: VecDeque<Kept<T>>,
    /// The number of the next item that comes from the source.
    next: u64,
    receivers: Slab<Receiver>,
    end: Option<End>,
    /// How many questions were asked.
    asked: u64,
    /// Whether somebody was told to wait for room since there was some.
    is_held_up: bool,
}

#[derive(Debug)]
struct Kept<T> {
    item: T,
    /// How many receivers have it before them.
    readers: usize,
}

#[derive(Debug)]
struct Receiver {
    /// The number of the item it reads next.
    position: u64,
    lag: Lag,
    /// When it asked last, in questions.
    asked_at: u64,
    /// Whether it is worth waiting for: it has used the last turn that it was given.
    is_reading: bool,
    /// That it has given way, if it has asked for nothing else since.
    gave_way: Option<GaveWay>,
    has_heard_the_end: bool,
}

#[derive(Debug, Clone, Copy)]
struct GaveWay {
    /// When it did so first, in questions.
    since: u64,
    /// How often it has done so.
    turns: usize,
}

#[derive(Debug)]
enum End {
    Ended,
    Failed(Error),
}

impl<T> BroadcastState<T> {
    pub(super) fn new(capacity: NonZeroUsize) -> Self
    where
        T: Clone,
    {
        Self {
            clone: T::clone,
            capacity,
            kept: VecDeque::new(),
            next: 0,
            receivers: Slab::new(),
            end: None,
            asked: 0,
            is_held_up: false,
        }
    }

    /// A new receiver, which begins with the item that comes next from the source.
    pub(super) fn subscribe(&mut self, lag: Lag) -> ReceiverId {
        self.add(self.next, lag)
    }

    /// A new receiver that has the same items before it as this one.
    pub(super) fn duplicate(&mut self, id: ReceiverId) -> ReceiverId {
        let Receiver { position, lag, .. } = self.receivers[id];
        for kept in self.kept_from(position) {
            kept.readers += 1;
        }
        let new = self.add(position, lag);
        self.receivers[new].has_heard_the_end = self.receivers[id].has_heard_the_end;
        new
    }

    /// Forgets a receiver, and gives up what was kept for it alone.
    #[must_use = "items are dropped when nothing is borrowed"]
    pub(super) fn remove(&mut self, id: ReceiverId) -> VecDeque<T> {
        let receiver = self.receivers.remove(id);
        for kept in self.kept_from(receiver.position) {
            kept.readers -= 1;
        }
        // Who needs an item needs all that come after it, so these are the first ones.
        let unread = self.kept.partition_point(|kept| kept.readers == 0);
        self.kept.drain(..unread).map(|kept| kept.item).collect()
    }

    pub(super) fn lag(&self, id: ReceiverId) -> Lag {
        self.receivers[id].lag
    }

    pub(super) fn set_lag(&mut self, id: ReceiverId, lag: Lag) {
        self.receivers[id].lag = lag;
    }

    /// Keeps this many items from now on, unless it keeps more already.
    pub(super) fn grow(&mut self, capacity: NonZeroUsize) {
        self.capacity = self.capacity.max(capacity);
    }

    /// How many items have come that this receiver has not read, lost ones included.
    pub(super) fn unread(&self, id: ReceiverId) -> u64 {
        self.next - self.receivers[id].position
    }

    /// Whether this receiver was told of the end.
    pub(super) fn is_over(&self, id: ReceiverId) -> bool {
        self.receivers[id].has_heard_the_end
    }

    /// Whether the source has come to its end.
    pub(super) fn has_ended(&self) -> bool {
        self.end.is_some()
    }

    /// Whether there is room again that somebody was told to wait for. Says so once.
    pub(super) fn take_room(&mut self) -> bool {
        let has_room = self.is_held_up && !self.is_blocked();
        self.is_held_up &= !has_room;
        has_room
    }

    /// Takes in an item from the source. It pushes out the oldest when there is no room.
    #[must_use = "items are dropped when nothing is borrowed"]
    pub(super) fn take_in(&mut self, item: T) -> Option<T> {
        debug_assert!(self.end.is_none(), "an item came after the end");
        let pushed_out = match self.is_full() {
            true => self.kept.pop_front(),
            false => None,
        };
        let readers = self.receivers.len();
        self.kept.push_back(Kept { item, readers });
        self.next += 1;
        pushed_out.map(|kept| kept.item)
    }

    /// Takes in the end of the source.
    pub(super) fn end(&mut self, failure: Option<Error>) {
        debug_assert!(self.end.is_none(), "an end came after the end");
        self.end = Some(failure.map_or(End::Ended, End::Failed));
    }

    fn add(&mut self, position: u64, lag: Lag) -> ReceiverId {
        self.receivers.insert(Receiver {
            position,
            lag,
            asked_at: self.asked,
            // It was made to be read, and its task may not have run yet.
            is_reading: true,
            gave_way: None,
            has_heard_the_end: false,
        })
    }

    /// The number of the oldest item that is kept; the next one's if there is none.
    fn oldest(&self) -> u64 {
        self.next - self.kept.len() as u64
    }

    fn is_full(&self) -> bool {
        self.kept.len() >= self.capacity.get()
    }

    /// Whether an item that is pushed out would be lost to a receiver that blocks.
    fn is_blocked(&self) -> bool {
        let oldest = self.oldest();
        let mut receivers = self.receivers.iter();
        self.is_full()
            && receivers.any(|(_, other)| other.lag == Lag::Block && other.position <= oldest)
    }

    /// What is kept from this position on.
    fn kept_from(&mut self, position: u64) -> impl Iterator<Item = &mut Kept<T>> {
        let read = position.saturating_sub(self.oldest());
        // What does not fit is more than there is.
        let read = usize::try_from(read).unwrap_or(usize::MAX);
        self.kept.iter_mut().skip(read)
    }

    /// What this receiver is told when it asks for its next item.
    pub(super) fn ask(&mut self, id: ReceiverId) -> Answer<T> {
        let oldest = self.oldest();
        self.asked += 1;
        let receiver = &mut self.receivers[id];
        receiver.asked_at = self.asked;
        receiver.is_reading = true;
        let gave_way = receiver.gave_way.take();
        let lost = oldest.saturating_sub(receiver.position);
        if lost > 0 {
            receiver.position = oldest;
            if receiver.lag != Lag::Skip {
                return Answer::Lagged(lost);
            }
        }
        if receiver.position == self.next {
            return self.beyond_the_kept(id, gave_way);
        }
        let index = receiver.position - oldest;
        receiver.position += 1;
        let index = usize::try_from(index).expect("invariant: what is kept fits into memory");
        Answer::Item(self.read(index))
    }

    /// The item at this place, which one receiver has read now. The last one gets the item
    /// itself, the others a clone.
    fn read(&mut self, index: usize) -> T {
        let kept = &mut self.kept[index];
        kept.readers -= 1;
        if kept.readers > 0 {
            return (self.clone)(&kept.item);
        }
        debug_assert_eq!(index, 0, "who has read this has read all before it");
        let kept = self.kept.pop_front();
        kept.expect("invariant: it was there a line before").item
    }

    fn beyond_the_kept(&mut self, id: ReceiverId, gave_way: Option<GaveWay>) -> Answer<T> {
        if let Some(end) = &self.end {
            let has_heard = std::mem::replace(&mut self.receivers[id].has_heard_the_end, true);
            return match end {
                End::Failed(error) if !has_heard => Answer::Failed(error.clone()),
                _ => Answer::Ended,
            };
        }
        if self.is_blocked() {
            self.is_held_up = true;
            return Answer::Wait;
        }
        if !self.is_full() {
            return Answer::Pull;
        }
        let (oldest, turns) = (self.oldest(), self.receivers.len() - 1);
        let since = gave_way.map_or(self.asked, |gave_way| gave_way.since);
        let others = self.receivers.iter_mut().map(|(_, other)| other);
        let mut at_the_brink = others
            .filter(|other| other.position <= oldest && other.is_reading && other.asked_at < since)
            .peekable();
        let given = gave_way.map_or(0, |gave_way| gave_way.turns);
        if at_the_brink.peek().is_none() || given >= turns {
            // Whoever has not asked in the meantime is too slow, and is not waited for until
            // it asks.
            at_the_brink.for_each(|other| other.is_reading = false);
            return Answer::Pull;
        }
        drop(at_the_brink);
        // In one turn of an executor not all of its tasks need have run.
        let turns = given + 1;
        self.receivers[id].gave_way = Some(GaveWay { since, turns });
        Answer::GiveWay
    }
}
