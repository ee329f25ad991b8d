//! What must hold of a dependency by itself.

use super::index::Index;
use crate::report::{Code, Fault, SpecPath, named};
use crate::spec::{ChildKind, Condition, RestartType};
use crate::suggest::Suggester;

/// `dependent` starts after `dependency`; both are numbers of the index.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dependency {
    pub(super) dependent: usize,
    pub(super) dependency: usize,
}

/// Every dependency that can be ordered; the others are faults.
pub(super) fn check(
    index: &Index<'_>,
    suggester: &mut Suggester,
    faults: &mut Vec<Fault>,
) -> Vec<Dependency> {
    let mut dependencies = Vec::new();
    for (dependent, thing) in index.things.iter().enumerate() {
        let Some(child) = thing.child else {
            continue;
        };
        for (name, condition) in &child.depends_on {
            match index.find(name) {
                Some(dependency) => {
                    let edge = Dependency {
                        dependent,
                        dependency,
                    };
                    if let Some(fault) = impossible(edge, *condition, index) {
                        faults.push(fault);
                    } else {
                        dependencies.push(edge);
                    }
                }
                None => faults.push(unknown(dependent, name, index, suggester)),
            }
        }
    }
    dependencies
}

fn unknown(dependent: usize, name: &str, index: &Index<'_>, suggester: &mut Suggester) -> Fault {
    let thing = &index.things[dependent];
    let mut fault = Fault::error(
        Code::UnknownName,
        thing.path().key("depends_on").key(name),
        format!(
            "{} depends on {}, which does not exist",
            thing.title(),
            named(name)
        ),
    )
    .at_key()
    .label("nothing has this name");
    fault.hint = suggester
        .nearest(name, index.names())
        .map(|near| format!("did you mean `{near}`?"));
    fault
}

/// Why a dependency can never hold.
fn impossible(edge: Dependency, condition: Condition, index: &Index<'_>) -> Option<Fault> {
    let thing = &index.things[edge.dependent];
    let other = named(index.things[edge.dependency].name);
    let (what, label) = if edge.dependent == edge.dependency {
        (
            "depends on itself".to_owned(),
            "it would wait for itself for ever",
        )
    } else if index.is_above(edge.dependency, edge.dependent) {
        (
            format!("depends on {other}, which supervises it"),
            "a supervisor has started when its children have",
        )
    } else if index.is_above(edge.dependent, edge.dependency) {
        (
            format!("depends on {other}, which it supervises"),
            "a child is started by its supervisor, not before it",
        )
    } else {
        return never_completes(edge, condition, index);
    };
    let message = format!("{} {what}", thing.title());
    Some(
        Fault::error(Code::InvalidDependency, path(edge, index), message)
            .at_key()
            .label(label),
    )
}

/// Waits for something to complete that does not.
fn never_completes(edge: Dependency, condition: Condition, index: &Index<'_>) -> Option<Fault> {
    let (thing, other) = (
        &index.things[edge.dependent],
        &index.things[edge.dependency],
    );
    let child = other.child?;
    if condition != Condition::Completed {
        return None;
    }
    let fault = |kind: &str| {
        let message = format!(
            "{} waits for {} to complete, which is {kind}",
            thing.title(),
            named(other.name)
        );
        Fault::error(Code::InvalidDependency, path(edge, index), message)
    };
    if let ChildKind::Pool(_) | ChildKind::Workers(_) = child.kind {
        return Some(
            fault("a pool")
                .label("a pool never completes")
                .hint("wait for \"started\" or \"ready\""),
        );
    }
    if child.restart != RestartType::Permanent {
        return None;
    }
    let name = named(other.name);
    Some(
        fault("permanent")
            .label("this can never hold")
            .related(
                other.path().key("restart"),
                format!("{name} is restarted whenever it ends"),
            )
            .hint(format!(
                "give {name} `restart = \"temporary\"`, or wait for \"started\" or \"ready\""
            )),
    )
}

/// `process.web.depends_on.db`
fn path(edge: Dependency, index: &Index<'_>) -> SpecPath {
    index.things[edge.dependent]
        .path()
        .key("depends_on")
        .key(index.things[edge.dependency].name)
}
