//! All checks of a tree, in turn.

use super::index::{Index, kind_name};
use super::is_child_name;
use super::{child, dependency, order, warning};
use crate::report::{Code, Fault, Report, Severity, SpecPath, named};
use crate::spec::TreeSpec;
use crate::suggest::Suggester;

/// How much of a tree is there to be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All of it.
    Whole,
    /// Its shape is at fault already: only what each child says by itself counts.
    Children,
}

/// What a program knows to be wrong with a tree, beyond what is wrong for any program: which
/// functions it has, for instance. It is asked about trees that have other faults, too.
pub type ProgramCheck<'a> = dyn Fn(&TreeSpec) -> Vec<Fault> + 'a;

/// Checks a tree and puts the children of each supervisor into start order.
///
/// Start order is the order of the list, changed as little as it takes for `depends_on` to hold: of the children
/// that may come next, the one listed first does. It changes nothing in a tree that is in order already,
/// or whose dependencies cannot be ordered. Takes time in proportion to children and dependencies, and
/// a logarithm for the sorting.
///
/// The report holds errors, each of which means that the tree must not run, and warnings.
///
/// # Examples
///
/// ```
/// use treewright_supervisors::check::check;
/// use treewright_supervisors::spec::{ChildKind, ChildSpec, SupervisorSpec, TreeSpec};
///
/// let mut child = ChildSpec::new("reader", ChildKind::Local);
/// child.significant = true;
/// let mut root = SupervisorSpec::new("shop");
/// root.children.push(child);
/// let mut tree = TreeSpec { name: "shop".to_owned(), exit_code_from: None, shutdown: None, root };
///
/// let report = check(&mut tree);
/// assert_eq!(report.diagnostics()[0].code.as_str(), "significant-permanent");
/// assert_eq!(
///     report.diagnostics()[0].path.as_ref().unwrap().to_string(),
///     "local.reader.significant"
/// );
/// ```
pub fn check(tree: &mut TreeSpec) -> Report {
    check_with(tree, &|_| Vec::new())
}

/// Checks a tree as [`check`] does, and adds what the program itself has to say of it.
pub fn check_with(tree: &mut TreeSpec, program: &ProgramCheck<'_>) -> Report {
    let mut found = faults(tree, Scope::Whole);
    found.extend(program(tree));
    found.into_iter().collect()
}

/// Every fault of a tree; where there is none the tree is in start order afterwards.
pub(crate) fn faults(tree: &mut TreeSpec, scope: Scope) -> Vec<Fault> {
    let mut faults = Vec::new();
    let orders = {
        let mut suggester = Suggester::default();
        let index = Index::new(tree, &mut faults);
        for thing in &index.things {
            child::check(thing, &index, scope, &mut faults);
        }
        let dependencies = dependency::check(&index, &mut suggester, &mut faults);
        check_name(tree, &mut faults);
        check_exit_code(tree, &index, &mut suggester, &mut faults);
        if scope == Scope::Whole {
            let is_sound = !faults
                .iter()
                .any(|fault| matches!(fault.code, Code::DuplicateName | Code::TooDeep));
            let orders = if is_sound {
                order::orders(&index, &dependencies, &mut faults)
            } else {
                Vec::new()
            };
            if !faults.iter().any(|fault| fault.severity == Severity::Error) {
                warning::check(tree, &index, &mut faults);
            }
            orders
        } else {
            Vec::new()
        }
    };
    order::apply(tree, orders);
    faults
}

/// The name becomes the control socket's.
fn check_name(tree: &TreeSpec, faults: &mut Vec<Fault>) {
    if !is_child_name(&tree.name) {
        faults.push(
            Fault::error(
                Code::InvalidName,
                SpecPath::of(&["tree", "name"]),
                format!("{} cannot be the name of a tree", named(&tree.name)),
            )
            .label("expected at most 64 letters, digits, `_`, `-` and `.`, not `-` or `.` first")
            .hint("the control socket has this name"),
        );
    }
}

fn check_exit_code(
    tree: &TreeSpec,
    index: &Index<'_>,
    suggester: &mut Suggester,
    faults: &mut Vec<Fault>,
) {
    let Some(name) = &tree.exit_code_from else {
        return;
    };
    let at = SpecPath::of(&["tree", "exit_code_from"]);
    let Some(found) = index.find(name) else {
        let mut fault = Fault::error(
            Code::UnknownName,
            at,
            format!(
                "`exit_code_from` names {}, which does not exist",
                named(name)
            ),
        )
        .label("nothing has this name");
        fault.hint = suggester
            .nearest(name, index.names())
            .map(|near| format!("did you mean `{near}`?"));
        faults.push(fault);
        return;
    };
    let thing = &index.things[found];
    let is_leaf = thing
        .child
        .is_some_and(|child| !matches!(kind_name(&child.kind), "supervisor" | "pool"));
    if !is_leaf {
        faults.push(
            Fault::error(
                Code::NotALeaf,
                at,
                format!("{} has no exit code", thing.title()),
            )
            .label("expected the name of a process or an actor"),
        );
    }
}
