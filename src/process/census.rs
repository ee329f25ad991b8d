//! Who is there that nobody here started: adopted orphans and what descends from them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use rustix::process::{Pid, child_subreaper, getpid};

use super::procfs::{Marks, Stat};
use super::{Mark, procfs, registry};

/// The processes that may belong to a child without descending from it any more.
#[derive(Debug, Default)]
pub(super) struct Census {
    entries: Vec<Entry>,
    /// Whether somebody may have slipped through while it was taken, by being forked behind
    /// the reader's back or by losing a parent that was read before.
    is_doubtful: bool,
}

#[derive(Debug)]
struct Entry {
    stat: Stat,
    marks: Marks,
}

thread_local! {
    /// How many were taken on this thread, and the last one while anybody waits for it.
    static TAKEN: Cell<u64> = const { Cell::new(0) };
    static LAST: RefCell<Option<Rc<Census>>> = const { RefCell::new(None) };
    /// The adopted orphans that had ended before the last one.
    static DEAD: RefCell<BTreeSet<i32>> = const { RefCell::new(BTreeSet::new()) };
}

/// A census taken after this call.
///
/// Many children that end together share one: whoever asks lets all others who can run ask
/// first, and uses theirs when it was taken meanwhile.
pub(super) async fn census() -> Rc<Census> {
    let before = TAKEN.get();
    futures_lite::future::yield_now().await;
    if TAKEN.get() > before
        && let Some(census) = LAST.with_borrow(Clone::clone)
    {
        return census;
    }
    let census = Rc::new(Census::take());
    TAKEN.set(before.max(TAKEN.get()) + 1);
    LAST.set(Some(Rc::clone(&census)));
    census
}

/// Whether orphans of our children come to this process: as a subreaper, or as PID 1.
pub(super) fn is_adopting() -> bool {
    getpid().is_init() || matches!(child_subreaper(), Ok(Some(_)))
}

impl Census {
    fn take() -> Self {
        match is_adopting() {
            true => Self::of_adopted(),
            false => Self::of_everyone(),
        }
    }

    /// Only our own children can be adopted orphans, so only they are looked at; and those
    /// that were dropped, because what they started is under them until they are dead.
    fn of_adopted() -> Self {
        let dropped = registry::dropped();
        let strangers: Vec<Pid> = {
            let owned = registry::lock();
            let children = procfs::own_children();
            children
                .into_iter()
                .filter(|pid| !owned.contains(*pid) || dropped.contains(pid))
                .collect()
        };
        let mut census = Self::default();
        let mut dead = BTreeSet::new();
        for pid in strangers {
            if !census.add(pid) {
                dead.insert(pid.as_raw_pid());
            }
            for stat in descendants(pid) {
                census.add(stat.pid);
            }
        }
        // Whoever has ended since the children were listed may have left us some of its own.
        census.is_doubtful = !DEAD.with_borrow(|before| dead.is_subset(before));
        DEAD.set(dead);
        census
    }

    /// Orphans have gone to init, so everybody who is younger than this process is looked at.
    fn of_everyone() -> Self {
        let mut census = Self::default();
        let Some(this) = procfs::stat(getpid()) else {
            return census;
        };
        let youngest = procfs::youngest();
        for pid in procfs::everyone() {
            if pid != this.pid && procfs::stat(pid).is_some_and(|stat| stat.start >= this.start) {
                census.add(pid);
            }
        }
        census.is_doubtful = procfs::youngest() != youngest;
        census
    }

    /// Whether it is there; one that has ended is not.
    fn add(&mut self, pid: Pid) -> bool {
        let marks = procfs::marks(pid);
        match procfs::stat(pid).filter(|stat| !stat.is_dead()) {
            Some(stat) if !stat.is_kernel_thread() => {
                self.entries.push(Entry { stat, marks });
                true
            }
            Some(_) => true,
            None => false,
        }
    }

    /// Those that belong to the child: of its group, with its mark, or below one of these.
    pub(super) fn members(&self, leader: Pid, is_group: bool, mark: Option<&Mark>) -> Vec<Stat> {
        let mut members: BTreeSet<i32> = BTreeSet::new();
        loop {
            let before = members.len();
            for Entry { stat, marks } in &self.entries {
                let is_marked = match marks {
                    Marks::Carried(value) => mark.is_some_and(|mark| mark.is_in(value)),
                    Marks::None | Marks::Empty => false,
                };
                let is_below = stat.parent.is_some_and(|parent| {
                    parent == leader || members.contains(&parent.as_raw_pid())
                });
                let is_of_group = is_group && stat.group == leader.as_raw_pid();
                if stat.pid != leader && (is_of_group || is_marked || is_below) {
                    members.insert(stat.pid.as_raw_pid());
                }
            }
            if members.len() == before {
                break;
            }
        }
        let entries = self.entries.iter().map(|entry| entry.stat);
        entries
            .filter(|stat| members.contains(&stat.pid.as_raw_pid()))
            .collect()
    }

    /// Those of the group the child leads.
    pub(super) fn group(&self, leader: Pid) -> Vec<Stat> {
        let entries = self.entries.iter().map(|entry| entry.stat);
        entries
            .filter(|stat| stat.pid != leader && stat.group == leader.as_raw_pid())
            .collect()
    }

    /// Whether it cannot be concluded from it that nobody is there.
    pub(super) fn is_doubtful(&self) -> bool {
        self.is_doubtful
    }

    /// Whether someone is becoming another program right now, so that its mark cannot be read.
    pub(super) fn is_unsure(&self) -> bool {
        self.entries
            .iter()
            .any(|entry| entry.marks == Marks::Empty && entry.stat.is_in_exec())
    }
}

/// All that descends from a process, parents before their children; not the process itself.
pub(super) fn descendants(pid: Pid) -> Vec<Stat> {
    let mut found = Vec::new();
    let mut open = vec![pid];
    while let Some(parent) = open.pop() {
        for child in procfs::children(parent) {
            // One that has ended may have children still, by way of a thread.
            open.push(child);
            found.extend(procfs::stat(child).filter(|stat| !stat.is_dead()));
        }
    }
    found
}
