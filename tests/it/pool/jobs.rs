//! Jobs that are submitted, and what comes of them.

use std::time::Duration;

use treewright::{ErrorKind, JobState, ProcessPool, Shutdown};

use super::support::{
    builder, double, fail, panic, pool, reverse, sleep_for_ever, spin_for_ever, worker_pid,
};
use crate::actor::support::{Post, remote};

#[treewright::test]
async fn job_gives_what_its_call_gives() {
    let pool = pool(2);
    let jobs: Vec<_> = (0..1000).map(|n| pool.submit(double(n))).collect();
    for (n, job) in (0..).zip(jobs) {
        assert_eq!(job.await.unwrap(), 2 * n);
    }
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::test]
async fn plain_thread_waits_for_a_job() {
    let pool = pool(1);
    let other = pool.clone();
    let thread = std::thread::spawn(move || other.submit(double(21)).result_blocking());
    assert_eq!(thread.join().unwrap().unwrap(), 42);
    pool.shutdown_blocking(Shutdown::Wait).unwrap();
}

#[treewright::test]
async fn error_and_panic_of_a_job_are_its_own_and_the_worker_lives_on() {
    let pool = pool(1);
    let pid = pool.submit(worker_pid()).await.unwrap();
    let error = pool.submit(fail("no luck".to_owned())).await.unwrap_err();
    assert_eq!(remote(&error).message(), "no luck");
    let error = pool.submit(panic("ouch".to_owned())).await.unwrap_err();
    assert!(error.is_panic() && remote(&error).message().ends_with("ouch"));
    assert_eq!(pool.submit(worker_pid()).await.unwrap(), pid);
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::test]
async fn long_arguments_and_results_pass() {
    let pool = pool(1);
    let mut bytes = vec![7; 100_000_000];
    bytes[..5].copy_from_slice(b"begin");
    let job = pool.submit(reverse(serde_bytes::ByteBuf::from(bytes.clone())));
    let back = job.await.unwrap();
    bytes.reverse();
    assert!(back == bytes);
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::test]
async fn job_that_was_not_begun_is_cancelled_without_a_trace() {
    let pool = pool(1);
    let first = pool.submit(sleep_for_ever());
    let second = pool.submit(double(1));
    second.cancel();
    assert!(second.await.unwrap_err().is_cancelled());
    first.cancel();
    assert!(first.await.unwrap_err().is_cancelled());
    assert_eq!(pool.submit(double(1)).await.unwrap(), 2);
    assert_eq!(pool.statistics().died, 0);
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::test]
async fn job_that_does_not_let_go_is_killed_with_its_worker_after_the_grace() {
    let pool = builder(1).grace(Duration::from_millis(50)).build().unwrap();
    let pid = pool.submit(worker_pid()).await.unwrap();
    let mut post = Post::new();
    let job = pool.submit(spin_for_ever(Some(post.address())));
    post.expect(&format!("pid {pid}")).await;
    assert_eq!(job.state(), JobState::Running);
    job.cancel();
    assert!(job.await.unwrap_err().is_cancelled());
    assert_ne!(pool.submit(worker_pid()).await.unwrap(), pid);
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::test]
async fn pool_that_was_shut_down_takes_no_job() {
    let pool = ProcessPool::new().unwrap();
    pool.shutdown(Shutdown::Now).await;
    assert!(pool.submit(double(1)).await.unwrap_err().is_closed());
}

#[treewright::test]
async fn at_the_bound_a_call_comes_back() {
    let pool = builder(1).queue_bound(1).build().unwrap();
    let first = pool.submit(sleep_for_ever());
    assert_eq!(pool.try_submit(double(3)).unwrap_err().0.args(), &(3,));
    let error = pool.submit(double(3)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    drop(first);
    assert_eq!(pool.submit_wait(double(3)).await.await.unwrap(), 6);
    pool.shutdown(Shutdown::Wait).await;
}
