//! What tests do to a simulated tree and what they ask about it.

use std::sync::Arc;

use treewright_supervisors::spec::{ChildName, ChildSpec};
use treewright_supervisors::supervisor::{
    Answer, ChildInfo, ChildRef, ChildStatus, Event, ExitReason, Incarnation, Member, Reply,
    ReportContext, Request, RequestId, Standing, SupervisorReport,
};

use super::driver::{Life, NodeId, Simulation};
use super::specs::{CRASH, KILLED};

/// What happens to the tree.
impl Simulation {
    /// The child ends by itself.
    pub(crate) fn exit(&mut self, name: &str, reason: ExitReason) {
        let (node, incarnation) = self.find(name);
        self.soon(
            node,
            Event::Exited {
                incarnation,
                reason,
            },
        );
        self.settle();
    }

    /// The child ends with an error.
    pub(crate) fn crash(&mut self, name: &str) {
        self.exit(name, CRASH);
    }

    /// Somebody kills the child.
    pub(crate) fn kill(&mut self, name: &str) {
        self.exit(name, KILLED);
    }

    /// The child comes to its end.
    pub(crate) fn end(&mut self, name: &str) {
        self.exit(name, ExitReason::Normal);
    }

    /// The child's `ready` probe says so.
    pub(crate) fn ready(&mut self, name: &str) {
        let (node, incarnation) = self.find(name);
        self.soon(node, Event::Ready { incarnation });
        self.settle();
    }

    /// A probe finds the child to be no use.
    pub(crate) fn unhealthy(&mut self, name: &str) -> ExitReason {
        let (node, incarnation) = self.find(name);
        let message = "scripted probe".into();
        let why = ExitReason::Unhealthy { message };
        self.soon(
            node,
            Event::Unhealthy {
                incarnation,
                why: why.clone(),
            },
        );
        self.settle();
        why
    }

    /// The root shall end.
    pub(crate) fn shutdown(&mut self) {
        self.soon(0, Event::Shutdown);
        self.settle();
    }

    /// The root shall end at once.
    pub(crate) fn kill_all(&mut self) {
        self.soon(0, Event::Kill);
        self.settle();
    }

    /// Asks the root for something.
    pub(crate) fn request(&mut self, request: Request) -> RequestId {
        self.request_of(0, request)
    }

    /// Asks a supervisor for something.
    pub(crate) fn request_on(&mut self, supervisor: &str, request: Request) -> RequestId {
        self.request_of(self.node(supervisor), request)
    }

    fn request_of(&mut self, node: NodeId, request: Request) -> RequestId {
        self.requests += 1;
        let from = RequestId(self.requests);
        self.open.insert(from, node);
        self.soon(node, Event::Request { from, request });
        self.settle();
        from
    }

    /// The answer to a request, if there is one already.
    pub(crate) fn reply(&self, id: RequestId) -> Option<&Reply> {
        self.replies.get(&id)
    }

    /// Asks the root for something that is answered at once.
    pub(crate) fn call(&mut self, request: Request) -> Reply {
        let id = self.request(request);
        self.reply(id)
            .expect("an answer without time passing")
            .clone()
    }

    /// Asks a supervisor for something that is answered at once.
    pub(crate) fn call_on(&mut self, supervisor: &str, request: Request) -> Reply {
        let id = self.request_on(supervisor, request);
        self.reply(id)
            .expect("an answer without time passing")
            .clone()
    }

    pub(crate) fn start_child(&mut self, spec: ChildSpec) -> Reply {
        self.call(Request::StartChild(Box::new(spec)))
    }

    pub(crate) fn terminate_child(&mut self, name: &str) -> Reply {
        self.call(Request::TerminateChild(ChildRef::Name(name.into())))
    }

    pub(crate) fn restart_child(&mut self, name: &str) -> Reply {
        self.call(Request::RestartChild(name.into()))
    }

    pub(crate) fn delete_child(&mut self, name: &str) -> Reply {
        self.call(Request::DeleteChild(name.into()))
    }
}

/// What is asked about the tree.
impl Simulation {
    /// The machine of the supervisor that is called so and has not ended.
    pub(crate) fn node(&self, name: &str) -> NodeId {
        let mut nodes = self.nodes.iter().enumerate();
        let found = nodes.find(|(_, node)| node.state.name() == name && node.finished.is_none());
        found
            .unwrap_or_else(|| panic!("supervisor `{name}` does not live"))
            .0
    }

    /// Whether a supervisor of this name lives.
    pub(crate) fn lives(&self, supervisor: &str) -> bool {
        let mut nodes = self.nodes.iter();
        nodes.any(|node| node.state.name() == supervisor && node.finished.is_none())
    }

    fn look(&self, name: &str) -> Option<(NodeId, Incarnation, &Life)> {
        self.nodes.iter().enumerate().find_map(|(node, state)| {
            let mut lives = state.lives.iter();
            let (incarnation, life) = lives.find(|(_, life)| life.name == *name)?;
            Some((node, *incarnation, life))
        })
    }

    fn find(&self, name: &str) -> (NodeId, Incarnation) {
        let found = self
            .look(name)
            .unwrap_or_else(|| panic!("`{name}` does not live"));
        (found.0, found.1)
    }

    /// The child's present life (its pid, so to say).
    pub(crate) fn life(&self, name: &str) -> Incarnation {
        self.find(name).1
    }

    pub(crate) fn is_up(&self, name: &str) -> bool {
        self.look(name).is_some()
    }

