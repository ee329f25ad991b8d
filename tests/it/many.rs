//! Many processes, one after the other and at once: what the program has afterwards, and what
//! it does while they run.

use std::fs;
use std::os::fd::OwnedFd;
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use rustix::time::{ClockId, clock_gettime};
use treewright::process::Command;
use treewright::{Nursery, ProcessHandle, Result, open_nursery, run, sleep};

use crate::guard::guarded;
use crate::tree::support::{having, supervisor, tree};

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

/// A supervisor with so many processes, which do nothing.
fn tree_of(count: usize) -> String {
    let names: Vec<String> = (0..count).map(|number| format!("p{number}")).collect();
    let processes = names
        .iter()
        .map(|name| format!("[process.{name}]\nrun = [\"sleep\", \"600\"]\nlog = \"null\"\n"));
    let processes: String = processes.collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    processes + &supervisor("top", &names, "")
}

/// The processes that this one has started and that run, in the order of their starts.
fn children() -> Vec<Pid> {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let lists = tasks.map(|task| fs::read_to_string(task.unwrap().path().join("children")));
    let lists: String = lists.map(Result::unwrap_or_default).collect();
    let ids = lists.split_ascii_whitespace();
    ids.map(|id| Pid::from_raw(id.parse().unwrap()).unwrap())
        .collect()
}

/// Looks on while they end: whenever one has ended, those behind it have, too.
fn watch_them_end_in_reverse(processes: &[Pid]) -> JoinHandle<()> {
    let watch = |pid: &Pid| pidfd_open(*pid, PidfdFlags::empty()).unwrap();
    let processes: Vec<OwnedFd> = processes.iter().map(watch).collect();
    std::thread::spawn(move || {
        let mut left = processes.as_slice();
        while !left.is_empty() {
            let watched = left
                .iter()
                .map(|process| PollFd::new(process, PollFlags::IN));
            let mut watched: Vec<PollFd<'_>> = watched.collect();
            // They are asked in their order, so one that ends meanwhile does not come too early.
            poll(&mut watched, None).unwrap();
            let ended: Vec<bool> = watched
                .iter()
                .map(|one| !one.revents().is_empty())
                .collect();
            let running = ended.iter().position(|ended| *ended).unwrap_or(left.len());
            assert!(ended[running..].iter().all(|ended| *ended), "{ended:?}");
            left = &left[..running];
        }
    })
}

fn tree_starts_and_stops_all_of_its_processes(count: usize) {
    let (tree, events) = tree(&tree_of(count));
    let watcher = run(async || {
        open_nursery(async |n| {
            let handle = n.supervise(tree).await?;
            assert_eq!(handle.living().len(), count);
            let children = children();
            assert_eq!(children.len(), count);
            let some: Vec<Pid> = children.into_iter().step_by(count.div_ceil(100)).collect();
            let watcher = watch_them_end_in_reverse(&some);
            handle.shut_down();
            Ok(watcher)
        })
        .await
    });
    watcher.unwrap().join().unwrap();
    assert_eq!(children(), []);
    let told = events.rest();
    assert_eq!(having(&told, "started after").len(), count);
    assert_eq!(having(&told, "did not stop as it should"), [""; 0]);
}

#[test]
fn tree_of_two_hundred_processes_starts_and_stops_in_reverse_and_leaves_nobody() {
    guarded(|| tree_starts_and_stops_all_of_its_processes(200));
}

#[test]
#[ignore = "slow: 2,000 processes"]
fn tree_of_two_thousand_processes_starts_and_stops_in_reverse_and_leaves_nobody() {
    guarded(|| tree_starts_and_stops_all_of_its_processes(2_000));
}
