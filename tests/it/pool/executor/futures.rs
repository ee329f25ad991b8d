//! What a `Future` of theirs does, a `Job` here.

use std::time::Duration;

use treewright::{JobState, Shutdown, open_nursery};

use crate::actor::support::{Gate, MOMENT, Post};
use crate::pool::support::{
    builder, double, fail, pool, sleep_for_ever, tell, wait_at, worker_pid,
};

#[treewright::test]
async fn done_and_running_say_how_far_it_is() {
    let (gate, mut post, pool) = (Gate::new(), Post::new(), pool(1));
    let mut first = pool.submit(wait_at(gate.address(), post.address(), 1));
    let second = pool.submit(double(1));
    post.expect("begun 1").await;
    assert_eq!(first.state(), JobState::Running);
    assert_eq!(second.state(), JobState::Pending);
    assert!(!first.is_finished() && !second.is_finished());
    gate.open();
    assert_eq!((&mut first).await.unwrap(), 1);
    assert_eq!(second.await.unwrap(), 2);
    assert!(first.is_finished());
    let failed = pool.submit(fail("no".to_owned()));
    pool.shutdown(Shutdown::Wait).await;
    assert!(failed.is_finished());
}

#[treewright::test]
async fn cancel_of_a_pending_call_means_that_it_is_never_run() {
    let (gate, mut post, pool) = (Gate::new(), Post::new(), pool(1));
    let first = pool.submit(wait_at(gate.address(), post.address(), 1));
    post.expect("begun 1").await;
    let pending: Vec<_> = (10..20)
        .map(|n| pool.submit(tell(post.address(), n)))
        .collect();
    pending.iter().for_each(treewright::Job::cancel);
    for job in pending {
        assert!(job.await.unwrap_err().is_cancelled());
    }
    let last = pool.submit(tell(post.address(), 2));
    gate.open();
    assert_eq!(first.await.unwrap(), 1);
    assert_eq!(last.await.unwrap(), 2);
    post.expect("begun 2").await;
    assert_eq!(pool.statistics().cancelled, 10);
    pool.shutdown(Shutdown::Wait).await;
}

/// Theirs refuses; here it is dropped at its next await, and its worker stays.
#[treewright::test]
async fn cancel_of_a_running_call_ends_it() {
    let (gate, mut post, pool) = (Gate::new(), Post::new(), pool(1));
    let pid = pool.submit(worker_pid()).await.unwrap();
    let job = pool.submit(wait_at(gate.address(), post.address(), 1));
    post.expect("begun 1").await;
    job.cancel();
    assert!(job.await.unwrap_err().is_cancelled());
    assert_eq!(pool.submit(worker_pid()).await.unwrap(), pid);
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::test]
async fn cancel_of_a_finished_call_changes_nothing() {
    let pool = pool(1);
    let job = pool.submit(double(2));
    // Jobs of a worker end in order, so this one has ended.
    assert_eq!(pool.submit(double(3)).await.unwrap(), 6);
    assert!(job.is_finished());
    job.cancel();
    assert_eq!(job.await.unwrap(), 4);
    assert_eq!(pool.statistics().cancelled, 0);
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::test]
async fn cancel_may_be_said_twice_and_by_dropping() {
    let (gate, mut post, pool) = (Gate::new(), Post::new(), pool(1));
    let running = pool.submit(wait_at(gate.address(), post.address(), 1));
    let pending = pool.submit(tell(post.address(), 2));
    post.expect("begun 1").await;
    running.cancel();
    running.cancel();
    drop((running, pending));
    assert_eq!(pool.submit(double(1)).await.unwrap(), 2);
    let statistics = pool.statistics();
    assert_eq!((statistics.cancelled, statistics.done), (2, 1));
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::test]
async fn result_with_a_timeout_raises_it_and_the_call_goes_on() {
    let (gate, mut post, pool) = (Gate::new(), Post::new(), pool(1));
    let mut job = pool.submit(wait_at(gate.address(), post.address(), 1));
    post.expect("begun 1").await;
    let error = job.result_timeout_blocking(MOMENT).unwrap_err();
    assert!(error.is_timeout());
    assert!(treewright::timeout(MOMENT, &mut job).await.is_err());
    assert_eq!(job.state(), JobState::Running);
    gate.open();
    let value = job.result_timeout_blocking(Duration::from_secs(60));
    assert_eq!(value.unwrap(), 1);
    pool.shutdown(Shutdown::Wait).await;
}

/// `exception()` gives what was raised, or nothing.
#[treewright::test]
async fn exception_is_the_error_half_of_the_result() {
    let pool = pool(1);
    assert!(pool.submit(double(1)).await.err().is_none());
    let error = pool.submit(fail("no luck".to_owned())).await.err();
    assert!(error.unwrap().to_string().ends_with("no luck"));
    pool.shutdown(Shutdown::Wait).await;
}

/// What `add_done_callback` is for: a task that awaits the job, also when it is cancelled.
#[treewright::test]
async fn callback_is_a_task_that_awaits_the_job() {
    let pool = pool(2);
    let mut called = Vec::new();
    let (tx, rx) = smol::channel::unbounded();
    open_nursery(async |n| {
        let (done, endless) = (pool.submit(double(1)), pool.submit(sleep_for_ever()));
        endless.cancel();
        let other = tx.clone();
        n.spawn(async move { other.send(done.await.is_ok()).await.unwrap() });
        n.spawn(async move {
            let is_cancelled = endless.await.unwrap_err().is_cancelled();
            tx.send(!is_cancelled).await.unwrap();
        });
        called.push(rx.recv().await.unwrap());
        called.push(rx.recv().await.unwrap());
        Ok(())
    })
    .await
    .unwrap();
    called.sort_unstable();
    assert_eq!(called, [false, true]);
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::test]
async fn job_that_is_let_go_is_run_to_its_end() {
    let (mut post, pool) = (Post::new(), builder(1).build().unwrap());
    pool.submit(tell(post.address(), 5)).detach();
    post.expect("begun 5").await;
    pool.shutdown(Shutdown::Wait).await;
    assert_eq!(pool.statistics().done, 1);
}
