//! Jobs that were sent ahead to a worker, and are done by another since that one is stuck.

use std::time::Duration;

use treewright::{JobState, ProcessPool, Shutdown};

use crate::actor::support::{Gate, Post, pass, say};
use crate::pool::support::pool;

/// How often jobs are tried to be sent behind one that gets stuck. A machine that is busy may
/// keep a job from being short, and only behind jobs of a function that is short any are sent.
const ATTEMPTS: u32 = 50;

/// Short, and of the same function as what gets stuck at the gate. Gives its worker.
#[treewright::task]
async fn work(stuck: Option<(String, String)>) -> u32 {
    if let Some((gate, post)) = stuck {
        say(&post, "stuck");
        pass(&gate).await;
    }
    std::process::id()
}

/// One job gets stuck, and all those behind it are done by the other worker.
async fn get_stuck(pool: &ProcessPool) {
    let (gate, mut post) = (Gate::new(), Post::new());
    let stuck = pool.submit(work(Some((gate.address(), post.address()))));
    let behind: Vec<_> = (0..16).map(|_| pool.submit(work(None))).collect();
    post.expect("stuck").await;
    let mut others = Vec::new();
    for job in behind {
        let worker = treewright::timeout(Duration::from_secs(60), job).await;
        others.push(
            worker
                .expect("it waits behind the one that is stuck")
                .unwrap(),
        );
    }
    assert_eq!(stuck.state(), JobState::Running);
    gate.open();
    let worker = stuck.await.unwrap();
    assert!(!others.contains(&worker), "{worker} was stuck: {others:?}");
}

#[treewright::test]
async fn jobs_sent_ahead_to_a_worker_that_is_stuck_are_run_by_another() {
    let pool = pool(2);
    for _ in 0..ATTEMPTS {
        for _ in 0..100 {
            pool.submit(work(None)).await.unwrap();
        }
        get_stuck(&pool).await;
        if pool.statistics().taken_back > 0 {
            break;
        }
    }
    // Those were with the worker that was stuck, and it did none of them.
    assert!(pool.statistics().taken_back > 0);
    let statistics = pool.statistics();
    assert_eq!((statistics.failed, statistics.lost), (0, 0));
    pool.shutdown(Shutdown::Wait).await;
}
