//! What goes to the other side of a context: the first value, and the messages of the stream.

use std::task::{Context, Poll};

use super::backlog::Backlog;
use super::handle::{Dialog, remember};
use super::phases::{Event, Misuse, Verdict};
use super::state::{End, State};
use crate::error::{Error, Result};
use crate::wire::{Encoded, Kind};

impl Dialog {
    /// Sends the first value.
    pub(crate) fn start(&self, first: Encoded) -> Result<()> {
        self.may(Event::Start, "start")?;
        self.peer.send(first)
    }

    /// Waits until one message may be sent.
    pub(crate) fn poll_may_send(&self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let mut state = self.state.borrow_mut();
        match state.may_send() {
            Ok(true) => {
                let room = self.backlog.poll_room(cx, self.peer.link(), self.context);
                if room.is_pending() {
                    remember(&mut state.sender, cx);
                }
                room.map(Ok)
            }
            Ok(false) => {
                remember(&mut state.sender, cx);
                Poll::Pending
            }
            Err(misuse) => Poll::Ready(Err(self.cannot_send(&state, misuse))),
        }
    }

    /// Whether one message may be sent now.
    pub(crate) fn may_send(&self) -> Result<bool> {
        let mut state = self.state.borrow_mut();
        let has_room = || Backlog::has_room(self.peer.link(), self.context);
        match state.may_send() {
            Ok(has_credit) => Ok(has_credit && has_room()),
            Err(misuse) => Err(self.cannot_send(&state, misuse)),
        }
    }

    fn cannot_send(&self, state: &State, misuse: Misuse) -> Error {
        match (misuse, state.end()) {
            (
                Misuse::Ended,
                Some(End {
                    outcome: Err(error),
                    ..
                }),
            ) => {
                self.tell();
                error.clone()
            }
            _ => self.misuse(misuse, "send on the stream of"),
        }
    }

    /// Sends a message, for which there must be credit.
    pub(crate) fn send(&self, message: Encoded) -> Result<()> {
        let length = message.body_length();
        let link = self.peer.link();
        self.peer.send(message)?;
        self.state.borrow_mut().sent(length);
        link.flush_gathered();
        Ok(())
    }

    /// Sends no more messages.
    pub(crate) fn close_sending(&self) {
        let verdict = self.state.borrow_mut().step(Event::CloseSending);
        if verdict == Verdict::Do {
            let last = Encoded::empty(Kind::EndOfStream, self.context);
            // Where nobody is there, nobody waits for the end.
            let _gone = self.peer.send(last);
        }
    }

    /// Nobody is there to send more. Where the function runs, that may be because it ends:
    /// then its end says so, which may be a failure, and a stream that had ended well before
    /// would hide that.
    pub(crate) fn sender_dropped(&self) {
        match self.node.get() {
            Some(_) => self.was_dropped.set(true),
            None => self.close_sending(),
        }
    }

    /// The function that runs here waits for something, so it was not because of its end that
    /// its sender was dropped, if it was.
    pub(crate) fn function_waits(&self) {
        if self.was_dropped.take() {
            self.close_sending();
        }
    }

    fn may(&self, event: Event, what: &str) -> Result<()> {
        let mut state = self.state.borrow_mut();
        match state.step(event) {
            Verdict::Misuse(misuse) => match state.end() {
                Some(End {
                    outcome: Err(error),
                    ..
                }) => {
                    self.tell();
                    Err(error.clone())
                }
                _ => Err(self.misuse(misuse, what)),
            },
            _ => Ok(()),
        }
    }
}
