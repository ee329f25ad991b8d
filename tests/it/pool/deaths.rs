//! Workers that die, and whom it costs what.

use std::time::Duration;

use treewright::Shutdown;
use treewright::process::ExitStatus;
use treewright::spec::Signal;

use super::support::{builder, die, double, panic, pool, spin_for_ever, worker_pid};
use crate::actor::support::{Post, say};

#[treewright::test]
async fn death_of_a_worker_costs_the_job_it_ran_and_no_other() {
    let pool = pool(2);
    let jobs: Vec<_> = (0..200).map(|n| pool.submit(double(n))).collect();
    let lost = pool.submit(die("kill".to_owned()));
    let more: Vec<_> = (0..200).map(|n| pool.submit(double(n))).collect();
    for (n, job) in (0..200).zip(jobs).chain((0..200).zip(more)) {
        assert_eq!(job.await.unwrap(), 2 * n);
    }
    let error = lost.await.unwrap_err();
    let lost = error.worker_lost().unwrap();
    let signal = Signal::KILL;
    assert_eq!(
        lost.exit(),
        ExitStatus::Signal {
            signal,
            core: false
        }
    );
    assert_eq!(lost.attempt(), 1);
    assert_eq!(pool.statistics().lost, 1);
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::test]
async fn worker_that_exits_says_with_which_code() {
    let pool = pool(1);
    let error = pool.submit(die("exit".to_owned())).await.unwrap_err();
    assert_eq!(error.worker_lost().unwrap().exit(), ExitStatus::Code(3));
    assert_eq!(pool.submit(double(4)).await.unwrap(), 8);
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::test]
async fn job_that_runs_for_too_long_is_killed_and_the_others_go_on() {
    let pool = builder(1)
        .timeout(Duration::from_millis(200))
        .build()
        .unwrap();
    let pid = pool.submit(worker_pid()).await.unwrap();
    let slow = pool.submit(spin_for_ever(None));
    let others: Vec<_> = (0..20).map(|n| pool.submit(double(n))).collect();
    let error = slow.await.unwrap_err();
    assert!(error.is_timeout());
    let text = error.to_string();
    assert!(
        text.ends_with("ran for more than 200ms, and its worker was killed"),
        "{text}"
    );
    for (n, job) in (0..).zip(others) {
        assert_eq!(job.await.unwrap(), 2 * n);
    }
    assert_ne!(pool.submit(worker_pid()).await.unwrap(), pid);
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::test]
async fn initializer_that_fails_fails_the_jobs_and_the_next_one_is_tried() {
    let pool = builder(1)
        .initializer(panic("not today".to_owned()))
        .build()
        .unwrap();
    for _ in 0..2 {
        let error = pool.submit(double(1)).await.unwrap_err();
        assert!(format!("{error:?}").contains("not today"), "{error:?}");
    }
    pool.shutdown(Shutdown::Wait).await;
}

/// Says that it runs, and gives more than fits into the shared memory, or kills its worker.
#[treewright::task]
async fn long_or_deadly(post: String, n: u64) -> String {
    say(&post, &format!("ran {n}"));
    if n == 1 {
        std::process::abort();
    }
    "x".repeat(100_000)
}

#[treewright::test]
async fn long_answers_that_were_given_before_the_worker_died_arrive() {
    let (mut post, pool) = (Post::new(), pool(1));
    let calls = (0..3).map(|n| long_or_deadly(post.address(), n));
    let results: Vec<_> = pool.map(calls).chunksize(3).blocking().collect();
    assert_eq!(results[0].as_ref().unwrap().len(), 100_000);
    assert!(results[1].as_ref().unwrap_err().worker_lost().is_some());
    assert_eq!(results[2].as_ref().unwrap().len(), 100_000);
    pool.shutdown(Shutdown::Wait).await;
    say(&post.address(), "end");
    for line in ["ran 0", "ran 1", "ran 2", "end"] {
        assert_eq!(post.line().await, line);
    }
}
