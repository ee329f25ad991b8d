//! Several actors that are alike.

use std::thread::available_parallelism;

use crate::actor;
use crate::error::Result;
use crate::nursery::open_nursery;
use crate::portal::Portal;

/// Runs `body` with `count` actors that are alike, one per processor core unless said, and
/// cancels them when it is done.
///
/// They start side by side, and are called after the actor that starts them: `root.worker_0`
/// and so on.
///
/// # Errors
///
/// What `body` or an actor failed with, as with [`open_nursery`]; what kept an actor from
/// being up.
///
/// # Cancel safety
///
/// That of [`open_nursery`].
///
/// # Examples
///
/// ```no_run
/// use treewright::open_actor_cluster;
///
/// #[treewright::task]
/// async fn square(n: u64) -> u64 {
///     n * n
/// }
///
/// #[treewright::main]
/// async fn main() -> treewright::Result<()> {
///     open_actor_cluster(4, async |portals| {
///         for (n, portal) in (0..).zip(&portals) {
///             assert_eq!(portal.run(square(n)).await?, n * n);
///         }
///         Ok(())
///     })
///     .await
/// }
/// ```
pub async fn open_actor_cluster<R>(
    count: impl Into<Option<usize>>,
    body: impl AsyncFnOnce(Vec<Portal>) -> Result<R>,
) -> Result<R> {
    let per_core = || available_parallelism().map_or(1, usize::from);
    let count = count.into().unwrap_or_else(per_core);
    let prefix = actor::here()?.id.name().to_owned();
    open_nursery(async |n| {
        let mut launched = Vec::with_capacity(count);
        for index in 0..count {
            launched.push(n.actor(format!("{prefix}.worker_{index}")).launch(None)?);
            // A spawn holds up the thread; between two of them the others have their turn.
            futures_lite::future::yield_now().await;
        }
        let mut portals = Vec::with_capacity(count);
        for actor in launched {
            portals.push(actor.up().await?);
        }
        let value = body(portals).await?;
        n.cancel("the cluster is done");
        Ok(value)
    })
    .await
}
