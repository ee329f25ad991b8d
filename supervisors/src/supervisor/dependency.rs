//! Dependencies: what must hold before a child is started.
//!
//! A dependency gates starts and nothing else; it never causes a restart.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::child::{ChildState, has_ready_probe};
use super::state::Phase;
use super::{Action, ChildKey, SupervisorState};
use crate::spec::{ChildKind, ChildName, ChildSpec, Condition, SupervisorSpec, TreeSpec};

/// How things stand with a child, seen by those who depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Not started, and it may yet be.
    Coming,
    /// Counts as started.
    Started,
    /// Is ready.
    Ready,
    /// Ended by itself in success.
    Completed,
    /// Down for good: nothing that is planned starts it.
    Gone,
}

/// The dependencies of one supervisor that cross its border.
///
/// Whoever drives several supervisors passes each [`Action::Standing`] of one to those that
/// depend on it, as [`Event::Dependency`](super::Event::Dependency).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Links {
    /// Children of this supervisor that children of others depend on: their standing is announced.
    pub announced: BTreeSet<ChildName>,
    /// Children of other supervisors that children of this one depend on, and whether each has
    /// a `ready` probe.
    pub awaited: BTreeMap<ChildName, bool>,
}

impl Links {
    /// The links of every supervisor of a tree that has any, by the supervisor's name.
    ///
    /// With a child that others depend on, the supervisors above it are announced too: when one
    /// of them is gone for good, so is the child.
    #[must_use]
    pub fn of(tree: &TreeSpec) -> BTreeMap<ChildName, Self> {
        let owners = owners(tree);
        let mut links: BTreeMap<ChildName, Self> = BTreeMap::new();
        for (owner, child) in owners.values() {
            for name in child.depends_on.keys() {
                let Some((other, dependency)) = owners.get(name) else {
                    continue;
                };
                if other.name == owner.name {
                    continue;
                }
                let is_probed = has_ready_probe(&dependency.kind);
                let link = links.entry(owner.name.clone()).or_default();
                link.awaited.insert(name.clone(), is_probed);
                announce(name, &owners, &mut links);
            }
        }
        links
    }
}

/// The supervisor of each child, and the child.
type Owners<'a> = HashMap<&'a ChildName, (&'a SupervisorSpec, &'a ChildSpec)>;

fn owners(tree: &TreeSpec) -> Owners<'_> {
    let mut owners = HashMap::new();
    let mut supervisors = vec![&tree.root];
    while let Some(supervisor) = supervisors.pop() {
        for child in &supervisor.children {
            owners.insert(&child.name, (supervisor, child));
            if let ChildKind::Supervisor(nested) = &child.kind {
                supervisors.push(nested);
            }
        }
    }
    owners
}

/// Has a child and the supervisors above it announced.
fn announce(name: &ChildName, owners: &Owners<'_>, links: &mut BTreeMap<ChildName, Links>) {
    let mut name = name;
    while let Some((owner, _)) = owners.get(name) {
        let link = links.entry(owner.name.clone()).or_default();
        if !link.announced.insert(name.clone()) {
            break;
        }
        name = &owner.name;
    }
}

/// Who depends on whom, and what has changed since it was last looked at.
#[derive(Clone, Debug, Default)]
pub(super) struct Dependencies {
    dependents: HashMap<ChildName, BTreeSet<ChildKey>>,
    links: Links,
    /// How things stand with children of other supervisors.
    elsewhere: HashMap<ChildName, Standing>,
    /// Which forgotten (temporary) children had completed. Only those somebody depends on, so
    /// that it does not grow with what comes and goes.
    completed: BTreeSet<ChildName>,
    changed: BTreeSet<ChildKey>,
}

impl Dependencies {
    /// Takes over the links; the names that were not announced before and are now.
    pub(super) fn link(&mut self, links: Links) -> Vec<ChildName> {
        let former = std::mem::replace(&mut self.links, links);
        let now = &self.links.announced;
        now.difference(&former.announced).cloned().collect()
    }

    pub(super) fn add(&mut self, key: ChildKey, spec: &ChildSpec) {
        for name in spec.depends_on.keys() {
            self.dependents.entry(name.clone()).or_default().insert(key);
        }
    }

    pub(super) fn remove(&mut self, key: ChildKey, spec: &ChildSpec) {
        for name in spec.depends_on.keys() {
            let Some(dependents) = self.dependents.get_mut(name) else {
                continue;
            };
            dependents.remove(&key);
            if dependents.is_empty() {
                self.dependents.remove(name);
            }
        }
        self.changed.remove(&key);
    }

    pub(super) fn has_changes(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Whether a child of another supervisor is known by this name.
    pub(super) fn is_awaited(&self, name: &ChildName) -> bool {
        self.links.awaited.contains_key(name) || self.completed.contains(name)
    }

    fn touch(&mut self, name: &ChildName) {
        if let Some(dependents) = self.dependents.get(name) {
            self.changed.extend(dependents);
        }
    }
}

/// What a gate says about a start.
enum Gate {
    Open,
    Closed,
    /// It will never open.
    Broken(ChildName),
}

impl SupervisorState {
    pub(super) fn on_dependency(&mut self, name: ChildName, standing: Standing) {
        self.dependencies.touch(&name);
        self.dependencies.elsewhere.insert(name, standing);
    }

