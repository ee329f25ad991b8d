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
    pub(in crate::tree) fn new() -> (Self, MailQueue) {
        let (sender, receiver) = channel::unbounded();
        (Self(sender), MailQueue(receiver))
    }

    pub(in crate::tree) fn tell(&self, event: Event) {
        self.post(Mail::Event(event));
    }

    pub(in crate::tree) fn post(&self, mail: Mail) {
        // An unbounded queue refuses only when nobody reads it any more.
        let _ = self.0.try_send(mail);
    }
}

/// The end that one supervisor reads. Dropped, it drops what was not read: whoever waits for an
/// answer is told so, and does not wait for as long as somebody holds a mailbox.
#[derive(Debug)]
pub(in crate::tree) struct MailQueue(channel::Receiver<Mail>);

impl MailQueue {
    /// The next mail. None when nobody can send any more.
    ///
    /// # Cancel safety
    ///
    /// Safe.
    pub(in crate::tree) async fn next(&self) -> Option<Mail> {
        self.0.recv().await.ok()
    }
}

impl Drop for MailQueue {
    fn drop(&mut self) {
        self.0.close();
        while self.0.try_recv().is_ok() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_that_nobody_read_is_answered_by_its_end() {
        let (mailbox, queue) = Mailbox::new();
        let (before, unread) = channel::bounded(1);
        mailbox.post(Mail::Request(Request::WhichChildren, Caller::new(before)));
        drop(queue);
        assert!(unread.is_closed());
        let (after, refused) = channel::bounded(1);
        mailbox.post(Mail::Request(Request::WhichChildren, Caller::new(after)));
        assert!(refused.is_closed());
    }
}
