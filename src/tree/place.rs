//! Where in a tree a child is.

use treewright_supervisors::spec::{ChildKind, ChildName, ChildSpec, SupervisorSpec, TreeSpec};

/// Where in a tree a child is.
#[derive(Debug)]
pub(super) struct Place<'a> {
    /// Its supervisor; the pool, for a member.
    pub(super) supervisor: &'a ChildName,
    /// Its spec; the pool's, for a member.
    pub(super) spec: &'a ChildSpec,
}

/// Finds a child, or a pool's member (`pool@index`).
pub(super) fn find<'a>(tree: &'a TreeSpec, child: &str) -> Option<Place<'a>> {
    let pool = child
        .rsplit_once('@')
        .filter(|(_, index)| index.parse::<u32>().is_ok())
        .map(|(pool, _)| pool);
    let mut supervisors: Vec<&SupervisorSpec> = vec![&tree.root];
    while let Some(supervisor) = supervisors.pop() {
        for spec in &supervisor.children {
            let name = spec.name.as_str();
            if name == child {
                let supervisor = &supervisor.name;
                return Some(Place { supervisor, spec });
            }
            match &spec.kind {
                ChildKind::Supervisor(nested) => supervisors.push(nested),
                ChildKind::Pool(_) if pool == Some(name) => {
                    let supervisor = &spec.name;
                    return Some(Place { supervisor, spec });
                }
                _ => {}
            }
        }
    }
    None
}
