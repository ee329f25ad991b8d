//! Who is whose child: the lists of the supervisors, put together.

use std::collections::HashSet;

use super::document::Span;
use super::faults::Problem;
use super::lower::Lower;
use super::namespace::Namespace;
use crate::check::DEEPEST;
use crate::keys::{Section, any_of};
use crate::report::{Code, named};

/// Names in one message; the rest is counted.
const NAMED: usize = 8;

/// Each item's place in the tree.
#[derive(Debug)]
pub(super) struct Forest {
    /// The children of each item, in list order.
    pub(super) children: Vec<Vec<usize>>,
    /// Each item's supervisor, and where it is listed.
    parents: Vec<Option<(usize, Span)>>,
    /// The items without a supervisor, in file order.
    pub(super) roots: Vec<usize>,
    /// Every item, supervisors before their children.
    pub(super) order: Vec<usize>,
    /// Items that are in no list but by a misspelt name.
    meant: HashSet<usize>,
    /// Whether it is one tree.
    pub(super) is_sound: bool,
}

impl Forest {
    pub(super) fn new(namespace: &Namespace<'_>, lower: &mut Lower<'_>) -> Self {
        let count = namespace.items.len();
        let mut forest = Self {
            children: vec![Vec::new(); count],
            parents: vec![None; count],
            roots: Vec::new(),
            order: Vec::with_capacity(count),
            meant: HashSet::new(),
            is_sound: true,
        };
        let is_implicit = !namespace
            .items
            .iter()
            .any(|item| item.kind == Section::Supervisor);
        forest.read_lists(namespace, lower);
        forest.cut_cycles(namespace, lower);
        forest.roots = (0..count)
            .filter(|item| forest.parents[*item].is_none())
            .collect();
        if !is_implicit {
            forest.check_roots(namespace, lower);
        }
        forest.walk(namespace, lower);
        forest
    }

    fn read_lists(&mut self, namespace: &Namespace<'_>, lower: &mut Lower<'_>) {
        for (supervisor, item) in namespace.items.iter().enumerate() {
            if item.kind != Section::Supervisor {
                continue;
            }
            lower.begin(format!("supervisor {}", named(item.name)));
            for (name, node) in lower.children(&namespace.layers(item)) {
                let Some(child) = namespace.find(&name) else {
                    self.is_sound = false;
                    let meant = report_unknown(&name, node.span, namespace, lower);
                    self.meant.extend(meant);
                    continue;
                };
                if let Some((_, first)) = self.parents[child] {
                    self.is_sound = false;
                    lower.faults.push(
                        Problem::error(
                            Code::ListedTwice,
                            node.span,
                            format!("{} is listed twice", named(&name)),
                        )
                        .label("again here")
                        .related(first, "first here")
                        .hint("a child has one supervisor and one place in its order"),
                    );
                    continue;
                }
                self.parents[child] = Some((supervisor, node.span));
                self.children[supervisor].push(child);
            }
        }
    }

    /// Finds supervisors that contain themselves; each has one supervisor at most, so each cycle is a ring.
    fn cut_cycles(&mut self, namespace: &Namespace<'_>, lower: &mut Lower<'_>) {
        let mut seen_in = vec![usize::MAX; self.parents.len()];
        for start in 0..self.parents.len() {
            let mut at = start;
            while seen_in[at] == usize::MAX {
                seen_in[at] = start;
                match self.parents[at] {
                    Some((supervisor, _)) => at = supervisor,
                    None => break,
                }
            }
            if seen_in[at] != start || self.parents[at].is_none() {
                continue;
            }
            self.is_sound = false;
            let ring = self.ring(at);
            self.report_cycle(&ring, namespace, lower);
            if let Some((supervisor, _)) = self.parents[at].take() {
                self.children[supervisor].retain(|child| *child != at);
            }
        }
    }

    /// The supervisors from this one down to itself.
    fn ring(&self, start: usize) -> Vec<usize> {
        let mut ring = vec![start];
        let mut at = start;
        while let Some((supervisor, _)) = self.parents[at] {
            if supervisor == start {
                break;
            }
            ring.push(supervisor);
            at = supervisor;
        }
        ring.reverse();
        ring.rotate_right(1);
        ring
    }

