//! The machine with an eye on it: what it asks for is held against what the environment knows.

use std::collections::{BTreeMap, BTreeSet};

use treewright_supervisors::Time;
use treewright_supervisors::spec::{ChildName, RestartType, StartCondition, StopOrder};
use treewright_supervisors::supervisor::{
    Action, ChildKey, Event, ExitClass, ExitReason, Incarnation, Request, RequestId, Standing,
    SupervisorState,
};

use super::life::{Life, subject};

/// A machine and what its environment knows. Every step checks what must always hold.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub(crate) state: SupervisorState,
    pub(crate) now: Time,
    pub(crate) is_pool: bool,
    pub(crate) stop: StopOrder,
    pub(crate) lives: BTreeMap<ChildKey, Life>,
    /// Lives that are over.
    pub(crate) graves: Vec<Incarnation>,
    pub(crate) open: BTreeMap<RequestId, Request>,
    pub(crate) finish: Option<ExitReason>,
    /// The timer the environment keeps.
    pub(crate) timer: Option<Time>,
    pub(crate) elsewhere: Standing,
    pub(crate) restarts: Vec<Time>,
    pub(crate) is_shut_down: bool,
    pub(super) epochs: BTreeMap<ChildKey, u64>,
    /// Children that ended in success and were not started since.
    pub(super) completed: BTreeSet<ChildName>,
    /// The start order before the step.
    pub(super) order: Vec<ChildKey>,
    pub(super) is_killed: bool,
    pub(crate) is_started: bool,
    /// Only group restarts move children, so that their order can be seen.
    pub(crate) is_in_order: bool,
    is_idle: bool,
}

impl Machine {
    pub(crate) fn new(state: SupervisorState, stop: StopOrder, is_pool: bool) -> Self {
        Self {
            state,
            now: Time::ORIGIN,
            is_pool,
            stop,
            lives: BTreeMap::new(),
            graves: Vec::new(),
            open: BTreeMap::new(),
            finish: None,
            timer: None,
            elsewhere: Standing::Coming,
            restarts: Vec::new(),
            is_shut_down: false,
            epochs: BTreeMap::new(),
            completed: BTreeSet::new(),
            order: Vec::new(),
            is_killed: false,
            is_started: false,
            is_in_order: false,
            is_idle: false,
        }
    }

    /// Feeds an event that is true, at a time that may lie in the past.
    pub(crate) fn feed(&mut self, event: Event, at: Time) -> Vec<Action> {
        self.now = self.now.max(at);
        let children = self.state.which_children();
        self.order = children.iter().rev().map(|child| child.key).collect();
        for life in self.lives.values_mut() {
            life.current = self
                .state
                .childspec(&life.name)
                .unwrap_or(life.current.clone());
        }
        let due: Vec<Incarnation> = self
            .lives
            .values()
            .filter(|life| life.deadline().is_some_and(|at| at <= self.now))
            .map(|life| life.incarnation)
            .collect();
        let was_finished = self.finish.is_some();
        self.take_in(&event);
        let asked = match &event {
            Event::Request { from, request } => Some((*from, is_question(request))),
            _ => None,
        };
        let actions = self.state.step(event, at);
        if was_finished {
            self.check_after_finish(&actions);
        }
        for action in &actions {
            self.check(action);
        }
        if let Some((from, true)) = asked {
            assert!(
                !self.open.contains_key(&from),
                "a question waits for its answer"
            );
        }
        self.check_table();
        self.check_due(&due);
        self.check_deadline();
        actions
    }

    /// Who did not start in time is being stopped, or will be in its turn.
    fn check_due(&mut self, due: &[Incarnation]) {
        let is_stopping = self.is_shut_down || self.lives.values().any(|life| life.stop.is_some());
        for life in self.lives.values_mut() {
            if due.contains(&life.incarnation) && life.is_starting() {
                assert!(is_stopping, "{life:?} has not started in time");
                life.has_time = true;
            }
        }
    }

