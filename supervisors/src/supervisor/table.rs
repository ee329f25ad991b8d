//! The children of one supervisor: one table in start order, with what must be found quickly beside it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::child::{Child, ChildState, Position};
use super::{ChildCounts, ChildKey};
use crate::Time;
use crate::spec::{ChildName, ChildSpec};

/// The children in start order. Every operation is O(log n) or better.
///
/// The sets beside the table are functions of the children's states and change only in
/// [`set_state`](Self::set_state), [`push`](Self::push) and [`remove`](Self::remove).
#[derive(Clone, Debug, Default)]
pub(super) struct Children {
    children: HashMap<ChildKey, Child>,
    order: BTreeMap<Position, ChildKey>,
    names: HashMap<ChildName, ChildKey>,
    live: BTreeSet<Position>,
    deadlines: BTreeSet<(Time, ChildKey)>,
    gated: BTreeSet<ChildKey>,
    busy: usize,
    significant_up: usize,
    supervisors: usize,
    last_key: u64,
}

impl Children {
    /// Adds a child at the end of the start order.
    pub(super) fn push(&mut self, mut child: Child) -> ChildKey {
        self.last_key += 1;
        let key = ChildKey(self.last_key);
        child.position = self.order.last_key_value().map_or(0, |(last, _)| last + 1);
        self.order.insert(child.position, key);
        self.names.insert(child.name.clone(), key);
        self.supervisors += usize::from(child.spec.kind.is_supervisor());
        debug_assert_eq!(child.state, ChildState::Down);
        self.children.insert(key, child);
        key
    }

    /// Forgets a child that is not live.
    pub(super) fn remove(&mut self, key: ChildKey) -> Option<Child> {
        self.set_state(key, ChildState::Down);
        let child = self.children.remove(&key)?;
        self.order.remove(&child.position);
        self.names.remove(&child.name);
        self.supervisors -= usize::from(child.spec.kind.is_supervisor());
        Some(child)
    }

    pub(super) fn get(&self, key: ChildKey) -> Option<&Child> {
        self.children.get(&key)
    }

    /// Whether a child of this key was ever in the table.
    pub(super) fn was_known(&self, key: ChildKey) -> bool {
        key.0 <= self.last_key
    }

    pub(super) fn get_mut(&mut self, key: ChildKey) -> Option<&mut Child> {
        self.children.get_mut(&key)
    }

    pub(super) fn state(&self, key: ChildKey) -> Option<&ChildState> {
        self.children.get(&key).map(|child| &child.state)
    }

    pub(super) fn key(&self, name: &str) -> Option<ChildKey> {
        self.names.get(name).copied()
    }

    /// Changes what a child is doing.
    pub(super) fn set_state(&mut self, key: ChildKey, state: ChildState) {
        let Some(child) = self.children.get_mut(&key) else {
            return;
        };
        if let Some(deadline) = child.state.deadline() {
            self.deadlines.remove(&(deadline, key));
        }
        if let Some(deadline) = state.deadline() {
            self.deadlines.insert((deadline, key));
        }
        if state.is_live() {
            self.live.insert(child.position);
        } else {
            self.live.remove(&child.position);
        }
        if matches!(state, ChildState::Gated { .. }) {
            self.gated.insert(key);
        } else {
            self.gated.remove(&key);
        }
        self.busy += usize::from(state.is_busy());
        self.busy -= usize::from(child.state.is_busy());
        self.significant_up += usize::from(child.spec.significant && !state.is_down());
        self.significant_up -= usize::from(child.spec.significant && !child.state.is_down());
        child.state = state;
    }

    /// Changes what a child is.
    pub(super) fn set_spec(&mut self, key: ChildKey, spec: Arc<ChildSpec>) {
        let Some(child) = self.children.get_mut(&key) else {
            return;
        };
        self.supervisors += usize::from(spec.kind.is_supervisor());
        self.supervisors -= usize::from(child.spec.kind.is_supervisor());
        let is_up = !child.state.is_down();
        self.significant_up += usize::from(spec.significant && is_up);
        self.significant_up -= usize::from(child.spec.significant && is_up);
        child.spec = spec;
    }

    /// Puts the children into this order; those not named keep theirs, behind.
    pub(super) fn reorder(&mut self, first: &[ChildKey]) {
        let named: BTreeSet<ChildKey> = first.iter().copied().collect();
        let rest = self
            .order
            .values()
            .copied()
            .filter(|key| !named.contains(key));
        let order: Vec<ChildKey> = first.iter().copied().chain(rest).collect();
        self.order.clear();
        self.live.clear();
        for (position, key) in (0..).zip(order) {
            let Some(child) = self.children.get_mut(&key) else {
                continue;
            };
            child.position = position;
            self.order.insert(position, key);
            if child.state.is_live() {
                self.live.insert(position);
            }
        }
    }

    /// The child at a place of the start order.
    pub(super) fn at(&self, position: Position) -> Option<ChildKey> {
        self.order.get(&position).copied()
    }

    /// The first child at this place of the start order or behind it.
    pub(super) fn next_from(&self, position: Position) -> Option<(Position, ChildKey)> {
        self.order
            .range(position..)
            .next()
            .map(|(position, key)| (*position, *key))
    }

    /// The last live child between these places of the start order, both included.
    pub(super) fn last_live_in(&self, first: Position, last: Position) -> Option<Position> {
        if first > last {
            return None;
        }
        self.live.range(first..=last).next_back().copied()
    }

    /// The last live child.
    pub(super) fn last_live(&self) -> Option<ChildKey> {
        self.at(*self.live.last()?)
    }

    /// Whether this place holds a live child.
    pub(super) fn is_live_at(&self, position: Position) -> bool {
        self.live.contains(&position)
    }

    /// The live children, the last in start order first.
    pub(super) fn live_reversed(&self) -> Vec<ChildKey> {
        self.live
            .iter()
            .rev()
            .filter_map(|position| self.at(*position))
            .collect()
    }

    /// All children in start order.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = (ChildKey, &Child)> {
        self.order
            .values()
            .filter_map(|key| self.children.get(key).map(|child| (*key, child)))
    }

    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.deadlines.first().map(|(time, _)| *time)
    }

    /// The children that wait for a time.
    pub(super) fn with_deadline(&self) -> impl Iterator<Item = ChildKey> {
        self.deadlines.iter().map(|(_, key)| *key)
    }

    /// The children whose deadline is not after `now`, the earliest first.
    pub(super) fn due(&self, now: Time) -> Vec<ChildKey> {
        let due = self.deadlines.iter().take_while(|(time, _)| *time <= now);
        due.map(|(_, key)| *key).collect()
    }

    /// How many significant children are not down.
    pub(super) fn significant_up(&self) -> usize {
        self.significant_up
    }

    /// The children that wait for a dependency.
    pub(super) fn gated(&self) -> impl Iterator<Item = ChildKey> {
        self.gated.iter().copied()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.busy == 0
    }

    pub(super) fn counts(&self) -> ChildCounts {
        ChildCounts {
            specs: self.children.len(),
            active: self.live.len(),
            supervisors: self.supervisors,
            workers: self.children.len() - self.supervisors,
        }
    }
}
