//! Taking over a new spec while children run: OTP's `code_change`, and what goes beyond it.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use super::api::check_combinations;
use super::child::{AfterStop, Child, ChildState, Position};
use super::pass::Pass;
use super::waiters::Awaited;
use super::{Answer, ChildKey, Links, ReloadMode, RequestError, RequestId, SupervisorState};
use crate::reload::{ChildChange, child_change};
use crate::spec::{ChildSpec, RestartType, SupervisorSpec};

impl SupervisorState {
    /// Takes over a new spec: nothing changes when it is refused. With `Act`, children that are
    /// gone from it are stopped, those that must be are restarted, and new ones are started,
    /// in one pass; the others do not notice, nor do those that were added by a request.
    pub(super) fn reload(
        &mut self,
        from: RequestId,
        spec: SupervisorSpec,
        links: Links,
        mode: ReloadMode,
    ) {
        if let Err(fault) = self.check_reload(&spec, &links) {
            self.reply(from, &Err(RequestError::Invalid(fault)));
            return;
        }
        let is_act = mode == ReloadMode::Act;
        let announced = self.dependencies.link(links);
        self.flags = SupervisorSpec {
            children: Vec::new(),
            ..spec.clone()
        };
        let names = spec.children.iter().map(|child| child.name.clone());
        let wanted = std::mem::replace(&mut self.wanted, names.collect());
        let ahead = self.ahead_of_pass();
        let mut former = self.keys_by_name();
        let (mut order, mut added, mut restarted) = (Vec::new(), Vec::new(), Vec::new());
        for child in spec.children {
            let key = match former.remove(&child.name) {
                Some(key) => {
                    self.adopt(key);
                    if self.replace_spec(key, child) {
                        restarted.push(key);
                    }
                    key
                }
                // It has ended: a reload is no reason to run it again.
                None if is_act && is_temporary(&child) && wanted.contains(&child.name) => continue,
                None => {
                    let key = self.add(Child::new(child.name.clone(), Arc::new(child), None));
                    added.push(key);
                    key
                }
            };
            order.push(key);
        }
        self.children.reorder(&order);
        self.relocate_pass(&ahead);
        self.recheck_gates();
        self.announce_anew(&announced);
        if !is_act {
            self.reply(from, &Ok(Answer::Done));
            return;
        }
        self.waiters.join(from);
        // What was added while the supervisor ran is no business of the spec, as in OTP.
        let removed = former.into_values().filter(|key| !self.is_added(*key));
        let removed: BTreeSet<ChildKey> = removed.collect();
        let removed = self.drop_removed(&removed);
        self.restart_set(from, &restarted, &added, &removed);
        self.reply(from, &Ok(Answer::Done));
    }

    fn check_reload(&self, spec: &SupervisorSpec, links: &Links) -> Result<(), String> {
        if self.pool.is_some() {
            return Err("a pool takes over a pool's spec".into());
        }
        let mut names = HashSet::new();
        for child in &spec.children {
            if !names.insert(&child.name) {
                return Err(format!("two children are called `{}`", child.name));
            }
            check_combinations(child, spec.auto_shutdown)?;
        }
        for child in &spec.children {
            let unknown = child.depends_on.keys().find(|name| {
                !names.contains(name)
                    && !links.awaited.contains_key(*name)
                    && !self.dependencies.is_awaited(name)
            });
            if let Some(name) = unknown {
                return Err(format!(
                    "`{}` depends on `{name}`, which is unknown",
                    child.name
                ));
            }
        }
        Ok(())
    }

    fn is_added(&self, key: ChildKey) -> bool {
        self.children.get(key).is_some_and(|child| child.is_added)
    }

    /// A child that was added while the supervisor ran is the spec's from now on.
    fn adopt(&mut self, key: ChildKey) {
        if let Some(child) = self.children.get_mut(key) {
            child.is_added = false;
        }
    }

    /// Gives a child its new spec; tells whether it must be restarted for that.
    fn replace_spec(&mut self, key: ChildKey, spec: ChildSpec) -> bool {
        let Some(child) = self.children.get(key) else {
            return false;
        };
        let former = Arc::clone(&child.spec);
        if *former == spec {
            return false;
        }
        let is_up = child.state.is_up();
        let change = child_change(&former, &spec);
        self.dependencies.remove(key, &former);
        self.dependencies.add(key, &spec);
        self.children.set_spec(key, Arc::new(spec));
        is_up && matches!(change, Some(ChildChange::Restart { .. }))
    }

    /// Forgets removed children that are not live; the others become temporary, so that
    /// whatever stops them also forgets them. Returns these.
    fn drop_removed(&mut self, removed: &BTreeSet<ChildKey>) -> Vec<ChildKey> {
        let mut live = Vec::new();
        for key in removed.iter().copied() {
            let Some(child) = self.children.get(key) else {
                continue;
            };
            if child.state.is_live() {
                let mut spec = (*child.spec).clone();
                spec.restart = RestartType::Temporary;
                spec.significant = false;
                self.children.set_spec(key, Arc::new(spec));
                self.let_go(key);
                live.push(key);
            } else {
                self.rest(key, ChildState::Down, &Err(RequestError::Superseded));
                self.forget(key);
            }
        }
        live
    }

    /// Nobody wants the child any more: it is not held, and nothing comes after a stop that is
    /// under way.
    pub(super) fn let_go(&mut self, key: ChildKey) {
        match self.children.state(key) {
            Some(ChildState::Stopping { .. }) => {
                let next = AfterStop::Down;
                self.set_state(key, ChildState::Stopping { next });
            }
            Some(ChildState::Held) => self.set_state(key, ChildState::Down),
            _ => {}
        }
    }

    /// Stops `removed` and `restarted` in reverse order, then starts `restarted` and `added`.
    /// The caller has split the answer.
    pub(super) fn restart_set(
        &mut self,
        from: RequestId,
        restarted: &[ChildKey],
        added: &[ChildKey],
        removed: &[ChildKey],
    ) {
        if restarted.is_empty() && added.is_empty() && removed.is_empty() {
            return;
        }
        for key in restarted.iter().chain(added) {
            self.waiters.join(from);
            self.wait(from, *key, Awaited::Started);
        }
        for key in removed {
            self.waiters.join(from);
            self.wait(from, *key, Awaited::Stopped);
        }
        let to_stop = self.positions(restarted.iter().chain(removed));
        let to_start = self.positions(restarted.iter().chain(added));
        self.begin_pass(Pass::only(to_stop, to_start));
    }

    pub(super) fn positions<'a>(
        &self,
        keys: impl Iterator<Item = &'a ChildKey>,
    ) -> BTreeSet<Position> {
        keys.filter_map(|key| self.children.get(*key).map(|child| child.position))
            .collect()
    }
}

fn is_temporary(spec: &ChildSpec) -> bool {
    spec.restart == RestartType::Temporary
}
