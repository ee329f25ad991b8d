//! What the kernel says of processes: who is below whom, memory and processor time.

use std::collections::BTreeMap;
use std::fs;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds of the clock the children stamp with.
pub(crate) fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    u64::try_from(now.tv_sec).unwrap() * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap()
}

/// A process and all that is below it. Zombies do not count.
pub(crate) fn family(root: u32) -> Vec<u32> {
    let mut below: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        if let Some((state, parent)) = state_and_parent(pid)
            && state != "Z"
        {
            below.entry(parent).or_default().push(pid);
        }
    }
    let mut family = vec![root];
    let mut seen = 0;
    while let Some(pid) = family.get(seen) {
        family.extend(below.remove(pid).unwrap_or_default());
        seen += 1;
    }
    family
}

fn state_and_parent(pid: u32) -> Option<(String, u32)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let state = fields.next()?.to_owned();
    Some((state, fields.next()?.parse().ok()?))
}

pub(crate) fn runs(pid: u32, program: &Path) -> bool {
    fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| exe == program)
}

/// Memory that is a process's own, its share of what is shared included, in MiB.
pub(crate) fn memory(pid: u32) -> f64 {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let pss = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
    let kib = pss.and_then(|pss| pss.trim().split(' ').next()?.parse::<f64>().ok());
    kib.unwrap_or_default() / 1024.0
}

/// Processor time of all threads, in milliseconds.
pub(crate) fn processor_time(pid: u32) -> f64 {
    let tasks = fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten();
    let nanoseconds = tasks.flatten().filter_map(|task| {
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<f64>().ok()
    });
    nanoseconds.sum::<f64>() / 1e6
}

/// Ticks of the processor, in user mode and in the kernel.
pub(crate) fn ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields);
    let ticks = fields.split(' ').skip(11).take(2);
    ticks.filter_map(|field| field.parse::<u64>().ok()).sum()
}

/// A descriptor that means this process and no later one.
pub(crate) fn watch(pid: u32) -> Option<OwnedFd> {
    pidfd_open(Pid::from_raw(pid.cast_signed())?, PidfdFlags::empty()).ok()
}

pub(crate) fn signal(process: &OwnedFd, signal: Signal) {
    // One that has ended needs no signal.
    let _ = pidfd_send_signal(process, signal);
}

/// Waits until all have ended; whether they have within the time, in seconds.
pub(crate) fn wait_for(processes: &[OwnedFd], seconds: u64) -> bool {
    let until = now() + seconds * 1_000_000_000;
    processes.iter().all(|process| is_ready(process, until))
}

/// Waits until a descriptor is readable; whether it is at that time.
pub(crate) fn is_ready(fd: &OwnedFd, until: u64) -> bool {
    let left = until.saturating_sub(now());
    let left = Timespec {
        tv_sec: i64::try_from(left / 1_000_000_000).unwrap(),
        tv_nsec: i64::try_from(left % 1_000_000_000).unwrap(),
    };
    poll(&mut [PollFd::new(fd, PollFlags::IN)], Some(&left)).unwrap() > 0
}
