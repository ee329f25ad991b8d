//! Waits for a line that contains a text.

use std::rc::Rc;

use memchr::memmem::Finder;

use super::line::Run;
use crate::rt::Latch;

/// Looks for a text in what passes by.
#[derive(Debug)]
pub(crate) struct Watch {
    finder: Finder<'static>,
    seen: Latch,
}

impl Watch {
    pub(crate) fn new(text: &str) -> Rc<Self> {
        Rc::new(Self {
            finder: Finder::new(text).into_owned(),
            seen: Latch::new(),
        })
    }

    /// Looks at the run. A text holds no line end, so looking at many lines at once is the
    /// same as looking at each.
    pub(crate) fn look(&self, run: &Run<'_>) {
        if !self.seen.is_set() && self.finder.find(run.bytes).is_some() {
            self.seen.set();
        }
    }
}

/// A wait for a line with a text; see [`ChildLog::watch`](super::ChildLog::watch).
#[derive(Debug)]
pub struct LogWatch(pub(crate) Rc<Watch>);

impl LogWatch {
    /// Whether such a line was seen since the watch began.
    #[must_use]
    pub fn is_seen(&self) -> bool {
        self.0.seen.is_set()
    }

    /// Waits until such a line is seen; at once when it was already.
    ///
    /// # Cancel safety
    ///
    /// Safe: what was seen stays seen.
    pub async fn seen(&self) {
        self.0.seen.wait().await;
    }
}
