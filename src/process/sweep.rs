//! Killing all that is left, by a process that has nothing else to do and may block.

use std::collections::BTreeSet;
use std::io;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, Signal as OsSignal, WaitId, WaitIdOptions, getpid, waitid};

use super::census::descendants;
use super::procfs::{self, Stat};
use super::stop::signal_exactly;
use super::unix::SignalQueue;

/// Kills everything that descends from this process, and reaps it. Tells how many there were.
///
/// This process adopts orphans, so whoever loses its parents comes to it: when it has no
/// children left, there is nobody left.
pub(super) fn kill_descendants(signals: &mut SignalQueue) -> io::Result<usize> {
    let mut killed = BTreeSet::new();
    loop {
        for process in freeze(|| descendants(getpid())) {
            signal_exactly(&process, OsSignal::KILL);
            killed.insert((process.pid.as_raw_pid(), process.start));
        }
        reap_all();
        if procfs::own_children().is_empty() {
            return Ok(killed.len());
        }
        // Whatever ended since the look above has left its signal in the queue.
        signals.next()?;
    }
}

/// Kills all that `find` finds, none of them a child of this process, until it finds nothing.
pub(super) fn kill_strangers(mut find: impl FnMut() -> Vec<Stat>) -> usize {
    let mut killed = BTreeSet::new();
    loop {
        let found = freeze(&mut find);
        if found.is_empty() {
            return killed.len();
        }
        for process in &found {
            signal_exactly(process, OsSignal::KILL);
            killed.insert((process.pid.as_raw_pid(), process.start));
        }
        wait_for(&found);
    }
}

/// Stops all that `find` finds until it finds nobody new, so that nobody forks while the rest
/// are being killed.
fn freeze(mut find: impl FnMut() -> Vec<Stat>) -> Vec<Stat> {
    let mut frozen = BTreeSet::new();
    loop {
        let found = find();
        let mut is_anybody_new = false;
        for process in &found {
            if frozen.insert((process.pid.as_raw_pid(), process.start)) {
                is_anybody_new = true;
                signal_exactly(process, OsSignal::STOP);
            }
        }
        if !is_anybody_new {
            return found;
        }
    }
}

fn reap_all() {
    for child in procfs::own_children() {
        reap(child);
    }
}

fn reap(child: Pid) {
    // An error says that there is no such child any more.
    let _ = waitid(
        WaitId::Pid(child),
        WaitIdOptions::EXITED | WaitIdOptions::NOHANG,
    );
}

/// Waits until all of them have ended. They have been killed, so it is not long.
fn wait_for(processes: &[Stat]) {
    for pidfd in processes.iter().filter_map(procfs::watch) {
        // An interruption only makes the caller look again.
        let _ = poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], None);
    }
}
