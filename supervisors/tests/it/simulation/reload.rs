//! A reload of a whole tree, carried out machine by machine.

use std::collections::{HashMap, HashSet};

use treewright_supervisors::spec::{ChildKind, ChildName, PoolSpec, SupervisorSpec, TreeSpec};
use treewright_supervisors::supervisor::{Links, ReloadMode, Reply, Request};

use super::driver::Simulation;

impl Simulation {
    /// The root takes over a new spec; answered at once.
    pub(crate) fn reload(&mut self, spec: SupervisorSpec, mode: ReloadMode) -> Reply {
        let request = self.reload_request(spec, mode);
        self.call(request)
    }

    /// The request to take over a new spec of the root.
    pub(crate) fn reload_request(&mut self, spec: SupervisorSpec, mode: ReloadMode) -> Request {
        let links = self.links.get(&spec.name).cloned().unwrap_or_default();
        let spec = Box::new(spec);
        Request::Reload { spec, links, mode }
    }

    /// Every machine takes over its part of a new tree: first all that goes goes, then all that
    /// comes comes, for a child may move from one supervisor to another.
    pub(crate) fn reload_tree(&mut self, old: &TreeSpec, new: &TreeSpec) {
        self.links = Links::of(new);
        self.reload_level(&new.root, &wanted(&old.root), true);
        self.reload_level(&new.root, &wanted(&old.root), false);
    }

    fn reload_level(&mut self, spec: &SupervisorSpec, old: &Wanted, is_first: bool) {
        let former = &old[&spec.name];
        let mut part = spec.clone();
        if is_first {
            part.children.retain(|child| former.contains(&child.name));
            for child in &mut part.children {
                // What it waits for may come only later.
                child.depends_on.retain(|name, _| former.contains(name));
            }
        }
        let links = self.links.get(&spec.name).cloned().unwrap_or_default();
        let mode = ReloadMode::Act;
        let request = Request::Reload {
            spec: Box::new(part),
            links,
            mode,
        };
        self.call_on(&spec.name, request).unwrap();
        for child in &spec.children {
            // What was just started has its new spec already.
            if !self.is_up(&child.name) || !former.contains(&child.name) {
                continue;
            }
            match &child.kind {
                ChildKind::Supervisor(nested) if old.contains_key(&nested.name) => {
                    self.reload_level(nested, old, is_first);
                }
                ChildKind::Pool(pool) if !is_first => self.reload_pool(&child.name, pool),
                _ => {}
            }
        }
    }

    fn reload_pool(&mut self, name: &str, pool: &PoolSpec) {
        let spec = Box::new(pool.clone());
        let mode = ReloadMode::Act;
        self.call_on(name, Request::ReloadPool { spec, mode })
            .unwrap();
    }
}

/// The children of each supervisor.
type Wanted = HashMap<ChildName, HashSet<ChildName>>;

fn wanted(root: &SupervisorSpec) -> Wanted {
    let mut wanted = Wanted::new();
    let mut supervisors = vec![root];
    while let Some(supervisor) = supervisors.pop() {
        let names = supervisor.children.iter().map(|child| child.name.clone());
        wanted.insert(supervisor.name.clone(), names.collect());
        for child in &supervisor.children {
            if let ChildKind::Supervisor(nested) = &child.kind {
                supervisors.push(nested);
            }
        }
    }
    wanted
}