    /// With which spec the child's present life was started.
    pub(crate) fn running_spec(&self, name: &str) -> &ChildSpec {
        &self.look(name).unwrap().2.spec
    }

    /// The same spec, shared with the machine.
    pub(crate) fn shared_spec(&self, name: &str) -> Arc<ChildSpec> {
        Arc::clone(&self.look(name).unwrap().2.spec)
    }

    pub(crate) fn member(&self, name: &str) -> &Member {
        self.look(name).unwrap().2.member.as_ref().unwrap()
    }

    /// The names of all that lives, in order of the alphabet.
    pub(crate) fn living(&self) -> Vec<&str> {
        let lives = self.nodes.iter().flat_map(|node| node.lives.values());
        let mut names: Vec<&str> = lives.map(|life| life.name.as_str()).collect();
        names.sort_unstable();
        names
    }

    /// How the root ended.
    pub(crate) fn finished(&self) -> Option<&ExitReason> {
        self.nodes[0].finished.as_ref()
    }

    pub(crate) fn has_started(&self) -> bool {
        self.nodes[0].has_started
    }

    /// `count_children` of the root: specs, active, supervisors, workers.
    pub(crate) fn counts(&self) -> [usize; 4] {
        self.counts_of("root")
    }

    pub(crate) fn counts_of(&self, supervisor: &str) -> [usize; 4] {
        let counts = self.nodes[self.node(supervisor)].state.count_children();
        [
            counts.specs,
            counts.active,
            counts.supervisors,
            counts.workers,
        ]
    }

    /// `which_children` of a supervisor, the newest in start order first.
    pub(crate) fn which(&self, supervisor: &str) -> Vec<ChildInfo> {
        self.nodes[self.node(supervisor)].state.which_children()
    }

    /// The names of the root's children, the newest in start order first.
    pub(crate) fn order(&self) -> Vec<String> {
        let which = self.which("root");
        which.iter().map(|child| child.name.to_string()).collect()
    }

    /// What `which_children` says of a child of any supervisor.
    pub(crate) fn info(&self, name: &str) -> Option<ChildInfo> {
        let mut nodes = self.nodes.iter().filter(|node| node.finished.is_none());
        nodes.find_map(|node| node.state.which_child(name))
    }

    pub(crate) fn status(&self, name: &str) -> Option<ChildStatus> {
        self.info(name).map(|info| info.status)
    }

    pub(crate) fn is_restarting(&self, name: &str) -> bool {
        matches!(self.status(name), Some(ChildStatus::Restarting { .. }))
    }

    /// How many steps the machines took, and how many actions they wanted, since this was last
    /// taken.
    pub(crate) fn take_work(&mut self) -> (usize, usize) {
        (
            std::mem::take(&mut self.steps),
            std::mem::take(&mut self.actions),
        )
    }

    /// What `which_children` says of all supervisors together.
    pub(crate) fn which_of_all(&self) -> Vec<ChildInfo> {
        let nodes = self.nodes.iter().filter(|node| node.finished.is_none());
        nodes.flat_map(|node| node.state.which_children()).collect()
    }

    /// Everything that was started (`start x`), asked to stop (`stop x`), killed (`kill x`) and
    /// that ended (`end x`) since the log was last taken.
    pub(crate) fn take_log(&mut self) -> Vec<String> {
        let log = std::mem::take(&mut self.log);
        log.iter()
            .map(|entry| format!("{} {}", entry.what, entry.child))
            .collect()
    }

    /// As [`take_log`](Self::take_log), what the machines wanted only: without the ends.
    pub(crate) fn take_orders(&mut self) -> Vec<String> {
        let log = self.take_log();
        log.into_iter()
            .filter(|line| !line.starts_with("end "))
            .collect()
    }

    /// When the child was started, in milliseconds, since the log was last taken.
    pub(crate) fn take_start_times(&mut self, name: &str) -> Vec<u128> {
        let log = std::mem::take(&mut self.log);
        let starts = log
            .iter()
            .filter(|entry| entry.what == "start" && entry.child == *name);
        starts
            .map(|entry| (entry.at - treewright_supervisors::Time::ORIGIN).as_millis())
            .collect()
    }

    /// The reports about one context since they were last taken, as (child, reason).
    pub(crate) fn take_reports(&mut self, context: ReportContext) -> Vec<(String, ExitReason)> {
        let reports = std::mem::take(&mut self.reports);
        let reports = reports
            .into_iter()
            .filter(|report| report.context == context);
        let lines = reports.map(|report| {
            let name = report.offender.map(|offender| offender.name.to_string());
            (
                name.unwrap_or_default(),
                report.reason.unwrap_or(ExitReason::Normal),
            )
        });
        lines.collect()
    }

    pub(crate) fn take_all_reports(&mut self) -> Vec<SupervisorReport> {
        std::mem::take(&mut self.reports)
    }

    /// Whether each request has its answer.
    pub(crate) fn is_all_answered(&self) -> bool {
        self.open.is_empty()
    }

    /// Tells the root how things stand with a child of a supervisor that is not simulated.
    pub(crate) fn stands(&mut self, child: &str, standing: Standing) {
        let child = ChildName::from(child);
        self.inject(Event::Dependency { child, standing });
    }
}

/// The life a request that started something answers with.
pub(crate) fn started(reply: &Reply) -> Incarnation {
    match reply {
        Ok(Answer::Child(Some(incarnation))) => *incarnation,
        other => panic!("not started: {other:?}"),
    }
}
