//! Requests that are answered when a child has started or stopped.

use std::collections::BTreeMap;

use super::{Action, Answer, ChildKey, Reply, RequestError, RequestId, SupervisorState};

/// Who waits for which child. Bounded by the requests that callers have open.
#[derive(Clone, Debug, Default)]
pub(super) struct Waiters {
    waiting: BTreeMap<ChildKey, Vec<(RequestId, Awaited)>>,
    /// Requests that wait for several children: for how many still, and what went wrong first.
    joint: BTreeMap<RequestId, (usize, Option<RequestError>)>,
}

/// What a request waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    /// The child counts as started, or cannot be.
    Started,
    /// The child has stopped.
    Stopped,
}

impl Waiters {
    /// The children somebody waits for.
    pub(super) fn keys(&self) -> Vec<ChildKey> {
        self.waiting.keys().copied().collect()
    }

    /// Splits the answer of a request: one more part is to come before it is given. Whoever
    /// adds parts first adds one for themselves, or an early part would be taken for the last.
    pub(super) fn join(&mut self, from: RequestId) {
        self.joint.entry(from).or_insert((0, None)).0 += 1;
    }

    /// Takes one part of an answer in; returns the whole answer with the last part.
    fn part(&mut self, from: RequestId, reply: &Reply) -> Option<Reply> {
        let Some((left, error)) = self.joint.get_mut(&from) else {
            return Some(reply.clone());
        };
        *left -= 1;
        if let (None, Err(first)) = (&error, reply) {
            *error = Some(first.clone());
        }
        if *left > 0 {
            return None;
        }
        let (_, error) = self.joint.remove(&from)?;
        Some(error.map_or(Ok(Answer::Done), Err))
    }
}

impl SupervisorState {
    /// Answers a request, or a part of it.
    pub(super) fn reply(&mut self, to: RequestId, reply: &Reply) {
        if let Some(reply) = self.waiters.part(to, reply) {
            self.actions.push(Action::Reply { to, reply });
        }
    }

    /// Lets a request wait for this to happen to the child.
    pub(super) fn wait(&mut self, from: RequestId, key: ChildKey, until: Awaited) {
        self.waiters
            .waiting
            .entry(key)
            .or_default()
            .push((from, until));
    }

    /// Answers those who wait for this to happen to the child.
    pub(super) fn answer(&mut self, key: ChildKey, what: Awaited, reply: &Reply) {
        let Some(waiting) = self.waiters.waiting.get_mut(&key) else {
            return;
        };
        let answered: Vec<RequestId> = waiting
            .extract_if(.., |(_, until)| *until == what)
            .map(|(from, _)| from)
            .collect();
        if waiting.is_empty() {
            self.waiters.waiting.remove(&key);
        }
        for from in answered {
            self.reply(from, reply);
        }
    }

    /// A pass is over or given up: who waits for a start that it left out waits in vain.
    pub(super) fn answer_left_down(&mut self) {
        for key in self.waiters.keys() {
            if self
                .children
                .state(key)
                .is_none_or(super::child::ChildState::is_down)
            {
                self.answer(key, Awaited::Started, &Err(RequestError::Superseded));
            }
        }
    }
}
