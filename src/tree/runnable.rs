//! What a spec may hold that cannot be run, or not by this program.

use treewright_supervisors::check::{child_path, child_title};
use treewright_supervisors::report::{Code, Fault, SpecPath};
use treewright_supervisors::spec::{ChildKind, ChildName, ChildSpec, SupervisorSpec, TreeSpec};

use super::attached::Attached;
use super::calls;
use crate::tasks::{FunctionKind, registered_tasks};

/// What of a tree this program cannot run: calls of functions that it does not have or that
/// take other arguments, and workers, if it has no tasks for them. Functions of another program
/// (`exe`) are known to that one only.
///
/// [`tree::load`](super::load()) tells these among the other faults of a file. This is for those
/// who load by other ways.
///
/// # Examples
///
/// ```
/// use treewright::supervisors::load::{MemorySource, load_str_with};
/// use treewright::tree::program_faults;
///
/// let text = "[actor.till]\ntask = 'shop::till'\n";
/// let source = MemorySource::new();
/// let report = load_str_with("shop.toml", text, &source, &program_faults).unwrap_err();
/// assert!(report.to_string().contains("shop.toml:2:8"), "{report}");
/// ```
#[must_use]
pub fn program_faults(tree: &TreeSpec) -> Vec<Fault> {
    faults(tree, &Attached::default())
}

/// What of a tree cannot be run by this program with these closures: as [`program_faults`], and
/// local children without a closure.
pub(super) fn faults(tree: &TreeSpec, attached: &Attached) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (child, is_isolated) in children(tree) {
        match member(child) {
            ChildKind::Process(_) | ChildKind::Supervisor(_) | ChildKind::Pool(_) => {}
            ChildKind::Actor(actor) => faults.extend(calls::faults(child, actor)),
            ChildKind::Workers(pool) if pool.exe.is_some() || has_tasks() => {}
            ChildKind::Workers(_) => faults.push(
                cannot_run(child)
                    .label("its workers would have nothing to run, for this program has no tasks")
                    .hint("run the tree by the program that has them, or name that program: `exe`"),
            ),
            ChildKind::Local if is_isolated => faults.push(
                cannot_run(child)
                    .label("it is a closure of this process, and its supervisor is isolated"),
            ),
            ChildKind::Local if attached.has(&child.name) => {}
            ChildKind::Local => faults.push(
                cannot_run(child)
                    .label("it is local, and no closure is attached to it")
                    .hint("`tree.attach(name, closure)` gives it one"),
            ),
        }
    }
    faults
}

/// Closures that are attached to no child. A child that a reload has removed may leave one.
pub(super) fn closure_faults(tree: &TreeSpec, attached: &Attached) -> Vec<Fault> {
    let children = children(tree);
    let has_child = |name: &ChildName| {
        let mut local = children
            .iter()
            .filter(|(child, _)| *member(child) == ChildKind::Local);
        local.any(|(child, _)| child.name == *name)
    };
    let mut names = attached.names();
    names.sort();
    names.retain(|name| !has_child(name));
    let faults = names.iter().map(|name| {
        let at = child_path(&ChildSpec::new(name.clone(), ChildKind::Local));
        let message = format!("a closure is attached to `{name}`, which is no local child");
        Fault::error(Code::CannotRun, at, message).label("the tree has no local child of that name")
    });
    faults.collect()
}

fn cannot_run(child: &ChildSpec) -> Fault {
    let message = format!("{} cannot be run", child_title(child));
    let at: SpecPath = child_path(child);
    Fault::error(Code::CannotRun, at, message)
}

/// Every child of every supervisor of the tree, and whether it is in another process.
fn children(tree: &TreeSpec) -> Vec<(&ChildSpec, bool)> {
    let mut children = Vec::new();
    let mut supervisors: Vec<(&SupervisorSpec, bool)> = vec![(&tree.root, false)];
    let mut next = 0;
    while let Some((supervisor, is_isolated)) = supervisors.get(next).copied() {
        for child in &supervisor.children {
            children.push((child, is_isolated));
            if let ChildKind::Supervisor(nested) = &child.kind {
                supervisors.push((nested, is_isolated || nested.isolated));
            }
        }
        next += 1;
    }
    children
}

/// What the child is, and of a pool, what its members are.
fn member(child: &ChildSpec) -> &ChildKind {
    match &child.kind {
        ChildKind::Pool(pool) => &pool.template.kind,
        kind => kind,
    }
}

/// Whether this program has anything that workers can be given.
fn has_tasks() -> bool {
    let mut functions = registered_tasks().into_iter();
    functions.any(|function| function.kind() == FunctionKind::Task)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn supervisor(name: &str, children: impl IntoIterator<Item = ChildSpec>) -> SupervisorSpec {
        let mut supervisor = SupervisorSpec::new(name);
        supervisor.children.extend(children);
        supervisor
    }

    fn local(name: &str) -> ChildSpec {
        ChildSpec::new(name, ChildKind::Local)
    }

    fn texts(faults: &[Fault]) -> String {
        faults
            .iter()
            .cloned()
            .collect::<treewright_supervisors::report::Report>()
            .to_string()
    }

    fn tree(root: SupervisorSpec) -> TreeSpec {
        TreeSpec {
            name: "t".to_owned(),
            exit_code_from: None,
            shutdown: None,
            root,
        }
    }

    #[test]
    fn closure_below_an_isolated_supervisor_is_refused() {
        let inner = supervisor("inner", [local("metrics")]);
        let inner = ChildSpec::new("inner", ChildKind::Supervisor(Box::new(inner)));
        let mut app = supervisor("app", [inner]);
        app.isolated = true;
        let app = ChildSpec::new("app", ChildKind::Supervisor(Box::new(app)));
        let faults = faults(&tree(supervisor("root", [app])), &Attached::default());
        assert_eq!(
            texts(&faults),
            "error[cannot-run]: local `metrics` cannot be run\n |\n \
             = note: at `local.metrics`: it is a closure of this process, and its supervisor is isolated\n\n\
             1 error\n"
        );
    }

    #[test]
    fn closures_without_a_child_and_children_without_a_closure_are_all_told() {
        let attached = Attached::default();
        for name in ["z", "y"] {
            attached.insert(name.into(), async |_| Ok(()));
        }
        let tree = tree(supervisor("root", [local("a"), local("b")]));
        let without = texts(&faults(&tree, &attached));
        let (a, b) = (without.find("local `a`"), without.find("local `b`"));
        assert!(a.is_some() && a < b, "{without}");
        let unattached = texts(&closure_faults(&tree, &attached));
        let (y, z) = (unattached.find("to `y`"), unattached.find("to `z`"));
        assert!(y.is_some() && y < z, "{unattached}");
    }
}
