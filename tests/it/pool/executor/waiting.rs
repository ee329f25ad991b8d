//! `as_completed` and `wait`.

use futures_lite::StreamExt;
use futures_lite::future::zip;
use treewright::{JobState, Shutdown, as_completed, timeout};

use crate::actor::support::{Gate, MOMENT, Post};
use crate::pool::support::{double, fail, pool, sleep_for_ever, tell, wait_at};

#[treewright::test]
async fn as_completed_gives_first_what_had_ended_before() {
    let (gate, mut post, pool) = (Gate::new(), Post::new(), pool(2));
    let slow = pool.submit(wait_at(gate.address(), post.address(), 1));
    post.expect("begun 1").await;
    // There is no gate to wait at.
    let quick = pool.submit(wait_at(String::new(), post.address(), 2));
    assert_eq!(pool.submit(double(3)).await.unwrap(), 6);
    assert!(quick.is_finished());
    let mut results = as_completed([slow, quick]);
    let (place, value) = results.next().await.unwrap();
    assert_eq!((place, value.unwrap()), (1, 2));
    // A stream like others.
    let rest = async {
        results
            .map(|(place, value)| (place, value.unwrap()))
            .collect()
            .await
    };
    let opening = async { gate.open() };
    let (rest, ()): (Vec<_>, ()) = zip(rest, opening).await;
    assert_eq!(rest, [(0, 1)]);
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::test]
async fn as_completed_of_nothing_gives_nothing() {
    let mut results = as_completed::<double>([]);
    assert!(results.next().await.is_none());
    assert!(results.next_blocking().unwrap().is_none());
}

#[treewright::test]
async fn as_completed_with_a_timeout_raises_it_and_can_be_asked_again() {
    let (gate, mut post, pool) = (Gate::new(), Post::new(), pool(1));
    let job = pool.submit(wait_at(gate.address(), post.address(), 1));
    let mut results = as_completed([job]);
    post.expect("begun 1").await;
    assert!(
        timeout(MOMENT, results.next())
            .await
            .unwrap_err()
            .is_timeout()
    );
    gate.open();
    let (place, value) = results.next_blocking().unwrap().unwrap();
    assert_eq!((place, value.unwrap()), (0, 1));
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::test]
async fn as_completed_that_is_dropped_cancels_the_others() {
    let pool = pool(1);
    let mut results = as_completed(
        [fail("early".to_owned()), fail("late".to_owned())].map(|call| pool.submit(call)),
    );
    assert!(results.next().await.unwrap().1.is_err());
    let endless = as_completed([pool.submit(sleep_for_ever())]);
    drop((results, endless));
    assert_eq!(pool.submit(double(1)).await.unwrap(), 2);
    pool.shutdown(Shutdown::Wait).await;
}

/// `wait(…, return_when=FIRST_COMPLETED)`.
#[treewright::test]
async fn wait_for_the_first_completed_leaves_the_others_running() {
    let (gate, mut post, pool) = (Gate::new(), Post::new(), pool(2));
    let mut slow = pool.submit(wait_at(gate.address(), post.address(), 1));
    post.expect("begun 1").await;
    let mut quick = pool.submit(tell(post.address(), 2));
    let first = futures_lite::future::or(&mut slow, &mut quick).await;
    assert_eq!(first.unwrap(), 2);
    assert_eq!(slow.state(), JobState::Running);
    gate.open();
    assert_eq!(slow.await.unwrap(), 1);
    pool.shutdown(Shutdown::Wait).await;
}

/// `wait(…, return_when=FIRST_EXCEPTION)`.
#[treewright::test]
async fn wait_for_the_first_exception_ends_with_it() {
    let pool = pool(2);
    let texts = ["one", "two"].map(str::to_owned);
    let mut jobs = texts.map(|text| pool.submit(fail(text))).into_iter();
    let outcome =
        futures_lite::future::try_zip(jobs.next().unwrap(), pool.submit(sleep_for_ever()));
    assert!(outcome.await.unwrap_err().to_string().ends_with("one"));
    assert!(jobs.next().unwrap().await.is_err());
    pool.shutdown(Shutdown::Wait).await;
}

/// `wait(…, return_when=ALL_COMPLETED)`, with a timeout and without.
#[treewright::test]
async fn wait_for_all_completed_may_time_out_and_goes_on_where_it_was() {
    let (gate, mut post, pool) = (Gate::new(), Post::new(), pool(2));
    let mut jobs = [1, 2].map(|n| pool.submit(wait_at(gate.address(), post.address(), n)));
    post.sorted(2).await;
    let [one, two] = &mut jobs;
    assert!(timeout(MOMENT, zip(one, two)).await.is_err());
    gate.open();
    let [one, two] = jobs;
    let (one, two) = zip(one, two).await;
    assert_eq!((one.unwrap(), two.unwrap()), (1, 2));
    pool.shutdown(Shutdown::Wait).await;
}
