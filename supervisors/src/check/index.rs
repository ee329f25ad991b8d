//! The things of a tree as a flat list, so that no check walks the tree itself.

use std::collections::HashMap;

use super::is_child_name;
use crate::report::{Code, Fault, SpecPath, named};
use crate::spec::{ChildKind, ChildSpec, SupervisorSpec, TreeSpec};

/// Levels of supervisors a tree may have. Deeper trees are the work of programs that went wrong.
pub(crate) const DEEPEST: usize = 64;

/// One thing of a tree.
#[derive(Clone, Copy, Debug)]
pub(super) struct Thing<'a> {
    pub(super) name: &'a str,
    /// None for the root, which is nobody's child.
    pub(super) child: Option<&'a ChildSpec>,
    pub(super) supervisor: Option<&'a SupervisorSpec>,
    /// Its supervisor; the root's is itself.
    pub(super) parent: usize,
    /// Its place among its supervisor's children.
    pub(super) position: usize,
    /// Supervisors above it.
    pub(super) depth: usize,
}

/// All things of a tree, supervisors before their children; the first is the root.
#[derive(Debug)]
pub(super) struct Index<'a> {
    pub(super) things: Vec<Thing<'a>>,
    by_name: HashMap<&'a str, usize>,
}

impl<'a> Index<'a> {
    /// Lists the tree; one name for two things and too many levels are faults.
    pub(super) fn new(tree: &'a TreeSpec, faults: &mut Vec<Fault>) -> Self {
        let mut index = Self {
            things: Vec::new(),
            by_name: HashMap::new(),
        };
        index.add(
            Thing {
                name: &tree.root.name,
                child: None,
                supervisor: Some(&tree.root),
                parent: 0,
                position: 0,
                depth: 0,
            },
            faults,
        );
        let mut next = 0;
        while let Some(thing) = index.things.get(next).copied() {
            if let Some(supervisor) = thing.supervisor {
                index.add_children(next, supervisor, thing.depth + 1, faults);
            }
            next += 1;
        }
        index
    }

    fn add_children(
        &mut self,
        parent: usize,
        supervisor: &'a SupervisorSpec,
        depth: usize,
        faults: &mut Vec<Fault>,
    ) {
        if depth > DEEPEST && !supervisor.children.is_empty() {
            let at = path_of(&supervisor.name, "supervisor");
            faults.push(
                Fault::error(
                    Code::TooDeep,
                    at,
                    format!("supervisor {} is nested too deep", named(&supervisor.name)),
                )
                .label(format!("its children would be below level {DEEPEST}")),
            );
            return;
        }
        for (position, child) in supervisor.children.iter().enumerate() {
            let thing = Thing {
                name: &child.name,
                child: Some(child),
                supervisor: match &child.kind {
                    ChildKind::Supervisor(supervisor) => Some(supervisor),
                    _ => None,
                },
                parent,
                position,
                depth,
            };
            self.add(thing, faults);
        }
    }

    fn add(&mut self, thing: Thing<'a>, faults: &mut Vec<Fault>) {
        let path = thing.path();
        if !is_child_name(thing.name) {
            faults.push(
                Fault::error(
                    Code::InvalidName,
                    path.clone(),
                    format!("{} cannot be the name of a child", named(thing.name)),
                )
                .label(
                    "expected at most 64 letters, digits, `_`, `-` and `.`, not `-` or `.` first",
                ),
            );
        }
        let at = self.things.len();
        if let Some(&first) = self.by_name.get(thing.name) {
            faults.push(
                Fault::error(
                    Code::DuplicateName,
                    path,
                    format!("{} is the name of two things", named(thing.name)),
                )
                .label("again here")
                .related(self.things[first].path(), "first here"),
            );
        } else {
            self.by_name.insert(thing.name, at);
        }
        self.things.push(thing);
    }

    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.things.iter().map(|thing| thing.name)
    }

    /// The lowest supervisor above both, and the children of it that are or hold them.
    ///
    /// None when one is above the other, or they are the same.
    pub(super) fn siblings(&self, one: usize, other: usize) -> Option<(usize, usize, usize)> {
        let (mut one, mut other) = (one, other);
        while self.things[one].depth > self.things[other].depth {
            one = self.things[one].parent;
        }
        while self.things[other].depth > self.things[one].depth {
            other = self.things[other].parent;
        }
        if one == other {
            return None;
        }
        while self.things[one].parent != self.things[other].parent {
            one = self.things[one].parent;
            other = self.things[other].parent;
        }
        Some((self.things[one].parent, one, other))
    }

    /// Whether `above` is a supervisor of `thing`, near or far.
    pub(super) fn is_above(&self, above: usize, thing: usize) -> bool {
        let mut at = thing;
        while self.things[at].depth > self.things[above].depth {
            at = self.things[at].parent;
        }
        at == above && above != thing
    }
}

impl Thing<'_> {
    /// `process.web`
    pub(super) fn path(&self) -> SpecPath {
        let kind = self
            .child
            .map_or("supervisor", |child| kind_name(&child.kind));
        path_of(self.name, kind)
    }

    /// "process `web`"
    pub(super) fn title(&self) -> String {
        let kind = self
            .child
            .map_or("supervisor", |child| kind_name(&child.kind));
        format!("{kind} {}", named(self.name))
    }
}

fn path_of(name: &str, kind: &str) -> SpecPath {
    SpecPath::of(&[kind, name])
}

/// The path of a child: `process.web`.
#[must_use]
pub fn child_path(child: &ChildSpec) -> SpecPath {
    path_of(&child.name, kind_name(&child.kind))
}

/// A child in words: "process `web`".
#[must_use]
pub fn child_title(child: &ChildSpec) -> String {
    format!("{} {}", kind_name(&child.kind), named(&child.name))
}

/// The kind of a child as the format calls it.
pub(crate) fn kind_name(kind: &ChildKind) -> &'static str {
    match kind {
        ChildKind::Process(_) => "process",
        ChildKind::Actor(_) => "actor",
        ChildKind::Pool(_) | ChildKind::Workers(_) => "pool",
        ChildKind::Supervisor(_) => "supervisor",
        ChildKind::Local => "local",
    }
}
