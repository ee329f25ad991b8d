//! From a document to a tree.

use super::document::{Span, Table};
use super::faults::Problem;
use super::forest::Forest;
use super::lower::{Layers, Lower};
use super::namespace::{Item, Namespace};
use crate::keys::Section;
use crate::report::{Code, named};
use crate::spec::{ChildKind, ChildName, ChildSpec, SupervisorSpec, TreeSpec};

/// Keys that say how a supervisor treats this child, and so mean nothing on the root.
const OF_A_CHILD: &[&str] = &[
    "restart",
    "significant",
    "shutdown",
    "backoff",
    "success",
    "start_timeout",
    "depends_on",
];

/// A tree as it is written, and whether its shape is sound enough to be judged as a whole.
#[derive(Debug)]
pub(super) struct Built {
    pub(super) spec: TreeSpec,
    pub(super) is_sound: bool,
}

/// Lowers everything in the document; what is wrong is in the faults of `lower`.
pub(super) fn build(document: &Table, stem: &str, lower: &mut Lower<'_>) -> Built {
    lower.begin(String::new());
    lower.check_keys(Section::File, Span::top(0), document, false);
    check_defaults(document, lower);
    let tree = match document.get("tree").map(|entry| &entry.node) {
        Some(node) => match node.as_table() {
            Some(table) => lower.tree(node.span, table),
            None => {
                let message = format!("`tree` cannot be {}", node.type_name());
                lower.faults.push(
                    Problem::error(Code::WrongType, node.span, message)
                        .label("expected a table `[tree]`"),
                );
                Default::default()
            }
        },
        None => Default::default(),
    };
    let namespace = Namespace::new(document, lower);
    for item in &namespace.items {
        begin(item, lower);
        if let Some(table) = item.entry.node.as_table() {
            lower.check_keys(item.kind, item.entry.node.span, table, false);
        }
    }
    let forest = Forest::new(&namespace, lower);
    if namespace.items.is_empty() && lower.faults.errors() == 0 {
        lower.faults.push(
            Problem::error(Code::NothingToRun, Span::top(0), "nothing to run")
                .label("no child in this file")
                .hint("a tree begins with a table such as `[process.web]` with `run = \"…\"`"),
        );
    }
    let name = tree.name.unwrap_or_else(|| tree_name(stem));
    let is_implicit = !matches!(
        forest.roots.first(),
        Some(root) if forest.is_sound && namespace.items[*root].kind == Section::Supervisor
    );
    let children = lower_all(&namespace, &forest, is_implicit, lower);
    let root = root(children, &name, is_implicit, &namespace);
    Built {
        spec: TreeSpec {
            name,
            exit_code_from: tree.exit_code_from,
            shutdown: tree.shutdown,
            root,
        },
        is_sound: forest.is_sound,
    }
}

/// The one root of the file, or one above all that has no supervisor.
fn root(
    mut roots: Vec<ChildSpec>,
    name: &str,
    is_implicit: bool,
    namespace: &Namespace<'_>,
) -> SupervisorSpec {
    if !is_implicit && roots.len() == 1 {
        match roots.swap_remove(0).kind {
            ChildKind::Supervisor(root) => return *root,
            kind => roots.push(ChildSpec::new("root", kind)),
        }
    }
    let mut root = SupervisorSpec::new(root_name(name, namespace));
    root.children = roots;
    root
}

/// Each item as a child, and each child in its supervisor; what is left are the roots.
fn lower_all(
    namespace: &Namespace<'_>,
    forest: &Forest,
    is_implicit: bool,
    lower: &mut Lower<'_>,
) -> Vec<ChildSpec> {
    let mut specs: Vec<Option<ChildSpec>> = namespace
        .items
        .iter()
        .enumerate()
        .map(|(at, item)| {
            let is_root = !is_implicit && forest.roots.first() == Some(&at);
            Some(lower_item(item, &namespace.layers(item), is_root, lower))
        })
        .collect();
    // From the leaves up, so that each supervisor is whole before it goes into its own.
    for &at in forest.order.iter().rev() {
        let children: Vec<ChildSpec> = forest.children[at]
            .iter()
            .filter_map(|child| specs[*child].take())
            .collect();
        if let Some(ChildSpec {
            kind: ChildKind::Supervisor(supervisor),
            ..
        }) = &mut specs[at]
        {
            supervisor.children = children;
        }
    }
    forest
        .roots
        .iter()
        .filter_map(|root| specs[*root].take())
        .collect()
}

