//! Our side: what happens in a case, and what there is after it.

use std::collections::VecDeque;

use treewright_supervisors::spec::Strategy;
use treewright_supervisors::supervisor::{ChildKey, ChildRef, Request};

use super::answers;
use super::case::{Call, Case, Kind, Op};
use super::coverage::Coverage;
use super::machine::{Machine, Message, Node};
use super::specs;

/// What each step of a case comes to: the root's start, each op, the root's end.
pub(super) fn transcript(case: &Case, coverage: &mut Coverage) -> Vec<Vec<String>> {
    let mut machine = Machine::started(case, coverage);
    let mut steps = vec![machine.take_step()];
    for op in &case.ops {
        machine.perform(op);
        machine.run();
        steps.push(machine.take_step());
    }
    machine.shut_down();
    machine.run();
    steps.push(machine.take_step());
    steps
}

impl Machine<'_> {
    fn perform(&mut self, op: &Op) {
        match op {
            Op::Script(name, starts) => {
                let script = self.scripts.entry(name.clone()).or_default();
                script.extend(starts.iter().cloned());
            }
            Op::Stops(name, stops) => {
                self.stops.insert(name.clone(), *stops);
            }
            Op::Wait(seconds) => self.now = self.now + crate::simulation::seconds(*seconds),
            Op::Together(supervisor, ops) => self.together(supervisor, ops),
            Op::Exit(..) | Op::Call(..) => self.meddle(op),
        }
    }

    /// Not while a start may fail: in a group, when the others are stopped then and what becomes
    /// of those that are started meanwhile are differences in `docs/semantics.md`; without one,
    /// who is tried first, the one that failed or another that ended after it.
    fn together(&mut self, supervisor: &str, ops: &[Op]) {
        let Some(index) = self.find(supervisor) else {
            return;
        };
        if !self.scripts.values().all(VecDeque::is_empty) {
            return;
        }
        for op in ops {
            self.coverage
                .hit(format!("together {}", self.nodes[index].kind()));
            self.meddle(op);
        }
    }

    /// What may happen at any moment, also while the supervisor is at work.
    pub(super) fn meddle(&mut self, op: &Op) {
        match op {
            Op::Exit(supervisor, name, reason) => {
                let Some(index) = self.find(supervisor) else {
                    return;
                };
                let node = &self.nodes[index];
                // Which of two tries comes first is a difference in `docs/semantics.md`.
                if node.is_to_try_again() {
                    return;
                }
                let mut lives = node.lives.iter();
                let life = lives.find(|(_, life)| life.name == *name && !life.is_dead);
                let Some((incarnation, life)) = life else {
                    return;
                };
                let incarnation = *incarnation;
                let restart = life.spec.restart.word();
                self.coverage
                    .hit(format!("exit {} {restart} {reason}", node.kind()));
                self.end(index, incarnation, *reason);
            }
            Op::Call(supervisor, call) => {
                let Some(index) = self.find(supervisor) else {
                    return;
                };
                if let Some(request) = self.request(index, call) {
                    self.ask(index, request, call);
                }
            }
            Op::Script(..) | Op::Stops(..) | Op::Wait(_) | Op::Together(..) => {}
        }
    }

    fn request(&self, index: usize, call: &Call) -> Option<Request> {
        let node = &self.nodes[index];
        let member = |name: &String| {
            // One whose end is not looked at yet has a pid in OTP that its next life has not.
            let is_leaving = node
                .lives
                .values()
                .any(|life| life.name == *name && life.is_dead);
            let key = node.members.get(name).filter(|_| !is_leaving);
            key.copied().map(ChildRef::Member)
        };
        Some(match call {
            Call::StartChild(child) => {
                let spec = specs::child(child, self.is_interposed);
                Request::StartChild(Box::new(spec))
            }
            Call::StartMember(name) => Request::StartMember {
                args: vec![name.as_str().into()],
            },
            Call::TerminateChild(name) => {
                Request::TerminateChild(ChildRef::Name(name.as_str().into()))
            }
            Call::RestartChild(name) => Request::RestartChild(name.as_str().into()),
            Call::DeleteChild(name) => Request::DeleteChild(name.as_str().into()),
            Call::GetChildspec(name) => Request::GetChildspec(ChildRef::Name(name.as_str().into())),
            Call::TerminateMember(name) => Request::TerminateChild(member(name)?),
            Call::GetChildspecOfMember(name) => Request::GetChildspec(member(name)?),
        })
    }

    /// In which state the child is that a call is about.
    pub(super) fn hit_call(&mut self, index: usize, call: &Call) {
        let (what, name) = match call {
            Call::StartChild(child) => ("start_child", &child.name),
            Call::StartMember(name) => ("start_member", name),
            Call::TerminateChild(name) => ("terminate_child", name),
            Call::RestartChild(name) => ("restart_child", name),
            Call::DeleteChild(name) => ("delete_child", name),
            Call::GetChildspec(name) => ("get_childspec", name),
            Call::TerminateMember(name) => ("terminate_child of a member", name),
            Call::GetChildspecOfMember(name) => ("get_childspec of a member", name),
        };
        let node = &self.nodes[index];
        if let Call::StartChild(child) = call
            && !matches!(child.kind, Kind::Worker)
        {
            let kind = node.kind();
            self.coverage
                .hit(format!("call {kind} start_child of a supervisor"));
        }
        let mut children = node.state.which_children().into_iter();
        let child = match node.strategy {
            Some(_) => node.state.which_child(name),
            None => children.find(|child| node.members.get(name) == Some(&child.key)),
        };
        let state = match child {
            None => "unknown",
            Some(child) => answers::status(&child),
        };
        self.coverage
            .hit(format!("call {} {what} {state}", node.kind()));
    }

    fn take_step(&mut self) -> Vec<String> {
        let mut lines = std::mem::take(&mut self.log);
        for (to, reply) in std::mem::take(&mut self.replies) {
            lines.push(format!("reply {}: {reply}", to.0));
        }
        let mut alive: Vec<&Node> = self.nodes.iter().collect();
        alive.retain(|node| node.finished.is_none());
        alive.sort_by(|a, b| a.name.cmp(&b.name));
        lines.extend(alive.into_iter().map(Node::look));
        lines
    }
}

