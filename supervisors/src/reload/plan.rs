//! The plan of a reload: what is stopped, started, restarted and updated, before anything is.

use std::collections::HashMap;

use serde::Serialize;

use super::change::{ChildChange, child_change};
use crate::spec::{ChildKind, ChildName, ChildSpec, SupervisorSpec, TreeSpec};

/// What a reload changes, in the order in which it is carried out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The changes: first everything that goes, in stop order, then everything that comes or
    /// changes, in start order.
    pub changes: Vec<Change>,
}

/// One change of a reload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The supervisor it concerns.
    pub supervisor: ChildName,
    /// The child; the supervisor itself when absent.
    pub child: Option<ChildName>,
    /// What happens.
    pub what: What,
}

/// What happens to a child in a reload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// It is stopped and forgotten; with a supervisor all that is under it.
    Remove,
    /// It is added and started; with a supervisor all that is under it.
    Add,
    /// It is stopped and started with its new spec.
    Restart {
        /// The keys that differ.
        keys: Vec<&'static str>,
    },
    /// It goes on running with new settings.
    Update {
        /// The keys that differ.
        keys: Vec<&'static str>,
    },
    /// Its children stand in another order from now on; nothing is stopped for that.
    Reorder,
}

impl Plan {
    /// Whether nothing is to be done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

/// What must change to get from one tree to another, with the smallest set of restarts.
///
/// Both are whole and checked, and the difference is between what was wanted and what is wanted;
/// what the children are doing at the moment has no part in it. A child that moves to another
/// supervisor goes from the one and comes to the other. Linear in the number of children.
///
/// # Examples
///
/// ```
/// use treewright_supervisors::reload::{What, plan};
/// use treewright_supervisors::spec::{ChildKind, ChildSpec, SupervisorSpec, TreeSpec};
///
/// let mut root = SupervisorSpec::new("root");
/// root.children.push(ChildSpec::new("web", ChildKind::Local));
/// let old = TreeSpec { name: "shop".into(), exit_code_from: None, shutdown: None, root };
/// let mut new = old.clone();
/// new.root.children.push(ChildSpec::new("cache", ChildKind::Local));
///
/// let plan = plan(&old, &new);
/// assert_eq!(plan.changes.len(), 1);
/// assert_eq!(plan.changes[0].what, What::Add);
/// ```
#[must_use]
pub fn plan(old: &TreeSpec, new: &TreeSpec) -> Plan {
    let mut changes = Vec::new();
    removals(&old.root, &new.root, &mut changes);
    let root = Change {
        supervisor: new.root.name.clone(),
        child: None,
        what: What::Reorder,
    };
    let (old_root, new_root) = (as_child(&old.root), as_child(&new.root));
    if let Some(change) = child_change(&old_root, &new_root) {
        changes.push(Change {
            what: what(change),
            ..root
        });
    }
    additions(&old.root, &new.root, &mut changes);
    Plan { changes }
}

/// The flags of a supervisor as a child, for the comparison.
fn as_child(supervisor: &SupervisorSpec) -> ChildSpec {
    let flags = SupervisorSpec {
        children: Vec::new(),
        ..supervisor.clone()
    };
    ChildSpec::new(
        supervisor.name.clone(),
        ChildKind::Supervisor(Box::new(flags)),
    )
}

fn what(change: ChildChange) -> What {
    match change {
        ChildChange::Update { keys } => What::Update { keys },
        ChildChange::Restart { keys } => What::Restart { keys },
    }
}

fn by_name(supervisor: &SupervisorSpec) -> HashMap<&ChildName, &ChildSpec> {
    supervisor
        .children
        .iter()
        .map(|child| (&child.name, child))
        .collect()
}

/// The nested supervisor that stays through the reload, in both specs.
fn nested<'a>(
    old: &'a ChildSpec,
    new: &'a ChildSpec,
) -> Option<(&'a SupervisorSpec, &'a SupervisorSpec)> {
    match (&old.kind, &new.kind) {
        (ChildKind::Supervisor(old), ChildKind::Supervisor(new))
            if old.isolated == new.isolated =>
        {
            Some((old, new))
        }
        _ => None,
    }
}

fn removals(old: &SupervisorSpec, new: &SupervisorSpec, changes: &mut Vec<Change>) {
    let remaining = by_name(new);
    for child in old.children.iter().rev() {
        match remaining.get(&child.name) {
            Some(kept) => {
                if let Some((old, new)) = nested(child, kept) {
                    removals(old, new, changes);
                }
            }
            None => changes.push(Change {
                supervisor: old.name.clone(),
                child: Some(child.name.clone()),
                what: What::Remove,
            }),
        }
    }
}

fn additions(old: &SupervisorSpec, new: &SupervisorSpec, changes: &mut Vec<Change>) {
    let former = by_name(old);
    if is_reordered(old, new) {
        let supervisor = new.name.clone();
        changes.push(Change {
            supervisor,
            child: None,
            what: What::Reorder,
        });
    }
    for child in &new.children {
        let change = match former.get(&child.name) {
            None => Some(What::Add),
            Some(before) => child_change(before, child).map(what),
        };
        if let Some(what) = change {
            let supervisor = new.name.clone();
            changes.push(Change {
                supervisor,
                child: Some(child.name.clone()),
                what,
            });
        }
        if let Some((old, new)) = former.get(&child.name).and_then(|old| nested(old, child)) {
            additions(old, new, changes);
        }
    }
}

/// Whether the children that stay stand in another order.
fn is_reordered(old: &SupervisorSpec, new: &SupervisorSpec) -> bool {
    let (before, after) = (by_name(old), by_name(new));
    let old_order = old.children.iter().map(|child| &child.name);
    let new_order = new.children.iter().map(|child| &child.name);
    let old_order = old_order.filter(|name| after.contains_key(name));
    let new_order = new_order.filter(|name| before.contains_key(name));
    !old_order.eq(new_order)
}
