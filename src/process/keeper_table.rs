//! What a keeper knows of its program, and the messages it knows it by.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::process::Pid;

use super::{TreeId, procfs};

/// One line on the keeper's pipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum KeeperMessage {
    /// The program runs this tree: whatever carries its marks is the program's.
    Tree(TreeId),
    /// The program has started this child, the leader of a group.
    Enrol(Pid),
    /// Nothing is left of this child.
    Dismiss(Pid),
}

impl KeeperMessage {
    pub(super) fn parse(line: &str) -> Option<Self> {
        let (word, rest) = line.split_once(' ')?;
        let pid = || procfs::parse_pid(rest);
        match word {
            "tree" => Some(Self::Tree(TreeId::from_text(rest)?)),
            "enrol" => pid().map(Self::Enrol),
            "dismiss" => pid().map(Self::Dismiss),
            _ => None,
        }
    }
}

impl fmt::Display for KeeperMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tree(tree) => writeln!(f, "tree {}", tree.as_str()),
            Self::Enrol(pid) => writeln!(f, "enrol {pid}"),
            Self::Dismiss(pid) => writeln!(f, "dismiss {pid}"),
        }
    }
}

/// What a keeper knows of its program.
#[derive(Debug, Default)]
pub(super) struct KeeperTable {
    trees: Vec<TreeId>,
    /// By pid, with the descriptor that tells whether the number is still theirs.
    leaders: BTreeMap<i32, OwnedFd>,
}

impl KeeperTable {
    pub(super) fn apply(&mut self, message: KeeperMessage) {
        match message {
            KeeperMessage::Tree(tree) => self.trees.push(tree),
            KeeperMessage::Enrol(_) => {}
            KeeperMessage::Dismiss(pid) => {
                self.leaders.remove(&pid.as_raw_pid());
            }
        }
    }

    /// Notes a child with what it can be watched by; without that its mark has to do.
    pub(super) fn enrol(&mut self, leader: Pid, pidfd: Option<OwnedFd>) {
        if let Some(pidfd) = pidfd {
            self.leaders.insert(leader.as_raw_pid(), pidfd);
        }
    }

    pub(super) fn has_tree_in(&self, value: &[u8]) -> bool {
        self.trees.iter().any(|tree| tree.is_in(value))
    }

    /// The groups whose number is still theirs: the leader is there, dead or alive, or it is
    /// gone and its number has not become somebody else's. So long as anybody is in a group
    /// its number cannot be given away.
    pub(super) fn live_groups(&self) -> BTreeSet<i32> {
        let leaders = self.leaders.iter();
        leaders
            .filter(|(number, pidfd)| !is_reaped(pidfd) || !is_taken(**number))
            .map(|(number, _)| *number)
            .collect()
    }
}

fn is_taken(number: i32) -> bool {
    Pid::from_raw(number).is_some_and(|pid| procfs::stat(pid).is_some())
}

/// Whether the process of this descriptor is gone for good.
fn is_reaped(pidfd: &OwnedFd) -> bool {
    let path = format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd());
    std::fs::read_to_string(path).is_ok_and(|text| is_reaped_in(&text))
}

fn is_reaped_in(fdinfo: &str) -> bool {
    let mut lines = fdinfo.lines();
    lines.any(|line| {
        line.strip_prefix("Pid:")
            .is_some_and(|pid| pid.trim() == "-1")
    })
}

#[cfg(test)]
mod tests {
    use rustix::process::{PidfdFlags, getpid, pidfd_open};

    use super::*;

    #[test]
    fn message_reads_back_as_it_was_written() {
        let pid = Pid::from_raw(42).unwrap();
        for message in [
            KeeperMessage::Tree(TreeId::new("a: b/c%")),
            KeeperMessage::Enrol(pid),
            KeeperMessage::Dismiss(pid),
        ] {
            let line = message.to_string();
            assert_eq!(KeeperMessage::parse(line.trim_end()), Some(message));
        }
        for text in [
            "",
            "enrol",
            "enrol x",
            "enrol 0",
            "dismiss -3",
            "tree ",
            "fire 3",
        ] {
            assert_eq!(KeeperMessage::parse(text), None, "{text}");
        }
    }

    #[test]
    fn group_of_a_process_that_lives_is_live_until_it_is_dismissed() {
        let this = getpid();
        let mut table = KeeperTable::default();
        table.enrol(this, Some(pidfd_open(this, PidfdFlags::empty()).unwrap()));
        assert!(table.live_groups().contains(&this.as_raw_pid()));
        table.apply(KeeperMessage::Dismiss(this));
        assert!(table.live_groups().is_empty());
    }

    #[test]
    fn number_that_became_somebody_elses_is_no_group_of_ours() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pidfd = pidfd_open(Pid::from_child(&child), PidfdFlags::empty()).unwrap();
        child.wait().unwrap();
        assert!(is_reaped(&pidfd));
        let mut table = KeeperTable::default();
        // As if this process had got the number of the child that is gone.
        table.enrol(getpid(), Some(pidfd));
        assert!(table.live_groups().is_empty());
    }

    #[test]
    fn marks_of_the_programs_trees_are_its_own() {
        let tree = TreeId::new("t");
        let mut table = KeeperTable::default();
        table.apply(KeeperMessage::Tree(tree.clone()));
        let ours = super::super::Mark::new(&tree, "c", 1).to_string();
        let theirs = super::super::Mark::new(&TreeId::new("t"), "c", 1).to_string();
        assert!(table.has_tree_in(ours.as_bytes()));
        assert!(!table.has_tree_in(theirs.as_bytes()));
    }
}
