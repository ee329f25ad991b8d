//! Workers that are killed at random while many jobs run. How many is said by
//! `TREEWRIGHT_CHAOS_JOBS`; see tests/README.md.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use treewright::{Error, Job, ProcessPool, Result, Shutdown, SpawnMethod};

use super::support::builder;

/// One job in so many is followed by the death of the worker that ran it.
const ONE_IN: u64 = 200;

static EVIDENCE: OnceLock<File> = OnceLock::new();

/// Leaves its number in the file, which survives whatever happens to the worker.
#[treewright::task]
async fn leave_evidence(path: String, number: u32) -> u32 {
    let open = || OpenOptions::new().append(true).open(&path).unwrap();
    let mut file = EVIDENCE.get_or_init(open);
    // So few bytes are written whole or not at all.
    file.write_all(&number.to_ne_bytes()).unwrap();
    std::process::id()
}

fn jobs() -> u32 {
    let usual = if cfg!(debug_assertions) {
        20_000
    } else {
        100_000
    };
    std::env::var("TREEWRIGHT_CHAOS_JOBS").map_or(usual, |count| count.parse().unwrap())
}

/// Kills workers, always at the same numbers; what they are at then is up to chance.
struct Killer {
    random: u64,
    kills: u64,
}

impl Killer {
    fn new() -> Self {
        Self {
            random: 0x9E37_79B9_7F4A_7C15,
            kills: 0,
        }
    }

    /// This worker has given a result.
    fn see(&mut self, worker: u32) {
        // xorshift64
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        if self.random.is_multiple_of(ONE_IN) {
            let worker = rustix::process::Pid::from_raw(worker.try_into().unwrap());
            // It may be gone since.
            let signal = rustix::process::Signal::KILL;
            let killed = rustix::process::kill_process(worker.unwrap(), signal);
            self.kills += u64::from(killed.is_ok());
        }
    }
}

/// What is known of the jobs: which were done and which were lost.
#[derive(Default)]
struct Account {
    done: Vec<u32>,
    lost: Vec<u32>,
}

impl Account {
    fn enter(&mut self, number: u32, outcome: Result<u32, Error>, killer: &mut Killer) {
        match outcome {
            Ok(worker) => {
                self.done.push(number);
                killer.see(worker);
            }
            Err(error) => {
                assert!(error.worker_lost().is_some(), "{number}: {error:?}");
                self.lost.push(number);
            }
        }
    }

    /// Every job is in it once, and ran as often as it may: what was done once, what was lost
    /// once at most.
    fn check(&self, evidence: &Path, pool: &ProcessPool, killer: &Killer) {
        let mut runs = BTreeMap::<u32, u32>::new();
        for number in std::fs::read(evidence).unwrap().chunks(4) {
            let number = u32::from_ne_bytes(number.try_into().unwrap());
            *runs.entry(number).or_default() += 1;
        }
        for number in &self.done {
            assert_eq!(runs.remove(number), Some(1), "job {number} was done");
        }
        for number in &self.lost {
            let runs = runs.remove(number);
            assert!(runs.is_none_or(|runs| runs == 1), "job {number} was lost");
        }
        assert!(runs.is_empty(), "nobody knows of {runs:?}");
        let (died, lost) = (pool.statistics().died, self.lost.len() as u64);
        assert_eq!(pool.statistics().lost, lost);
        assert!(lost <= died, "{lost} jobs were lost by {died} deaths");
        assert!(died <= killer.kills, "{died} of {} kills", killer.kills);
        assert!(
            killer.kills > 0 && lost > 0,
            "it was too quiet: {lost} lost"
        );
    }
}

/// A pool that replaces its workers at once, and a file for evidence.
fn pool_and_file(method: SpawnMethod) -> (ProcessPool, tempfile::NamedTempFile) {
    let settings = builder(2).restart_limit(u32::MAX, Duration::from_secs(1));
    let pool = settings.spawn_method(method).build().unwrap();
    (pool, tempfile::NamedTempFile::new().unwrap())
}

fn path(file: &tempfile::NamedTempFile) -> String {
    file.path().to_str().unwrap().to_owned()
}

async fn submit_and_kill(count: u32, method: SpawnMethod) {
    let (pool, file) = pool_and_file(method);
    let (mut killer, mut account) = (Killer::new(), Account::default());
    let path = path(&file);
    let submit = |number| -> Job<_> { pool.submit(leave_evidence(path.clone(), number)) };
    let jobs: Vec<_> = (0..count).map(submit).collect();
    for (number, job) in (0..).zip(jobs) {
        account.enter(number, job.await, &mut killer);
    }
    pool.shutdown(Shutdown::Wait).await;
    assert_eq!(account.done.len() + account.lost.len(), count as usize);
    account.check(file.path(), &pool, &killer);
}

#[treewright::test]
async fn each_job_is_done_or_lost_once_while_workers_are_killed() {
    submit_and_kill(jobs(), SpawnMethod::ReExec).await;
}

#[treewright::test]
async fn each_job_is_done_or_lost_once_without_shared_memory() {
    let launcher = SpawnMethod::launcher(["env"]);
    submit_and_kill(jobs() / 4, launcher).await;
}

#[treewright::test]
async fn each_call_of_a_map_is_done_or_lost_once_while_workers_are_killed() {
    let (pool, file) = pool_and_file(SpawnMethod::ReExec);
    let (mut killer, mut account) = (Killer::new(), Account::default());
    let path = path(&file);
    let mut map = pool.map((0..jobs()).map(|number| leave_evidence(path.clone(), number)));
    for number in 0..jobs() {
        let outcome = map.next().await.unwrap();
        account.enter(number, outcome, &mut killer);
    }
    assert!(map.next().await.is_none());
    pool.shutdown(Shutdown::Wait).await;
    account.check(file.path(), &pool, &killer);
}

#[treewright::test]
async fn each_job_that_may_run_twice_is_done_while_workers_are_killed() {
    let (pool, file) = pool_and_file(SpawnMethod::ReExec);
    let (mut killer, path) = (Killer::new(), path(&file));
    let submit = |number| {
        let job = pool.job(leave_evidence(path.clone(), number));
        job.retries(1000).submit()
    };
    let jobs: Vec<_> = (0..jobs() / 4).map(submit).collect();
    for job in jobs {
        killer.see(job.await.unwrap());
    }
    let statistics = pool.statistics();
    assert_eq!(statistics.lost, 0);
    // A kill may hit a worker between two jobs.
    assert!(statistics.retried <= killer.kills);
    pool.shutdown(Shutdown::Wait).await;
}
