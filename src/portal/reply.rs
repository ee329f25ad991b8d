//! Where one call waits for its end.

use std::cell::RefCell;
use std::future::poll_fn;
use std::task::{Poll, Waker};

use bytes::Bytes;

use crate::error::{Error, Result};

/// How a call ended: the encoded value, or what went wrong.
pub(super) type Reply = Result<Bytes, Error>;

/// Where one call waits for its end. It has one caller, which waits for it once.
#[derive(Debug, Default)]
pub(super) struct ReplySlot {
    state: RefCell<State>,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Open,
    Awaited(Waker),
    Ended(Reply),
    Taken,
}

impl ReplySlot {
    /// Ends the call, unless it has ended.
    pub(super) fn end(&self, reply: Reply) {
        let mut state = self.state.borrow_mut();
        if matches!(*state, State::Ended(_) | State::Taken) {
            return;
        }
        if let State::Awaited(waker) = std::mem::replace(&mut *state, State::Ended(reply)) {
            drop(state);
            waker.wake();
        }
    }

    /// Whether the call has ended, so that nobody looks for this slot any more.
    pub(super) fn has_ended(&self) -> bool {
        matches!(*self.state.borrow(), State::Ended(_) | State::Taken)
    }

    /// Waits for the end. Dropping the future forgets the wait and nothing else.
    pub(super) async fn ended(&self) -> Reply {
        poll_fn(|cx| {
            let mut state = self.state.borrow_mut();
            match std::mem::replace(&mut *state, State::Taken) {
                State::Ended(reply) => Poll::Ready(reply),
                State::Open | State::Awaited(_) => {
                    *state = State::Awaited(cx.waker().clone());
                    Poll::Pending
                }
                State::Taken => unreachable!("a reply is awaited once"),
            }
        })
        .await
    }
}
