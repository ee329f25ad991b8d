//! Wakes the receivers of a broadcast that wait.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

use super::state::ReceiverId;

/// Wakes the receivers that wait, all of them. Sources may ring it from another thread.
///
/// No waker is called or dropped while the bell is locked: what they do may come back here.
#[derive(Debug, Default)]
pub(super) struct Bell(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    /// How often it has rung.
    rings: u64,
    /// By the numbers of the receivers.
    wakers: Vec<Option<Waker>>,
}

impl Bell {
    /// How often it has rung: to be asked before looking for what it tells of.
    pub(super) fn rings(&self) -> u64 {
        self.lock().rings
    }

    /// Has the next ring wake this receiver's task, and nothing else of it. If it has rung
    /// more often than `heard`, says false instead: there is something to look at.
    pub(super) fn wait(&self, id: ReceiverId, waker: &Waker, heard: u64) -> bool {
        let mut waiting = self.lock();
        if waiting.rings != heard {
            return false;
        }
        if waiting.wakers.len() <= id {
            waiting.wakers.resize(id + 1, None);
        }
        let before = waiting.wakers[id].replace(waker.clone());
        drop(waiting);
        drop(before);
        true
    }

    /// Forgets the task of this receiver.
    pub(super) fn forget(&self, id: ReceiverId) {
        let waker = self.take(id);
        drop(waker);
    }

    /// Wakes everybody who waits.
    pub(super) fn ring(&self) {
        let count = {
            let mut waiting = self.lock();
            waiting.rings += 1;
            waiting.wakers.len()
        };
        for id in 0..count {
            let waker = self.take(id);
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }

    fn take(&self, id: ReceiverId) -> Option<Waker> {
        self.lock().wakers.get_mut(id)?.take()
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.ring();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ring();
    }
}
