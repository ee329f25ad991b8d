//! The scripted lives of children: how each begins, and how it ends.

use std::sync::Arc;
use std::time::Duration;

use treewright_supervisors::spec::{ChildKind, ChildName, ChildSpec, Shutdown, ShutdownMode};
use treewright_supervisors::supervisor::{Event, ExitReason, Incarnation, Member, SupervisorState};

use super::driver::{Happening, Life, NodeId, Simulation};
use super::script::{Behaviour, Starts, Stops};
use super::specs::{KILLED, refused};

impl Simulation {
    /// A life is over, and with a supervisor's all that is under it.
    pub(super) fn sweep(&mut self, node: NodeId, incarnation: Incarnation) {
        let Some(life) = self.nodes[node].lives.remove(&incarnation) else {
            return;
        };
        self.alive.remove(&life.name);
        let Some(below) = life.node else { return };
        if self.nodes[below].finished.is_none() {
            self.nodes[below].finished = Some(KILLED);
            // Who asked it hears of its end from whoever started it.
            self.open.retain(|_, node| *node != below);
        }
        let under: Vec<Incarnation> = self.nodes[below].lives.keys().copied().collect();
        for incarnation in under {
            self.sweep(below, incarnation);
        }
    }

    pub(super) fn begin_life(
        &mut self,
        node: NodeId,
        incarnation: Incarnation,
        name: ChildName,
        spec: Arc<ChildSpec>,
        member: Option<Member>,
    ) {
        self.note("start", name.clone());
        let behaviour = self.behaviour(&name, &spec);
        let starts = behaviour.take_start();
        let behaviour = behaviour.clone();
        let life = Life {
            name,
            member,
            spec: Arc::clone(&spec),
            node: None,
            is_asked_to_stop: false,
            is_killed: false,
        };
        self.nodes[node].lives.insert(incarnation, life);
        let delay = match &starts {
            Starts::After(delay) | Starts::BadlyAfter(delay) => *delay,
            _ => Duration::ZERO,
        };
        let event = match starts {
            Starts::Well | Starts::After(_) => {
                if let Some(state) = self.machine(&spec) {
                    let below = self.add_node(state, Some((node, incarnation)));
                    self.nodes[node].lives.get_mut(&incarnation).unwrap().node = Some(below);
                    return self.later(delay, below, Happening::Event(Event::Start));
                }
                Event::Started { incarnation }
            }
            Starts::Badly | Starts::BadlyAfter(_) => {
                let why = refused();
                Event::StartFailed { incarnation, why }
            }
            Starts::Ignoring => Event::Ignored { incarnation },
            Starts::Hanging => return,
        };
        self.later(delay, node, Happening::Event(event));
        if let Some(after) = behaviour.ready_after {
            let ready = Event::Ready { incarnation };
            self.later(delay + after, node, Happening::Event(ready));
        }
        if let Some((after, reason)) = behaviour.ends {
            let exited = Event::Exited {
                incarnation,
                reason,
            };
            self.later(delay + after, node, Happening::Event(exited));
        }
    }

    /// A member of a pool behaves as its template, unless it has a script of its own; the pool
    /// itself, which shares the template's name, has none.
    fn behaviour(&mut self, name: &ChildName, spec: &ChildSpec) -> &mut Behaviour {
        let script = match &spec.kind {
            ChildKind::Pool(_) => format!("pool {name}"),
            _ if self.behaviours.contains_key(name.as_str()) => name.to_string(),
            _ => spec.name.to_string(),
        };
        self.behaviours.entry(script).or_default()
    }

    /// The machine of a child that is a supervisor.
    fn machine(&self, spec: &ChildSpec) -> Option<SupervisorState> {
        let state = match &spec.kind {
            ChildKind::Supervisor(supervisor) => SupervisorState::new(supervisor),
            ChildKind::Pool(pool) => SupervisorState::pool(spec.name.clone(), pool),
            _ => return None,
        };
        let links = self.links.get(&spec.name).cloned().unwrap_or_default();
        Some(state.with_links(links))
    }

    pub(super) fn end_life(&mut self, node: NodeId, incarnation: Incarnation, how: &Shutdown) {
        let is_kill = how.mode == ShutdownMode::BrutalKill;
        let life = self.nodes[node].lives.get_mut(&incarnation).unwrap();
        life.is_asked_to_stop = true;
        life.is_killed |= is_kill;
        let (name, spec, below) = (life.name.clone(), Arc::clone(&life.spec), life.node);
        self.note(if is_kill { "kill" } else { "stop" }, name.clone());
        if let Some(below) = below {
            self.soon(
                below,
                if is_kill {
                    Event::Kill
                } else {
                    Event::Shutdown
                },
            );
            if let ShutdownMode::Timeout(timeout) = how.mode {
                self.later(timeout, node, Happening::TooLong(incarnation));
            }
            return;
        }
        let own = match self.behaviour(&name, &spec).stops.clone() {
            Stops::After(delay) => Some((delay, ExitReason::Shutdown)),
            Stops::With(delay, reason) => Some((delay, reason)),
            Stops::Deaf => None,
        };
        let limit = match how.mode {
            ShutdownMode::BrutalKill => Some(Duration::ZERO),
            ShutdownMode::Timeout(timeout) => Some(timeout),
            ShutdownMode::Infinity => None,
        };
        let in_time =
            own.filter(|(delay, _)| !is_kill && limit.is_none_or(|limit| *delay <= limit));
        let killed = in_time.is_none();
        let Some((delay, reason)) = in_time.or(limit.map(|limit| (limit, KILLED))) else {
            return;
        };
        let stopped = Event::Stopped {
            incarnation,
            reason,
            killed,
        };
        self.later(delay, node, Happening::Event(stopped));
    }

    pub(super) fn finish(&mut self, node: NodeId, reason: ExitReason) {
        self.nodes[node].finished = Some(reason.clone());
        let Some((parent, incarnation)) = self.nodes[node].parent else {
            return;
        };
        let Some(life) = self.nodes[parent].lives.get(&incarnation) else {
            return;
        };
        let killed = life.is_killed;
        let event = if life.is_asked_to_stop {
            Event::Stopped {
                incarnation,
                reason,
                killed,
            }
        } else if self.nodes[node].has_started {
            Event::Exited {
                incarnation,
                reason,
            }
        } else {
            Event::StartFailed {
                incarnation,
                why: reason,
            }
        };
        self.soon(parent, event);
    }
}
