//! The workers: how many, when they are started, made ready and replaced.

use std::collections::BTreeSet;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::OnceLock;
use std::time::Duration;

use futures_lite::future::{poll_once, zip};
use serde::{Deserialize, Serialize};
use treewright::{ProcessPool, Shutdown, SpawnMethod};

use crate::actor::support::{Gate, MOMENT, Post, Watch, say, say_pid};
use crate::pool::support::{builder, double, pool, wait_at, worker_pid};

#[treewright::test]
async fn max_workers_is_the_number_of_cores_unless_said_and_never_zero() {
    let pool = ProcessPool::new().unwrap();
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    assert_eq!(pool.workers(), cores);
    pool.shutdown(Shutdown::Wait).await;
    let error = ProcessPool::builder().workers(0).build().unwrap_err();
    assert_eq!(error.to_string(), "pool `pool` cannot have 0 workers");
    let error = ProcessPool::builder().max_tasks_per_child(0).build();
    let text = error.unwrap_err().to_string();
    assert_eq!(
        text,
        "pool `pool` cannot have workers that are replaced after 0 jobs"
    );
    let error = ProcessPool::builder().queue_bound(0).build().unwrap_err();
    assert_eq!(error.to_string(), "pool `pool` cannot have room for 0 jobs");
}

#[treewright::test]
async fn workers_are_started_on_demand_and_idle_ones_are_used_again() {
    let pool = pool(4);
    assert_eq!(pool.statistics().started, 0);
    let mut pids = BTreeSet::new();
    for _ in 0..20 {
        pids.insert(pool.submit(worker_pid()).await.unwrap());
    }
    assert_eq!((pids.len(), pool.statistics().started), (1, 1));
    let (gate, mut post) = (Gate::new(), Post::new());
    let jobs = [1, 2, 3].map(|n| pool.submit(wait_at(gate.address(), post.address(), n)));
    post.sorted(3).await;
    assert_eq!(pool.statistics().started, 3);
    gate.open();
    for job in jobs {
        job.await.unwrap();
    }
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::task]
async fn say_started(post: String) {
    say_pid(&post);
}

#[treewright::test]
async fn eager_pool_starts_all_its_workers_at_once() {
    let mut post = Post::new();
    let settings = builder(3).eager(true);
    let pool = settings
        .initializer(say_started(post.address()))
        .build()
        .unwrap();
    let pids: BTreeSet<_> = post.sorted(3).await.into_iter().collect();
    assert_eq!(pids.len(), 3);
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::test]
async fn worker_that_is_idle_for_too_long_ends_and_comes_back_for_the_next_call() {
    let pool = builder(2).idle_limit(MOMENT).build().unwrap();
    let pid = pool.submit(worker_pid()).await.unwrap();
    Watch::of(pid).gone().await;
    assert_ne!(pool.submit(worker_pid()).await.unwrap(), pid);
    assert_eq!(pool.statistics().died, 0);
    pool.shutdown(Shutdown::Wait).await;
}

static MODEL: OnceLock<String> = OnceLock::new();

#[treewright::task]
async fn load(model: String, post: String) {
    say(&post, "loaded");
    MODEL.set(model).unwrap();
}

#[treewright::task]
async fn use_model() -> String {
    MODEL.get().unwrap().clone()
}

#[treewright::test]
async fn initializer_runs_with_its_arguments_once_in_each_worker_before_its_first_call() {
    let mut post = Post::new();
    let initializer = load("seven".to_owned(), post.address());
    let pool = builder(2).initializer(initializer).build().unwrap();
    let mut map = pool.map((0..100).map(|_| use_model())).chunksize(1);
    while let Some(model) = map.try_next().await.unwrap() {
        assert_eq!(model, "seven");
    }
    let started = usize::try_from(pool.statistics().started).unwrap();
    pool.shutdown(Shutdown::Wait).await;
    // One that was started last may have been told to end before it had begun to load.
    post.expect("loaded").await;
    let mut loaded = 1;
    while let Some(line) = poll_once(post.line()).await {
        assert_eq!(line, "loaded");
        loaded += 1;
    }
    assert!(loaded <= started, "{loaded} times in {started} workers");
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct NoModel(u8);

impl fmt::Display for NoModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no model {}", self.0)
    }
}

impl std::error::Error for NoModel {}

#[treewright::task]
async fn fail_to_load(mark: String) -> Result<(), NoModel> {
    match std::fs::exists(&mark) {
        Ok(true) => Ok(()),
        _ => Err(NoModel(7)),
    }
}

/// Theirs is broken from then on; here the next call makes it try again.
#[treewright::test]
async fn initializer_that_raises_fails_the_pending_calls_and_not_the_pool() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("there");
    let initializer = fail_to_load(mark.to_str().unwrap().to_owned());
    let pool = builder(1).initializer(initializer).build().unwrap();
    let jobs: Vec<_> = (0..10).map(|n| pool.submit(double(n))).collect();
    for job in jobs {
        let error = job.await.unwrap_err();
        assert_eq!(error.payload(), Some(NoModel(7)));
    }
    std::fs::write(&mark, "").unwrap();
    assert_eq!(pool.submit(double(4)).await.unwrap(), 8);
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::task]
async fn abort() {
    std::process::abort();
}