fn begin(item: &Item<'_>, lower: &mut Lower<'_>) {
    lower.begin(format!("{} {}", item.kind.key(), named(item.name)));
}

fn lower_item(
    item: &Item<'_>,
    layers: &Layers<'_>,
    is_root: bool,
    lower: &mut Lower<'_>,
) -> ChildSpec {
    begin(item, lower);
    if is_root {
        refuse_on_root(item, layers, lower);
    }
    lower.child(item.name, layers)
}

fn refuse_on_root(item: &Item<'_>, layers: &Layers<'_>, lower: &mut Lower<'_>) {
    for name in OF_A_CHILD {
        let Some(entry) = layers.own(name) else {
            continue;
        };
        let message = format!("`{name}` means nothing on {}, the root", named(item.name));
        let mut problem =
            Problem::error(Code::KeyOnRoot, entry.key, message).label("no supervisor is above it");
        if *name == "shutdown" {
            problem = problem.hint("time for stopping the whole tree is `shutdown` in `[tree]`");
        }
        lower.faults.push(problem);
    }
}

/// Lowers `[defaults.*]` once by themselves, so that they are checked even where no child uses them.
fn check_defaults(document: &Table, lower: &mut Lower<'_>) {
    let Some(entry) = document.get("defaults") else {
        return;
    };
    let Some(defaults) = entry.node.as_table() else {
        let message = format!("`defaults` cannot be {}", entry.node.type_name());
        lower.faults.push(
            Problem::error(Code::WrongType, entry.node.span, message)
                .label("expected tables such as `[defaults.process]`"),
        );
        return;
    };
    lower.check_keys(Section::Defaults, entry.node.span, defaults, false);
    for kind in [
        Section::Supervisor,
        Section::Process,
        Section::Actor,
        Section::Pool,
    ] {
        let Some(entry) = defaults.get(kind.key()) else {
            continue;
        };
        lower.begin(format!("the defaults of {}", plural(kind)));
        let Some(table) = entry.node.as_table() else {
            let message = format!(
                "`defaults.{}` cannot be {}",
                kind.key(),
                entry.node.type_name()
            );
            lower.faults.push(
                Problem::error(Code::WrongType, entry.node.span, message).label("expected a table"),
            );
            continue;
        };
        lower.check_keys(kind, entry.node.span, table, true);
        let layers = Layers::new(kind, entry.node.span, table, None);
        lower.defaults(&layers);
    }
}

fn plural(kind: Section) -> &'static str {
    match kind {
        Section::Supervisor => "supervisors",
        Section::Process => "processes",
        Section::Actor => "actors",
        _ => "pools",
    }
}

/// The name of a tree from its file's: what a name cannot hold becomes `-`.
fn tree_name(stem: &str) -> String {
    let name: String = stem
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "_.-".contains(c) {
                c
            } else {
                '-'
            }
        })
        .take(64)
        .collect();
    let name = name.trim_matches(['-', '.']);
    if name.is_empty() {
        "tree".to_owned()
    } else {
        name.to_owned()
    }
}

/// The name of an implicit root: the tree's, or one that is free.
fn root_name(tree: &str, namespace: &Namespace<'_>) -> ChildName {
    let numbered = (1_usize..).map(|number| format!("root-{number}"));
    [tree.to_owned(), "root".to_owned()]
        .into_iter()
        .chain(numbered)
        .find(|name| crate::check::is_child_name(name) && namespace.find(name).is_none())
        .map_or_else(|| ChildName::from("root"), ChildName::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tree_name_from_a_stem_is_a_name() {
        for (stem, name) in [
            ("shop", "shop"),
            ("my shop (copy)", "my-shop--copy"),
            ("..", "tree"),
            ("ö", "tree"),
            ("", "tree"),
        ] {
            assert_eq!(tree_name(stem), name);
        }
    }
}
