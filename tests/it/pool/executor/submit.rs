//! `submit`: what is called, what comes back, and what cannot travel.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use treewright::{Error, ErrorKind, JobState, Result, Shutdown, open_nursery, shielded};

use crate::actor::support::{Gate, Post, relay, remote};
use crate::pool::support::{double, panic, pool, wait_at, worker_pid};

#[treewright::task]
async fn power(base: u64, exponent: u32) -> u64 {
    base.pow(exponent)
}

/// The example of their documentation, with numbers that fit.
#[treewright::test]
async fn submit_runs_the_call_with_its_arguments_in_a_worker() {
    let pool = pool(1);
    let job = pool.submit(power(323, 5));
    assert_eq!(job.await.unwrap(), 323_u64.pow(5));
    let pid = pool.submit(worker_pid()).await.unwrap();
    assert_ne!(pid, std::process::id());
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::test]
async fn submit_does_not_wait_for_a_worker() {
    let (gate, mut post, pool) = (Gate::new(), Post::new(), pool(1));
    let first = pool.submit(wait_at(gate.address(), post.address(), 0));
    post.expect("begun 0").await;
    let others: Vec<_> = (1..100).map(|n| pool.submit(double(n))).collect();
    assert!(others.iter().all(|job| job.state() == JobState::Pending));
    gate.open();
    assert_eq!(first.await.unwrap(), 0);
    for (n, job) in (1..).zip(others) {
        assert_eq!(job.await.unwrap(), 2 * n);
    }
    pool.shutdown(Shutdown::Wait).await;
}

/// An error that travels as the value it is.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct NoSuchPage {
    number: u32,
}

impl fmt::Display for NoSuchPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no page {}", self.number)
    }
}

impl std::error::Error for NoSuchPage {}

#[treewright::task]
async fn read_page(number: u32) -> Result<String, NoSuchPage> {
    Err(NoSuchPage { number })
}

#[treewright::test]
async fn result_raises_what_the_call_raised_as_the_value_it_was() {
    let pool = pool(1);
    let error = pool.submit(read_page(7)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Remote);
    assert_eq!(error.payload(), Some(NoSuchPage { number: 7 }));
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::task]
async fn save() -> Result<()> {
    let refused = std::io::Error::other("disk full");
    Err(Error::from(refused).context("cannot write `page`"))
}

#[treewright::test]
async fn exception_has_the_trace_of_the_worker_it_comes_from() {
    let pool = pool(1);
    let error = pool.submit(save()).await.unwrap_err();
    let remote = remote(&error);
    assert_eq!(remote.message(), "cannot write `page`");
    assert_eq!(remote.causes().collect::<Vec<_>>(), ["disk full"]);
    assert_eq!(remote.origin().name(), "test-1");
    assert!(remote.location().unwrap().starts_with(file!()));
    assert!(error.location().starts_with(file!()));
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::test]
async fn panic_has_the_place_of_the_worker_it_comes_from() {
    let pool = pool(1);
    let error = pool.submit(panic("ouch".to_owned())).await.unwrap_err();
    assert!(error.is_panic());
    let place = remote(&error).location().unwrap();
    assert!(place.starts_with("tests/it/pool/support.rs:"), "{place}");
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::task]
async fn fail_twice() -> Result<()> {
    let (began, has_begun) = smol::channel::bounded::<()>(1);
    let (left, has_failed) = smol::channel::bounded::<()>(1);
    open_nursery(async move |n| {
        n.spawn(async move {
            began.send(()).await.unwrap();
            // The other end is dropped with what failed first.
            let _ = shielded(has_failed.recv()).await;
            Err::<(), _>(Error::other("right"))
        });
        has_begun.recv().await.unwrap();
        drop(left);
        Err(Error::other("left"))
    })
    .await
}

#[treewright::test]
async fn exception_group_comes_whole() {
    let pool = pool(1);
    let error = pool.submit(fail_twice()).await.unwrap_err();
    let failures = remote(&error).failures();
    let texts: BTreeSet<_> = failures.iter().map(|failure| failure.message()).collect();
    assert_eq!(texts, BTreeSet::from(["left", "right"]));
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::task]
async fn save_in_a_pool() -> Result<()> {
    let pool = pool(1);
    let outcome = pool.submit(save()).await;
    pool.shutdown(Shutdown::Wait).await;
    outcome
}

#[treewright::test]
async fn exception_of_a_nested_pool_comes_through_both_workers() {
    let pool = pool(1);
    let error = pool.submit(save_in_a_pool()).await.unwrap_err();
    let remote = remote(&error);
    assert_eq!(remote.message(), "cannot write `page`");
    assert_eq!(relay(remote), ["test-1"]);
    pool.shutdown(Shutdown::Wait).await;
}

/// What cannot be written, or cannot be read again.
#[derive(Debug, Clone, Copy)]
enum Stubborn {
    Unwritten,
    Unread,
}

impl Serialize for Stubborn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unwritten => Err(S::Error::custom("it will not be written")),
            Self::Unread => 1.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Stubborn {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(D::Error::custom("it will not be read"))
    }
}

#[treewright::task]
async fn take(_it: Stubborn) {}

#[treewright::task]
async fn give(is_written: bool) -> Stubborn {
    match is_written {
        true => Stubborn::Unread,
        false => Stubborn::Unwritten,
    }
}

/// Their pool reports what cannot be pickled as the exception of that call; it once hung for it.
#[treewright::test]
async fn argument_that_cannot_travel_fails_that_job_and_the_worker_lives_on() {
    let pool = pool(1);
    let pid = pool.submit(worker_pid()).await.unwrap();
    let error = pool.submit(take(Stubborn::Unwritten)).await.unwrap_err();
    let text = format!("{error:?}");
    assert!(
        text.contains("cannot encode the arguments of task"),
        "{text}"
    );
    assert!(text.contains("it will not be written"), "{text}");
    let error = pool.submit(take(Stubborn::Unread)).await.unwrap_err();
    assert!(
        format!("{error:?}").contains("it will not be read"),
        "{error:?}"
    );
    assert_eq!(pool.submit(worker_pid()).await.unwrap(), pid);
    assert_eq!(pool.statistics().died, 0);
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::test]
async fn result_that_cannot_travel_fails_that_job_and_the_worker_lives_on() {
    let pool = pool(1);
    let pid = pool.submit(worker_pid()).await.unwrap();
    let error = pool.submit(give(false)).await.unwrap_err();
    assert!(
        format!("{error:?}").contains("it will not be written"),
        "{error:?}"
    );
    let error = pool.submit(give(true)).await.unwrap_err();
    assert!(
        format!("{error:?}").contains("it will not be read"),
        "{error:?}"
    );
    assert_eq!(pool.submit(worker_pid()).await.unwrap(), pid);
    assert_eq!(pool.statistics().died, 0);
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::task]
async fn page(byte: u8, length: usize) -> serde_bytes::ByteBuf {
    serde_bytes::ByteBuf::from(vec![byte; length])
}

/// Results that nobody reads yet are taken from the workers all the same.
#[treewright::test]
async fn results_that_fill_every_pipe_many_times_hold_up_nobody() {
    let pool = pool(2);
    let length = 1_000_000;
    let jobs: Vec<_> = (0..100).map(|n| pool.submit(page(n, length))).collect();
    assert_eq!(pool.submit(double(4)).await.unwrap(), 8);
    for (n, job) in (0..).zip(jobs) {
        assert!(job.await.unwrap() == vec![n; length]);
    }
    pool.shutdown(Shutdown::Wait).await;
}
