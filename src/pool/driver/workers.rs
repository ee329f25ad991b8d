//! The workers of a pool as its thread has them.

use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use event_listener::Event;

use crate::context::{StreamSender, TrySendError};
use crate::pool::functions;
use crate::pool::ledger::Ledger;
use crate::pool::message::{Incoming, Outgoing, Subject};
use crate::rt::Latch;

/// What is asked of who attends to a worker.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    /// The worker is to end in order.
    pub(super) stop: Latch,
    /// The worker is to end at once.
    pub(super) kill: Latch,
    /// More is to be sent than the worker has room for.
    pub(super) write: Event,
}

/// A worker that was started and has not ended.
#[derive(Debug)]
pub(super) struct WorkerData {
    pub(super) name: String,
    pub(super) wishes: Rc<Wishes>,
    pub(super) ledger: Option<Arc<Ledger>>,
    pub(super) sender: Option<StreamSender<Bytes>>,
    pub(super) outgoing: Outgoing,
    pub(super) incoming: Incoming,
    /// The functions that it knows, by their numbers here: theirs with it.
    known: Vec<Option<u32>>,
    known_count: u32,
    /// It is looked at again soon, and does not ring meanwhile.
    pub(super) is_watched: bool,
    /// It has said nothing yet that makes no sense.
    pub(super) is_believed: bool,
}

impl WorkerData {
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            wishes: Rc::default(),
            ledger: None,
            sender: None,
            outgoing: Outgoing::default(),
            incoming: Incoming::default(),
            known: Vec::new(),
            known_count: 0,
            is_watched: false,
            is_believed: true,
        }
    }

    /// The number by which it knows a function, of which it is told first if need be.
    pub(super) fn number_of(&mut self, function: u32, path: &str, signature: u64) -> u32 {
        let index = function as usize;
        if self.known.len() <= index {
            self.known.resize(index + 1, None);
        }
        if let Some(number) = self.known[index] {
            return number;
        }
        let number = self.known_count;
        self.known_count += 1;
        self.known[index] = Some(number);
        let body = functions::tell(path, signature);
        self.outgoing.put((Subject::Function, number, 0, 0), &body);
        number
    }

    /// Sends what it has room for; `false` if there is more.
    pub(super) fn flush(&mut self) -> bool {
        let Some(sender) = &mut self.sender else {
            return true;
        };
        let mut has_sent = false;
        while let Some(message) = self.outgoing.pop() {
            match sender.try_send(message) {
                Ok(()) => has_sent = true,
                Err(TrySendError::Full(message)) => {
                    self.outgoing.unpop(message);
                    sender.flush_now();
                    return false;
                }
                // It has died, and is heard of otherwise.
                Err(TrySendError::Failed(_)) => break,
            }
        }
        if has_sent {
            sender.flush_now();
        }
        true
    }
}
