//! Who is there that nobody here started: adopted orphans and what descends from them.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use rustix::process::{Pid, child_subreaper, getpid};

use super::candidates::candidates;
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

/// Looking at a process takes as long as listing about so many.
const LISTED_MEANWHILE: usize = 32;

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
            true => {
                let some = Self::of_younger(asking, registry::unreaped() / LISTED_MEANWHILE);
                some.unwrap_or_else(Self::of_adopted)
            }
            false => Self::of_strangers(asking),
        }
    }

    /// Adopted orphans are found among those who are younger as well. That is less work when these
    /// are few beside our own children, all of which are listed otherwise: none if it is more, or
    /// if others were forked meanwhile, for whom the look would have to be extended.
    fn of_younger(asking: &[(Pid, Birth)], most: usize) -> Option<Self> {
        if most == 0 {
            return None;
        }
        let counters = counters::counters()?;
        let pids = candidates(Some(Numbers::since(asking, &counters)?));
        if pids.len() > most {
            return None;
        }
        let mut census = Self::default();
        census.look_at(pids);
        (counters::newest_number() == Some(counters.newest)).then_some(census)
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
    fn of_strangers(asking: &[(Pid, Birth)]) -> Self {
        let counters = counters::counters();
        let newest = match &counters {
            Some(counters) => Some(counters.newest),
            None => counters::newest_number(),
        };
        let who = counters.and_then(|counters| Numbers::since(asking, &counters));
        Self::extended(candidates(who), newest)
    }

    /// Looks at these, and then at those who were forked meanwhile, after the newest number.
    ///
    /// One whose number is given out but who is not there yet is missed, but its parent is there
    /// as long, and was looked at before.
    fn extended(mut pids: Vec<Pid>, mut newest: Option<u32>) -> Self {
        /// How often the look is extended, while others fork faster than we can look.
        const EXTENSIONS: usize = 16;
        let mut census = Self::default();
        for _ in 0..EXTENSIONS {
            census.look_at(pids);
            match (newest, counters::newest_number()) {
                (Some(before), Some(now)) if before == now => return census,
                (Some(before), Some(now)) => {
                    pids = candidates(Some(Numbers::between(before, now)));
                    newest = Some(now);
                }
                _ => break,
            }
        }
        census.is_doubtful = true;
        census
    }

    fn look_at(&mut self, pids: Vec<Pid>) {
        if pids.is_empty() {
            return;
        }
        let this = getpid();
        let born = procfs::stat(this).map_or(0, |this| this.start);
        let is_of_interest = |stat: &Stat| stat.start >= born && !stat.is_thread();
        let stats: Vec<Stat> = pids
            .into_iter()
            .filter_map(procfs::stat)
            .filter(is_of_interest)
            .collect();
        let parents = stats.iter().map(|stat| (stat.pid, stat.parent));
        let parents: BTreeMap<i32, Option<Pid>> = parents
            .map(|(pid, parent)| (pid.as_raw_pid(), parent))
            .collect();
        let are_below_ours: Vec<bool> = {
            let dropped = registry::dropped();
            let owned = registry::lock();
            let is_ours = |pid| owned.contains(pid) && !dropped.contains(&pid);
            let is_below = |stat: &Stat| is_below_any(is_ours, stat.parent, &parents);
            stats.iter().map(is_below).collect()
        };
        for (stat, is_below_ours) in stats.into_iter().zip(are_below_ours) {
            match is_below_ours {
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

/// Whether a chain of these parents leads to one of ours.
fn is_below_any(
    is_ours: impl Fn(Pid) -> bool,
    mut parent: Option<Pid>,
    parents: &BTreeMap<i32, Option<Pid>>,
) -> bool {
    // Bounded, because the parents were not all seen at the same moment.
    for _ in 0..=parents.len() {
        let Some(pid) = parent else {
            return false;
        };
        if is_ours(pid) {
            return true;
        }
        parent = parents.get(&pid.as_raw_pid()).copied().flatten();
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

    use treewright_supervisors::spec::Shutdown;

    use super::super::listing::tests::LISTED;
    use super::super::{self as process, MARK_VARIABLE, TreeId};
    use super::*;
    use crate::rt;
    use crate::time::Clock;

    /// One who is nobody's here, in a session of its own, and has become its program.
    fn stranger(mark: &Mark) -> Child {
        let mut command = Command::new("sleep");
        command.arg("600").stdin(Stdio::null()).process_group(0);
        command.env(MARK_VARIABLE, mark.to_string());
        let child = command.spawn().unwrap();
        // For a moment after the spawn it has the environment of this process still.
        while !matches!(procfs::marks(Pid::from_child(&child)), Marks::Carried(_)) {
            std::thread::yield_now();
        }
        child
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

    /// Children of ours, each younger than the one before.
    fn children(count: usize) -> Vec<process::Child> {
        let mut command = process::Command::new("sleep");
        command.arg("600");
        (0..count).map(|_| command.spawn().unwrap()).collect()
    }

    /// Stops the children in reverse order. How often the others were listed meanwhile.
    async fn stop_in_reverse(children: Vec<process::Child>) -> usize {
        let own: BTreeSet<u32> = children.iter().map(process::Child::id).collect();
        LISTED.take();
        for mut child in children.into_iter().rev() {
            child.stop(&Shutdown::default()).await;
        }
        LISTED.take().iter().filter(|id| own.contains(id)).count()
    }

    fn stop_of_many_lists_few_of_them(count: usize) {
        let listed = rt::block_on(&Clock::Monotonic, stop_in_reverse(children(count)));
        // Each by itself some times; all of them once, to see how they are listed.
        assert!(listed < 10 * count, "{listed} were listed for {count}");
    }

    #[test]
    fn stop_of_many_in_reverse_order_does_not_list_the_others_for_each() {
        stop_of_many_lists_few_of_them(200);
    }

    #[test]
    #[ignore = "slow: 2,000 processes"]
    fn stop_of_two_thousand_in_reverse_order_does_not_list_the_others_for_each() {
        stop_of_many_lists_few_of_them(2_000);
    }

    #[test]
    fn stranger_is_found_among_the_younger_by_a_process_that_adopts() {
        rt::block_on(&Clock::Monotonic, async {
            let own = children(5);
            let mark = Mark::new(&TreeId::new("census"), "child", 2);
            let mut stranger = stranger(&mark);
            let since = |child: &process::Child| loop {
                let asking = [(child.pid, child.birth)];
                // Other tests fork, too; whoever looked meanwhile looks again.
                match Census::of_younger(&asking, usize::MAX) {
                    Some(census) if !census.is_unsure() => return census,
                    _ => std::thread::yield_now(),
                }
            };
            assert!(
                own.iter()
                    .all(|child| is_found(&since(child), &mark, &stranger))
            );
            let asking = [(own[0].pid, own[0].birth)];
            assert!(Census::of_younger(&asking, 0).is_none());
            stranger.kill().unwrap();
            stranger.wait().unwrap();
            assert!(!is_found(&since(&own[0]), &mark, &stranger));
            stop_in_reverse(own).await;
        });
    }

    #[test]
    fn chain_of_parents_leads_to_the_one_at_its_end() {
        let pid = |number| Pid::from_raw(number);
        let parents = [(5, pid(4)), (4, pid(3)), (9, pid(8)), (8, pid(9))].into();
        let is_ours = |process| Some(process) == pid(3);
        let below = |parent| is_below_any(is_ours, pid(parent), &parents);
        assert!(below(5) && below(4) && below(3));
        assert!(!below(2) && !below(9));
        assert!(!is_below_any(is_ours, None, &parents));
    }
}
