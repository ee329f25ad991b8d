//! The way into a supervisor's loop.

use treewright_supervisors::supervisor::{Event, Reply, Request};

use crate::rt::channel;
use crate::tree::roster::Claim;

/// Something for a supervisor's loop.
#[derive(Debug)]
pub(in crate::tree) enum Mail {
    /// Something happened.
    Event(Event),
    /// Somebody asks for something.
    Request(Request, Caller),
}

/// Whom to answer.
#[derive(Debug)]
pub(in crate::tree) struct Caller {
    pub(in crate::tree) answer: channel::Sender<Reply>,
    /// Whom the supervisors below answer, for a request that is passed on to them. Who waits
    /// there knows that all have answered when the last of these is gone.
    pub(in crate::tree) below: Option<channel::Sender<Reply>>,
    /// Keeps the names of a child that is to be added.
    pub(in crate::tree) claim: Option<Claim>,
}

impl Caller {
    pub(in crate::tree) fn new(answer: channel::Sender<Reply>) -> Self {
        Self {
            answer,
            below: None,
            claim: None,
        }
    }

    pub(in crate::tree) fn with_below(
        answer: channel::Sender<Reply>,
        below: channel::Sender<Reply>,
    ) -> Self {
        Self {
            answer,
            below: Some(below),
            claim: None,
        }
    }
}

/// The end that others hold. What is sent after the supervisor has ended is dropped, and a
/// request's answer with it, which whoever waits for it sees.
///
/// The queue has no bound of its own: a life sends a handful of events, and every request has
/// a caller who waits.
#[derive(Clone, Debug)]
pub(in crate::tree) struct Mailbox(channel::Sender<Mail>);

impl Mailbox {
    pub(in crate::tree) fn new() -> (Self, channel::Receiver<Mail>) {
        let (sender, receiver) = channel::unbounded();
        (Self(sender), receiver)
    }

    pub(in crate::tree) fn tell(&self, event: Event) {
        self.post(Mail::Event(event));
    }

    pub(in crate::tree) fn post(&self, mail: Mail) {
        // An unbounded queue refuses only when nobody reads it any more.
        let _ = self.0.try_send(mail);
    }
}
