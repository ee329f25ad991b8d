//! `map`: order, several iterables, chunks, timeouts, exceptions.

use treewright::{Call, Shutdown};

use crate::actor::support::{Gate, MOMENT, Post};
use crate::pool::support::{double, pool, sleep_for_ever, tell, wait_at, worker_pid};

#[treewright::task]
async fn power(base: u64, exponent: u32) -> u64 {
    base.pow(exponent)
}

#[treewright::task]
async fn refuse_five(n: u64) -> treewright::Result<u64> {
    match n {
        5 => Err(treewright::Error::other("not five")),
        _ => Ok(n),
    }
}

#[treewright::test]
async fn map_calls_once_with_each_item_and_keeps_their_order() {
    let pool = pool(2);
    let (gate, mut post) = (Gate::new(), Post::new());
    // The first call is the last one to end.
    let (first, others) = (gate.address(), String::new());
    let gates = std::iter::once(first).chain(std::iter::repeat(others));
    let told = post.address();
    let calls = (0..20)
        .zip(gates)
        .map(|(n, gate)| wait_at(gate, told.clone(), n));
    let mut map = pool.map(calls).chunksize(1);
    let mut results = Vec::new();
    let reading = async {
        while let Some(n) = map.try_next().await.unwrap() {
            results.push(n);
        }
    };
    let opening = async {
        for _ in 0..20 {
            post.line().await;
        }
        gate.open();
    };
    futures_lite::future::zip(reading, opening).await;
    assert_eq!(results, (0..20).collect::<Vec<_>>());
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::test]
async fn map_of_several_iterables_calls_with_one_item_of_each_until_the_shortest_ends() {
    let pool = pool(2);
    let pairs = (2..).zip([5, 6, 7]);
    let calls = pairs.map(|(base, exponent)| power(base, exponent));
    let results: treewright::Result<Vec<_>> = pool.map(calls).blocking().collect();
    assert_eq!(results.unwrap(), [32, 729, 16384]);
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::test]
async fn map_of_nothing_gives_nothing() {
    let pool = pool(1);
    let mut map = pool.map(std::iter::empty::<Call<double>>());
    assert!(map.next().await.is_none());
    assert!(map.next().await.is_none());
    assert_eq!(pool.statistics().started, 0);
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::test]
async fn map_runs_several_calls_at_the_same_time() {
    let pool = pool(2);
    let (gate, mut post) = (Gate::new(), Post::new());
    let calls = [0, 1].map(|n| wait_at(gate.address(), post.address(), n));
    let mut map = pool.map(calls).chunksize(1);
    let reading = async { (map.next().await, map.next().await) };
    let opening = async {
        assert_eq!(post.sorted(2).await, ["begun 0", "begun 1"]);
        gate.open();
    };
    let ((one, other), ()) = futures_lite::future::zip(reading, opening).await;
    assert_eq!((one.unwrap().unwrap(), other.unwrap().unwrap()), (0, 1));
    pool.shutdown(Shutdown::Wait).await;
}

/// Theirs ends with the first exception; here the others can still be read.
#[treewright::test]
async fn map_raises_an_exception_when_its_value_is_read_and_goes_on() {
    let pool = pool(2);
    for chunksize in [1, 3, 100] {
        let mut map = pool.map((0..10).map(refuse_five)).chunksize(chunksize);
        for n in 0..10 {
            match map.next().await.unwrap() {
                Ok(value) => assert!(value == n && n != 5),
                Err(error) => {
                    assert!(error.to_string().ends_with("not five"));
                    assert_eq!(n, 5);
                }
            }
        }
        assert!(map.next().await.is_none());
    }
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::test]
async fn map_with_a_timeout_raises_it_when_results_are_not_there_in_time() {
    let pool = pool(2);
    let calls = pool.map((0..4).map(|n| power(2, n)));
    let mut map = calls.timeout(std::time::Duration::from_secs(60));
    for n in 0..4 {
        assert_eq!(map.next().await.unwrap().unwrap(), 1 << n);
    }
    let endless = pool.map((0..4).map(|_| sleep_for_ever()));
    let results: Vec<_> = endless.timeout(MOMENT).blocking().collect();
    let error = results.into_iter().next().unwrap().unwrap_err();
    assert!(error.is_timeout());
    // What was left of it is cancelled, so that there is room again.
    assert_eq!(pool.submit(double(1)).await.unwrap(), 2);
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::test]
async fn chunksize_says_how_many_calls_go_to_a_worker_at_once() {
    let pool = pool(2);
    let calls = (0..50).map(|_| worker_pid());
    let pids: treewright::Result<Vec<_>> = pool.map(calls).chunksize(10).blocking().collect();
    let pids = pids.unwrap();
    for chunk in pids.chunks(10) {
        assert!(chunk.iter().all(|pid| *pid == chunk[0]), "{pids:?}");
    }
    assert_eq!(pool.statistics().done, 5);
    pool.shutdown(Shutdown::Wait).await;
}

/// Theirs raises `ValueError`; here it is taken for the least there is.
#[treewright::test]
async fn chunksize_of_zero_is_one() {
    let pool = pool(1);
    let results = pool.map((0..3).map(double)).chunksize(0).blocking();
    let results: Vec<_> = results.map(Result::unwrap).collect();
    assert_eq!(results, [0, 2, 4]);
    pool.shutdown(Shutdown::Wait).await;
}

/// Their `buffersize`, without which they take all items at once.
#[treewright::test]
async fn window_bounds_what_is_taken_before_results_are_read() {
    let pool = pool(1);
    let mut taken = 0;
    let calls = (0..).map(|n| {
        taken += 1;
        double(n)
    });
    let mut map = pool.map(calls).chunksize(1).window(4);
    for n in 0..100 {
        assert_eq!(map.next().await.unwrap().unwrap(), 2 * n);
    }
    drop(map);
    assert!((100..110).contains(&taken), "{taken}");
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::test]
async fn map_that_is_dropped_cancels_what_is_left_of_it() {
    let pool = pool(1);
    let (gate, mut post) = (Gate::new(), Post::new());
    let mut calls = vec![wait_at(gate.address(), post.address(), 0)];
    calls.extend((1..10).map(|n| wait_at(gate.address(), post.address(), n)));
    let mut map = pool.map(calls).chunksize(1);
    let first = futures_lite::future::poll_once(map.next()).await;
    assert!(first.is_none());
    post.expect("begun 0").await;
    drop(map);
    assert_eq!(pool.submit(tell(post.address(), 99)).await.unwrap(), 99);
    post.expect("begun 99").await;
    pool.shutdown(Shutdown::Wait).await;
}