    /// How things stand with a child of this supervisor.
    pub(super) fn standing(&self, key: ChildKey) -> Standing {
        let Some(child) = self.children.get(key) else {
            return Standing::Gone;
        };
        match &child.state {
            ChildState::Running { is_ready: true, .. } => Standing::Ready,
            ChildState::Running {
                is_ready: false, ..
            } => Standing::Started,
            ChildState::Completed => Standing::Completed,
            ChildState::Down if !self.is_ending() && !self.may_start(key) => Standing::Gone,
            // What a supervisor that ends leaves down comes back with it, if it does: that is
            // for those to tell who know the supervisor's own standing.
            _ => Standing::Coming,
        }
    }

    /// Whether the supervisor's own start or a pass will come to this child.
    fn may_start(&self, key: ChildKey) -> bool {
        match self.phase {
            Phase::New => true,
            Phase::Starting if self.pool.is_some() => true,
            Phase::Starting | Phase::Running => self.is_ahead_of_pass(key),
            Phase::Ending(_) | Phase::Finished => false,
        }
    }

    /// Tells dependents here and elsewhere that a child's standing has changed.
    pub(super) fn announce_standing(&mut self, key: ChildKey, standing: Standing) {
        let Some(child) = self.children.get(key) else {
            return;
        };
        let name = child.name.clone();
        self.dependencies.touch(&name);
        self.dependencies.completed.remove(&name);
        if self.dependencies.links.announced.contains(&name) {
            self.actions.push(Action::Standing {
                child: name,
                standing,
            });
        }
    }

    /// Tells others how things stand with children they have just begun to depend on.
    pub(super) fn announce_anew(&mut self, names: &[ChildName]) {
        for name in names {
            let known = self.children.key(name).map(|key| self.standing(key));
            let completed = &self.dependencies.completed;
            let forgotten = || completed.contains(name).then_some(Standing::Completed);
            if let Some(standing) = known.or_else(forgotten) {
                let child = name.clone();
                self.actions.push(Action::Standing { child, standing });
            }
        }
    }

    /// Keeps what dependents need to know of a child that is being forgotten.
    pub(super) fn remember_outcome(&mut self, key: ChildKey) {
        let Some(child) = self.children.get(key) else {
            return;
        };
        let name = child.name.clone();
        let is_wanted = self.dependencies.dependents.contains_key(&name)
            || self.dependencies.links.announced.contains(&name);
        if child.state == ChildState::Completed && is_wanted {
            self.dependencies.completed.insert(name.clone());
        }
        self.dependencies.touch(&name);
    }

    /// Looks again at children that wait for something that has changed.
    pub(super) fn open_gates(&mut self) {
        while let Some(key) = self.dependencies.changed.pop_first() {
            if let Some(ChildState::Gated { cause }) = self.children.state(key) {
                let cause = *cause;
                self.begin_start(key, cause);
            }
        }
    }

    /// Looks again at every child that waits: a pass is over, and what it would have started
    /// and did not is down for good.
    pub(super) fn recheck_gates(&mut self) {
        self.dependencies.changed.extend(self.children.gated());
    }

    /// Whether a child may be started now: `Ok(true)` yes, `Ok(false)` not yet.
    ///
    /// # Errors
    ///
    /// The dependency that is down for good.
    pub(super) fn check_gate(&self, key: ChildKey) -> Result<bool, ChildName> {
        let Some(child) = self.children.get(key) else {
            return Ok(false);
        };
        let mut is_open = true;
        for (name, condition) in &child.spec.depends_on {
            match self.gate(name, *condition) {
                Gate::Open => {}
                Gate::Closed => is_open = false,
                Gate::Broken(name) => return Err(name),
            }
        }
        Ok(is_open)
    }

    fn gate(&self, name: &ChildName, condition: Condition) -> Gate {
        let (standing, is_probed) = match self.children.key(name) {
            Some(key) => {
                let is_probed = self
                    .children
                    .get(key)
                    .is_some_and(super::child::Child::is_probed);
                (self.standing(key), is_probed)
            }
            None if self.dependencies.completed.contains(name) => (Standing::Completed, false),
            None => match self.dependencies.links.awaited.get(name) {
                Some(is_probed) => {
                    let standing = self.dependencies.elsewhere.get(name).copied();
                    (standing.unwrap_or(Standing::Coming), *is_probed)
                }
                None => (Standing::Gone, false),
            },
        };
        let is_met = match (condition, standing) {
            (Condition::Started, Standing::Started | Standing::Ready | Standing::Completed)
            | (Condition::Ready, Standing::Ready)
            | (Condition::Completed, Standing::Completed) => true,
            // Who has no probe is ready when started, and so was.
            (Condition::Ready, Standing::Completed) => !is_probed,
            _ => false,
        };
        match standing {
            _ if is_met => Gate::Open,
            Standing::Completed | Standing::Gone => Gate::Broken(name.clone()),
            Standing::Coming | Standing::Started | Standing::Ready => Gate::Closed,
        }
    }
}
