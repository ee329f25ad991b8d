//! Pools of workers as children of a tree, which any actor finds by their names.

use std::process;
use std::time::Duration;

use rustix::process::{Signal, getppid};
use treewright::{
    ErrorKind, JobState, ProcessPool, Result, Runtime, Shutdown, TreeOutcome, as_completed,
    fail_after, join, open_nursery, run,
};

use super::operate::with_tree;
use super::support::{is_alive, kill, tree};
use crate::actor::support::{Gate, Post, Watch, say_pid};
use crate::guard::guarded;
use crate::pool::support::{
    die, double, fail, panic, sleep_for_ever, tell_pid_and_wait, text, wait_at,
};

/// Longer than anything takes on the slowest machine.
pub(super) const HANGS: Duration = Duration::from_secs(60);

pub(super) const JOBS: &str = "[pool.jobs]\nsize = 2\nbackoff = { initial = \"0s\" }\n";

/// The pool `jobs` of the tree around.
async fn jobs() -> ProcessPool {
    fail_after(HANGS, async { ProcessPool::connect("jobs").wait().await })
        .await
        .unwrap()
}

/// Runs `work` on a thread of its own.
async fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (tell, told) = smol::channel::bounded(1);
    let thread = std::thread::spawn(move || drop(tell.try_send(work())));
    let done = told.recv().await.unwrap();
    thread.join().unwrap();
    done
}

/// The process of the pool in whose worker it runs.
#[treewright::task]
async fn pool_pid() -> u32 {
    let pid = getppid().unwrap();
    pid.as_raw_nonzero().get().try_into().unwrap()
}

/// Uses the pool of the tree, as any actor may.
#[treewright::task]
#[expect(clippy::print_stdout, reason = "its output is its log")]
async fn use_the_pool(to: u64) -> Result<()> {
    let pool = ProcessPool::connect("jobs").await?;
    let mut doubles = pool.map((0..to).map(double));
    let mut sum = 0;
    while let Some(double) = doubles.try_next().await? {
        sum += double;
    }
    println!("sum {sum}");
    Ok(())
}

/// Gives a pool of the tree a job that never ends, and waits for it.
#[treewright::task]
async fn wait_for_ever(post: String) -> Result<()> {
    say_pid(&post);
    let pool = ProcessPool::connect("jobs").await?;
    pool.submit(tell_pid_and_wait(post)).await
}

#[test]
fn actor_of_the_tree_and_its_program_find_the_pool_by_its_name() {
    guarded(|| {
        let path = module_path!();
        let text = format!(
            "[supervisor.root]\nchildren = [\"jobs\", \"user\"]\n{JOBS}\
             [actor.user]\ntask = \"{path}::use_the_pool\"\nargs = [10000]\nrestart = \"temporary\"\n"
        );
        with_tree(&text, async |tree, events| {
            events.wait_for("user | sum 99990000").await;
            let pool = jobs().await;
            assert_eq!((pool.name(), pool.workers()), ("jobs", 2));
            assert_eq!(pool.submit(double(21)).await.unwrap(), 42);
            // It is one child, which has no members.
            let living = tree.living();
            let of_the_pool = living.iter().filter(|name| name.starts_with("jobs"));
            assert_eq!(of_the_pool.collect::<Vec<_>>(), ["jobs"]);
        });
    });
}

#[test]
fn every_way_to_submit_is_there() {
    guarded(|| {
        with_tree(JOBS, async |_, _| {
            let pool = jobs().await;
            let mut doubles = pool.map((0..5000).map(double)).chunksize(7).unordered();
            let mut all = Vec::new();
            while let Some(double) = doubles.try_next().await.unwrap() {
                all.push(double);
            }
            all.sort_unstable();
            assert_eq!(all, (0..5000).map(|n| 2 * n).collect::<Vec<_>>());

            let mut completed = as_completed([1, 2, 3].map(|n| pool.submit(double(n))));
            let mut places = Vec::new();
            while let Some((place, result)) = completed.next().await {
                assert_eq!(result.unwrap(), 2 * (place as u64 + 1));
                places.push(place);
            }
            places.sort_unstable();
            assert_eq!(places, [0, 1, 2]);

            let letters = 40_000_000;
            assert_eq!(pool.submit(text(letters)).await.unwrap().len(), letters);
            let statistics = pool.statistics();
            assert_eq!((statistics.failed, statistics.sent), (0, 0));
            assert!(statistics.done > 700, "{statistics:?}");
        });
    });
}

#[test]
fn what_a_job_fails_with_arrives_whole() {
    guarded(|| {
        with_tree(JOBS, async |_, _| {
            let pool = jobs().await;
            let error = pool.submit(fail("no ink".to_owned())).await.unwrap_err();
            let remote = error.remote().unwrap();
            assert_eq!(remote.message(), "no ink");
            assert!(remote.origin().name().starts_with("jobs-"), "{remote:?}");
            let error = pool.submit(panic("no paper".to_owned())).await;
            assert!(error.unwrap_err().is_panic());

            let limit = Duration::from_millis(20);
            let late = pool.job(sleep_for_ever()).timeout(limit).submit().await;
            let late = late.unwrap_err();
            assert!(late.is_timeout(), "{late}");
        });
    });
}