#[treewright::test]
async fn initializer_that_kills_its_worker_fails_the_pending_calls() {
    let pool = builder(2).initializer(abort()).build().unwrap();
    let jobs: Vec<_> = (0..10).map(|n| pool.submit(double(n))).collect();
    for job in jobs {
        let error = job.await.unwrap_err();
        assert!(!error.is_cancelled(), "{error:?}");
    }
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::test]
async fn max_tasks_per_child_is_how_many_calls_a_worker_runs_before_it_is_replaced() {
    let pool = builder(1).max_tasks_per_child(3).build().unwrap();
    let jobs: Vec<_> = (0..10).map(|_| pool.submit(worker_pid())).collect();
    let mut pids = Vec::new();
    for job in jobs {
        pids.push(job.await.unwrap());
    }
    for lifetime in pids.chunks(3) {
        assert!(lifetime.iter().all(|pid| *pid == lifetime[0]), "{pids:?}");
    }
    pids.dedup();
    assert_eq!(pids.len(), 4);
    assert_eq!(pool.statistics().died, 0);
    pool.shutdown(Shutdown::Wait).await;
}

/// gh-115634: their pool hung when all its workers had run what they may while calls waited.
#[treewright::test]
async fn max_tasks_per_child_with_calls_that_wait_strands_none() {
    for (workers, tasks) in [(1, 1), (2, 1), (2, 3)] {
        let settings = builder(workers).max_tasks_per_child(tasks);
        let pool = settings.build().unwrap();
        let jobs: Vec<_> = (0..30).map(|n| pool.submit(double(n))).collect();
        for (n, job) in (0..).zip(jobs) {
            assert_eq!(job.await.unwrap(), 2 * n);
        }
        pool.shutdown(Shutdown::Wait).await;
    }
}

/// gh-119592: their pool did not replace its workers any more once it was shut down.
#[treewright::test]
async fn max_tasks_per_child_strands_no_call_of_a_pool_that_is_shut_down() {
    let (gate, mut post) = (Gate::new(), Post::new());
    let pool = builder(2).max_tasks_per_child(1).build().unwrap();
    let mut jobs = vec![pool.submit(wait_at(gate.address(), post.address(), 0))];
    jobs.extend((1..20).map(|n| pool.submit(wait_at(gate.address(), post.address(), n))));
    post.line().await;
    let opening = async {
        gate.open();
        for (n, job) in (0..).zip(jobs) {
            assert_eq!(job.await.unwrap(), n);
        }
    };
    zip(pool.shutdown(Shutdown::Wait), opening).await;
    assert_eq!(pool.statistics().started, 20);
}

/// Their `mp_context`: how the workers come about.
#[treewright::test]
async fn spawn_method_is_how_the_workers_come_about() {
    let launcher = SpawnMethod::launcher(["env", "LAUNCHED=yes"]);
    let own = std::process::id();
    for (method, is_own, launched) in [
        (SpawnMethod::ReExec, false, None),
        (SpawnMethod::Thread, true, None),
        (launcher, false, Some("yes".to_owned())),
    ] {
        let pool = builder(2).spawn_method(method).build().unwrap();
        let pid = pool.submit(worker_pid()).await.unwrap();
        assert_eq!(pid == own, is_own);
        let variable = pool.submit(variable("LAUNCHED".to_owned())).await;
        assert_eq!(variable.unwrap(), launched);
        let jobs: Vec<_> = (0..200).map(|n| pool.submit(double(n))).collect();
        for (n, job) in (0..).zip(jobs) {
            assert_eq!(job.await.unwrap(), 2 * n);
        }
        pool.shutdown(Shutdown::Wait).await;
    }
}

#[treewright::task]
async fn variable(name: String) -> Option<String> {
    std::env::var(name).ok()
}

#[treewright::test]
async fn environment_and_folder_of_the_workers_are_set() {
    let folder = tempfile::tempdir().unwrap();
    let settings = builder(1).env("COLOUR", "cyan").env_remove("HOME");
    let pool = settings.cwd(folder.path()).build().unwrap();
    let colour = pool.submit(variable("COLOUR".to_owned())).await;
    assert_eq!(colour.unwrap().as_deref(), Some("cyan"));
    let home = pool.submit(variable("HOME".to_owned())).await;
    assert_eq!(home.unwrap(), None);
    let path = folder.path().canonicalize().unwrap();
    assert_eq!(pool.submit(current_dir()).await.unwrap(), path);
    pool.shutdown(Shutdown::Wait).await;
}

#[treewright::task]
async fn current_dir() -> std::path::PathBuf {
    std::env::current_dir().unwrap()
}

/// A call that is long does not hold up the short ones that went to its worker before it began.
#[treewright::test]
async fn calls_behind_a_long_one_are_given_to_others() {
    let (gate, mut post, pool) = (Gate::new(), Post::new(), pool(2));
    // Many short ones make it send ahead.
    for _ in 0..3 {
        let jobs: Vec<_> = (0..500).map(|n| pool.submit(double(n))).collect();
        for job in jobs {
            job.await.unwrap();
        }
    }
    let mut jobs: Vec<_> = (0..50).map(|n| pool.submit(double(n))).collect();
    let long = pool.submit(wait_at(gate.address(), post.address(), 7));
    jobs.extend((50..500).map(|n| pool.submit(double(n))));
    for (n, job) in (0..).zip(jobs) {
        let value = treewright::timeout(Duration::from_secs(60), job).await;
        assert_eq!(value.unwrap().unwrap(), 2 * n);
    }
    post.expect("begun 7").await;
    assert!(!long.is_finished());
    gate.open();
    assert_eq!(long.await.unwrap(), 7);
    pool.shutdown(Shutdown::Wait).await;
}
