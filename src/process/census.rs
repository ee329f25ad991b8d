//! Who is there that nobody here started: adopted orphans and what descends from them.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use rustix::process::{Pid, child_subreaper, getpid};

use super::numbers::{Birth, Numbers};
use super::procfs::{Marks, Stat};
use super::{Mark, counters, procfs, registry};

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
    /// The children that the next one is for.
    static ASKING: RefCell<Vec<(Pid, Birth)>> = const { RefCell::new(Vec::new()) };
    /// The adopted orphans that had ended before the last one.
    static DEAD: RefCell<BTreeSet<i32>> = const { RefCell::new(BTreeSet::new()) };
}

/// A census taken after this call, of all who may belong to the child and do not descend
/// from it any more.
///
/// Many children that end together share one: whoever asks lets all others who can run ask
/// first, and uses theirs when it was taken meanwhile.
pub(super) async fn census(leader: Pid, birth: Birth) -> Rc<Census> {
    let before = TAKEN.get();
    ASKING.with_borrow_mut(|asking| asking.push((leader, birth)));
    futures_lite::future::yield_now().await;
    if TAKEN.get() > before
        && let Some(census) = LAST.with_borrow(Clone::clone)
    {
        return census;
    }
    let mut asking = ASKING.take();
    asking.extend(registry::first_dropped());
    let census = Rc::new(Census::take(&asking));
    TAKEN.set(before.max(TAKEN.get()) + 1);
    LAST.set(Some(Rc::clone(&census)));
    census
}

/// Whether orphans of our children come to this process: as a subreaper, or as PID 1.
pub(super) fn is_adopting() -> bool {
    getpid().is_init() || matches!(child_subreaper(), Ok(Some(_)))
}

