//! A pool for the time of a block.

use std::sync::Arc;

use super::builder::PoolBuilder;
use super::handle::ProcessPool;
use super::inbox::{Inbox, Request};
use super::machine::Shutdown;
use crate::error::Result;
use crate::undertaker;

/// Runs `body` with a pool, which is gone when this returns: every worker is reaped.
///
/// When `body` has ended well, the jobs that are left are waited for; when it fails, they are
/// cancelled and the workers are killed.
///
/// # Errors
///
/// What `body` failed with; as [`PoolBuilder::build`]; or if no runtime runs on this thread.
///
/// # Cancel safety
///
/// Dropping the future cancels the jobs and kills the workers; the runtime ends only when they are
/// reaped.
///
/// # Examples
///
/// ```no_run
/// use treewright::{ProcessPool, open_pool};
///
/// #[treewright::task]
/// async fn double(n: u32) -> u32 {
///     2 * n
/// }
///
/// #[treewright::main]
/// async fn main() -> treewright::Result<()> {
///     let six = open_pool(ProcessPool::builder().workers(2), async |pool| {
///         pool.submit(double(3)).await
///     })
///     .await?;
///     assert_eq!(six, 6);
///     Ok(())
/// }
/// ```
pub async fn open_pool<R>(
    settings: PoolBuilder,
    body: impl AsyncFnOnce(ProcessPool) -> Result<R>,
) -> Result<R> {
    let undertaker = undertaker::current()?;
    let pool = settings.build()?;
    let inbox = Arc::clone(pool.inbox());
    let _ending = Ending(Arc::clone(&inbox));
    undertaker.take_charge("pool", async move { inbox.wait_until_over().await });
    let outcome = body(pool.clone()).await;
    pool.shutdown(match outcome {
        Ok(_) => Shutdown::Wait,
        Err(_) => Shutdown::Now,
    })
    .await;
    outcome
}

/// Ends the pool at once, if its block was dropped; whoever has handles of it.
struct Ending(Arc<Inbox>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.ask(Request::Shutdown(Shutdown::Now));
    }
}
