//! The plan of a reload: what it says, and that carrying it out leads to the new spec.

use proptest::prelude::*;
use treewright_supervisors::reload::{What, plan};
use treewright_supervisors::spec::{
    ChildKind, ChildSpec, Strategy as Restarts, SupervisorSpec, TreeSpec,
};

use crate::simulation::*;

fn one(children: impl IntoIterator<Item = ChildSpec>) -> SupervisorSpec {
    supervisor(Restarts::OneForOne, children)
}

fn sub(name: &str, children: impl IntoIterator<Item = ChildSpec>) -> ChildSpec {
    nested(named(name, Restarts::OneForOne, children))
}

/// The plan as lines: `+supervisor/child`, `-`, `~` (restart), `=` (update), `<>` (reorder).
fn lines(old: SupervisorSpec, new: SupervisorSpec) -> Vec<String> {
    let plan = plan(&tree(old), &tree(new));
    let lines = plan.changes.iter().map(|change| {
        let (sign, keys) = match &change.what {
            What::Add => ("+", String::new()),
            What::Remove => ("-", String::new()),
            What::Restart { keys } => ("~", keys.join(",")),
            What::Update { keys } => ("=", keys.join(",")),
            What::Reorder => ("<>", String::new()),
        };
        let child = change.child.as_deref().unwrap_or("");
        let line = format!("{sign}{}/{child} {keys}", change.supervisor.as_str());
        line.trim_end().to_owned()
    });
    lines.collect()
}

#[test]
fn plan_of_the_same_tree_is_empty() {
    let root = one([
        worker("a"),
        sub("inner", [worker("b"), pool("jobs", worker("j"), 2, 3)]),
    ]);
    assert_eq!(lines(root.clone(), root), [""; 0]);
}

#[test]
fn plan_of_new_and_old_children_adds_and_removes_just_these() {
    let old = one([worker("a"), worker("b"), worker("c")]);
    let new = one([worker("new"), worker("b"), worker("newer")]);
    assert_eq!(
        lines(old, new),
        ["-root/c", "-root/a", "+root/new", "+root/newer"]
    );
}

#[test]
fn plan_restarts_for_what_the_process_was_made_with_only() {
    let old = one([process("a", "old"), process("b", "old")]);
    let new = one([
        process("a", "new"),
        process("b", "old").transient().stop_within(seconds(1)),
    ]);
    assert_eq!(lines(old, new), ["~root/a run", "=root/b restart,shutdown"]);
}

#[test]
fn plan_of_both_kinds_of_change_names_all_keys() {
    let new = one([process("a", "new").transient()]);
    assert_eq!(
        lines(one([process("a", "old")]), new),
        ["~root/a run,restart"]
    );
}

#[test]
fn plan_of_another_kind_restarts() {
    let old = one([worker("a")]);
    assert_eq!(lines(old, one([process("a", "new")])), ["~root/a kind"]);
}

#[test]
fn plan_of_another_order_restarts_nobody() {
    let old = one([worker("a"), worker("b"), worker("gone"), worker("c")]);
    let new = one([worker("c"), worker("a"), worker("new"), worker("b")]);
    assert_eq!(lines(old, new), ["-root/gone", "<>root/", "+root/new"]);
}

#[test]
fn plan_of_an_insertion_in_the_middle_is_no_reorder() {
    let old = one([worker("a"), worker("c")]);
    assert_eq!(
        lines(old, one([worker("a"), worker("b"), worker("c")])),
        ["+root/b"]
    );
}

#[test]
fn plan_looks_into_nested_supervisors_and_leaves_them_running() {
    let old = one([
        sub("inner", [process("a", "old"), worker("b")]),
        worker("z"),
    ]);
    let new = one([
        sub("inner", [process("a", "new"), worker("c")]),
        worker("z"),
    ]);
    assert_eq!(lines(old, new), ["-inner/b", "~inner/a run", "+inner/c"]);
}

#[test]
fn plan_of_a_move_goes_from_the_one_and_comes_to_the_other() {
    let old = one([
        sub("left", [worker("a"), worker("b")]),
        sub("right", [worker("c")]),
    ]);
    let new = one([
        sub("left", [worker("b")]),
        sub("right", [worker("a"), worker("c")]),
    ]);
    assert_eq!(lines(old, new), ["-left/a", "+right/a"]);
}

#[test]
fn plan_of_a_whole_subtree_is_one_change() {
    let inner = sub("inner", [worker("a"), worker("b")]);
    assert_eq!(lines(one([inner.clone()]), one([])), ["-root/inner"]);
    assert_eq!(lines(one([]), one([inner])), ["+root/inner"]);
}

