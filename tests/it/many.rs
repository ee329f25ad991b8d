//! Many processes, one after the other and at once: what the program has afterwards, and what
//! it does while they run.

use std::fs;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use treewright::process::Command;
use treewright::{Nursery, ProcessHandle, Result, open_nursery, run, sleep};

use crate::guard::guarded;

/// What a program has that may grow.
#[derive(Clone, Copy, Debug)]
struct Possessions {
    descriptors: usize,
    threads: usize,
    /// Memory of its own, in KiB: what it has of files comes with the code that runs.
    memory: usize,
}

impl Possessions {
    fn now() -> Self {
        Self {
            descriptors: fs::read_dir("/proc/self/fd").unwrap().count(),
            threads: threads(),
            memory: memory(),
        }
    }
}

/// Those of the pool for blocking work end by themselves when idle.
fn threads() -> usize {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.map(|task| fs::read_to_string(task.unwrap().path().join("comm")));
    names
        .filter(|name| {
            !name
                .as_ref()
                .is_ok_and(|name| name.starts_with("blocking-"))
        })
        .count()
}

fn memory() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    line.unwrap().trim_end_matches("kB").trim().parse().unwrap()
}

fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

/// Runs this many programs to their ends, 50 at a time.
async fn spawn(n: &Nursery<'_>, count: usize) -> Result<()> {
    for _ in 0..count / 50 {
        let batch = start(n, Command::new("true"), 50).await?;
        for process in batch {
            process.exited().await;
        }
    }
    Ok(())
}

async fn start(n: &Nursery<'_>, command: Command, count: usize) -> Result<Vec<ProcessHandle>> {
    let mut processes = Vec::new();
    for _ in 0..count {
        processes.push(n.command(command.clone()).start().await?);
    }
    Ok(processes)
}

/// Runs so many at once, looks on for a second, and stops them all together.
async fn run_at_once(count: usize) -> Result<()> {
    open_nursery(async |n| {
        let threads_before = threads();
        let mut command = Command::new("sleep");
        command.arg("600");
        let processes = start(&n, command, count).await?;
        assert_eq!(threads(), threads_before, "a thread per child");
        // What the last start left to be done.
        sleep(Duration::from_millis(50)).await;
        let before = processor_time();
        sleep(Duration::from_secs(1)).await;
        let busy = processor_time() - before;
        // Less than the kernel's tick: its own count of ticks stands still.
        assert!(
            busy < Duration::from_millis(10),
            "busy for {busy:?} of a second"
        );
        assert!(
            processes
                .iter()
                .all(|process| process.try_exited().is_none())
        );
        n.cancel("enough");
        Ok(())
    })
    .await
}

fn nothing_grows(one_by_one: usize, at_once: usize) {
    run(async || {
        // So that what is kept for the next time is there.
        open_nursery(async |n| spawn(&n, 200).await).await?;
        run_at_once(at_once).await?;
        let before = Possessions::now();
        open_nursery(async |n| spawn(&n, one_by_one).await).await?;
        run_at_once(at_once).await?;
        let after = Possessions::now();
        assert_eq!(after.descriptors, before.descriptors);
        assert_eq!(after.threads, before.threads);
        assert!(
            after.memory < before.memory + 1024,
            "before {before:?}, after {after:?}"
        );
        Ok(())
    })
    .unwrap();
}

#[test]
fn thousand_spawns_and_hundred_at_once_leave_nothing_behind() {
    guarded(|| nothing_grows(1_000, 100));
}

#[test]
#[ignore = "slow: 10,000 spawns"]
fn ten_thousand_spawns_and_thousand_at_once_leave_nothing_behind() {
    guarded(|| nothing_grows(10_000, 1_000));
}
