//! What must hold of a dependency by itself.

use super::index::Index;
use crate::report::{Code, Fault, named};
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
    let (thing, other) = (
        &index.things[edge.dependent],
        &index.things[edge.dependency],
    );
    let at = thing.path().key("depends_on").key(other.name);
    let fault = |what: String| Some(Fault::error(Code::InvalidDependency, at.clone(), what));
    let wrong = |what: String| fault(what).map(Fault::at_key);
    if edge.dependent == edge.dependency {
        return wrong(format!("{} depends on itself", thing.title()))
            .map(|fault| fault.label("it would wait for itself for ever"));
    }
    if index.is_above(edge.dependency, edge.dependent) {
        let message = format!(
            "{} depends on `{}`, which supervises it",
            thing.title(),
            other.name
        );
        return wrong(message)
            .map(|fault| fault.label("a supervisor has started when its children have"));
    }
    if index.is_above(edge.dependent, edge.dependency) {
        let message = format!(
            "{} depends on `{}`, which it supervises",
            thing.title(),
            other.name
        );
        return wrong(message)
            .map(|fault| fault.label("a child is started by its supervisor, not before it"));
    }
    let child = other.child?;
    if condition != Condition::Completed {
        return None;
    }
    match child.kind {
        ChildKind::Pool(_) => fault(format!(
            "{} waits for `{}` to complete, which is a pool",
            thing.title(),
            other.name
        ))
        .map(|fault| {
            fault
                .label("a pool never completes")
                .hint("wait for \"started\" or \"ready\"")
        }),
        _ if child.restart == RestartType::Permanent => fault(format!(
            "{} waits for `{}` to complete, which is permanent",
            thing.title(),
            other.name
        ))
        .map(|fault| {
            fault
                .label("this can never hold")
                .related(
                    other.path().key("restart"),
                    format!("`{}` is restarted whenever it ends", other.name),
                )
                .hint(format!(
                    "give `{}` `restart = \"temporary\"`, or wait for \"started\" or \"ready\"",
                    other.name
                ))
        }),
        _ => None,
    }
}