impl Census {
    fn take(asking: &[(Pid, Birth)]) -> Self {
        match is_adopting() {
            true => Self::of_adopted(),
            false => Self::of_strangers(asking),
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

    /// Orphans have gone to init or another that adopts, so everybody is looked at who may be
    /// younger than the oldest of those who ask.
    ///
    /// Who is forked meanwhile is looked at afterwards. One whose number is given out but who
    /// is not there yet is missed, but its parent is there as long, and was looked at before.
    fn of_strangers(asking: &[(Pid, Birth)]) -> Self {
        /// How often the look is extended, while others fork faster than we can look.
        const EXTENSIONS: usize = 16;
        let mut census = Self::default();
        let counters = counters::counters();
        let mut newest = match &counters {
            Some(counters) => Some(counters.newest),
            None => counters::newest_number(),
        };
        let mut who = counters.and_then(|counters| Numbers::since(asking, &counters));
        for _ in 0..EXTENSIONS {
            census.look_at(who);
            match (newest, counters::newest_number()) {
                (Some(before), Some(now)) if before == now => return census,
                (Some(before), Some(now)) => {
                    who = Some(Numbers::between(before, now));
                    newest = Some(now);
                }
                _ => break,
            }
        }
        census.is_doubtful = true;
        census
    }

    /// Looks at those with these numbers, or at everybody, but not at our own children:
    /// each of them is asked for by itself.
    fn look_at(&mut self, numbers: Option<Numbers>) {
        let pids: Vec<Pid> = match numbers.map(|numbers| (numbers, numbers.few())) {
            Some((_, Some(few))) => few.filter_map(procfs::pid_of).collect(),
            Some((numbers, None)) => {
                let everyone = procfs::everyone().into_iter();
                let is_in = |pid: &Pid| numbers.contains(pid.as_raw_pid().cast_unsigned());
                everyone.filter(is_in).collect()
            }
            None => procfs::everyone(),
        };
        let dropped = registry::dropped();
        let owned: BTreeSet<i32> = {
            let owned = registry::lock();
            let pids = owned.pids().filter(|pid| !dropped.contains(pid));
            pids.map(Pid::as_raw_pid).collect()
        };
        let this = getpid();
        let born = procfs::stat(this).map_or(0, |this| this.start);
        let is_of_interest = |stat: &Stat| stat.start >= born && !stat.is_thread();
        let strangers = pids
            .into_iter()
            .filter(|pid| *pid != this && !owned.contains(&pid.as_raw_pid()));
        let stats: Vec<Stat> = strangers
            .filter_map(procfs::stat)
            .filter(is_of_interest)
            .collect();
        let parents = stats.iter().map(|stat| (stat.pid, stat.parent));
        let parents: BTreeMap<i32, Option<Pid>> = parents
            .map(|(pid, parent)| (pid.as_raw_pid(), parent))
            .collect();
        for stat in stats {
            match is_below_any(&owned, stat.parent, &parents) {
                // It carries the mark of that one, and that one's descendants are looked at
                // when it is asked for.
                true if !stat.is_dead() => self.entries.push(Entry {
                    stat,
                    marks: Marks::None,
                }),
                true => {}
                false => {
                    self.add(stat.pid);
                }
            }
        }
    }

    /// Whether it is there; one that has ended is not.
    fn add(&mut self, pid: Pid) -> bool {
        let mut marks = procfs::marks(pid);
        let stat = procfs::stat(pid).filter(|stat| !stat.is_dead());
        if marks == Marks::Empty && stat.is_some_and(|stat| !stat.is_in_exec()) {
            // Its exec may have come to an end between the two looks.
            marks = procfs::marks(pid);
        }
        match stat {
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

/// Whether a chain of these parents leads to one of the pids.
fn is_below_any(
    pids: &BTreeSet<i32>,
    mut parent: Option<Pid>,
    parents: &BTreeMap<i32, Option<Pid>>,
) -> bool {
    // Bounded, because the parents were not all seen at the same moment.
    for _ in 0..=parents.len() {
        let Some(pid) = parent.map(Pid::as_raw_pid) else {
            return false;
        };
        if pids.contains(&pid) {
            return true;
        }
        parent = parents.get(&pid).copied().flatten();
    }
    false
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

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt;
    use std::process::{Child, Command, Stdio};

    use super::super::{MARK_VARIABLE, TreeId};
    use super::*;

    /// One who is nobody's here, in a session of its own.
    fn stranger(mark: &Mark) -> Child {
        let mut command = Command::new("sleep");
        command.arg("600").stdin(Stdio::null()).process_group(0);
        command
            .env(MARK_VARIABLE, mark.to_string())
            .spawn()
            .unwrap()
    }

    /// Taken when nobody is in the middle of an exec.
    fn census_since(births: &[(Pid, Birth)]) -> Census {
        loop {
            let census = Census::of_strangers(births);
            if !census.is_unsure() {
                return census;
            }
            std::thread::yield_now();
        }
    }

    fn is_found(census: &Census, mark: &Mark, child: &Child) -> bool {
        // The leader is one that has none of its own.
        let leader = Pid::from_raw(i32::MAX).unwrap();
        let members = census.members(leader, false, Some(mark));
        members
            .iter()
            .any(|stat| stat.pid == Pid::from_child(child))
    }

    #[test]
    fn stranger_with_the_mark_is_found_by_everyone_who_is_older() {
        let mark = Mark::new(&TreeId::new("census"), "child", 1);
        let birth = Birth::now();
        let mut older = stranger(&mark);
        let mut younger = stranger(&mark);
        let pid = Pid::from_child(&older);
        let since = census_since(&[(pid, birth)]);
        assert!(
            !is_found(&since, &mark, &older),
            "looked at more than it had to"
        );
        assert!(is_found(&since, &mark, &younger));
        // Where it is not known who is younger, everybody is looked at.
        let all = census_since(&[]);
        assert!(is_found(&all, &mark, &older) && is_found(&all, &mark, &younger));
        for child in [&mut older, &mut younger] {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        assert!(!is_found(&census_since(&[]), &mark, &younger));
    }

    #[test]
    fn chain_of_parents_leads_to_the_one_at_its_end() {
        let pid = |number| Pid::from_raw(number);
        let parents = [(5, pid(4)), (4, pid(3)), (9, pid(8)), (8, pid(9))].into();
        let below = |parent| is_below_any(&[3].into(), pid(parent), &parents);
        assert!(below(5) && below(4) && below(3));
        assert!(!below(2) && !below(9));
        assert!(!is_below_any(&[3].into(), None, &parents));
    }
}
