//! `shutdown` in all its forms, and what happens without it.

use futures_lite::future::{poll_once, zip};
use treewright::{Error, Result, Shutdown, open_pool, run};

use crate::actor::support::{Gate, Post, Watch};
use crate::guard::guarded;
use crate::pool::support::{
    builder, double, fail, pool, sleep_for_ever, tell, tell_pid_and_wait, wait_at, worker_pid,
};

#[treewright::test]
async fn shutdown_with_wait_returns_when_all_pending_calls_have_run() {
    let (gate, mut post, pool) = (Gate::new(), Post::new(), pool(1));
    let mut jobs: Vec<_> = (0..5)
        .map(|n| pool.submit(wait_at(gate.address(), post.address(), n)))
        .collect();
    post.expect("begun 0").await;
    let mut shutdown = std::pin::pin!(pool.shutdown(Shutdown::Wait));
    assert!(poll_once(&mut shutdown).await.is_none());
    gate.open();
    shutdown.await;
    for (n, job) in (0..).zip(&mut jobs) {
        assert!(job.is_finished());
        assert_eq!(job.await.unwrap(), n);
    }
}

/// Their `wait=False`: the future is dropped, and all goes on.
#[treewright::test]
async fn shutdown_without_wait_returns_at_once_and_pending_calls_are_run() {
    let (gate, mut post, pool) = (Gate::new(), Post::new(), pool(1));
    let jobs: Vec<_> = (0..5)
        .map(|n| pool.submit(wait_at(gate.address(), post.address(), n)))
        .collect();
    post.expect("begun 0").await;
    assert!(poll_once(pool.shutdown(Shutdown::Wait)).await.is_none());
    gate.open();
    for (n, job) in (0..).zip(jobs) {
        assert_eq!(job.await.unwrap(), n);
    }
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::test]
async fn submit_and_map_after_shutdown_are_refused() {
    for how in [Shutdown::Wait, Shutdown::CancelPending, Shutdown::Now] {
        let pool = pool(1);
        assert_eq!(pool.submit(double(1)).await.unwrap(), 2);
        pool.shutdown(how).await;
        let mut errors = vec![
            pool.submit(double(1)).await.unwrap_err(),
            pool.try_submit(double(1)).unwrap().await.unwrap_err(),
            pool.submit_wait(double(1)).await.await.unwrap_err(),
        ];
        errors.push(pool.map([double(1)]).next().await.unwrap().unwrap_err());
        for error in errors {
            assert!(error.is_closed(), "{error:?}");
            assert_eq!(error.to_string(), "pool `test` was shut down");
        }
    }
}

/// Their `cancel_futures=True`, with `wait=True`.
#[treewright::test]
async fn shutdown_with_cancel_cancels_what_has_not_begun_and_waits_for_what_has() {
    let (gate, mut post, pool) = (Gate::new(), Post::new(), pool(1));
    let ended = pool.submit(double(1));
    let running = pool.submit(wait_at(gate.address(), post.address(), 7));
    let pending: Vec<_> = (0..50)
        .map(|n| pool.submit(tell(post.address(), n)))
        .collect();
    post.expect("begun 7").await;
    let shutdown = pool.shutdown(Shutdown::CancelPending);
    let others = async {
        for job in pending {
            assert!(job.await.unwrap_err().is_cancelled());
        }
        // Only now does the one that runs come to its end.
        gate.open();
        assert_eq!(running.await.unwrap(), 7);
        assert_eq!(ended.await.unwrap(), 2);
    };
    zip(shutdown, others).await;
    assert_eq!(pool.statistics().cancelled, 50);
}

#[treewright::test]
async fn shutdown_may_be_asked_for_by_several_threads_and_again() {
    let pool = pool(2);
    let jobs: Vec<_> = (0..100).map(|n| pool.submit(double(n))).collect();
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let pool = pool.clone();
            std::thread::spawn(move || pool.shutdown_blocking(Shutdown::Wait))
        })
        .collect();
    for thread in threads {
        thread.join().unwrap().unwrap();
    }
    for (n, job) in (0..).zip(jobs) {
        assert_eq!(job.await.unwrap(), 2 * n);
    }
    pool.shutdown(Shutdown::Wait).await;
    pool.shutdown(Shutdown::Now).await;
}