#[test]
fn killed_worker_costs_the_job_it_ran_and_no_other() {
    guarded(|| {
        with_tree(JOBS, async |_, _| {
            let pool = jobs().await;
            let lost = pool.submit(die("kill".to_owned()));
            let others: Vec<_> = (0..100).map(|n| pool.submit(double(n))).collect();
            let error = lost.await.unwrap_err();
            let lost = error.worker_lost().unwrap();
            assert_eq!(lost.attempt(), 1);
            assert!(lost.to_string().contains("killed by signal KILL"), "{lost}");
            for (n, job) in (0..).zip(others) {
                assert_eq!(job.await.unwrap(), 2 * n);
            }
            let mut results = pool.map(["not", "kill", "not"].map(|how| die(how.to_owned())));
            let mut lost = Vec::new();
            while let Some(result) = results.next().await {
                lost.push(result.is_err_and(|error| error.worker_lost().is_some()));
            }
            assert_eq!(lost, [false, true, false]);
        });
    });
}

#[test]
fn job_that_is_cancelled_or_dropped_ends_in_its_worker() {
    guarded(|| {
        with_tree(JOBS, async |_, _| {
            let (pool, mut post) = (jobs().await, Post::new());
            let job = pool.submit(tell_pid_and_wait(post.address()));
            post.line().await;
            assert_eq!(job.state(), JobState::Running);
            job.cancel();
            assert!(job.await.unwrap_err().is_cancelled());

            // Its worker can do other things only when it is gone.
            let dropped = [(); 2].map(|()| pool.submit(tell_pid_and_wait(post.address())));
            post.sorted(2).await;
            drop(dropped);
            assert_eq!(pool.submit(double(2)).await.unwrap(), 4);
        });
    });
}

#[test]
fn user_that_dies_has_its_jobs_cancelled() {
    guarded(|| {
        with_tree(JOBS, async |_, _| {
            let (pool, mut post) = (jobs().await, Post::new());
            let address = post.address();
            let died = open_nursery(async |n| {
                let user = n.start_actor("user").await?;
                let killed = async {
                    let user = post.process().await;
                    post.line().await;
                    user.signal(Signal::KILL);
                };
                let running = user.run(wait_for_ever(address));
                futures_lite::future::zip(running, killed).await.0
            });
            assert_eq!(died.await.unwrap_err().kind(), ErrorKind::LostProcess);
            // Both workers are free.
            let (gate, mut post) = (Gate::new(), Post::new());
            let both = [1, 2].map(|n| pool.submit(wait_at(gate.address(), post.address(), n)));
            assert_eq!(post.sorted(2).await, ["begun 1", "begun 2"]);
            gate.open();
            for job in both {
                job.await.unwrap();
            }
        });
    });
}

#[test]
fn killed_pool_costs_the_jobs_it_had_and_the_handle_finds_its_next_life() {
    guarded(|| {
        with_tree(JOBS, async |_, events| {
            let (pool, mut post) = (jobs().await, Post::new());
            let first = pool.submit(pool_pid()).await.unwrap();
            let worker = pool.submit(tell_pid_and_wait(post.address()));
            let running = post.process().await;
            let mark = std::env::temp_dir().join("ran-once");
            let idempotent = pool
                .job(die_with_the_pool(path_of(&mark)))
                .idempotent()
                .submit();
            let error = worker.await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::LostProcess, "{error:?}");
            let text = error.to_string();
            assert!(
                text.contains("pool `jobs` died when it had a job of task"),
                "{text}"
            );
            // Its workers went with it, and another life of it runs what may run twice.
            running.gone().await;
            assert_eq!(idempotent.await.unwrap(), 7);
            events.wait_for("jobs was ended by signal KILL").await;
            let second = pool.submit(pool_pid()).await.unwrap();
            assert_ne!(first, second);
            assert!(!is_alive(first));
            std::fs::remove_file(mark).unwrap();
        });
    });
}

fn path_of(path: &std::path::Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// Kills the process of its pool the first time, for which it leaves a file.
#[treewright::task]
async fn die_with_the_pool(mark: String) -> u32 {
    if std::fs::File::create_new(&mark).is_ok() {
        kill(
            getppid()
                .unwrap()
                .as_raw_nonzero()
                .get()
                .try_into()
                .unwrap(),
            Signal::KILL,
        );
        std::future::pending::<()>().await;
    }
    7
}

#[test]
fn jobs_for_a_pool_that_does_not_come_back_fail_and_say_so() {
    guarded(|| {
        with_tree(JOBS, async |tree, _| {
            let patience = Duration::from_millis(100);
            let pool = ProcessPool::connect("jobs").wait().patience(patience);
            let pool = pool.await.unwrap();
            pool.submit(double(1)).await.unwrap();
            tree.stop("jobs").await.unwrap();
            let error = pool.submit(double(1)).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::LostProcess);
            let causes = format!("{error:?}");
            assert!(
                causes.contains("pool `jobs` is gone, and has not come back within 100ms"),
                "{causes}"
            );
            tree.start("jobs").await.unwrap();
            assert_eq!(pool.submit(double(1)).await.unwrap(), 2);
        });
    });
}

