//! A pass: stop a set of children in reverse order, wait, start the set in order.

use std::collections::BTreeSet;

use super::child::{AfterStop, ChildState, Position, StartCause};
use super::state::Phase;
use super::{Action, ChildKey, SupervisorState};
use crate::spec::StopOrder;

/// The one group operation that is under way.
#[derive(Clone, Debug)]
pub(super) struct Pass {
    /// Everything at this place of the start order and behind it takes part …
    from: Option<Position>,
    /// … and these are to be stopped …
    to_stop: BTreeSet<Position>,
    /// … and these to be started.
    to_start: BTreeSet<Position>,
    /// These are left out: somebody asked for them to be stopped.
    excluded: BTreeSet<ChildKey>,
    stage: Stage,
    /// The child whose failure caused it; its backoff is waited for.
    culprit: Option<ChildKey>,
    /// Where the start has come to.
    cursor: Position,
    /// The child that is being started; the next one waits for it.
    current: Option<ChildKey>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Children are stopped.
    Stop,
    /// The culprit's backoff is waited for.
    Wait,
    /// Children are started.
    Start,
}

impl Pass {
    /// The supervisor's own start.
    pub(super) fn initial() -> Self {
        Self {
            stage: Stage::Start,
            from: Some(0),
            ..Self::empty()
        }
    }

    /// The restart of everything from `from` on because of `culprit`.
    pub(super) fn group(from: Position, culprit: ChildKey) -> Self {
        Self {
            from: Some(from),
            culprit: Some(culprit),
            ..Self::empty()
        }
    }

    /// A pass over just these.
    pub(super) fn only(to_stop: BTreeSet<Position>, to_start: BTreeSet<Position>) -> Self {
        Self {
            to_stop,
            to_start,
            ..Self::empty()
        }
    }

    fn empty() -> Self {
        Self {
            from: None,
            to_stop: BTreeSet::new(),
            to_start: BTreeSet::new(),
            excluded: BTreeSet::new(),
            stage: Stage::Stop,
            culprit: None,
            cursor: 0,
            current: None,
        }
    }

    /// This pass, and what the one under way had still to do.
    fn widened_by(mut self, mut before: Self) -> Self {
        if before.stage == Stage::Start {
            // What the cursor has not reached is still to be started, after the present child.
            before.to_start = before.to_start.split_off(&before.cursor);
            before.from = before.from.map(|from| from.max(before.cursor));
            self.current = before.current;
        }
        self.from = match (self.from, before.from) {
            (Some(new), Some(old)) => Some(new.min(old)),
            (new, old) => new.or(old),
        };
        self.to_stop.append(&mut before.to_stop);
        self.to_start.append(&mut before.to_start);
        self.excluded.append(&mut before.excluded);
        self.culprit = self.culprit.or(before.culprit);
        self
    }

    pub(super) fn culprit(&self) -> Option<ChildKey> {
        self.culprit
    }

    /// Leaves a child out from now on.
    pub(super) fn exclude(&mut self, key: ChildKey) {
        self.excluded.insert(key);
    }

    /// Takes a child in again: somebody asked for it to be started.
    pub(super) fn include(&mut self, key: ChildKey) {
        self.excluded.remove(&key);
    }

    pub(super) fn forget(&mut self, key: ChildKey) {
        self.excluded.remove(&key);
        self.current = self.current.filter(|current| *current != key);
        self.culprit = self.culprit.filter(|culprit| *culprit != key);
    }

    /// Whether a live child at this place is yet to be stopped.
    pub(super) fn will_stop(&self, position: Position) -> bool {
        self.stage == Stage::Stop
            && (self.from.is_some_and(|from| from <= position) || self.to_stop.contains(&position))
    }

    /// Whether a child that is down at this place is yet to be started.
    pub(super) fn will_start(&self, key: ChildKey, position: Position) -> bool {
        let is_in =
            self.from.is_some_and(|from| from <= position) || self.to_start.contains(&position);
        let is_ahead = self.stage != Stage::Start || self.cursor <= position;
        is_in && is_ahead && !self.excluded.contains(&key)
    }

    /// Whether the child at this place is to be started for itself, not as one of a group.
    pub(super) fn is_listed(&self, position: Position) -> bool {
        self.to_start.contains(&position)
    }

