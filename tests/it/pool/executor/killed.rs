//! Workers that are killed: where theirs raises `BrokenProcessPool` for all calls, from then on.

use rustix::process::Signal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use treewright::process::ExitStatus;
use treewright::{ProcessPool, Shutdown};

use crate::actor::support::{Gate, Post, Watch};
use crate::pool::support::{builder, die, double, pool, tell_pid_and_wait, wait_at, worker_pid};

/// Jobs before and after `lost` are not touched by its end.
async fn lost_alone<T: treewright::Task>(pool: &ProcessPool, lost: treewright::Call<T>) -> String {
    let before: Vec<_> = (0..50).map(|n| pool.submit(double(n))).collect();
    let lost = pool.submit(lost);
    let after: Vec<_> = (0..50).map(|n| pool.submit(double(n))).collect();
    for (n, job) in (0..50).zip(before).chain((0..50).zip(after)) {
        assert_eq!(job.await.unwrap(), 2 * n);
    }
    match lost.await {
        Ok(_) => panic!("it came to its end"),
        Err(error) => format!("{error:?}"),
    }
}

#[treewright::test]
async fn worker_that_ends_in_any_way_costs_its_call_and_not_the_pool() {
    let pool = pool(2);
    for how in ["kill", "abort", "exit"] {
        let text = lost_alone(&pool, die(how.to_owned())).await;
        assert!(text.starts_with("worker `test-"), "{text}");
        assert!(text.contains(" while it ran task "), "{text}");
    }
    assert_eq!((pool.statistics().died, pool.statistics().lost), (3, 3));
    pool.shutdown(Shutdown::Wait).await;
}

/// Somebody kills it from outside, as the kernel does when memory is short.
#[treewright::test]
async fn worker_that_is_killed_from_outside_costs_its_call_and_not_the_pool() {
    let (mut post, pool) = (Post::new(), pool(1));
    let job = pool.submit(tell_pid_and_wait(post.address()));
    let others: Vec<_> = (0..20).map(|n| pool.submit(double(n))).collect();
    post.process().await.signal(Signal::KILL);
    let error = job.await.unwrap_err();
    let exit = error.worker_lost().unwrap().exit();
    let signal = treewright::spec::Signal::KILL;
    let core = false;
    assert_eq!(exit, ExitStatus::Signal { signal, core });
    for (n, job) in (0..).zip(others) {
        assert_eq!(job.await.unwrap(), 2 * n);
    }
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::test]
async fn idle_worker_that_is_killed_costs_no_call() {
    let pool = pool(1);
    for n in 0..5 {
        let pid = pool.submit(worker_pid()).await.unwrap();
        let worker = Watch::of(pid);
        worker.signal(Signal::KILL);
        assert_eq!(pool.submit(double(n)).await.unwrap(), 2 * n);
        worker.gone().await;
    }
    assert_eq!(pool.statistics().lost, 0);
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::test]
async fn worker_that_is_killed_while_the_pool_is_shut_down_does_not_hang_it() {
    let (gate, mut post, pool) = (Gate::new(), Post::new(), pool(1));
    let job = pool.submit(tell_pid_and_wait(post.address()));
    let other = pool.submit(wait_at(gate.address(), post.address(), 3));
    let worker = post.process().await;
    gate.open();
    let killing = async { worker.signal(Signal::KILL) };
    futures_lite::future::zip(pool.shutdown(Shutdown::Wait), killing).await;
    assert!(job.await.unwrap_err().worker_lost().is_some());
    assert_eq!(other.await.unwrap(), 3);
}

/// Kills, or panics in, whichever process writes or reads it where it says.
#[derive(Debug, Clone)]
struct Hostile {
    on_write: String,
    on_read: String,
}

fn hostile(on_write: &str, on_read: &str) -> Hostile {
    Hostile {
        on_write: on_write.to_owned(),
        on_read: on_read.to_owned(),
    }
}

fn act(how: &str) {
    match how {
        "exit" => std::process::exit(4),
        "abort" => std::process::abort(),
        "panic" => panic!("hostile"),
        _ => {}
    }
}

impl Serialize for Hostile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        act(&self.on_write);
        self.on_read.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Hostile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let on_read = String::deserialize(deserializer)?;
        act(&on_read);
        Ok(hostile("", &on_read))
    }
}

#[treewright::task]
async fn take(_it: Hostile) {}

#[treewright::task]
async fn give(on_write: String) -> Hostile {
    hostile(&on_write, "")
}

/// Their tests: `test_exit_at_task_unpickle`, `test_crash_at_task_unpickle`,
/// `test_exit_during_result_pickle_on_worker`, `test_crash_during_result_pickle_on_worker`.
#[treewright::test]
async fn worker_that_dies_of_decoding_or_encoding_costs_that_call_and_no_other() {
    let pool = pool(2);
    for how in ["exit", "abort"] {
        let text = lost_alone(&pool, take(hostile("", how))).await;
        assert!(text.contains(" while it ran task "), "{text}");
        let text = lost_alone(&pool, give(how.to_owned())).await;
        assert!(text.contains(" while it ran task "), "{text}");
    }
    assert_eq!((pool.statistics().died, pool.statistics().lost), (4, 4));
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::test]
async fn panic_while_decoding_or_encoding_fails_that_call_and_no_other() {
    let pool = pool(2);
    for text in [
        lost_alone(&pool, take(hostile("", "panic"))).await,
        lost_alone(&pool, give("panic".to_owned())).await,
    ] {
        assert!(text.contains("hostile"), "{text}");
    }
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::test]
async fn pool_of_which_every_worker_dies_many_times_goes_on() {
    let settings = builder(2).restart_limit(1000, std::time::Duration::from_secs(1));
    let pool = settings.build().unwrap();
    let jobs: Vec<_> = (0..30)
        .map(|_| pool.submit(die("kill".to_owned())))
        .collect();
    let last = pool.submit(double(1));
    for job in jobs {
        let error = job.await.unwrap_err();
        assert!(error.worker_lost().is_some(), "{error:?}");
    }
    assert_eq!(last.await.unwrap(), 2);
    assert_eq!(pool.statistics().died, 30);
    pool.shutdown(Shutdown::Wait).await;
}
