//! What the receivers of one broadcast have in common: its state, its source, and the
//! bell that tells them of news.

use std::cell::RefCell;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures_core::Stream;

use super::Lag;
use super::bell::Bell;
use super::state::{Answer, BroadcastState, ReceiverId};
use crate::error::{Error, Result};

pub(super) type Source<T> = Pin<Box<dyn Stream<Item = Result<T>>>>;

/// What a receiver gets when it asks.
pub(super) enum Asked<T> {
    /// An item, an error, or the end.
    Ready(Option<Result<T>>),
    /// Nothing yet. When there is news, the bell rings.
    Nothing,
    /// Nothing, and the bell will not ring for it: others are to run before it asks again.
    GiveWay,
}

/// What the receivers of one broadcast have in common. The source goes with the last of
/// them.
///
/// Nobody's own waker is left with the source. The source is given the bell, which wakes
/// all receivers that wait, and each news concerns all of them: so whoever of them stops
/// waiting need not tell anybody, and the next one that runs asks the source.
pub(super) struct Shared<T> {
    state: RefCell<BroadcastState<T>>,
    /// Missing when it has come to its end. It is not part of the state, since it is code
    /// of others that may use this very broadcast.
    source: RefCell<Option<Source<T>>>,
    bell: Arc<Bell>,
    /// The bell, as the source takes it.
    waker: Waker,
}

impl<T> Shared<T> {
    pub(super) fn new(source: Source<T>, capacity: NonZeroUsize) -> Self
    where
        T: Clone,
    {
        let bell = Arc::<Bell>::default();
        Self {
            state: RefCell::new(BroadcastState::new(capacity)),
            source: RefCell::new(Some(source)),
            waker: Waker::from(Arc::clone(&bell)),
            bell,
        }
    }

    /// The bell that rings when there is news for anybody.
    pub(super) fn bell(&self) -> &Bell {
        &self.bell
    }

    pub(super) fn subscribe(&self, lag: Lag) -> ReceiverId {
        self.state.borrow_mut().subscribe(lag)
    }

    pub(super) fn duplicate(&self, id: ReceiverId) -> ReceiverId {
        self.state.borrow_mut().duplicate(id)
    }

    pub(super) fn remove(&self, id: ReceiverId) {
        // What was kept for it is dropped after the state is free again.
        let _unread = self.state.borrow_mut().remove(id);
        self.bell.forget(id);
        self.tell_of_room();
    }

    pub(super) fn lag(&self, id: ReceiverId) -> Lag {
        self.state.borrow().lag(id)
    }

    pub(super) fn set_lag(&self, id: ReceiverId, lag: Lag) {
        self.state.borrow_mut().set_lag(id, lag);
        self.tell_of_room();
    }

    pub(super) fn grow(&self, capacity: NonZeroUsize) {
        self.state.borrow_mut().grow(capacity);
        self.tell_of_room();
    }

    pub(super) fn unread(&self, id: ReceiverId) -> u64 {
        self.state.borrow().unread(id)
    }

    pub(super) fn is_over(&self, id: ReceiverId) -> bool {
        self.state.borrow().is_over(id)
    }

    pub(super) fn has_ended(&self) -> bool {
        self.state.borrow().has_ended()
    }

    fn tell_of_room(&self) {
        if self.state.borrow_mut().take_room() {
            self.bell.ring();
        }
    }

    /// Takes in what the source gives. Says whether there was anything.
    fn pull(&self) -> bool {
        // A source that asks its own broadcast is answered when it has given an item.
        let Ok(mut source) = self.source.try_borrow_mut() else {
            return false;
        };
        let Some(stream) = &mut *source else {
            return false;
        };
        let news = stream
            .as_mut()
            .poll_next(&mut Context::from_waker(&self.waker));
        let _pushed_out = match news {
            Poll::Pending => return false,
            Poll::Ready(Some(Ok(item))) => self.state.borrow_mut().take_in(item),
            Poll::Ready(end) => {
                let failure = end.and_then(Result::err);
                self.state.borrow_mut().end(failure);
                let ended = source.take();
                drop(source);
                drop(ended);
                None
            }
        };
        self.bell.ring();
        true
    }

    /// What this receiver gets now; asks the source if need be.
    pub(super) fn ask(&self, id: ReceiverId) -> Asked<T> {
        loop {
            let answer = self.state.borrow_mut().ask(id);
            return Asked::Ready(match answer {
                Answer::Item(item) => {
                    self.tell_of_room();
                    Some(Ok(item))
                }
                Answer::Lagged(lost) => Some(Err(Error::of_lag(lost))),
                Answer::Failed(error) => Some(Err(error)),
                Answer::Ended => None,
                Answer::Pull if self.pull() => continue,
                Answer::Pull | Answer::Wait => return Asked::Nothing,
                Answer::GiveWay => return Asked::GiveWay,
            });
        }
    }
}