    /// What the environment makes of its own news.
    fn take_in(&mut self, event: &Event) {
        match event {
            Event::Timer if self.timer.is_some_and(|timer| timer <= self.now) => self.timer = None,
            Event::Request { from, request } => {
                self.open.insert(*from, request.clone());
            }
            Event::Shutdown | Event::Kill => {
                self.is_killed |= matches!(event, Event::Kill);
                self.is_shut_down = true;
            }
            Event::Dependency { standing, .. } => self.elsewhere = *standing,
            _ => {}
        }
        let Some(incarnation) = subject(event) else {
            return;
        };
        let Some(life) = self.lives.get_mut(&incarnation.child) else {
            return;
        };
        if life.incarnation != incarnation {
            return;
        }
        match event {
            Event::Started { .. } => life.start(),
            Event::Ready { .. } => life.make_ready(),
            // A probe can be quicker than the start: then these are the end of a child that counts.
            Event::StartFailed { why, .. } if life.is_running() => {
                let why = why.clone();
                self.end(incarnation, &why);
            }
            Event::Ignored { .. } if life.is_running() => {
                self.end(incarnation, &ExitReason::Normal)
            }
            Event::Exited { reason, .. } => self.end(incarnation, reason),
            Event::StartFailed { .. } | Event::Ignored { .. } | Event::Stopped { .. } => {
                self.bury(incarnation);
            }
            _ => {}
        }
    }

    /// A child ends by itself.
    fn end(&mut self, incarnation: Incarnation, reason: &ExitReason) {
        let life = &self.lives[&incarnation.child];
        let class = reason.class(&life.current);
        let is_complete = life.is_counted && class != ExitClass::Abnormal
            || life.spec.start == StartCondition::Completed && class == ExitClass::Normal;
        if is_complete && life.current.restart != RestartType::Permanent {
            self.completed.insert(life.name.clone());
        }
        self.bury(incarnation);
    }

    fn bury(&mut self, incarnation: Incarnation) {
        self.lives.remove(&incarnation.child);
        self.graves.push(incarnation);
    }

    fn check(&mut self, action: &Action) {
        match action {
            Action::StartChild {
                incarnation,
                name,
                spec,
                ..
            } => {
                assert!(
                    !self.is_shut_down,
                    "{name} is started while the supervisor ends"
                );
                self.check_start_order(*incarnation);
                let is_new = self
                    .epochs
                    .get(&incarnation.child)
                    .is_none_or(|epoch| *epoch < incarnation.epoch);
                assert!(
                    is_new,
                    "{name} is started as {incarnation:?}, which was before"
                );
                let twin = self.lives.values().find(|life| life.name == *name);
                assert!(twin.is_none(), "{name} is started while {twin:?} lives");
                for (dependency, condition) in &spec.depends_on {
                    self.check_dependency(name, dependency, *condition);
                }
                self.epochs.insert(incarnation.child, incarnation.epoch);
                self.completed.remove(name);
                let life = Life {
                    incarnation: *incarnation,
                    name: name.clone(),
                    spec: spec.clone(),
                    current: spec.clone(),
                    asked_at: self.now,
                    is_up: false,
                    is_ready: false,
                    is_counted: false,
                    stop: None,
                    has_time: false,
                };
                self.lives.insert(incarnation.child, life);
            }
            Action::StopChild { incarnation, how } => {
                self.check_stop_order(*incarnation);
                let life = self.lives.get_mut(&incarnation.child);
                let life = life.filter(|life| life.incarnation == *incarnation);
                let life = life
                    .unwrap_or_else(|| panic!("{incarnation:?} is to be stopped and is not there"));
                assert!(
                    life.stop.is_none() || self.is_killed,
                    "{life:?} is to be stopped again"
                );
                life.stop = Some(how.clone());
            }
            Action::ArmTimer(time) => self.timer = Some(*time),
            Action::Reply { to, reply } => {
                let request = self.open.remove(to);
                let request =
                    request.unwrap_or_else(|| panic!("{to:?} is answered twice: {reply:?}"));
                self.check_reply(&request, reply);
            }
            Action::Report(report) => self.check_report(report),
            Action::Started => {
                assert!(!self.is_started, "the supervisor has started twice");
                self.is_started = true;
            }
            Action::Idle(is_idle) => {
                assert_ne!(
                    *is_idle, self.is_idle,
                    "idleness that has not changed is told"
                );
                self.is_idle = *is_idle;
            }
            Action::Finish(reason) => {
                assert!(self.finish.is_none(), "the supervisor finishes twice");
                assert!(
                    self.lives.is_empty(),
                    "the supervisor finishes before {:?}",
                    self.lives
                );
                assert!(
                    self.open.is_empty(),
                    "the supervisor finishes and never answers {:?}",
                    self.open
                );
                self.finish = Some(reason.clone());
            }
            Action::Standing { .. } => {}
        }
    }
}

fn is_question(request: &Request) -> bool {
    matches!(
        request,
        Request::GetChildspec(_)
            | Request::WhichChildren
            | Request::WhichChild(_)
            | Request::CountChildren
    )
}
