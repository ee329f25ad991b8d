//! The loop: takes the next happening, steps the machine it is about, and does what that wants done.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use treewright_supervisors::Time;
use treewright_supervisors::spec::{ChildName, ChildSpec, SupervisorSpec, TreeSpec};
use treewright_supervisors::supervisor::{
    Action, ChildKey, Event, ExitReason, Incarnation, Links, Member, Reply, RequestId, Standing,
    SupervisorReport, SupervisorState,
};

use super::script::Behaviour;
use super::specs::tree;

/// Which machine.
pub(super) type NodeId = usize;

/// A tree of machines, wired as a driver wires them, on a virtual clock.
pub(crate) struct Simulation {
    pub(super) now: Time,
    pub(super) nodes: Vec<Node>,
    /// The names of all that lives.
    pub(super) alive: HashSet<ChildName>,
    pub(super) links: BTreeMap<ChildName, Links>,
    pub(super) log: Vec<Entry>,
    pub(super) reports: Vec<SupervisorReport>,
    /// Requests that are not answered yet, and whom they were put to.
    pub(super) open: BTreeMap<RequestId, NodeId>,
    pub(super) replies: HashMap<RequestId, Reply>,
    pub(super) requests: u64,
    /// How often a machine was told something, and what came of it.
    pub(super) steps: usize,
    pub(super) actions: usize,
    agenda: BTreeMap<(Time, u64), (NodeId, Happening)>,
    sequence: u64,
    pub(super) behaviours: HashMap<String, Behaviour>,
    standings: HashMap<ChildName, Standing>,
}

/// One machine.
pub(super) struct Node {
    pub(super) state: SupervisorState,
    pub(super) parent: Option<(NodeId, Incarnation)>,
    pub(super) timer: Option<Time>,
    pub(super) has_started: bool,
    pub(super) finished: Option<ExitReason>,
    pub(super) lives: BTreeMap<Incarnation, Life>,
    pub(super) epochs: BTreeMap<ChildKey, u64>,
}

/// One life of a child: between its `StartChild` and the news of its end.
pub(super) struct Life {
    pub(super) name: ChildName,
    pub(super) member: Option<Member>,
    pub(super) spec: Arc<ChildSpec>,
    pub(super) node: Option<NodeId>,
    pub(super) is_asked_to_stop: bool,
    pub(super) is_killed: bool,
}

/// One line of the log.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) at: Time,
    pub(super) what: &'static str,
    pub(super) child: ChildName,
}

/// What is going to happen.
#[derive(Clone, Debug)]
pub(super) enum Happening {
    Event(Event),
    /// The armed timer, if it is still that one.
    Timer(Time),
    /// The time a nested supervisor has to stop is over.
    TooLong(Incarnation),
}

impl Simulation {
    /// A supervisor and all that is under it, not started yet.
    pub(crate) fn new(spec: &SupervisorSpec) -> Self {
        Self::of_tree(&tree(spec.clone()))
    }

    /// The same with the links of a tree.
    pub(crate) fn of_tree(tree: &TreeSpec) -> Self {
        let links = Links::of(tree);
        let state = SupervisorState::new(&tree.root);
        Self::of_machine(state, links)
    }

    /// A machine that was made by hand, as the root.
    pub(crate) fn of_machine(state: SupervisorState, links: BTreeMap<ChildName, Links>) -> Self {
        let state = match links.get(state.name()) {
            Some(links) => state.with_links(links.clone()),
            None => state,
        };
        let mut simulation = Self {
            now: Time::ORIGIN,
            nodes: Vec::new(),
            alive: HashSet::new(),
            links,
            log: Vec::new(),
            reports: Vec::new(),
            open: BTreeMap::new(),
            replies: HashMap::new(),
            requests: 0,
            steps: 0,
            actions: 0,
            agenda: BTreeMap::new(),
            sequence: 0,
            behaviours: HashMap::new(),
            standings: HashMap::new(),
        };
        simulation.add_node(state, None);
        simulation
    }

    /// The same, started as far as it goes at once.
    pub(crate) fn started(spec: &SupervisorSpec) -> Self {
        let mut simulation = Self::new(spec);
        simulation.start();
        simulation
    }

    /// Starts the root.
    pub(crate) fn start(&mut self) {
        self.soon(0, Event::Start);
        self.settle();
    }

    /// The script of a child; of all members, for a pool's template.
    pub(crate) fn script(&mut self, name: &str) -> &mut Behaviour {
        self.behaviours.entry(name.to_owned()).or_default()
    }

    /// Lets happen what happens without time passing.
    pub(crate) fn settle(&mut self) {
        self.advance(Duration::ZERO);
    }

    /// Lets this much time pass, and happen what happens in it.
    pub(crate) fn advance(&mut self, duration: Duration) {
        let end = self.now + duration;
        for _ in 0..1_000_000 {
            let Some(entry) = self.agenda.first_entry() else {
                break;
            };
            let at = entry.key().0;
            if at > end {
                break;
            }
            let (node, happening) = entry.remove();
            self.now = at;
            self.happen(node, happening);
        }
        let is_over = self
            .agenda
            .first_key_value()
            .is_none_or(|((at, _), _)| *at > end);
        assert!(is_over, "it does not come to rest");
        self.now = end;
    }