#[test]
fn plan_of_isolation_restarts_the_subtree_as_a_whole() {
    let inner = sub("inner", [process("a", "old")]);
    let isolated = sub("inner", [process("a", "new")]).with(|child| {
        if let ChildKind::Supervisor(spec) = &mut child.kind {
            spec.isolated = true;
        }
    });
    assert_eq!(
        lines(one([inner]), one([isolated])),
        ["~root/inner isolated"]
    );
}

#[test]
fn plan_of_the_roots_flags_updates_the_root() {
    let new = one([worker("a")]).set(|spec| spec.strategy = Restarts::OneForAll);
    assert_eq!(lines(one([worker("a")]), new), ["=root/ strategy"]);
}

#[test]
fn plan_of_a_pool_is_an_update_of_the_pool() {
    let old = one([pool("jobs", process("j", "old"), 1, 3)]);
    let new = one([pool("jobs", process("j", "new"), 2, 3)]);
    assert_eq!(lines(old, new), ["=root/jobs size,template"]);
}

#[test]
fn plan_removes_in_stop_order_and_adds_in_start_order() {
    let old = one([
        sub("x", [worker("a"), worker("b")]),
        worker("c"),
        sub("y", [worker("d")]),
    ]);
    let new = one([
        sub("x", [worker("e")]),
        worker("f"),
        sub("y", [worker("g")]),
    ]);
    let expected = ["-y/d", "-root/c", "-x/b", "-x/a", "+x/e", "+root/f", "+y/g"];
    assert_eq!(lines(old, new), expected);
}

/// A tree of three supervisors; where each of eight children is and what it is, comes in.
fn drawn(places: &[(u8, u8, bool)], strategies: &[u8]) -> TreeSpec {
    let mut supervisors = [Vec::new(), Vec::new(), Vec::new()];
    for (number, (place, program, is_first)) in places.iter().enumerate() {
        let Some(children) = supervisors.get_mut(usize::from(*place)) else {
            continue;
        };
        let child = process(&format!("child{number}"), &format!("program{program}"));
        let child = if *program == 1 {
            child.temporary()
        } else {
            child
        };
        let at = if *is_first { 0 } else { children.len() };
        children.insert(at, child);
    }
    let [mut top, left, right] = supervisors;
    let strategy = |number: usize| match strategies[number] {
        0 => Restarts::OneForOne,
        1 => Restarts::OneForAll,
        _ => Restarts::RestForOne,
    };
    top.insert(top.len() / 2, nested(named("left", strategy(1), left)));
    top.push(nested(named("right", strategy(2), right)));
    tree(named("root", strategy(0), top))
}

/// Every child of the tree that is no supervisor, with its spec.
fn wanted(supervisor: &SupervisorSpec) -> Vec<&ChildSpec> {
    let mut children = Vec::new();
    for child in &supervisor.children {
        match &child.kind {
            ChildKind::Supervisor(nested) => children.extend(wanted(nested)),
            _ => children.push(child),
        }
    }
    children
}

fn trees() -> impl Strategy<Value = TreeSpec> {
    let places = prop::collection::vec((0..4_u8, 0..3_u8, any::<bool>()), 8);
    let strategies = prop::collection::vec(0..3_u8, 3);
    (places, strategies).prop_map(|(places, strategies)| drawn(&places, &strategies))
}

proptest! {
    #![proptest_config(crate::properties::cases())]

    #[test]
    fn plan_of_any_tree_and_itself_is_empty(tree in trees()) {
        prop_assert!(plan(&tree, &tree).is_empty());
    }

    #[test]
    fn reload_of_any_tree_leads_to_exactly_the_new_one(old in trees(), new in trees()) {
        let mut sim = Simulation::of_tree(&old);
        sim.start();
        let plan = plan(&old, &new);
        sim.take_log();
        sim.reload_tree(&old, &new);
        let orders = sim.take_orders();

        let mut expected: Vec<&str> = wanted(&new.root).iter().map(|child| &*child.name).collect();
        expected.extend(["left", "right"]);
        expected.sort_unstable();
        prop_assert_eq!(sim.living(), expected);
        for child in wanted(&new.root) {
            prop_assert_eq!(sim.running_spec(&child.name), child);
        }
        // Nothing is stopped or started that the plan does not say.
        for (sign, is_planned) in [
            ("stop", (|what| matches!(what, What::Remove | What::Restart { .. })) as fn(&What) -> bool),
            ("start", |what| matches!(what, What::Add | What::Restart { .. })),
        ] {
            let mut done: Vec<&str> =
                orders.iter().filter_map(|line| line.strip_prefix(sign)).map(str::trim).collect();
            let planned = plan.changes.iter().filter(|change| is_planned(&change.what));
            let mut planned: Vec<&str> = planned.filter_map(|change| change.child.as_deref()).collect();
            done.sort_unstable();
            planned.sort_unstable();
            prop_assert_eq!(done, planned);
        }
    }
}
