//! Our side: the state machines under a driver that does one thing after the other, as OTP's
//! supervisor does with its mailbox. It is one of the drivers that the machine allows.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use treewright_supervisors::Time;
use treewright_supervisors::spec::{ChildKind, ChildSpec, ShutdownMode as Mode, Strategy};
use treewright_supervisors::supervisor::{
    Action, ChildKey, Event, ExitReason, Incarnation, Member, Reply, ReportContext, Request,
    RequestId, SupervisorState,
};

use super::answers;
use super::case::{Call, Case, Op, Outcome, Reason, Stops};
use super::coverage::Coverage;
use super::specs;
use crate::simulation::{CRASH, KILLED, refused};

/// A tree of machines.
pub(super) struct Machine<'a> {
    pub(super) now: Time,
    pub(super) nodes: Vec<Node>,
    pub(super) scripts: HashMap<String, VecDeque<(Outcome, Vec<Op>)>>,
    pub(super) stops: HashMap<String, Stops>,
    pub(super) log: Vec<String>,
    pub(super) replies: BTreeMap<RequestId, String>,
    pub(super) requests: u64,
    pub(super) is_interposed: bool,
    pub(super) coverage: &'a mut Coverage,
}

/// One machine, and what has come for it.
pub(super) struct Node {
    pub(super) name: String,
    /// None for a pool.
    pub(super) strategy: Option<Strategy>,
    pub(super) state: SupervisorState,
    parent: Option<(usize, Incarnation)>,
    pub(super) mailbox: VecDeque<Message>,
    pub(super) lives: BTreeMap<Incarnation, Life>,
    /// The members that ever ran, by name.
    pub(super) members: HashMap<String, ChildKey>,
    is_ready: bool,
    /// Whose starts have failed since it looked at its last message.
    failed_starts: Vec<ChildKey>,
    pub(super) finished: Option<ExitReason>,
}

/// A child that runs, or whose end the supervisor has not looked at.
pub(super) struct Life {
    pub(super) name: String,
    pub(super) spec: Arc<ChildSpec>,
    below: Option<usize>,
    pub(super) is_dead: bool,
}

/// What a supervisor looks at when it has nothing else to do.
pub(super) enum Message {
    Exited(Incarnation, ExitReason),
    Request(RequestId, Request, Call),
    /// The time of the next try of this child has come, whose start has failed. As on OTP there is
    /// one for each failure, whatever became of the child meanwhile.
    TryAgain(ChildKey),
}

impl<'a> Machine<'a> {
    /// The tree of a case, with the root started.
    pub(super) fn started(case: &Case, coverage: &'a mut Coverage) -> Self {
        let mut machine = Self {
            now: Time::ORIGIN,
            nodes: Vec::new(),
            scripts: HashMap::new(),
            stops: HashMap::new(),
            log: Vec::new(),
            replies: BTreeMap::new(),
            requests: 0,
            is_interposed: case.is_interposed,
            coverage,
        };
        let root = specs::supervisor(&case.root, case.is_interposed);
        let state = SupervisorState::new(&root);
        machine.add_node(&case.root.name, Some(root.strategy), state, None);
        machine.handle(0, Event::Start);
        machine.nodes[0].is_ready = true;
        machine.run();
        machine
    }

    fn add_node(
        &mut self,
        name: &str,
        strategy: Option<Strategy>,
        state: SupervisorState,
        parent: Option<(usize, Incarnation)>,
    ) -> usize {
        self.nodes.push(Node {
            name: name.to_owned(),
            strategy,
            state,
            parent,
            mailbox: VecDeque::new(),
            lives: BTreeMap::new(),
            members: HashMap::new(),
            is_ready: false,
            failed_starts: Vec::new(),
            finished: None,
        });
        self.nodes.len() - 1
    }

    pub(super) fn find(&self, name: &str) -> Option<usize> {
        let mut nodes = self.nodes.iter();
        nodes.position(|node| node.name == name && node.finished.is_none())
    }

    /// Lets the machines look at all that has come for them.
    pub(super) fn run(&mut self) {
        while let Some(index) = self.nodes.iter().position(|node| !node.mailbox.is_empty()) {
            let Some(message) = self.nodes[index].mailbox.pop_front() else {
                break;
            };
            self.look_at(index, message);
            self.bury(index);
        }
    }

    fn look_at(&mut self, index: usize, message: Message) {
        let ended = match &message {
            Message::Exited(incarnation, _) => Some(incarnation.child),
            _ => None,
        };
        self.nodes[index].failed_starts.clear();
        match message {
            Message::Exited(incarnation, reason) => {
                if self.nodes[index].lives.remove(&incarnation).is_none() {
                    return;
                }
                let event = Event::Exited {
                    incarnation,
                    reason,
                };
                self.handle(index, event);
            }
            Message::Request(from, request, call) => {
                self.hit_call(index, &call);
                self.handle(index, Event::Request { from, request });
            }
            Message::TryAgain(key) if self.nodes[index].is_restarting(key) => {
                self.handle_timer(index);
            }
            Message::TryAgain(_) => {}
        }
        // The first try follows the end at once; the next ones are as messages to itself.
        let node = &self.nodes[index];
        let is_first_try = ended.is_some_and(|key| node.is_restarting(key));
        if is_first_try && node.failed_starts.is_empty() {
            self.handle_timer(index);
        }
        let node = &mut self.nodes[index];
        if node.finished.is_none() {
            let mut failed = std::mem::take(&mut node.failed_starts);
            failed.retain(|key| node.is_restarting(*key));
            node.mailbox
                .extend(failed.into_iter().map(Message::TryAgain));
        }
    }