#[treewright::test]
async fn shutdown_that_waits_is_hastened_by_another_one() {
    let pool = pool(1);
    let job = pool.submit(sleep_for_ever());
    let mut waiting = std::pin::pin!(pool.shutdown(Shutdown::Wait));
    assert!(poll_once(&mut waiting).await.is_none());
    pool.shutdown(Shutdown::Now).await;
    waiting.await;
    assert!(job.await.unwrap_err().is_cancelled());
}

#[treewright::test]
async fn shutdown_of_a_pool_that_was_never_used_starts_no_worker() {
    for how in [Shutdown::Wait, Shutdown::CancelPending, Shutdown::Now] {
        let pool = pool(4);
        pool.shutdown(how).await;
        assert_eq!(pool.statistics().started, 0);
    }
}

/// Their `kill_workers`.
#[treewright::test]
async fn shutdown_now_cancels_all_and_kills_the_workers() {
    let (mut post, pool) = (Post::new(), pool(2));
    let mut jobs: Vec<_> = (0..2)
        .map(|_| pool.submit(tell_pid_and_wait(post.address())))
        .collect();
    let workers = [post.process().await, post.process().await];
    jobs.extend((0..10).map(|_| pool.submit(tell_pid_and_wait(post.address()))));
    pool.shutdown(Shutdown::Now).await;
    for worker in workers {
        worker.gone().await;
    }
    for job in jobs {
        assert!(job.await.unwrap_err().is_cancelled());
    }
}

/// Their `with` statement.
#[treewright::test]
async fn block_of_a_pool_that_ends_well_waits_for_all_calls() {
    let (gate, mut post) = (Gate::new(), Post::new());
    let (tx, rx) = smol::channel::bounded(1);
    let block = open_pool(builder(1), async |pool| {
        for n in 0..3 {
            let job = pool.submit(wait_at(gate.address(), post.address(), n));
            tx.send(job).await.unwrap();
            if n == 0 {
                post.expect("begun 0").await;
            }
            let mut job = rx.recv().await.unwrap();
            assert!(poll_once(&mut job).await.is_none());
            job.detach();
        }
        gate.open();
        Ok(pool)
    });
    let pool = block.await.unwrap();
    assert_eq!(post.sorted(2).await, ["begun 1", "begun 2"]);
    assert_eq!(pool.statistics().done, 3);
    assert!(pool.submit(double(1)).await.unwrap_err().is_closed());
}

/// Theirs waits for all calls then, too.
#[treewright::test]
async fn block_of_a_pool_that_fails_cancels_its_calls() {
    let mut post = Post::new();
    let outcome: Result<()> = open_pool(builder(1), async |pool| {
        let _endless = pool.submit(tell_pid_and_wait(post.address()));
        let worker = post.process().await;
        pool.submit(fail("no luck".to_owned())).detach();
        drop(worker);
        Err(Error::other("enough"))
    })
    .await;
    assert_eq!(outcome.unwrap_err().to_string(), "enough");
}

/// Theirs runs what is pending when the executor is dropped; here nobody could learn of it.
#[test]
fn drop_without_shutdown_kills_and_reaps_the_workers() {
    guarded(|| {
        run(async || {
            let (mut post, pool) = (Post::new(), pool(2));
            let other = pool.clone();
            let jobs = [(); 2].map(|()| pool.submit(tell_pid_and_wait(post.address())));
            let workers = [post.process().await, post.process().await];
            drop(pool);
            assert_eq!(other.name(), "test");
            drop(other);
            for job in jobs {
                assert!(job.await.unwrap_err().is_cancelled());
            }
            for worker in workers {
                worker.gone().await;
            }
            Ok(())
        })
        .unwrap();
    });
}

#[test]
fn drop_on_a_plain_thread_leaves_nothing() {
    guarded(|| {
        let pool = pool(2);
        let pid = pool.submit(worker_pid()).result_blocking().unwrap();
        drop(pool);
        futures_lite::future::block_on(Watch::of(pid).gone());
    });
}
