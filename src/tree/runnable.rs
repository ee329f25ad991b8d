//! What a spec may hold that cannot be run yet.

use treewright_supervisors::spec::{ChildKind, ChildName, SupervisorSpec, TreeSpec};

/// A child of a kind that cannot be run yet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot run `{child}`: {what} cannot be run yet")]
pub struct NotRunnable {
    /// The child.
    pub child: ChildName,
    /// What it is.
    pub what: &'static str,
}

/// Looks for children that cannot be run yet, before anything is started.
pub(super) fn check(tree: &TreeSpec) -> Result<(), NotRunnable> {
    let mut supervisors: Vec<&SupervisorSpec> = vec![&tree.root];
    while let Some(supervisor) = supervisors.pop() {
        for child in &supervisor.children {
            if let Some(what) = not_runnable(&child.kind) {
                return Err(NotRunnable {
                    child: child.name.clone(),
                    what,
                });
            }
            if let ChildKind::Supervisor(nested) = &child.kind {
                supervisors.push(nested);
            }
        }
    }
    Ok(())
}

fn not_runnable(kind: &ChildKind) -> Option<&'static str> {
    match kind {
        ChildKind::Process(_) => None,
        ChildKind::Supervisor(supervisor) if supervisor.isolated => Some("isolated supervisors"),
        ChildKind::Supervisor(_) => None,
        ChildKind::Pool(pool) => not_runnable(&pool.template.kind),
        ChildKind::Actor(_) => Some("actors"),
        ChildKind::Worker(_) => Some("pools of workers"),
        ChildKind::Local => Some("local closures"),
    }
}
