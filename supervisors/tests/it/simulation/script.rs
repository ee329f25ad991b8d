//! What a scripted child does when it is started and stopped.

use std::collections::VecDeque;
use std::time::Duration;

use treewright_supervisors::supervisor::ExitReason;

/// What a child does when it is started.
#[derive(Clone, Debug)]
pub(crate) enum Starts {
    /// It runs.
    Well,
    /// It runs, but says so only after this time.
    After(Duration),
    /// It fails at once.
    Badly,
    /// It fails after this time.
    BadlyAfter(Duration),
    /// It says `ignore`.
    Ignoring,
    /// Nothing is heard of it.
    Hanging,
}

/// What a child does when it is asked to stop.
#[derive(Clone, Debug)]
pub(crate) enum Stops {
    /// It ends because it was asked, after this time.
    After(Duration),
    /// It ends in its own way, after this time.
    With(Duration, ExitReason),
    /// It does not hear.
    Deaf,
}

/// How a child behaves. One that nobody scripted starts well, runs for ever and stops at once.
#[derive(Clone, Debug)]
pub(crate) struct Behaviour {
    /// The next starts, one after the other …
    pub(crate) next_starts: VecDeque<Starts>,
    /// … and all starts after these.
    pub(crate) starts: Starts,
    /// How long after its start it is ready; never when absent.
    pub(crate) ready_after: Option<Duration>,
    /// How long after each start it ends by itself, and how.
    pub(crate) ends: Option<(Duration, ExitReason)>,
    /// What it does when it is asked to stop.
    pub(crate) stops: Stops,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            next_starts: VecDeque::new(),
            starts: Starts::Well,
            ready_after: None,
            ends: None,
            stops: Stops::After(Duration::ZERO),
        }
    }
}

impl Behaviour {
    /// All starts from now on.
    pub(crate) fn start(&mut self, starts: Starts) -> &mut Self {
        self.next_starts.clear();
        self.starts = starts;
        self
    }

    /// The next starts; those after them are as before.
    pub(crate) fn next(&mut self, starts: impl IntoIterator<Item = Starts>) -> &mut Self {
        self.next_starts.extend(starts);
        self
    }

    /// How it stops from now on.
    pub(crate) fn stop(&mut self, stops: Stops) -> &mut Self {
        self.stops = stops;
        self
    }

    /// It is ready this long after its start.
    pub(crate) fn ready(&mut self, after: Duration) -> &mut Self {
        self.ready_after = Some(after);
        self
    }

    /// It ends by itself this long after its start.
    pub(crate) fn end(&mut self, after: Duration, reason: ExitReason) -> &mut Self {
        self.ends = Some((after, reason));
        self
    }

    pub(crate) fn take_start(&mut self) -> Starts {
        self.next_starts
            .pop_front()
            .unwrap_or_else(|| self.starts.clone())
    }
}
