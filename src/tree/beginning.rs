//! How far the first start of a tree has come.

use std::cell::RefCell;
use std::collections::HashSet;

use treewright_supervisors::spec::{ChildKind, ChildName, SupervisorSpec, TreeSpec};

/// How far the first start of a tree has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StartProgress {
    /// Children that have started; supervisors and pools are not counted, members are.
    pub started: usize,
    /// Children there are to start.
    pub of: usize,
    /// Those that have a process and do not count as started yet.
    pub waiting_for: Vec<ChildName>,
}

/// The children that have started, for as long as the first start goes on.
#[derive(Debug, Default)]
pub(super) struct Beginning(RefCell<HashSet<ChildName>>);

impl Beginning {
    pub(super) fn note(&self, child: &ChildName) {
        self.0.borrow_mut().insert(child.clone());
    }

    /// It is over, and need not be remembered.
    pub(super) fn end(&self) {
        self.0.take();
    }

    pub(super) fn progress(&self, tree: &TreeSpec, living: Vec<ChildName>) -> StartProgress {
        let started = self.0.borrow();
        let waiting = living.into_iter().filter(|name| !started.contains(name));
        StartProgress {
            started: started.len(),
            of: count(&tree.root),
            waiting_for: waiting.collect(),
        }
    }
}

/// How many processes a supervisor starts in all.
pub(super) fn count(supervisor: &SupervisorSpec) -> usize {
    let children = supervisor.children.iter();
    children
        .map(|child| match &child.kind {
            ChildKind::Supervisor(nested) => count(nested),
            ChildKind::Pool(pool) => usize::try_from(pool.size).unwrap_or(usize::MAX),
            _ => 1,
        })
        .sum()
}