#[test]
fn pool_has_size_workers_always_and_up_to_max_while_jobs_wait() {
    guarded(|| {
        with_tree("[pool.jobs]\nsize = 1\nmax = 3\n", async |_, _| {
            let (pool, mut post, gate) = (jobs().await, Post::new(), Gate::new());
            assert_eq!(pool.workers(), 3);
            let job = |n| wait_at(gate.address(), post.address(), n);
            let waiting = [1, 2, 3].map(|n| pool.submit(job(n)));
            assert_eq!(post.sorted(3).await, ["begun 1", "begun 2", "begun 3"]);
            gate.open();
            for job in waiting {
                job.await.unwrap();
            }
            assert_eq!(pool.statistics().started, 3);
        });
    });
}

#[test]
fn many_who_have_found_the_pool_share_it_and_leave_it_to_the_others() {
    guarded(|| {
        with_tree(JOBS, async |_, _| {
            let (one, other) = (jobs().await, jobs().await);
            let before = one.submit(pool_pid()).await.unwrap();
            let pending = other.submit(sleep_for_ever());
            other.shutdown(Shutdown::Now).await;
            assert!(pending.await.unwrap_err().is_cancelled());
            assert!(other.submit(double(1)).await.unwrap_err().is_closed());
            assert_eq!(one.submit(pool_pid()).await.unwrap(), before);

            let last = one.submit(double(4));
            one.shutdown(Shutdown::Wait).await;
            assert_eq!(last.await.unwrap(), 8);
            assert_eq!(jobs().await.submit(pool_pid()).await.unwrap(), before);
        });
    });
}

#[test]
fn other_threads_block_for_jobs_and_the_thread_that_speaks_with_the_pool_may_not() {
    guarded(|| {
        with_tree(JOBS, async |_, _| {
            let pool = jobs().await;
            let error = pool.submit(double(1)).result_blocking().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
            let other = pool.clone();
            let sum = on_a_thread(move || {
                let doubles = other.map((0..100).map(double)).blocking();
                doubles.map(Result::unwrap).sum::<u64>()
            });
            assert_eq!(sum.await, 9900);
        });
    });
}

#[test]
fn jobs_beyond_the_bound_are_given_back_and_wait() {
    guarded(|| {
        with_tree(JOBS, async |_, _| {
            let (mut post, gate) = (Post::new(), Gate::new());
            let pool = ProcessPool::connect("jobs").wait().queue_bound(2).await;
            let pool = pool.unwrap();
            let job = |n| wait_at(gate.address(), post.address(), n);
            let held = [1, 2].map(|n| pool.submit(job(n)));
            post.sorted(2).await;
            let full = pool.try_submit(double(1)).unwrap_err();
            let error = pool.submit(double(1)).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Refused);
            gate.open();
            assert_eq!(pool.submit_wait(full.0).await.await.unwrap(), 2);
            for job in held {
                job.await.unwrap();
            }
        });
    });
}

#[test]
fn more_jobs_than_may_be_on_their_way_are_all_done() {
    guarded(|| {
        with_tree(JOBS, async |_, _| {
            let pool = jobs().await;
            let jobs: Vec<_> = (0..10_000).map(|n| pool.submit(double(n))).collect();
            for (n, job) in (0..).zip(jobs) {
                assert_eq!(job.await.unwrap(), 2 * n);
            }
        });
    });
}

#[test]
fn joined_program_finds_the_pool_through_the_tree_it_joined() {
    guarded(|| {
        let (tree, events) = tree(JOBS);
        let name = format!("pool-{}", process::id());
        let runtime = Runtime::builder().listen(name.clone());
        let guest = move || {
            run(async || {
                let root = join(&name).await?;
                let pool = ProcessPool::connect("jobs").through(&root).wait().await?;
                pool.submit(double(21)).await
            })
        };
        runtime
            .run(async || {
                open_nursery(async |n| {
                    let handle = n.supervise(tree).await?;
                    handle.started().await?;
                    assert_eq!(on_a_thread(guest).await?, 42);
                    handle.shut_down();
                    assert_eq!(handle.ended().await?, TreeOutcome::Stopped);
                    Ok(())
                })
                .await
            })
            .unwrap();
        drop(events);
    });
}

#[test]
fn tree_that_ends_takes_the_pool_and_its_workers_along() {
    guarded(|| {
        let mut pids = Vec::new();
        with_tree(JOBS, async |_, _| {
            let (pool, mut post) = (jobs().await, Post::new());
            let running = pool.submit(tell_pid_and_wait(post.address()));
            pids.push(Watch::of(pool.submit(pool_pid()).await.unwrap()));
            pids.push(post.process().await);
            running.detach();
        });
        run(async || {
            for process in pids {
                process.gone().await;
            }
            Ok(())
        })
        .unwrap();
    });
}
