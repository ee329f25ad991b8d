//! What a spec may hold that cannot be run yet.

use treewright_supervisors::spec::{ChildKind, ChildName, SupervisorSpec, TreeSpec};

/// A child of a kind that cannot be run yet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot run `{child}`: {what}")]
pub struct NotRunnable {
    /// The child.
    pub child: ChildName,
    /// What it is.
    pub what: &'static str,
}

/// Looks for children that cannot be run yet, before anything is started.
pub(super) fn check(tree: &TreeSpec) -> Result<(), NotRunnable> {
    // Whether each is in a process of its own.
    let mut supervisors: Vec<(&SupervisorSpec, bool)> = vec![(&tree.root, false)];
    while let Some((supervisor, is_isolated)) = supervisors.pop() {
        for child in &supervisor.children {
            if let Some(what) = not_runnable(&child.kind, is_isolated) {
                return Err(NotRunnable {
                    child: child.name.clone(),
                    what,
                });
            }
            if let ChildKind::Supervisor(nested) = &child.kind {
                supervisors.push((nested, is_isolated || nested.isolated));
            }
        }
    }
    Ok(())
}

fn not_runnable(kind: &ChildKind, is_isolated: bool) -> Option<&'static str> {
    match kind {
        ChildKind::Process(_) => None,
        ChildKind::Supervisor(_) => None,
        ChildKind::Pool(pool) => not_runnable(&pool.template.kind, is_isolated),
        ChildKind::Actor(_) => Some("actors cannot be run yet"),
        ChildKind::Worker(_) => Some("pools of workers cannot be run yet"),
        ChildKind::Local if is_isolated => {
            Some("it is a closure of this process, and its supervisor is isolated")
        }
        ChildKind::Local => Some("local closures cannot be run yet"),
    }
}

#[cfg(test)]
mod tests {
    use treewright_supervisors::spec::ChildSpec;

    use super::*;

    #[test]
    fn closure_below_an_isolated_supervisor_is_refused() {
        let mut inner = SupervisorSpec::new("inner");
        inner
            .children
            .push(ChildSpec::new("metrics", ChildKind::Local));
        let mut app = SupervisorSpec::new("app");
        app.isolated = true;
        app.children.push(ChildSpec::new(
            "inner",
            ChildKind::Supervisor(Box::new(inner)),
        ));
        let mut root = SupervisorSpec::new("root");
        root.children
            .push(ChildSpec::new("app", ChildKind::Supervisor(Box::new(app))));
        let tree = TreeSpec {
            name: "t".to_owned(),
            exit_code_from: None,
            shutdown: None,
            root,
        };
        assert_eq!(
            check(&tree).unwrap_err().to_string(),
            "cannot run `metrics`: it is a closure of this process, and its supervisor is isolated"
        );
    }
}