    fn handle_timer(&mut self, index: usize) {
        let node = &self.nodes[index];
        if let (None, Some(at)) = (&node.finished, node.state.next_deadline()) {
            self.now = self.now.max(at);
            self.handle(index, Event::Timer);
        }
    }

    /// A supervisor that has ended takes its mailbox along, and its parent hears of it.
    fn bury(&mut self, index: usize) {
        let node = &mut self.nodes[index];
        let Some(reason) = node.finished.clone() else {
            return;
        };
        let parent = node.parent;
        for message in std::mem::take(&mut node.mailbox) {
            if let Message::Request(from, ..) = message {
                self.replies.insert(from, "noproc".into());
            }
        }
        let Some((parent, incarnation)) = parent else {
            return;
        };
        let parent = &mut self.nodes[parent];
        if let Some(life) = parent
            .lives
            .get_mut(&incarnation)
            .filter(|life| !life.is_dead)
        {
            life.is_dead = true;
            let reason = answers::as_otp(reason);
            parent
                .mailbox
                .push_back(Message::Exited(incarnation, reason));
        }
    }

    /// Steps a machine, and does what it wants until it wants nothing more.
    fn handle(&mut self, index: usize, event: Event) {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            if let Event::StartFailed { incarnation, .. } = &event {
                self.nodes[index].failed_starts.push(incarnation.child);
            }
            let mut to_stop = Vec::new();
            for action in self.nodes[index].state.step(event, self.now) {
                match action {
                    Action::StopChild { incarnation, how } => to_stop.push((incarnation, how.mode)),
                    other => {
                        self.stop(index, &mut to_stop, &mut events);
                        self.carry_out(index, other, &mut events);
                    }
                }
            }
            self.stop(index, &mut to_stop, &mut events);
        }
    }

    fn carry_out(&mut self, index: usize, action: Action, events: &mut VecDeque<Event>) {
        match action {
            Action::StartChild {
                incarnation,
                name,
                spec,
                member,
            } => {
                let name = label(name.as_str(), member.as_ref());
                events.push_back(self.start(index, incarnation, &name, &spec));
            }
            Action::Reply { to, reply } => self.note_reply(to, &reply),
            Action::Report(report) if report.context == ReportContext::Shutdown => {
                self.log.push(format!("gave up: {}", report.supervisor));
                self.hit_end(index, "gave up");
            }
            Action::Finish(reason) => {
                if let ExitReason::AutoShutdown { .. } = reason {
                    self.hit_end(index, "auto shutdown");
                }
                if index == 0 {
                    self.log.push(format!("ended: {}", answers::end(&reason)));
                }
                self.nodes[index].finished = Some(reason);
            }
            _ => {}
        }
    }

    fn note_reply(&mut self, to: RequestId, reply: &Reply) {
        self.replies.insert(to, answers::reply(reply));
    }

    fn start(
        &mut self,
        index: usize,
        incarnation: Incarnation,
        name: &str,
        spec: &Arc<ChildSpec>,
    ) -> Event {
        self.log.push(format!("start {name}"));
        let node = &self.nodes[index];
        let is_restart_of_member = node.strategy.is_none() && node.members.contains_key(name);
        let script = self.scripts.get_mut(name).and_then(VecDeque::pop_front);
        let (mut outcome, meanwhile) = script.unwrap_or((Outcome::Ok, Vec::new()));
        if is_restart_of_member && outcome == Outcome::Ignore {
            outcome = Outcome::Ok;
        }
        self.hit_start(index, outcome, incarnation.epoch > 1);
        let node = &self.nodes[index];
        let is_alone = node.lives.values().all(|life| life.is_dead);
        let is_one_for_all = node.strategy == Some(Strategy::OneForAll);
        if node.is_ready && (!is_one_for_all || (outcome.is_failure() && is_alone)) {
            for op in &meanwhile {
                self.coverage
                    .hit(format!("meanwhile {}", self.nodes[index].kind()));
                self.meddle(op);
            }
        }
        match outcome {
            Outcome::Ok => self.begin_life(index, incarnation, name, spec),
            Outcome::Ignore => Event::Ignored { incarnation },
            Outcome::Error | Outcome::Crash | Outcome::Odd => {
                let why = refused();
                Event::StartFailed { incarnation, why }
            }
        }
    }

    fn begin_life(
        &mut self,
        index: usize,
        incarnation: Incarnation,
        name: &str,
        spec: &Arc<ChildSpec>,
    ) -> Event {
        let (strategy, state) = match &spec.kind {
            ChildKind::Supervisor(below) => {
                (Some(below.strategy), Some(SupervisorState::new(below)))
            }
            ChildKind::Pool(pool) => (None, Some(SupervisorState::pool(name, pool))),
            _ => (None, None),
        };
        let below = state.map(|state| {
            let parent = Some((index, incarnation));
            self.add_node(name, strategy, state, parent)
        });
        let node = &mut self.nodes[index];
        node.members.insert(name.to_owned(), incarnation.child);
        let life = Life {
            name: name.to_owned(),
            spec: spec.clone(),
            below,
            is_dead: false,
        };
        node.lives.insert(incarnation, life);
        if let Some(below) = below {
            self.handle(below, Event::Start);
            if let Some(why) = self.nodes[below].finished.clone() {
                self.nodes[index].lives.remove(&incarnation);
                return Event::StartFailed { incarnation, why };
            }
            self.nodes[below].is_ready = true;
        }
        Event::Started { incarnation }
    }

    /// Stops children: all are asked, then the time passes that the slowest takes, then those
    /// are killed that do not end.
    fn stop(
        &mut self,
        index: usize,
        to_stop: &mut Vec<(Incarnation, Mode)>,
        events: &mut VecDeque<Event>,
    ) {
        let mut longest = Duration::ZERO;
        let mut kills = Vec::new();
        for (incarnation, mode) in to_stop.drain(..) {
            let life = self.nodes[index].lives.remove(&incarnation);
            let life = life.expect("what is stopped lives");
            let (time, reason, is_late) = self.stop_one(&life, mode);
            longest = longest.max(time);
            if is_late {
                kills.push(format!("kill {}", life.name));
            }
            let killed = reason == KILLED;
            events.push_back(Event::Stopped {
                incarnation,
                reason,
                killed,
            });
        }
        self.now = self.now + longest;
        self.log.append(&mut kills);
    }

    /// How long it takes to stop this one, how it ends, and whether it has to be killed for
    /// being late.
    fn stop_one(&mut self, life: &Life, mode: Mode) -> (Duration, ExitReason, bool) {
        if life.is_dead {
            return (Duration::ZERO, ExitReason::Shutdown, false);
        }
        if mode == Mode::BrutalKill {
            self.log.push(format!("kill {}", life.name));
            self.coverage.hit("stop brutal_kill");
            return (Duration::ZERO, KILLED, false);
        }
        self.log.push(format!("stop {}", life.name));
        if let Some(below) = life.below {
            self.handle(below, Event::Shutdown);
            let reason = self.nodes[below].finished.clone().expect("stopped");
            self.bury(below);
            return (Duration::ZERO, reason, false);
        }
        let limit = match mode {
            Mode::Timeout(limit) => Some(limit),
            _ => None,
        };
        let limited = if limit.is_some() {
            "timeout"
        } else {
            "infinity"
        };
        match self.stops.get(&life.name).copied().unwrap_or(Stops::Obey) {
            Stops::Delayed(seconds, reason)
                if limit.is_none_or(|limit| Duration::from_secs(seconds) <= limit) =>
            {
                self.coverage.hit(format!("stop {limited} in time"));
                (Duration::from_secs(seconds), exit_reason(reason), false)
            }
            Stops::Delayed(..) | Stops::Deaf if limit.is_some() => {
                self.coverage.hit(format!("stop {limited} late"));
                (limit.unwrap_or_default(), KILLED, true)
            }
            _ => {
                self.coverage.hit(format!("stop {limited} at once"));
                (Duration::ZERO, ExitReason::Shutdown, false)
            }
        }
    }

    pub(super) fn shut_down(&mut self) {
        if self.nodes[0].finished.is_none() {
            self.handle(0, Event::Shutdown);
        }
    }

    /// A child ends; its supervisor will hear of it. With a supervisor ends what it has.
    pub(super) fn end(&mut self, index: usize, incarnation: Incarnation, reason: Reason) {
        let Some(life) = self.nodes[index].lives.get_mut(&incarnation) else {
            return;
        };
        life.is_dead = true;
        if let Some(below) = life.below {
            self.nodes[below].finished = Some(KILLED);
            self.nodes[below].lives.clear();
            self.bury(below);
        }
        let message = Message::Exited(incarnation, exit_reason(reason));
        self.nodes[index].mailbox.push_back(message);
    }

    pub(super) fn ask(&mut self, index: usize, request: Request, call: &Call) {
        self.requests += 1;
        let message = Message::Request(RequestId(self.requests), request, call.clone());
        self.nodes[index].mailbox.push_back(message);
    }
}

/// What a child is called in transcripts: a member by its argument, for its number may be used again.
fn label(name: &str, member: Option<&Member>) -> String {
    let argument = member.and_then(|member| member.args.first());
    let argument = argument.and_then(|argument| argument.as_str());
    argument.unwrap_or(name).to_owned()
}

fn exit_reason(reason: Reason) -> ExitReason {
    match reason {
        Reason::Normal => ExitReason::Normal,
        Reason::Shutdown | Reason::ShutdownWith => ExitReason::Shutdown,
        Reason::Crash => CRASH,
        Reason::Kill => KILLED,
    }
}
