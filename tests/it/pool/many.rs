//! Many calls at once, and jobs as they end.

use treewright::{JobState, ProcessPool, Shutdown, as_completed, open_pool};

use super::support::{builder, die, die_once, double, pool, sleep_for_ever, text, worker_pid};

#[treewright::test]
async fn results_of_a_map_come_in_the_order_of_the_calls() {
    let pool = pool(2);
    for chunksize in [None, Some(1), Some(7), Some(1000)] {
        let map = pool.map((0..5000).map(double));
        let mut map = match chunksize {
            Some(size) => map.chunksize(size),
            None => map,
        };
        for n in 0..5000 {
            assert_eq!(map.try_next().await.unwrap(), Some(2 * n));
        }
        assert_eq!(map.try_next().await.unwrap(), None);
    }
    pool.shutdown(Shutdown::Wait).await;
}

/// Long ones travel another way than short ones.
#[treewright::test]
async fn short_and_long_results_of_a_chunk_come_in_the_order_of_the_calls() {
    let pool = pool(2);
    let lengths = || (0..400).map(|n| if n % 7 == 3 { 9_000 + n } else { n });
    let mut map = pool.map(lengths().map(text)).chunksize(40);
    for length in lengths() {
        let result = map.try_next().await.unwrap();
        assert_eq!(result.map(|text| text.len()), Some(length));
    }
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::test]
async fn results_of_an_unordered_map_are_all_there() {
    let pool = pool(2);
    let mut map = pool.map((0..3000).map(double)).chunksize(10).unordered();
    let mut sum = 0;
    while let Some(n) = map.try_next().await.unwrap() {
        sum += n;
    }
    assert_eq!(sum, 2999 * 3000);
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::test]
async fn plain_thread_reads_a_map_as_an_iterator() {
    let pool = pool(2);
    let other = pool.clone();
    let sum = std::thread::spawn(move || {
        let results = other.map((0..100).map(double)).blocking();
        results.map(Result::unwrap).sum::<u64>()
    });
    assert_eq!(sum.join().unwrap(), 9900);
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::test]
async fn calls_of_a_map_are_taken_only_as_results_are_read() {
    let pool = pool(1);
    let taken = std::rc::Rc::new(std::cell::Cell::new(0));
    let counter = std::rc::Rc::clone(&taken);
    let calls = (0..1_000_000).map(move |n| {
        counter.set(counter.get() + 1);
        double(n)
    });
    let mut map = pool.map(calls).chunksize(10).window(100);
    for _ in 0..50 {
        map.next().await.unwrap().unwrap();
    }
    assert!(taken.get() <= 200, "{}", taken.get());
    pool.shutdown(Shutdown::Now).await;
}

#[treewright::test]
async fn worker_that_dies_in_a_chunk_costs_one_call_of_it() {
    let pool = pool(1);
    let how = |n: u32| die(if n == 5 { "kill" } else { "not" }.to_owned());
    let mut map = pool.map((0..10).map(how)).chunksize(10);
    let mut lost = Vec::new();
    for n in 0..10 {
        if let Err(error) = map.next().await.unwrap() {
            assert!(error.worker_lost().is_some(), "{error:?}");
            lost.push(n);
        }
    }
    assert_eq!(lost, [5]);
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::test]
async fn map_that_takes_too_long_ends_with_a_timeout() {
    let pool = pool(1);
    let mut map = pool.map((0..3).map(|_| sleep_for_ever()));
    map = map.timeout(std::time::Duration::from_millis(100));
    assert!(map.next().await.unwrap().unwrap_err().is_timeout());
    assert!(map.next().await.is_none());
    assert_eq!(pool.submit(double(1)).await.unwrap(), 2);
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::test]
async fn jobs_come_as_they_end() {
    let pool = pool(2);
    let mut slow = Some(pool.submit(sleep_for_ever()));
    let jobs: Vec<_> = (0..10).map(|_| pool.submit(worker_pid())).collect();
    let mut results = as_completed(jobs);
    let mut places = Vec::new();
    while let Some((place, result)) = results.next().await {
        result.unwrap();
        places.push(place);
    }
    places.sort_unstable();
    assert_eq!(places, (0..10).collect::<Vec<_>>());
    assert_eq!(slow.as_ref().unwrap().state(), JobState::Running);
    drop(slow.take());
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::test]
async fn idempotent_job_is_run_again_when_its_worker_dies() {
    let pool = pool(1);
    let mark = std::env::temp_dir().join(format!("die-once-{}", std::process::id()));
    let call = die_once(mark.to_str().unwrap().to_owned());
    assert_eq!(pool.job(call).idempotent().submit().await.unwrap(), 7);
    std::fs::remove_file(mark).unwrap();
    assert_eq!(pool.statistics().retried, 1);
    let poison = pool.job(die("abort".to_owned())).retries(2).submit();
    let error = poison.await.unwrap_err();
    assert_eq!(error.worker_lost().unwrap().attempt(), 3);
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::test]
async fn pool_of_a_block_is_gone_when_the_block_is() {
    let pid = open_pool(builder(1), async |pool| pool.submit(worker_pid()).await);
    let pid = rustix::process::Pid::from_raw(pid.await.unwrap().try_into().unwrap());
    assert!(rustix::process::test_kill_process(pid.unwrap()).is_err());
}

#[treewright::test]
async fn worker_is_replaced_after_its_tasks() {
    let pool = builder(1).max_tasks_per_child(2).build().unwrap();
    let mut pids = Vec::new();
    for _ in 0..6 {
        pids.push(pool.submit(worker_pid()).await.unwrap());
    }
    pids.dedup();
    assert_eq!(pids.len(), 3);
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::task]
async fn nested(n: u64) -> treewright::Result<u64> {
    let pool = ProcessPool::builder().workers(1).build()?;
    let value = pool.submit(double(n)).await;
    pool.shutdown(Shutdown::Wait).await;
    value
}

#[treewright::test]
async fn job_has_a_pool_of_its_own() {
    let pool = pool(1);
    assert_eq!(pool.submit(nested(4)).await.unwrap(), 8);
    pool.shutdown(Shutdown::Wait).await;
}
