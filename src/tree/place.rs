//! Where in a tree everything is.

use std::collections::HashMap;

use treewright_supervisors::spec::{ChildKind, ChildName, ChildSpec, SupervisorSpec};

/// Where in a tree something is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Its supervisor; none for the root.
    pub(super) supervisor: Option<ChildName>,
    /// What can be asked of it.
    pub(super) role: Role,
    /// Whether it is an actor, or its members are.
    pub(super) is_actor: bool,
}

/// What a thing of a tree is to those who ask for it by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Has children.
    Supervisor,
    /// Has members.
    Pool,
    /// Has neither.
    Leaf,
}

/// Where everything is, by name. A pool's members are with their pool.
#[derive(Clone, Debug, Default)]
pub(super) struct Places(HashMap<ChildName, Place>);

impl Places {
    /// Those of a whole tree.
    pub(super) fn of(root: &SupervisorSpec) -> Self {
        let mut places = Self::default();
        places.0.insert(
            root.name.clone(),
            Place {
                supervisor: None,
                role: Role::Supervisor,
                is_actor: false,
            },
        );
        places.add_below(root);
        places
    }

    /// Those of one child and all below it.
    pub(super) fn of_child(supervisor: &ChildName, child: &ChildSpec) -> Self {
        let mut places = Self::default();
        places.add(supervisor, child);
        if let ChildKind::Supervisor(nested) = &child.kind {
            places.add_below(nested);
        }
        places
    }

    fn add_below(&mut self, supervisor: &SupervisorSpec) {
        let mut supervisors = vec![supervisor];
        while let Some(supervisor) = supervisors.pop() {
            for child in &supervisor.children {
                self.add(&supervisor.name, child);
                if let ChildKind::Supervisor(nested) = &child.kind {
                    supervisors.push(nested);
                }
            }
        }
    }

    fn add(&mut self, supervisor: &ChildName, child: &ChildSpec) {
        let role = match &child.kind {
            ChildKind::Supervisor(_) => Role::Supervisor,
            ChildKind::Pool(_) => Role::Pool,
            _ => Role::Leaf,
        };
        let kind = match &child.kind {
            ChildKind::Pool(pool) => &pool.template.kind,
            kind => kind,
        };
        let place = Place {
            supervisor: Some(supervisor.clone()),
            role,
            is_actor: matches!(kind, ChildKind::Actor(_) | ChildKind::Workers(_)),
        };
        self.0.insert(child.name.clone(), place);
    }

    pub(super) fn get(&self, name: &str) -> Option<&Place> {
        self.0.get(name)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &ChildName> {
        self.0.keys()
    }
}

/// The pool of a member that is called so (`pool@index`).
pub(super) fn pool_of(member: &str) -> Option<&str> {
    let (pool, index) = member.rsplit_once('@')?;
    index.parse::<u32>().is_ok().then_some(pool)
}
