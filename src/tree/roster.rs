//! The children that were added while the tree runs, which no spec knows of.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use treewright_supervisors::spec::{ChildKind, ChildName, ChildSpec, SupervisorSpec};
use treewright_supervisors::supervisor::Links;

use super::actors::Actors;
use super::isolated::Uplink;
use super::place::{Place, Places};

/// A child that was added while the tree runs.
#[derive(Debug)]
pub(super) struct Added {
    pub(super) spec: Arc<ChildSpec>,
    /// Where it and all below it are.
    pub(super) places: Places,
    /// The dependencies between the supervisors below it.
    pub(super) links: BTreeMap<ChildName, Links>,
}

/// The children that were added while the tree runs, by name. Each is there for as long as
/// its [`Claim`] is.
#[derive(Debug)]
pub(super) struct Roster {
    tables: RefCell<Tables>,
    actors: Rc<Actors>,
    above: Option<Uplink>,
}

#[derive(Debug, Default)]
struct Tables {
    added: HashMap<ChildName, Added>,
    /// Which of them each name belongs to: its own, or that of something below it.
    owners: HashMap<ChildName, ChildName>,
}

impl Roster {
    pub(super) fn new(actors: Rc<Actors>, above: Option<Uplink>) -> Rc<Self> {
        let tables = RefCell::default();
        Rc::new(Self {
            tables,
            actors,
            above,
        })
    }

    /// Takes a child up. None of its names may be there yet.
    pub(super) fn enter(self: &Rc<Self>, child: Added) -> Claim {
        let name = child.spec.name.clone();
        let mut tables = self.tables.borrow_mut();
        for below in child.places.names() {
            tables.owners.insert(below.clone(), name.clone());
        }
        tables.added.insert(name.clone(), child);
        Claim {
            roster: Rc::clone(self),
            child: name,
        }
    }

    pub(super) fn place(&self, name: &str) -> Option<Place> {
        let tables = self.tables.borrow();
        let added = tables.added.get(tables.owners.get(name)?)?;
        added.places.get(name).cloned()
    }

    /// The child of this name, if it was added itself.
    pub(super) fn child(&self, name: &str) -> Option<Arc<ChildSpec>> {
        let tables = self.tables.borrow();
        tables.added.get(name).map(|added| Arc::clone(&added.spec))
    }

    /// Looks at the supervisor of this name, if it was added or is below one that was.
    pub(super) fn supervisor<T>(
        &self,
        name: &str,
        look: impl FnOnce(&SupervisorSpec) -> T,
    ) -> Option<T> {
        let tables = self.tables.borrow();
        let added = tables.added.get(tables.owners.get(name)?)?;
        let ChildKind::Supervisor(top) = &added.spec.kind else {
            return None;
        };
        supervisor_in(top, name).map(look)
    }

    pub(super) fn links(&self, supervisor: &str) -> Option<Links> {
        let tables = self.tables.borrow();
        let added = tables.added.get(tables.owners.get(supervisor)?)?;
        added.links.get(supervisor).cloned()
    }

    /// The supervisors that depend on this child.
    pub(super) fn awaiting(&self, child: &str) -> Vec<ChildName> {
        let tables = self.tables.borrow();
        let owner = tables.owners.get(child);
        let added = owner.and_then(|owner| tables.added.get(owner));
        let links = added.into_iter().flat_map(|added| &added.links);
        let links = links.filter(|(_, links)| links.awaited.contains_key(child));
        links.map(|(supervisor, _)| supervisor.clone()).collect()
    }
}

/// The supervisor of this name, at the top or below.
pub(super) fn supervisor_in<'a>(top: &'a SupervisorSpec, name: &str) -> Option<&'a SupervisorSpec> {
    let mut supervisors = vec![top];
    while let Some(supervisor) = supervisors.pop() {
        if supervisor.name.as_str() == name {
            return Some(supervisor);
        }
        supervisors.extend(supervisor.children.iter().filter_map(nested));
    }
    None
}

fn nested(child: &ChildSpec) -> Option<&SupervisorSpec> {
    match &child.kind {
        ChildKind::Supervisor(nested) => Some(nested),
        _ => None,
    }
}

/// Keeps a child on the roster until it is dropped: by who asks for the child until that is
/// answered, and then by the life of the supervisor that has it.
#[derive(Debug)]
pub(super) struct Claim {
    roster: Rc<Roster>,
    pub(super) child: ChildName,
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut tables = self.roster.tables.borrow_mut();
        if let Some(added) = tables.added.remove(&self.child) {
            for below in added.places.names() {
                tables.owners.remove(below);
                self.roster.actors.forget(below);
            }
        }
        if let Some(above) = &self.roster.above {
            above.forgot(&self.child);
        }
    }
}
