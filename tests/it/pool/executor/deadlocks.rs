//! Where their documentation warns of a deadlock.

use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Wake, Waker};

use treewright::{ErrorKind, Job, ProcessPool, Result, Shutdown};

use crate::actor::support::{Post, Watch, say_pid};
use crate::pool::support::{double, pool, sleep_for_ever, worker_pid};

/// "Calling `Executor` or `Future` methods from a callable submitted to a `ProcessPoolExecutor`
/// will result in deadlock": a worker has no other choice here than a pool of its own.
#[treewright::task]
async fn sum_of_doubles(count: u64) -> Result<u64> {
    let pool = pool(2);
    let jobs: Vec<_> = (0..count).map(|n| pool.submit(double(n))).collect();
    let mut sum = 0;
    for job in jobs {
        sum += job.await?;
    }
    pool.shutdown(Shutdown::Wait).await;
    Ok(sum)
}

#[treewright::test]
async fn call_that_submits_calls_has_a_pool_of_its_own() {
    let pool = pool(2);
    let jobs = [10, 20, 30].map(|count| pool.submit(sum_of_doubles(count)));
    for (count, job) in [10, 20, 30].into_iter().zip(jobs) {
        assert_eq!(job.await.unwrap(), count * (count - 1));
    }
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::task]
async fn deeper(levels: u64) -> Result<u64> {
    if levels == 0 {
        return Ok(0);
    }
    let pool = pool(1);
    let below = pool.submit(deeper(levels - 1)).await?;
    pool.shutdown(Shutdown::Wait).await;
    Ok(below + 1)
}

#[treewright::test]
async fn pools_are_nested_as_deep_as_one_likes() {
    let pool = pool(1);
    assert_eq!(pool.submit(deeper(4)).await.unwrap(), 4);
    pool.shutdown(Shutdown::Wait).await;
}

static POOL: OnceLock<ProcessPool> = OnceLock::new();

#[treewright::task]
async fn double_by_the_pool_of_the_program(n: u64) -> Result<u64> {
    POOL.get_or_init(|| pool(1)).submit(double(n)).await
}

/// "This will never complete because there is only one worker": there is one in each process.
#[treewright::test]
async fn call_that_waits_for_another_of_the_only_worker_comes_to_its_end() {
    let pool = POOL.get_or_init(|| pool(1));
    let job = pool.submit(double_by_the_pool_of_the_program(4));
    assert_eq!(job.await.unwrap(), 8);
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::task]
async fn double_and_block(n: u64) -> Result<u64> {
    let pool = pool(1);
    let value = pool.submit(double(n)).result_blocking()?;
    pool.shutdown_blocking(Shutdown::Wait)?;
    Ok(value)
}

#[treewright::test]
async fn call_may_block_its_worker_for_a_pool_of_its_own() {
    let pool = pool(1);
    assert_eq!(pool.submit(double_and_block(4)).await.unwrap(), 8);
    pool.shutdown(Shutdown::Wait).await;
}

/// Blocks for a job when it is woken, which the thread of the pool does.
struct Blocks<T>(Mutex<Option<T>>, smol::channel::Sender<ErrorKind>);

impl<T: FnOnce() -> ErrorKind + Send> Wake for Blocks<T> {
    fn wake(self: Arc<Self>) {
        let block = self.0.lock().unwrap().take();
        if let Some(block) = block {
            self.1.try_send(block()).unwrap();
        }
    }
}

/// Runs `block` on the thread of `pool`.
async fn on_the_thread_of(
    pool: &ProcessPool,
    block: impl FnOnce() -> ErrorKind + Send + 'static,
) -> ErrorKind {
    let (tx, rx) = smol::channel::bounded(1);
    let waker = Waker::from(Arc::new(Blocks(Mutex::new(Some(block)), tx)));
    let mut job: Job<worker_pid> = pool.submit(worker_pid());
    let first = std::pin::Pin::new(&mut job).poll(&mut Context::from_waker(&waker));
    assert!(first.is_pending(), "a worker does not start in no time");
    let kind = rx.recv().await.unwrap();
    job.await.unwrap();
    kind
}

#[treewright::test]
async fn blocking_on_the_thread_of_a_pool_is_an_error() {
    let pools = [(); 4].map(|()| pool(1));
    let endless = pools[0].submit(sleep_for_ever());
    let result = move || endless.result_blocking().unwrap_err().kind();
    assert_eq!(
        on_the_thread_of(&pools[1], result).await,
        ErrorKind::Refused
    );
    let mut endless = pools[0].submit(sleep_for_ever());
    let limit = std::time::Duration::from_secs(60);
    let result = move || endless.result_timeout_blocking(limit).unwrap_err().kind();
    assert_eq!(
        on_the_thread_of(&pools[2], result).await,
        ErrorKind::Refused
    );
    let own = pools[3].clone();
    let shutdown = move || own.shutdown_blocking(Shutdown::Wait).unwrap_err().kind();
    assert_eq!(
        on_the_thread_of(&pools[3], shutdown).await,
        ErrorKind::Refused
    );
    for pool in pools {
        pool.shutdown(Shutdown::Now).await;
    }
}

#[treewright::task]
async fn wait_in_a_pool_below(post: String) -> Result<()> {
    let pool = pool(1);
    say_pid(&post);
    pool.submit(crate::pool::support::tell_pid_and_wait(post))
        .await
}

#[treewright::test]
async fn worker_that_is_killed_takes_the_workers_of_its_own_pool_along() {
    let (mut post, pool) = (Post::new(), pool(1));
    let job = pool.submit(wait_in_a_pool_below(post.address()));
    let (above, below): (Watch, Watch) = (post.process().await, post.process().await);
    above.signal(rustix::process::Signal::KILL);
    assert!(job.await.unwrap_err().worker_lost().is_some());
    below.gone().await;
    pool.shutdown(Shutdown::Wait).await;
}