    fn first_position(&self) -> Position {
        let only = self.to_start.first().copied();
        self.from.into_iter().chain(only).min().unwrap_or(0)
    }
}

impl SupervisorState {
    /// Begins a pass, taking over what one under way had still to do.
    pub(super) fn begin_pass(&mut self, pass: Pass) {
        self.take_over(pass);
        // What waits for a dependency waits in its turn from now on, not ahead of it.
        let gated = self.children.gated();
        let taking_part: Vec<ChildKey> = gated.filter(|key| self.is_ahead_of_pass(*key)).collect();
        for key in taking_part {
            self.set_state(key, ChildState::Down);
        }
    }

    fn take_over(&mut self, pass: Pass) {
        let Some(before) = self.pass.take() else {
            self.pass = Some(pass);
            return;
        };
        let former = before.culprit;
        let stalled = before.current.filter(|key| self.is_stalled(*key));
        let mut pass = pass.widened_by(before);
        pass.to_start.append(&mut self.positions(stalled.iter()));
        let is_replaced = former != pass.culprit;
        self.pass = Some(pass);
        if let Some(former) = former.filter(|_| is_replaced) {
            self.stop_waiting(former);
        }
    }

    /// A culprit's backoff is over, or another's counts: the pass starts it in its turn.
    pub(super) fn stop_waiting(&mut self, key: ChildKey) {
        if matches!(self.children.state(key), Some(ChildState::Waiting { .. })) {
            self.set_state(key, ChildState::Down);
        }
    }

    /// Whether the pass under way is yet to start this child.
    pub(super) fn is_ahead_of_pass(&self, key: ChildKey) -> bool {
        let position = self.children.get(key).map(|child| child.position);
        let pass = self.pass.as_ref().zip(position);
        pass.is_some_and(|(pass, position)| pass.will_start(key, position))
    }

    /// The children the pass under way is yet to start.
    pub(super) fn ahead_of_pass(&self) -> Vec<ChildKey> {
        if self.pass.is_none() {
            return Vec::new();
        }
        let keys = self.children.iter().map(|(key, _)| key);
        keys.filter(|key| self.is_ahead_of_pass(*key)).collect()
    }

    /// The start order has changed under a pass that waits: it goes on with the same children.
    pub(super) fn relocate_pass(&mut self, ahead: &[ChildKey]) {
        let to_start = self.positions(ahead.iter());
        if let Some(pass) = &mut self.pass {
            pass.from = None;
            pass.to_start = to_start;
            pass.cursor = 0;
        }
    }

    /// Goes on with the pass as far as it goes without waiting.
    pub(super) fn advance_pass(&mut self) {
        while let Some(pass) = &self.pass {
            let has_advanced = match pass.stage {
                Stage::Stop => self.advance_stops(),
                Stage::Wait => self.advance_wait(),
                Stage::Start => self.advance_starts(),
            };
            if !has_advanced {
                break;
            }
        }
    }

    /// Stops the last live child that takes part, or all of them, and waits for it.
    fn advance_stops(&mut self) -> bool {
        let is_parallel = self.flags.stop == StopOrder::Parallel;
        let mut limit = Position::MAX;
        while let Some(position) = self.last_to_stop(limit) {
            let Some(key) = self.children.at(position) else {
                break;
            };
            self.stop_child(key, AfterStop::Down);
            if !is_parallel || position == 0 {
                break;
            }
            limit = position - 1;
        }
        if self.last_to_stop(Position::MAX).is_some() {
            return false;
        }
        if let Some(pass) = &mut self.pass {
            pass.to_stop.clear();
            pass.stage = Stage::Wait;
        }
        true
    }

    fn last_to_stop(&self, limit: Position) -> Option<Position> {
        let pass = self.pass.as_ref()?;
        let behind = pass
            .from
            .and_then(|from| self.children.last_live_in(from, limit));
        let mut listed = pass.to_stop.range(..=limit).rev().copied();
        let listed = listed.find(|position| self.children.is_live_at(*position));
        behind.max(listed)
    }

    fn advance_wait(&mut self) -> bool {
        let Some(pass) = &self.pass else { return false };
        let culprit = pass.culprit;
        let state = culprit.and_then(|key| self.children.state(key));
        if matches!(state, Some(ChildState::Waiting { until }) if *until > self.now) {
            return false;
        }
        if let Some(pass) = &mut self.pass {
            pass.stage = Stage::Start;
            pass.culprit = None;
            pass.cursor = pass.first_position();
        }
        if let Some(key) = culprit {
            self.stop_waiting(key);
        }
        true
    }

