//! What one side of a context holds: its phases, its credit, and what waits to be read.

use std::collections::VecDeque;
use std::task::Waker;

use bytes::Bytes;

use super::credit::{Credit, Growth, Window};
use super::phases::{Event, Misuse, Phases, Receiving, Role, Verdict};
use crate::error::{Error, Result};
use crate::wire::{CreditBody, Frame};

/// What one side of a context holds.
#[derive(Debug)]
pub(super) struct State {
    phases: Phases,
    credit: Credit,
    window: Window,
    inbox: VecDeque<Frame>,
    first: Option<Bytes>,
    end: Option<End>,
    pub(super) first_waker: Option<Waker>,
    pub(super) reader: Option<Waker>,
    pub(super) sender: Option<Waker>,
}

/// How a context ended.
#[derive(Debug, Clone)]
pub(super) struct End {
    /// The value of the function, encoded, or what went wrong.
    pub(super) outcome: Result<Bytes>,
    /// The other side did not say so: nobody is there any more.
    pub(super) is_loss: bool,
}

impl End {
    /// Whether what came before it is not worth reading: nobody is there any more, or it was
    /// cancelled. Who fails by himself has sent what he has sent.
    fn is_untimely(&self) -> bool {
        self.is_loss || self.outcome.as_ref().is_err_and(Error::is_cancelled)
    }
}

/// What the receiving half of a stream has next.
#[derive(Debug)]
pub(super) enum Next {
    Message(Frame, Option<CreditBody>),
    Failed(Error),
    Over,
    NotYet,
}

impl State {
    pub(super) fn new(role: Role) -> Self {
        Self {
            phases: Phases::new(role),
            credit: Credit::initial(),
            window: Window::initial(),
            inbox: VecDeque::new(),
            first: None,
            end: None,
            first_waker: None,
            reader: None,
            sender: None,
        }
    }

    pub(super) fn step(&mut self, event: Event) -> Verdict {
        self.phases.step(event)
    }

    pub(super) fn was_cancelled(&self) -> bool {
        self.phases.was_cancelled
    }

    pub(super) fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    /// Takes in the first value.
    pub(super) fn started(&mut self, value: Bytes) -> Result<bool, &'static str> {
        self.taken(Event::PeerStarted, |state| state.first = Some(value))
    }

    pub(super) fn take_first(&mut self) -> Option<Bytes> {
        self.first.take()
    }

    /// Takes in a message of the stream. What is to be given back at once is for one that
    /// nobody wants.
    pub(super) fn received(
        &mut self,
        frame: Frame,
        growth: &Growth,
    ) -> Result<Option<CreditBody>, &'static str> {
        let length = frame.body.len();
        let verdict = self.step(Event::PeerData);
        if matches!(verdict, Verdict::Do | Verdict::Discard) && !self.window.receive(length) {
            return Err("a message without credit for it");
        }
        match verdict {
            Verdict::Violation(what) => Err(what),
            Verdict::Do => {
                self.inbox.push_back(frame);
                Ok(None)
            }
            Verdict::Discard => Ok(self.window.read(length, false, growth)),
            Verdict::Nothing | Verdict::Misuse(_) => Ok(None),
        }
    }

    /// Takes in credit. `false` if it makes no difference.
    pub(super) fn may_send_more(&mut self, more: CreditBody) -> Result<bool, &'static str> {
        let mut is_sane = true;
        let taken = self.taken(Event::PeerCredit, |state| is_sane = state.credit.add(more))?;
        match is_sane {
            true => Ok(taken),
            false => Err("credit beyond all measure"),
        }
    }

    pub(super) fn stream_ended(&mut self) -> Result<bool, &'static str> {
        self.taken(Event::PeerEndOfStream, |_| {})
    }

    fn taken(&mut self, event: Event, then: impl FnOnce(&mut Self)) -> Result<bool, &'static str> {
        match self.step(event) {
            Verdict::Do => {
                then(self);
                Ok(true)
            }
            Verdict::Violation(what) => Err(what),
            Verdict::Nothing | Verdict::Discard | Verdict::Misuse(_) => Ok(false),
        }
    }

    /// Ends the context, if `event` does. `false` if it had ended.
    pub(super) fn finish(&mut self, event: Event, end: End) -> Result<bool, &'static str> {
        self.taken(event, |state| {
            if end.is_untimely() {
                state.inbox.clear();
            }
            state.end = Some(end);
        })
    }

    /// By how much its window has grown.
    pub(super) fn growth(&self) -> usize {
        self.window.growth()
    }

    /// Opens the stream, and says what the other side may send more for it.
    pub(super) fn open_stream(&mut self) -> Result<Option<CreditBody>, Misuse> {
        match self.step(Event::OpenStream) {
            Verdict::Misuse(misuse) => Err(misuse),
            _ => Ok(match self.end {
                Some(_) => None,
                None => self.window.open(),
            }),
        }
    }

    /// Whether a message may leave now; not yet is `Ok(false)`.
    pub(super) fn may_send(&mut self) -> Result<bool, Misuse> {
        match self.step(Event::Send) {
            Verdict::Misuse(misuse) => Err(misuse),
            _ => Ok(self.credit.is_there()),
        }
    }

    /// A message with so many bytes leaves.
    pub(super) fn sent(&mut self, bytes: usize) {
        self.credit.spend(bytes);
    }

    /// What there is to read next, and what the other side may send more when that is read.
    pub(super) fn next(&mut self, growth: &Growth) -> Next {
        if self.phases.receiving == Receiving::Discarding {
            return Next::Over;
        }
        if let Some(frame) = self.inbox.pop_front() {
            let more = self
                .window
                .read(frame.body.len(), self.inbox.is_empty(), growth);
            return Next::Message(frame, more.filter(|_| self.wants_more()));
        }
        match (&self.end, self.phases.receiving) {
            (
                Some(End {
                    outcome: Err(error),
                    ..
                }),
                _,
            ) => Next::Failed(error.clone()),
            (Some(_), _) | (_, Receiving::Over) => Next::Over,
            (None, _) => Next::NotYet,
        }
    }

    fn wants_more(&self) -> bool {
        self.end.is_none() && self.phases.receiving != Receiving::Over
    }

    /// Wants nothing more of the stream, and says what the other side may send all the same.
    pub(super) fn close_receiving(&mut self, growth: &Growth) -> Vec<CreditBody> {
        if self.step(Event::CloseReceiving) != Verdict::Do {
            return Vec::new();
        }
        let unread = std::mem::take(&mut self.inbox);
        let mut back: Vec<_> = unread
            .iter()
            .filter_map(|frame| self.window.read(frame.body.len(), false, growth))
            .collect();
        if !self.wants_more() {
            back.clear();
        }
        back
    }
}
