//! An event that happens once.

use std::cell::Cell;

use event_listener::Event;

/// An event that happens once: whoever waits is woken, whoever comes later does not wait.
#[derive(Debug, Default)]
pub(crate) struct Latch {
    is_set: Cell<bool>,
    event: Event,
}

impl Latch {
    /// A latch that is not set.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Sets it and wakes all who wait. Setting it twice is setting it once.
    pub(crate) fn set(&self) {
        self.is_set.set(true);
        self.event.notify(usize::MAX);
    }

    /// Whether it is set.
    pub(crate) fn is_set(&self) -> bool {
        self.is_set.get()
    }

    /// Waits until it is set. Dropping the future forgets the wait and nothing else.
    pub(crate) async fn wait(&self) {
        // One thread only: nothing can set it between the look and the listening.
        while !self.is_set.get() {
            self.event.listen().await;
        }
    }
}
