//! Pools: many children alike (OTP's `simple_one_for_one`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::child::{Child, ChildState, StartCause};
use super::state::Phase;
use super::waiters::Awaited;
use super::{
    Action, Answer, ChildKey, Member, ReloadMode, RequestError, RequestId, SupervisorState,
};
use crate::reload::{ChildChange, child_change};
use crate::spec::{ChildName, ChildSpec, PoolSpec};

/// What a pool is besides a supervisor.
#[derive(Clone, Debug)]
pub(super) struct Pool {
    template: Arc<ChildSpec>,
    max: u32,
    /// Members by their number.
    members: BTreeMap<u32, ChildKey>,
    /// Numbers below `next` that are free again.
    free: BTreeSet<u32>,
    next: u32,
    /// Members of the pool's own start that are not decided yet.
    starting: BTreeSet<ChildKey>,
    /// Members that are stopped because there are to be fewer.
    leaving: BTreeSet<ChildKey>,
}

impl Pool {
    pub(super) fn new(spec: &PoolSpec) -> Self {
        Self {
            template: Arc::new((*spec.template).clone()),
            max: spec.max,
            members: BTreeMap::new(),
            free: BTreeSet::new(),
            next: 0,
            starting: BTreeSet::new(),
            leaving: BTreeSet::new(),
        }
    }

    /// What each member is.
    pub(super) fn template(&self) -> Arc<ChildSpec> {
        Arc::clone(&self.template)
    }

    /// The lowest free number.
    fn take_index(&mut self) -> u32 {
        self.free.pop_first().unwrap_or_else(|| {
            self.next += 1;
            self.next - 1
        })
    }

    /// A member is gone; its number is free.
    pub(super) fn release(&mut self, index: u32) {
        if let Some(key) = self.members.remove(&index) {
            self.starting.remove(&key);
            self.leaving.remove(&key);
        }
        self.free.insert(index);
    }

    /// Whether it is still getting smaller: what comes next must wait for that, or it would
    /// count members that are about to go.
    pub(super) fn is_shrinking(&self) -> bool {
        !self.leaving.is_empty()
    }

    fn len(&self) -> u32 {
        u32::try_from(self.members.len()).unwrap_or(u32::MAX)
    }
}

impl SupervisorState {
    /// Whether the pool is giving this member up.
    pub(super) fn is_leaving(&self, key: ChildKey) -> bool {
        self.pool
            .as_ref()
            .is_some_and(|pool| pool.leaving.contains(&key))
    }

    /// Adds a member that is down. The caller has looked whether there is room.
    pub(super) fn add_member(&mut self, args: Vec<toml::Value>) -> Option<ChildKey> {
        let pool = self.pool.as_mut()?;
        let index = pool.take_index();
        let template = Arc::clone(&pool.template);
        let name = ChildName::from(format!("{}@{index}", template.name));
        let member = Member {
            index,
            args: args.into(),
        };
        let key = self.add(Child::new(name, template, Some(member)));
        self.pool.as_mut()?.members.insert(index, key);
        Some(key)
    }

    /// The pool's own start: all members at the same time.
    pub(super) fn start_members(&mut self) {
        let keys: Vec<ChildKey> = self.children.iter().map(|(key, _)| key).collect();
        if let Some(pool) = &mut self.pool {
            pool.starting.extend(&keys);
        }
        for key in keys {
            let is_down = self.children.state(key).is_some_and(ChildState::is_down);
            if is_down && matches!(self.phase, Phase::Starting) {
                self.begin_start(key, StartCause::Initial);
            }
        }
    }

    /// The pool has started when each of its first members has, or was given up.
    pub(super) fn finish_pool_start(&mut self) {
        if !matches!(self.phase, Phase::Starting) {
            return;
        }
        let Some(pool) = &mut self.pool else { return };
        while let Some(key) = pool.starting.first().copied() {
            let is_decided = match self.children.state(key) {
                None | Some(ChildState::Running { .. } | ChildState::Held) => true,
                Some(state) => state.is_down(),
            };
            if !is_decided {
                return;
            }
            pool.starting.remove(&key);
        }
        self.phase = Phase::Running;
        self.actions.push(Action::Started);
    }

    pub(super) fn start_member(&mut self, from: RequestId, args: Vec<toml::Value>) {
        let Some(pool) = &self.pool else {
            self.reply(from, &Err(RequestError::NotAPool));
            return;
        };
        let max = pool.max;
        if pool.len() >= max {
            self.reply(from, &Err(RequestError::MaxChildren { max }));
            return;
        }
        if let Some(key) = self.add_member(args) {
            self.wait(from, key, Awaited::Started);
            self.begin_start(key, StartCause::Added);
        }
    }

    /// Starts members, or stops those with the highest numbers, until there are `size`.
    pub(super) fn scale(&mut self, from: RequestId, size: u32) {
        self.waiters.join(from);
        let result = self.resize(from, size);
        self.reply(from, &result.map(|()| Answer::Done));
    }

    fn resize(&mut self, from: RequestId, size: u32) -> Result<(), RequestError> {
        let pool = self.pool.as_ref().ok_or(RequestError::NotAPool)?;
        let (max, len) = (pool.max, pool.len());
        if size > max {
            return Err(RequestError::MaxChildren { max });
        }
        let surplus = usize::try_from(len.saturating_sub(size)).unwrap_or(usize::MAX);
        let highest: Vec<ChildKey> = pool.members.values().rev().take(surplus).copied().collect();
        for key in highest {
            if let Some(pool) = &mut self.pool {
                pool.leaving.insert(key);
            }
            self.let_go(key);
            self.waiters.join(from);
            self.terminate(from, key);
        }
        for _ in len..size {
            if let Some(key) = self.add_member(Vec::new()) {
                self.waiters.join(from);
                self.wait(from, key, Awaited::Started);
                // The size is what is wanted from now on: a member that fails is tried again.
                self.begin_start(key, StartCause::Restart);
            }
        }
        Ok(())
    }

    /// Takes over a new spec of the pool.
    pub(super) fn reload_pool(&mut self, from: RequestId, spec: &PoolSpec, mode: ReloadMode) {
        let Some(pool) = &mut self.pool else {
            self.reply(from, &Err(RequestError::NotAPool));
            return;
        };
        let change = child_change(&pool.template, &spec.template);
        let template = Arc::new((*spec.template).clone());
        let former = std::mem::replace(&mut pool.template, Arc::clone(&template));
        pool.max = spec.max;
        self.flags.intensity = spec.intensity;
        self.flags.period = spec.period;
        let members: Vec<ChildKey> = pool.members.values().copied().collect();
        for key in &members {
            self.dependencies.remove(*key, &former);
            self.dependencies.add(*key, &template);
            self.children.set_spec(*key, Arc::clone(&template));
        }
        self.recheck_gates();
        if mode == ReloadMode::MarkOnly {
            self.reply(from, &Ok(Answer::Done));
            return;
        }
        self.waiters.join(from);
        let result = self.resize(from, spec.size);
        if let Some(ChildChange::Restart { .. }) = change {
            let up = members.into_iter();
            let up = up.filter(|key| self.children.state(*key).is_some_and(ChildState::is_up));
            let up: Vec<ChildKey> = up.collect();
            self.restart_set(from, &up, &[], &[]);
        }
        self.reply(from, &result.map(|()| Answer::Done));
    }
}
