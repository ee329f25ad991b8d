//! What a spec may hold that cannot be run, or not by this program.

use treewright_supervisors::spec::{
    ActorSpec, ChildKind, ChildName, ChildSpec, SupervisorSpec, TreeSpec,
};

use super::attached::Attached;
use crate::error::Error;
use crate::tasks::{TaskLookupError, registry};

/// A child that cannot be run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot run `{child}`: {why}")]
pub struct NotRunnable {
    /// The child.
    pub child: ChildName,
    /// Why not, and what to do about it.
    pub why: String,
}

/// Looks for what cannot be run, before anything is started: kinds that are yet to come,
/// functions that this program does not have or that take other arguments, and local children
/// without a closure.
pub(super) fn check(tree: &TreeSpec, attached: &Attached) -> Result<(), NotRunnable> {
    let not_runnable = |(child, is_isolated): (&ChildSpec, bool)| {
        let why = match is_isolated && is_local(&child.kind) {
            true => "it is a closure of this process, and its supervisor is isolated".to_owned(),
            false => not_runnable(&child.kind, &child.name, attached)?,
        };
        let child = child.name.clone();
        Some(NotRunnable { child, why })
    };
    children(tree)
        .into_iter()
        .find_map(not_runnable)
        .map_or(Ok(()), Err)
}

/// Looks for closures that are attached to no child. A child that a reload has removed may
/// leave one.
pub(super) fn check_closures(tree: &TreeSpec, attached: &Attached) -> Result<(), NotRunnable> {
    let children = children(tree);
    let has_child = |name: &ChildName| {
        let mut local = children.iter().filter(|(child, _)| is_local(&child.kind));
        local.any(|(child, _)| child.name == *name)
    };
    match attached.names().into_iter().find(|name| !has_child(name)) {
        None => Ok(()),
        Some(name) => Err(NotRunnable {
            child: name,
            why: "a closure is attached to it, and the tree has no local child of that name".into(),
        }),
    }
}

/// Every child of every supervisor of the tree, and whether it is in another process.
fn children(tree: &TreeSpec) -> Vec<(&ChildSpec, bool)> {
    let mut children = Vec::new();
    let mut supervisors: Vec<(&SupervisorSpec, bool)> = vec![(&tree.root, false)];
    while let Some((supervisor, is_isolated)) = supervisors.pop() {
        for child in &supervisor.children {
            children.push((child, is_isolated));
            if let ChildKind::Supervisor(nested) = &child.kind {
                supervisors.push((nested, is_isolated || nested.isolated));
            }
        }
    }
    children
}

fn is_local(kind: &ChildKind) -> bool {
    match kind {
        ChildKind::Local => true,
        ChildKind::Pool(pool) => pool.template.kind == ChildKind::Local,
        _ => false,
    }
}

fn not_runnable(kind: &ChildKind, name: &ChildName, attached: &Attached) -> Option<String> {
    match kind {
        ChildKind::Process(_) => None,
        ChildKind::Supervisor(_) => None,
        ChildKind::Pool(pool) => not_runnable(&pool.template.kind, name, attached),
        ChildKind::Actor(actor) => not_callable(actor),
        ChildKind::Worker(_) => Some("pools of workers cannot be run yet".to_owned()),
        ChildKind::Local if attached.has(name) => None,
        ChildKind::Local => Some(
            "it is local, and no closure is attached to it: `tree.attach(name, closure)`"
                .to_owned(),
        ),
    }
}

/// What is wrong with the call of a function of this program. What other programs have is
/// known to them only.
fn not_callable(actor: &ActorSpec) -> Option<String> {
    if actor.exe.is_some() {
        return None;
    }
    let checked = registry().map_err(Error::from).and_then(|registry| {
        let entry = registry
            .find(&actor.task, 0)
            .map_err(|error| match &error {
                TaskLookupError::Unknown { near: None, .. } => Error::from(error)
                    .with_hint("a function of another program needs `exe`, its path"),
                _ => Error::from(error),
            })?;
        Ok(entry.check(actor.args.clone())?)
    });
    let error = checked.err()?;
    let hint = error.hint().map(|hint| format!("; {hint}"));
    Some(format!("{error}{}", hint.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn supervisor(name: &str, child: ChildSpec) -> SupervisorSpec {
        let mut supervisor = SupervisorSpec::new(name);
        supervisor.children.push(child);
        supervisor
    }

    #[test]
    fn closure_below_an_isolated_supervisor_is_refused() {
        let inner = supervisor("inner", ChildSpec::new("metrics", ChildKind::Local));
        let inner = ChildSpec::new("inner", ChildKind::Supervisor(Box::new(inner)));
        let mut app = supervisor("app", inner);
        app.isolated = true;
        let app = ChildSpec::new("app", ChildKind::Supervisor(Box::new(app)));
        let tree = TreeSpec {
            name: "t".to_owned(),
            exit_code_from: None,
            shutdown: None,
            root: supervisor("root", app),
        };
        assert_eq!(
            check(&tree, &Attached::default()).unwrap_err().to_string(),
            "cannot run `metrics`: it is a closure of this process, and its supervisor is isolated"
        );
    }
}
