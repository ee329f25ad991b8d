//! Start order, and the checks of trees that come from no file.

use proptest::prelude::*;
use treewright_supervisors::check::check;
use treewright_supervisors::load::{MemorySource, load_str};
use treewright_supervisors::report::Severity;
use treewright_supervisors::spec::{ChildKind, ChildSpec, Condition, SupervisorSpec, TreeSpec};

fn local(name: &str, depends_on: &[&str]) -> ChildSpec {
    let mut child = ChildSpec::new(name, ChildKind::Local);
    child.depends_on = depends_on
        .iter()
        .map(|name| ((*name).into(), Condition::Started))
        .collect();
    child
}

fn supervisor(name: &str, children: Vec<ChildSpec>) -> SupervisorSpec {
    let mut supervisor = SupervisorSpec::new(name);
    supervisor.children = children;
    supervisor
}

fn nested(name: &str, children: Vec<ChildSpec>) -> ChildSpec {
    ChildSpec::new(
        name,
        ChildKind::Supervisor(Box::new(supervisor(name, children))),
    )
}

fn tree(children: Vec<ChildSpec>) -> TreeSpec {
    TreeSpec {
        name: "tree".to_owned(),
        exit_code_from: None,
        shutdown: None,
        root: supervisor("root", children),
    }
}

fn names(supervisor: &SupervisorSpec) -> Vec<&str> {
    supervisor
        .children
        .iter()
        .map(|child| child.name.as_str())
        .collect()
}

#[test]
fn order_without_dependencies_is_the_list() {
    let mut tree = tree(vec![local("c", &[]), local("a", &[]), local("b", &[])]);
    assert!(check(&mut tree).is_empty());
    assert_eq!(names(&tree.root), ["c", "a", "b"]);
}

#[test]
fn dependent_goes_behind_what_it_depends_on() {
    let mut tree = tree(vec![
        local("a", &["d"]),
        local("b", &[]),
        local("c", &["a"]),
        local("d", &[]),
    ]);
    assert!(check(&mut tree).is_empty());
    assert_eq!(names(&tree.root), ["b", "d", "a", "c"]);
}

#[test]
fn dependency_on_a_cousin_orders_the_supervisors() {
    let mut tree = tree(vec![
        nested("app", vec![local("web", &["db"]), local("cache", &[])]),
        nested("data", vec![local("db", &[])]),
    ]);
    assert!(check(&mut tree).is_empty());
    assert_eq!(names(&tree.root), ["data", "app"]);
}

#[test]
fn dependency_on_an_uncle_orders_at_his_level() {
    let mut tree = tree(vec![
        nested("app", vec![nested("inner", vec![local("web", &["db"])])]),
        local("db", &[]),
    ]);
    assert!(check(&mut tree).is_empty());
    assert_eq!(names(&tree.root), ["db", "app"]);
}

#[test]
fn cycle_through_cousins_is_refused_and_changes_nothing() {
    let mut tree = tree(vec![
        nested("app", vec![local("web", &["db"]), local("cache", &[])]),
        nested("data", vec![local("db", &[]), local("search", &["cache"])]),
    ]);
    let report = check(&mut tree);
    assert_eq!(report.diagnostics()[0].code.as_str(), "dependency-cycle");
    let text = report.to_string();
    assert!(text.contains("`app` → `data` → `app`"), "{text}");
    assert_eq!(names(&tree.root), ["app", "data"]);
}

#[test]
fn separate_cycles_are_separate_faults() {
    let mut tree = tree(vec![
        local("a", &["b"]),
        local("b", &["a"]),
        local("c", &["d"]),
        local("d", &["c"]),
        local("e", &["a", "c"]),
    ]);
    assert_eq!(check(&mut tree).count(Severity::Error), 2);
}

#[test]
fn fault_of_a_built_tree_is_addressed_by_its_path() {
    let mut child = local("web", &[]);
    child.backoff.jitter = 1.5;
    let report = check(&mut tree(vec![child]));
    let diagnostic = &report.diagnostics()[0];
    assert_eq!(
        diagnostic.path.as_ref().unwrap().to_string(),
        "local.web.backoff.jitter"
    );
    assert!(diagnostic.place.is_none());
    assert!(report.to_string().contains("at `local.web.backoff.jitter`"));
}

#[test]
fn one_name_for_two_built_children_is_refused() {
    let mut tree = tree(vec![local("a", &[]), nested("b", vec![local("a", &[])])]);
    let report = check(&mut tree);
    assert_eq!(report.diagnostics()[0].code.as_str(), "duplicate-name");
}

#[test]
fn built_tree_that_is_too_deep_is_refused() {
    let mut child = local("leaf", &[]);
    for level in 0..100 {
        child = nested(&format!("s{level}"), vec![child]);
    }
    let report = check(&mut tree(vec![child]));
    assert_eq!(report.diagnostics()[0].code.as_str(), "too-deep");
}

/// A tree of two levels with dependencies only from later to earlier names in a hidden order.
fn acyclic() -> impl Strategy<Value = (Vec<usize>, Vec<(usize, usize)>)> {
    (2_usize..12).prop_flat_map(|count| {
        let list = Just((0..count).collect::<Vec<usize>>()).prop_shuffle();
        let edges = proptest::collection::vec((0..count, 0..count), 0..20);
        (list, edges)
    })
}

proptest! {
    #[test]
    fn order_is_a_linear_extension_and_stable((list, edges) in acyclic()) {
        let edges: Vec<(usize, usize)> = edges
            .into_iter()
            .filter(|(before, after)| before < after)
            .collect();
        let children = list
            .iter()
            .map(|number| {
                let mut child = local(&format!("c{number}"), &[]);
                for (before, after) in &edges {
                    if after == number {
                        child.depends_on.insert(format!("c{before}").into(), Condition::Ready);
                    }
                }
                child
            })
            .collect();
        let mut tree = tree(children);
        prop_assert!(check(&mut tree).is_empty());
        let order: Vec<String> = names(&tree.root).iter().map(|name| (*name).to_owned()).collect();
        let place = |number: usize| order.iter().position(|name| *name == format!("c{number}")).unwrap();
        for (before, after) in &edges {
            prop_assert!(place(*before) < place(*after));
        }
        let again = tree.clone();
        prop_assert!(check(&mut tree).is_empty());
        prop_assert_eq!(&tree, &again);
    }
}

#[test]
fn loaded_tree_is_in_start_order() {
    let text = "
        [process.web]
        run = 'web'
        depends_on = { db = 'ready' }
        [process.db]
        run = 'db'
        ready = { tcp = 'localhost:5432' }
    ";
    let loaded = load_str("x.toml", text, &MemorySource::new()).unwrap();
    assert_eq!(names(&loaded.spec.root), ["db", "web"]);
}
