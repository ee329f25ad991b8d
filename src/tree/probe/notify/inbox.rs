//! What one child sent and nobody has read yet.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use event_listener::Event;

use super::message::Notification;
use crate::process::Kin;

/// What is known of one child's messages, shared by the socket and the inbox.
#[derive(Debug)]
pub(super) struct Mailbox {
    pub(super) kin: Kin,
    /// Users who may speak for the child.
    pub(super) users: Vec<u32>,
    unread: RefCell<Option<Notification>>,
    arrived: Event,
    status: RefCell<Option<String>>,
    is_ready: Cell<bool>,
}

impl Mailbox {
    pub(super) fn new(kin: Kin, users: Vec<u32>) -> Self {
        Self {
            kin,
            users,
            unread: RefCell::default(),
            arrived: Event::new(),
            status: RefCell::default(),
            is_ready: Cell::new(false),
        }
    }

    /// Messages that nobody has read yet become one: a child that sends all the time takes no
    /// more memory than one that sent once.
    pub(super) fn deliver(&self, message: Notification) {
        if let Some(status) = &message.status {
            *self.status.borrow_mut() = Some(status.clone());
        }
        self.is_ready.set(self.is_ready.get() || message.is_ready);
        let mut unread = self.unread.borrow_mut();
        match unread.as_mut() {
            Some(earlier) => earlier.merge(message),
            None => *unread = Some(message),
        }
        drop(unread);
        self.arrived.notify(1);
    }
}

/// The messages of one incarnation of a child. Dropped, the child is a stranger to the socket.
#[derive(Debug)]
pub struct NotifyInbox {
    pub(super) mailbox: Rc<Mailbox>,
}

impl NotifyInbox {
    /// What the child sent since this was last asked; waits until there is something.
    ///
    /// # Cancel safety
    ///
    /// Safe: a message is taken only when it is returned.
    pub async fn next(&self) -> Notification {
        loop {
            if let Some(message) = self.mailbox.unread.borrow_mut().take() {
                return message;
            }
            // One thread only: nothing arrives between the look and the listening.
            self.mailbox.arrived.listen().await;
        }
    }

    /// The last `STATUS=` of the child.
    #[must_use]
    pub fn status(&self) -> Option<String> {
        self.mailbox.status.borrow().clone()
    }

    /// Whether the child has sent `READY=1`.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.mailbox.is_ready.get()
    }
}