    /// Starts the next child that takes part, once the one before counts as started.
    fn advance_starts(&mut self) -> bool {
        self.defer_stalled_current();
        if self.is_current_pending() {
            return false;
        }
        let Some((position, key)) = self.next_to_start() else {
            self.finish_pass();
            return false;
        };
        let is_down = self.children.state(key).is_some_and(ChildState::is_down);
        let is_stalled = self.is_stalled(key);
        if let Some(pass) = &mut self.pass {
            // Before the start: one that fails at once may begin another pass.
            pass.cursor = position + 1;
            pass.current = (is_down || is_stalled).then_some(key);
        }
        if is_down {
            self.begin_start(key, self.start_cause(key));
        }
        true
    }

    /// A child that an earlier pass stood at may wait for what this one has still to start: this
    /// pass comes to it in its turn.
    fn defer_stalled_current(&mut self) {
        let current = self.pass.as_ref().and_then(|pass| pass.current);
        let Some(key) = current.filter(|key| self.is_stalled(*key)) else {
            return;
        };
        let position = self.children.get(key).map(|child| child.position);
        if let (Some(pass), Some(position)) = (&mut self.pass, position)
            && pass.cursor <= position
        {
            pass.to_start.insert(position);
            pass.current = None;
        }
    }

    /// Whether the child the pass stands at is not started yet and will be.
    fn is_current_pending(&self) -> bool {
        let current = self.pass.as_ref().and_then(|pass| pass.current);
        current
            .and_then(|key| self.children.state(key))
            .is_some_and(|state| {
                matches!(
                    state,
                    ChildState::Starting { .. }
                        | ChildState::Gated { .. }
                        | ChildState::Waiting { .. }
                        | ChildState::Stopping { .. }
                )
            })
    }

    fn next_to_start(&self) -> Option<(Position, ChildKey)> {
        let pass = self.pass.as_ref()?;
        let mut cursor = pass.cursor;
        loop {
            let behind = pass
                .from
                .and_then(|from| self.children.next_from(cursor.max(from)));
            let listed = pass.to_start.range(cursor..).next();
            let listed = listed.and_then(|at| self.children.next_from(*at));
            let (position, key) = behind.into_iter().chain(listed).min()?;
            if !pass.excluded.contains(&key) {
                return Some((position, key));
            }
            cursor = position + 1;
        }
    }

    fn finish_pass(&mut self) {
        self.pass = None;
        self.recheck_gates();
        self.answer_left_down();
        if matches!(self.phase, Phase::Starting) {
            self.phase = Phase::Running;
            self.actions.push(Action::Started);
        }
    }

    /// What a start by the strategy is: the first one, or a restart.
    pub(super) fn start_cause(&self, key: ChildKey) -> StartCause {
        let was_started = self.children.get(key).is_some_and(|child| child.starts > 0);
        if matches!(self.phase, Phase::Starting) && !was_started {
            StartCause::Initial
        } else {
            StartCause::Restart
        }
    }

    /// Whether the pass or the end will stop this live child, or wait for it if it is stopping.
    pub(super) fn is_about_to_stop(&self, key: ChildKey) -> bool {
        let child = self.children.get(key);
        let pass = self.pass.as_ref();
        self.is_ending()
            || pass
                .zip(child)
                .is_some_and(|(pass, child)| pass.will_stop(child.position))
    }

    /// Whether requests that start something must wait: a pass stops or starts children. One
    /// that waits for a backoff or for a dependency may go on waiting for a long time.
    pub(super) fn is_pass_at_work(&self) -> bool {
        self.pass.as_ref().is_some_and(|pass| match pass.stage {
            Stage::Stop => true,
            Stage::Wait => false,
            Stage::Start => !pass.current.is_some_and(|key| self.is_stalled(key)),
        })
    }

    /// Whether the child waits for its backoff or for a dependency.
    fn is_stalled(&self, key: ChildKey) -> bool {
        let state = self.children.state(key);
        matches!(
            state,
            Some(ChildState::Waiting { .. } | ChildState::Gated { .. })
        )
    }
}
