//! Processes: started, watched and stopped for real.

mod cgroup;
mod failures;
pub(crate) mod helper;
mod spawn;
mod stop;
mod storm;
mod survivors;
mod world;

use std::future::Future;

/// Runs a future on this thread, as a runtime would.
#[expect(
    clippy::disallowed_methods,
    reason = "there is no runtime around a test"
)]
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    smol::block_on(future)
}
