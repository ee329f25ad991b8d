//! Nurseries without processes: who is cancelled when, and what comes out.

mod around;
mod cancel;
mod failures;
mod time;

use std::cell::Cell;
use std::time::Duration;

use treewright::time::{Time, VirtualClock};
use treewright::{Error, Result, Runtime};

const SECOND: Duration = Duration::from_secs(1);

/// Runs `body` on a virtual clock; gives what came out and how long it took.
fn virtually<R>(body: impl AsyncFnOnce() -> Result<R>) -> (Result<R>, Duration) {
    let clock = VirtualClock::new();
    let runtime = Runtime::builder()
        .handle_signals(false)
        .virtual_clock(clock.clone());
    (runtime.run(body), clock.now() - Time::ORIGIN)
}

/// Counts itself while it lives.
struct Alive<'a>(&'a Cell<i32>);

impl<'a> Alive<'a> {
    fn new(count: &'a Cell<i32>) -> Self {
        count.set(count.get() + 1);
        Self(count)
    }
}

impl Drop for Alive<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

fn texts(error: &Error) -> Vec<String> {
    error.failures().map(Error::to_string).collect()
}
