//! Which children of this process are ours to reap, and what was dropped without waiting.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, WaitOptions, kill_process, kill_process_group, waitid,
    waitpid,
};

use super::numbers::Birth;
use super::{Mark, keeper_link, procfs};

/// Every child of this process that was started here and is not yet reaped.
#[derive(Default)]
pub(super) struct Owned(BTreeSet<i32>);

/// The lock is held over each spawn and over each reaping, so that nobody who looks at the
/// children of this process sees one of ours that is not in the table.
pub(super) fn lock() -> MutexGuard<'static, Owned> {
    static OWNED: Mutex<Owned> = Mutex::new(Owned(BTreeSet::new()));
    // The table is whole between any two statements that change it.
    OWNED.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Owned {
    pub(super) fn insert(&mut self, pid: Pid) {
        self.0.insert(pid.as_raw_pid());
    }

    pub(super) fn remove(&mut self, pid: Pid) {
        self.0.remove(&pid.as_raw_pid());
    }

    pub(super) fn contains(&self, pid: Pid) -> bool {
        self.0.contains(&pid.as_raw_pid())
    }
}

/// How many children started here are not yet reaped.
#[must_use]
pub fn unreaped() -> usize {
    lock().0.len()
}

/// Ends a child that was started a moment ago and cannot be watched.
pub(super) fn kill_and_reap(pid: Pid) {
    // It is our unreaped child, so the number is its own; it may be gone already.
    let _ = kill_process(pid, Signal::KILL);
    // A process that has only begun dies at once: there is no device it could wait for.
    let _ = waitpid(Some(pid), WaitOptions::empty());
}

/// Ends a child that was started with this mark but never came into the table.
pub(super) fn kill_unwatched(owned: &Owned, mark: Option<&Mark>) {
    let Some(mark) = mark else { return };
    for pid in procfs::own_children() {
        let is_ours = !owned.contains(pid)
            && matches!(procfs::marks(pid), procfs::Marks::Carried(value) if mark.is_in(&value));
        if is_ours {
            kill_and_reap(pid);
        }
    }
}

/// Children that were dropped: killed, and reaped when somebody comes by.
static DROPPED: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// The dropped children that are not yet reaped. What is below them is nobody's any more.
pub(super) fn dropped() -> Vec<Pid> {
    let dropped = DROPPED.lock().unwrap_or_else(PoisonError::into_inner);
    dropped.clone()
}

/// The first child with a mark that was dropped, and when that was started: whoever left its
/// group may still be there, and belongs to any later child with the same mark.
static FIRST_DROPPED: Mutex<Option<(Pid, Birth)>> = Mutex::new(None);

/// Notes that a child with a mark is dropped.
pub(super) fn note_drop(pid: Pid, birth: Birth) {
    let mut first = FIRST_DROPPED.lock().unwrap_or_else(PoisonError::into_inner);
    first.get_or_insert((pid, birth));
}

/// The child since whose start there may be somebody who belongs to a child that was dropped.
pub(super) fn first_dropped() -> Option<(Pid, Birth)> {
    *FIRST_DROPPED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Kills a child, and the group it leads, whose owner does not wait for it.
pub(super) fn bury(pid: Pid, is_group_leader: bool) {
    if is_group_leader {
        let _ = kill_process_group(pid, Signal::KILL);
    } else {
        let _ = kill_process(pid, Signal::KILL);
    }
    let mut dropped = DROPPED.lock().unwrap_or_else(PoisonError::into_inner);
    dropped.push(pid);
    drop(dropped);
    reap_dropped();
}

/// Reaps the dropped children that have ended by now.
pub(super) fn reap_dropped() {
    // The lock is not held on the way: letting go of a child may replace the keeper, and a
    // former keeper is buried here too.
    let mut dropped = {
        let mut dropped = DROPPED.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *dropped)
    };
    dropped.retain(|pid| !is_reaped(*pid));
    if !dropped.is_empty() {
        DROPPED
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .append(&mut dropped);
    }
}

/// Reaps a dropped child if it has ended; whether it has.
fn is_reaped(pid: Pid) -> bool {
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    if matches!(waitid(WaitId::Pid(pid), look), Ok(None)) {
        return false;
    }
    // While the number is still its own.
    keeper_link::dismiss(pid);
    let mut owned = lock();
    let reap = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
    let _ = waitid(WaitId::Pid(pid), reap);
    owned.remove(pid);
    true
}