    fn report_cycle(&self, ring: &[usize], namespace: &Namespace<'_>, lower: &mut Lower<'_>) {
        let Some((_, span)) = ring.first().and_then(|first| self.parents[*first]) else {
            return;
        };
        let name = |item: usize| named(namespace.items[item].name);
        let mut names: Vec<String> = ring.iter().take(NAMED).map(|item| name(*item)).collect();
        if ring.len() > NAMED {
            names.push("…".to_owned());
        }
        names.push(name(ring[0]));
        let mut problem = Problem::error(
            Code::SupervisorCycle,
            span,
            format!("supervisor {} contains itself", name(ring[0])),
        )
        .label(names.join(" contains "));
        for item in ring.iter().skip(1).take(NAMED) {
            if let Some((supervisor, span)) = self.parents[*item] {
                let label = format!("{} lists {}", name(supervisor), name(*item));
                problem = problem.related(span, label);
            }
        }
        lower.faults.push(problem);
    }

    /// With supervisors in the document, one of them is the root and the rest is listed.
    fn check_roots(&mut self, namespace: &Namespace<'_>, lower: &mut Lower<'_>) {
        let is_supervisor = |item: &usize| namespace.items[*item].kind == Section::Supervisor;
        let (supervisors, loose): (Vec<usize>, Vec<usize>) =
            self.roots.iter().partition(|item| is_supervisor(item));
        if supervisors.len() > 1 && self.is_sound {
            report_roots(&supervisors, namespace, lower);
        }
        let hint = match supervisors.first() {
            Some(root) => format!(
                "add it to `children` of a supervisor, such as {}",
                named(namespace.items[*root].name)
            ),
            None => "add it to `children` of a supervisor".to_owned(),
        };
        for item in loose.iter().filter(|item| !self.meant.contains(item)) {
            let item = &namespace.items[*item];
            lower.faults.push(
                Problem::error(
                    Code::NotListed,
                    item.entry.key,
                    format!("{} {} has no supervisor", item.kind.key(), named(item.name)),
                )
                .label("in no `children`")
                .hint(hint.clone()),
            );
        }
        if supervisors.len() != 1 || !loose.is_empty() {
            self.is_sound = false;
        }
    }

    /// Orders the items from the roots down, and cuts what is too deep.
    fn walk(&mut self, namespace: &Namespace<'_>, lower: &mut Lower<'_>) {
        let mut depth = vec![1; self.parents.len()];
        self.order.extend(&self.roots);
        let mut next = 0;
        while let Some(&item) = self.order.get(next) {
            next += 1;
            for position in 0..self.children[item].len() {
                let child = self.children[item][position];
                depth[child] = depth[item] + 1;
                self.order.push(child);
            }
            if depth[item] < DEEPEST || self.children[item].is_empty() {
                continue;
            }
            if self.is_sound {
                self.is_sound = false;
                let item = &namespace.items[item];
                lower.faults.push(
                    Problem::error(
                        Code::TooDeep,
                        item.entry.key,
                        format!("supervisor {} is nested too deep", named(item.name)),
                    )
                    .label(format!("its children would be below level {DEEPEST}")),
                );
            }
            // What is below begins a tree of its own, only to be checked.
            for child in std::mem::take(&mut self.children[item]) {
                depth[child] = 1;
                self.roots.push(child);
            }
        }
    }
}

/// Returns what was probably meant.
fn report_unknown(
    name: &str,
    span: Span,
    namespace: &Namespace<'_>,
    lower: &mut Lower<'_>,
) -> Option<usize> {
    let message = format!(
        "{} lists {}, which does not exist",
        lower.subject(),
        named(name)
    );
    let mut problem =
        Problem::error(Code::UnknownName, span, message).label("nothing has this name");
    let near = lower.suggester.nearest(name, namespace.names());
    problem.hint = near.map(|near| format!("did you mean `{near}`?"));
    lower.faults.push(problem);
    namespace.find(near?)
}

fn report_roots(roots: &[usize], namespace: &Namespace<'_>, lower: &mut Lower<'_>) {
    let item = |at: usize| &namespace.items[roots[at]];
    let mut problem = Problem::error(
        Code::SeveralRoots,
        item(1).entry.key,
        format!("{} supervisors have no supervisor", roots.len()),
    )
    .label("in no `children`")
    .related(item(0).entry.key, "in no `children` either");
    for at in 2..roots.len().min(NAMED) {
        problem = problem.related(item(at).entry.key, "nor this one");
    }
    let names = (0..roots.len().min(NAMED)).map(|at| named(item(at).name));
    let hint = format!(
        "a tree has one root: {} must list the others, itself or through them",
        any_of(names)
    );
    lower.faults.push(problem.hint(hint));
}
