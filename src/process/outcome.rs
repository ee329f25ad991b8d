//! The end of a process, for all who want to know.

use std::cell::OnceCell;

use super::Exit;
use crate::rt::Latch;

/// The end of a process, for all who want to know.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    exit: OnceCell<Exit>,
    ended: Latch,
}

impl Outcome {
    /// The end, if it has come.
    pub(crate) fn get(&self) -> Option<Exit> {
        self.exit.get().copied()
    }

    /// Waits for the end.
    pub(crate) async fn wait(&self) -> Exit {
        self.ended.wait().await;
        self.get()
            .expect("invariant: the exit is set before the latch")
    }

    /// Tells all who want to know.
    pub(crate) fn set(&self, exit: Exit) {
        // There is one owner, which sets it once.
        let _ = self.exit.set(exit);
        self.ended.set();
    }
}
