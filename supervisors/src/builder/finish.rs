//! From what was described to a checked spec, or to every fault of it.

use super::supervisor::TreeSettings;
use super::{Child, SupervisorBuilder};
use crate::check::{Scope, child_path, child_title, faults};
use crate::keys::{self, Section};
use crate::report::{Code, Fault, Report, named};
use crate::spec::{ChildKind, ChildSpec, SupervisorSpec, TreeSpec};

/// What can be set of a child that is no process.
const OF_LOCAL: &[&str] = &[
    "restart",
    "significant",
    "start",
    "start_timeout",
    "depends_on",
    "shutdown",
    "backoff",
    "success",
];

/// What only a command has.
const OF_COMMAND: &[&str] = &["user", "group", "umask", "nice"];

/// The checked tree of this root.
pub(super) fn build(builder: SupervisorBuilder) -> Result<TreeSpec, Report> {
    let mut found = on_root(&builder.as_child);
    let settings = builder.tree;
    let (root, below) = supervisor(builder.spec, builder.children);
    found.extend(below);
    let mut tree = TreeSpec {
        name: settings.name.unwrap_or_else(|| root.name.to_string()),
        exit_code_from: settings.exit_code_from,
        shutdown: settings.shutdown,
        root,
    };
    found.extend(faults(&mut tree, Scope::Whole));
    let report: Report = found.into_iter().collect();
    match report.has_errors() {
        true => Err(report),
        false => Ok(tree),
    }
}

/// A supervisor with its children, and what is wrong with how they were described.
pub(super) fn supervisor(
    mut spec: SupervisorSpec,
    children: Vec<Child>,
) -> (SupervisorSpec, Vec<Fault>) {
    let mut faults = Vec::new();
    for child in children {
        let (child, keys, found) = child.finish();
        faults.extend(found);
        let misplaced = keys.into_iter().filter(|key| !is_known(&child, key));
        faults.extend(misplaced.map(|key| refused(&child, key)));
        spec.children.push(child);
    }
    (spec, faults)
}

/// Whether a child of this kind has such a key.
fn is_known(child: &ChildSpec, key: &str) -> bool {
    let section = match &child.kind {
        ChildKind::Local => return OF_LOCAL.contains(&key),
        // The checks have their own word for that.
        ChildKind::Pool(_) | ChildKind::Workers(_) if key == "significant" => return true,
        ChildKind::Workers(_) if OF_COMMAND.contains(&key) => return false,
        ChildKind::Pool(pool) if OF_COMMAND.contains(&key) => {
            return matches!(pool.template.kind, ChildKind::Process(_));
        }
        ChildKind::Pool(_) | ChildKind::Workers(_) => Section::Pool,
        ChildKind::Process(_) => Section::Process,
        ChildKind::Actor(_) => Section::Actor,
        ChildKind::Supervisor(_) => Section::Supervisor,
    };
    keys::find(section, key).is_some()
}

fn refused(child: &ChildSpec, key: &str) -> Fault {
    let message = format!("`{key}` cannot be in {}", child_title(child));
    let fault = Fault::error(Code::RefusedKey, child_path(child).key(key), message);
    match key {
        "max" | "intensity" | "period" => fault.label("only a pool has that"),
        _ => fault.label("a child of this kind has no use for it"),
    }
}

/// Nobody starts, restarts or stops the root as a child.
fn on_root(as_child: &Child) -> Vec<Fault> {
    let faults = as_child.keys.iter().map(|key| {
        let message = format!(
            "`{key}` cannot be in supervisor {}, the root",
            named(as_child.name())
        );
        Fault::error(
            Code::KeyOnRoot,
            child_path(&as_child.spec).key(key),
            message,
        )
        .label("no supervisor is above it")
    });
    faults.collect()
}

/// What of a whole tree was set where there is only a part of one.
pub(super) fn misplaced(settings: &TreeSettings, child: &ChildSpec) -> Vec<Fault> {
    let given = [
        ("tree_name", settings.name.is_some()),
        ("exit_code_from", settings.exit_code_from.is_some()),
        ("tree_shutdown", settings.shutdown.is_some()),
    ];
    let set = given.iter().filter(|(_, is_set)| *is_set);
    let faults = set.map(|(key, _)| {
        let message = format!(
            "`{key}` cannot be in supervisor {}, which is not the root",
            named(&child.name)
        );
        Fault::error(Code::RootOnly, child_path(child).key(key), message)
            .label("it is the whole tree's")
    });
    faults.collect()
}