impl Node {
    /// Whether this child waits for its next try.
    pub(super) fn is_restarting(&self, key: ChildKey) -> bool {
        let mut children = self.state.which_children().into_iter();
        let child = children.find(|child| child.key == key);
        child.is_some_and(|child| answers::status(&child) == "restarting")
    }

    /// Whether it has told itself to try a start again.
    pub(super) fn is_to_try_again(&self) -> bool {
        let mut mailbox = self.mailbox.iter();
        mailbox.any(|message| matches!(message, Message::TryAgain(_)))
    }

    /// OTP's name of its strategy.
    pub(super) fn kind(&self) -> &'static str {
        self.strategy.map_or("simple_one_for_one", Strategy::word)
    }

    /// `which_children` and `count_children` in one line.
    fn look(&self) -> String {
        let children = self.state.which_children();
        let mut children: Vec<String> = children
            .iter()
            .map(|child| {
                let status = answers::status(child);
                if self.strategy.is_some() {
                    return format!(" {}={status}", child.name);
                }
                let life = child
                    .incarnation
                    .and_then(|incarnation| self.lives.get(&incarnation));
                format!(" {}={status}", life.map_or("member", |life| &life.name))
            })
            .collect();
        if self.strategy.is_none() {
            children.sort();
        }
        let counts = self.state.count_children();
        // OTP loses count of a pool's active members where one is terminated between two tries.
        let is_pool = self.strategy.is_none();
        let active = counts.active.to_string();
        let active = if is_pool { "-" } else { &active };
        let specs = counts.specs;
        let (supervisors, workers) = (counts.supervisors, counts.workers);
        let name = &self.name;
        let children = children.concat();
        format!("{name}:{children} ({specs} {active} {supervisors} {workers})")
    }
}
