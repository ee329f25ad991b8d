//! Whether a process belongs to a child that was started here.

use rustix::process::Pid;

use super::procfs::{self, Marks, Stat};
use super::{Child, Mark};

/// What a child is known by, as long as it is not reaped.
#[derive(Clone, Debug)]
pub(crate) struct Kin {
    leader: Pid,
    is_group_leader: bool,
    mark: Option<Mark>,
}

impl Kin {
    /// What `child` is known by.
    pub(crate) fn of(child: &Child) -> Self {
        Self {
            leader: child.pid,
            is_group_leader: child.is_group_leader,
            mark: child.mark.clone(),
        }
    }

    /// Whether the process is the child, of its group, below it, or carries its mark.
    ///
    /// One that has ended before it is looked at belongs to nobody.
    pub(crate) fn has(&self, pid: Pid) -> bool {
        if pid == self.leader {
            return true;
        }
        let Some(stat) = procfs::stat(pid) else {
            return false;
        };
        self.is_in_group(&stat) || self.is_marked(pid) || self.is_below(&stat)
    }

    fn is_in_group(&self, stat: &Stat) -> bool {
        self.is_group_leader && stat.group == self.leader.as_raw_pid()
    }

    fn is_marked(&self, pid: Pid) -> bool {
        match (&self.mark, procfs::marks(pid)) {
            (Some(mark), Marks::Carried(value)) => mark.is_in(&value),
            _ => false,
        }
    }

    fn is_below(&self, stat: &Stat) -> bool {
        let mut parent = stat.parent;
        // A chain this long can only be one that changes while it is followed.
        for _ in 0..1024 {
            match parent {
                Some(pid) if pid == self.leader => return true,
                Some(pid) => parent = procfs::stat(pid).and_then(|stat| stat.parent),
                None => return false,
            }
        }
        false
    }
}
