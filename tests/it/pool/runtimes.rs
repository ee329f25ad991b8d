//! One handle, used from every runtime at once.

#![expect(
    clippy::disallowed_methods,
    reason = "these runtimes have no signals and no children to look after"
)]

use treewright::{ProcessPool, Result, Shutdown, as_completed};

use super::support::{double, pool};
use crate::guard::guarded;

/// All that waits, on whatever runtime this is.
async fn use_pool(pool: ProcessPool) -> Result<u64> {
    let jobs: Vec<_> = (0..100).map(|n| pool.submit(double(n))).collect();
    let mut sum = 0;
    for job in jobs {
        sum += job.await?;
    }
    let mut results = as_completed((0..100).map(|n| pool.submit(double(n))));
    while let Some((_, value)) = results.next().await {
        sum += value?;
    }
    let mut map = pool.map((0..100).map(double));
    while let Some(value) = map.try_next().await? {
        sum += value;
    }
    sum += pool.submit_wait(double(50)).await.await?;
    Ok(sum)
}

const SUM: u64 = 3 * 9900 + 100;

// Not guarded: async-std keeps its threads.
#[test]
fn pool_is_used_from_async_std_smol_tokio_and_plain_threads_at_once() {
    let pool = pool(2);
    let users: [fn(ProcessPool) -> Result<u64>; 5] = [
        |pool| async_std::task::block_on(use_pool(pool)),
        |pool| smol::block_on(use_pool(pool)),
        |pool| {
            let runtime = tokio::runtime::Builder::new_current_thread().build();
            runtime.unwrap().block_on(use_pool(pool))
        },
        |pool| treewright::run(async || use_pool(pool).await),
        |pool| {
            let values = pool.map((0..100).map(double)).blocking();
            let sum = values.sum::<Result<u64>>()?;
            Ok(2 * sum + 9900 + pool.submit(double(50)).result_blocking()?)
        },
    ];
    let threads = users.map(|user| {
        let pool = pool.clone();
        std::thread::spawn(move || user(pool))
    });
    for thread in threads {
        assert_eq!(thread.join().unwrap().unwrap(), SUM);
    }
    pool.shutdown_blocking(Shutdown::Wait).unwrap();
}

#[test]
fn pool_goes_on_while_the_runtimes_of_its_users_end() {
    guarded(|| {
        let pool = pool(1);
        let job = smol::block_on(async { Some(pool.submit(double(1))) });
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        assert_eq!(runtime.unwrap().block_on(job.unwrap()).unwrap(), 2);
        let job = treewright::run(async || Ok(pool.submit(double(2)))).unwrap();
        assert_eq!(job.result_blocking().unwrap(), 4);
        pool.shutdown_blocking(Shutdown::Now).unwrap();
    });
}