    /// Tells a machine something as it is, in order or not.
    pub(crate) fn inject(&mut self, event: Event) {
        self.step(0, event);
        self.settle();
    }

    pub(super) fn soon(&mut self, node: NodeId, event: Event) {
        self.later(Duration::ZERO, node, Happening::Event(event));
    }

    pub(super) fn later(&mut self, delay: Duration, node: NodeId, happening: Happening) {
        self.sequence += 1;
        let at = (self.now + delay, self.sequence);
        self.agenda.insert(at, (node, happening));
    }

    fn happen(&mut self, node: NodeId, happening: Happening) {
        if self.nodes[node].finished.is_some()
            && !matches!(happening, Happening::Event(Event::Request { .. }))
        {
            return;
        }
        match happening {
            Happening::Timer(at) if self.nodes[node].timer == Some(at) => {
                self.nodes[node].timer = None;
                self.step(node, Event::Timer);
            }
            Happening::Timer(_) => {}
            Happening::TooLong(incarnation) => {
                if let Some(life) = self.nodes[node].lives.get_mut(&incarnation) {
                    life.is_killed = true;
                    let below = life.node.unwrap();
                    self.soon(below, Event::Kill);
                }
            }
            Happening::Event(event) => self.deliver(node, event),
        }
    }

    /// Passes an event on, if what it is about still lives.
    fn deliver(&mut self, node: NodeId, event: Event) {
        let (incarnation, is_end) = match &event {
            Event::Started { incarnation } | Event::Ready { incarnation } => (*incarnation, false),
            Event::Unhealthy { incarnation, .. } | Event::Idle { incarnation, .. } => {
                (*incarnation, false)
            }
            Event::StartFailed { incarnation, .. }
            | Event::Ignored { incarnation }
            | Event::Exited { incarnation, .. }
            | Event::Stopped { incarnation, .. } => (*incarnation, true),
            _ => return self.step(node, event),
        };
        let Some(life) = self.nodes[node].lives.get(&incarnation) else {
            return;
        };
        if is_end {
            let child = life.name.clone();
            self.note("end", child);
            self.sweep(node, incarnation);
        }
        self.step(node, event);
    }

    fn step(&mut self, node: NodeId, event: Event) {
        let actions = self.nodes[node].state.step(event, self.now);
        self.steps += 1;
        self.actions += actions.len();
        for action in actions {
            self.check_action(node, &action);
            self.carry_out(node, action);
        }
        self.check_node(node);
    }

    fn carry_out(&mut self, node: NodeId, action: Action) {
        match action {
            Action::StartChild {
                incarnation,
                name,
                spec,
                member,
            } => {
                self.begin_life(node, incarnation, name, spec, member);
            }
            Action::StopChild { incarnation, how } => self.end_life(node, incarnation, &how),
            Action::ArmTimer(at) => {
                self.nodes[node].timer = Some(at);
                self.later(at - self.now, node, Happening::Timer(at));
            }
            Action::Reply { to, reply } => {
                self.open.remove(&to);
                self.replies.insert(to, reply);
            }
            Action::Report(report) => self.reports.push(report),
            Action::Standing { child, standing } => self.tell_standing(node, &child, standing),
            Action::Started => {
                self.nodes[node].has_started = true;
                if let Some((parent, incarnation)) = self.nodes[node].parent {
                    self.soon(parent, Event::Started { incarnation });
                }
            }
            Action::Idle(is_idle) => {
                if let Some((parent, incarnation)) = self.nodes[node].parent {
                    self.soon(
                        parent,
                        Event::Idle {
                            incarnation,
                            is_idle,
                        },
                    );
                }
            }
            Action::Finish(reason) => self.finish(node, reason),
        }
    }

    pub(super) fn add_node(
        &mut self,
        state: SupervisorState,
        parent: Option<(NodeId, Incarnation)>,
    ) -> NodeId {
        let node = self.nodes.len();
        let links = self.links.get(state.name()).cloned().unwrap_or_default();
        self.nodes.push(Node {
            state,
            parent,
            timer: None,
            has_started: false,
            finished: None,
            lives: BTreeMap::new(),
            epochs: BTreeMap::new(),
        });
        for child in links.announced {
            self.tell_standing(node, &child, Standing::Coming);
        }
        for child in links.awaited.into_keys() {
            if let Some(standing) = self.standings.get(&child).copied() {
                self.soon(node, Event::Dependency { child, standing });
            }
        }
        node
    }

    /// Tells those who wait for a child how things stand with it. With a supervisor that is
    /// down for good all is that is under it.
    fn tell_standing(&mut self, from: NodeId, child: &ChildName, standing: Standing) {
        self.standings.insert(child.clone(), standing);
        for node in 0..self.nodes.len() {
            let links = self.links.get(self.nodes[node].state.name());
            if node != from && links.is_some_and(|links| links.awaited.contains_key(child)) {
                let child = child.clone();
                self.soon(node, Event::Dependency { child, standing });
            }
        }
        if matches!(standing, Standing::Gone | Standing::Completed) {
            let links = self.links.get(child).cloned().unwrap_or_default();
            for below in links.announced {
                self.tell_standing(from, &below, Standing::Gone);
            }
        }
    }

    pub(super) fn note(&mut self, what: &'static str, child: ChildName) {
        let at = self.now;
        self.log.push(Entry { at, what, child });
    }
}
