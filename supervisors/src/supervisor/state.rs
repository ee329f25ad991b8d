//! The machine: its state, and the step that dispatches.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use super::child::{Child, ChildState};
use super::dependency::Dependencies;
use super::ending::Ending;
use super::intensity::RestartWindow;
use super::pass::Pass;
use super::pool::Pool;
use super::table::Children;
use super::waiters::{Awaited, Waiters};
use super::{
    Action, Answer, ChildInfo, ChildKey, Event, ExitReason, Incarnation, Links, Offender,
    ReportContext, Request, RequestError, RequestId, RestartNotice, SupervisorReport,
};
use crate::Time;
use crate::spec::{ChildName, ChildSpec, PoolSpec, StopOrder, Strategy, SupervisorSpec};

/// A supervisor's state: what its children are doing, and what it is doing with them.
///
/// [`step`](Self::step) is the only way to change it. See the [module](super) for how it works.
#[derive(Clone, Debug)]
pub struct SupervisorState {
    /// The supervisor's flags; its `children` are in the table and empty here.
    pub(super) flags: SupervisorSpec,
    /// Set when the children are members of a pool.
    pub(super) pool: Option<Pool>,
    pub(super) phase: Phase,
    pub(super) children: Children,
    pub(super) pass: Option<Pass>,
    /// The names of the spec's children; a temporary one that has ended is in no table any more.
    pub(super) wanted: HashSet<ChildName>,
    pub(super) window: RestartWindow,
    pub(super) dependencies: Dependencies,
    /// Requests that must wait until a pass is over or a child has stopped. Bounded by
    /// the requests that callers have open.
    pub(super) queue: VecDeque<(RequestId, Request)>,
    /// Requests that are answered when children have started or stopped.
    pub(super) waiters: Waiters,
    /// The significant child that ended last, until it is decided what follows.
    pub(super) significant_end: Option<ChildName>,
    pub(super) now: Time,
    pub(super) actions: Vec<Action>,
    /// How many children it has forgotten.
    forgotten: u64,
    seed: u64,
    ends_when_idle: bool,
    said_idle: bool,
    armed: Option<Time>,
}

/// What the supervisor itself is doing.
#[derive(Clone, Debug)]
pub(super) enum Phase {
    /// Not asked to start yet.
    New,
    /// Its own start: the first start of its children.
    Starting,
    /// Started.
    Running,
    /// Stops its children, to end with a reason.
    Ending(Ending),
    /// Has ended.
    Finished,
}

impl SupervisorState {
    /// A supervisor that has not started yet.
    ///
    /// The children's dependencies are taken to be in order, as the loader and the builder
    /// leave them.
    #[must_use]
    pub fn new(spec: &SupervisorSpec) -> Self {
        let flags = SupervisorSpec {
            strategy: spec.strategy,
            intensity: spec.intensity,
            period: spec.period,
            auto_shutdown: spec.auto_shutdown,
            stop: spec.stop,
            on_start_failure: spec.on_start_failure,
            isolated: spec.isolated,
            ..SupervisorSpec::new(spec.name.clone())
        };
        let mut state = Self::empty(flags, None);
        for child in &spec.children {
            state.wanted.insert(child.name.clone());
            state.add(Child::new(
                child.name.clone(),
                Arc::new(child.clone()),
                None,
            ));
        }
        state
    }

    /// The supervisor of a pool's members (OTP's `simple_one_for_one`).
    ///
    /// Its members start and stop in parallel and are restarted one by one.
    #[must_use]
    pub fn pool(name: impl Into<ChildName>, spec: &PoolSpec) -> Self {
        let flags = SupervisorSpec {
            strategy: Strategy::OneForOne,
            intensity: spec.intensity,
            period: spec.period,
            stop: StopOrder::Parallel,
            ..SupervisorSpec::new(name)
        };
        let mut state = Self::empty(flags, Some(Pool::new(spec)));
        for _ in 0..spec.size {
            state.add_member(Vec::new());
        }
        state
    }

    fn empty(flags: SupervisorSpec, pool: Option<Pool>) -> Self {
        Self {
            flags,
            pool,
            phase: Phase::New,
            children: Children::default(),
            pass: None,
            wanted: HashSet::new(),
            window: RestartWindow::default(),
            dependencies: Dependencies::default(),
            queue: VecDeque::new(),
            waiters: Waiters::default(),
            significant_end: None,
            now: Time::ORIGIN,
            actions: Vec::new(),
            forgotten: 0,
            seed: 0,
            ends_when_idle: false,
            said_idle: false,
            armed: None,
        }
    }

    /// Ends the supervisor with [`ExitReason::Normal`] as soon as no child runs or waits.
    ///
    /// For the root of a tree that is run as a job. OTP's supervisors, and these without it,
    /// stay for children to come. A held child counts as one that waits: for the operator.
    #[must_use]
    pub fn end_when_idle(mut self) -> Self {
        self.ends_when_idle = true;
        self
    }

    /// Sets the seed of the backoff's jitter, so that many trees do not act in step.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Connects dependencies that cross supervisors, see [`Links`].
    #[must_use]
    pub fn with_links(mut self, links: Links) -> Self {
        self.dependencies.link(links);
        self
    }

    /// Takes in what happened at `now` and says what is to be done, in order.
    ///
    /// A `now` before an earlier one is taken for the earlier one. Costs O(log n) in the
    /// number of children per event, and per child that a group restart or a stop touches.
    pub fn step(&mut self, event: Event, now: Time) -> Vec<Action> {
        self.now = self.now.max(now);
        self.dispatch(event);
        self.settle();
        std::mem::take(&mut self.actions)
    }

    fn dispatch(&mut self, event: Event) {
        match event {
            Event::Start => self.on_start(),
            Event::Started { incarnation } => self.on_started(incarnation),
            Event::Ready { incarnation } => self.on_ready(incarnation),
            Event::StartFailed { incarnation, why } => self.on_start_failed(incarnation, why),
            Event::Ignored { incarnation } => self.on_ignored(incarnation),
            Event::Exited {
                incarnation,
                reason,
            } => self.on_exited(incarnation, reason),
            Event::Unhealthy { incarnation, why } => self.on_unhealthy(incarnation, why),
            Event::Stopped {
                incarnation,
                reason,
                killed,
            } => {
                self.on_stopped(incarnation, reason, killed);
            }
            Event::Idle {
                incarnation,
                is_idle,
            } => self.on_idle(incarnation, is_idle),
            Event::Dependency { child, standing } => self.on_dependency(child, standing),
            // What is due is done after every event.
            Event::Timer => {}
            Event::Request { from, request } => self.on_request(from, request),
            Event::Shutdown => self.end(ExitReason::Shutdown),
            Event::Kill => self.on_kill(),
        }
    }

    /// Does what follows by itself, until nothing does.
    fn settle(&mut self) {
        self.meet_deadlines();
        loop {
            self.open_gates();
            // Before the pass, for it may end the pass; after it, for it may wait for its end.
            self.decide_auto_shutdown();
            self.advance_pass();
            self.decide_auto_shutdown();
            self.finish_pool_start();
            self.advance_ending();
            let served = self.serve_queue();
            if !served && !self.dependencies.has_changes() {
                break;
            }
        }
        self.announce_idle();
        self.arm_timer();
    }

    /// Does what is due. Once a step: a start that fails at once without any backoff waits
    /// for the next step, or this one might never end.
    fn meet_deadlines(&mut self) {
        if self.armed.is_some_and(|time| time <= self.now) {
            self.armed = None;
        }
        for key in self.children.due(self.now) {
            self.on_deadline(key);
        }
    }

    fn on_idle(&mut self, incarnation: Incarnation, is_idle: bool) {
        let Some(child) = self.current(incarnation) else {
            return;
        };
        if let ChildState::Running {
            since, is_ready, ..
        } = child.state
        {
            self.set_state(
                incarnation.child,
                ChildState::Running {
                    since,
                    is_ready,
                    is_idle,
                },
            );
        }
    }

    fn announce_idle(&mut self) {
        if !matches!(self.phase, Phase::Running) || self.pass.is_some() {
            return;
        }
        let is_idle = self.children.is_idle() && self.queue.is_empty();
        if is_idle == self.said_idle {
            return;
        }
        self.said_idle = is_idle;
        self.actions.push(Action::Idle(is_idle));
        if is_idle && self.ends_when_idle {
            self.end(ExitReason::Normal);
            self.advance_ending();
        }
    }

    fn arm_timer(&mut self) {
        let next = self.next_deadline();
        if next != self.armed {
            self.armed = next;
            self.actions.extend(next.map(Action::ArmTimer));
        }
    }

    /// When the next [`Event::Timer`] is due.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Time> {
        self.children.next_deadline()
    }

    /// How many children it has forgotten so far: whoever keeps something for each child knows
    /// by that when to look which are still [there](Self::childspec).
    #[must_use]
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// The supervisor's name.
    #[must_use]
    pub fn name(&self) -> &ChildName {
        &self.flags.name
    }

    /// Whether [`Action::Finish`] was said.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        matches!(self.phase, Phase::Finished)
    }

    /// The children, the last in start order first, as OTP's `which_children`.
    #[must_use]
    pub fn which_children(&self) -> Vec<ChildInfo> {
        self.children
            .iter()
            .rev()
            .map(|(key, child)| self.info(key, child))
            .collect()
    }

    /// One child, as OTP's `which_child`.
    #[must_use]
    pub fn which_child(&self, name: &str) -> Option<ChildInfo> {
        let key = self.children.key(name)?;
        self.children.get(key).map(|child| self.info(key, child))
    }

    /// Counts the children, as OTP's `count_children`.
    #[must_use]
    pub fn count_children(&self) -> super::ChildCounts {
        let counts = self.children.counts();
        match &self.pool {
            Some(_) => super::ChildCounts { specs: 1, ..counts },
            None => counts,
        }
    }

    /// A child's spec, as OTP's `get_childspec`.
    #[must_use]
    pub fn childspec(&self, name: &str) -> Option<Arc<ChildSpec>> {
        let child = self.children.get(self.children.key(name)?)?;
        Some(Arc::clone(&child.spec))
    }
}

/// What the handlers share.
impl SupervisorState {
    /// Takes a child into the table.
    pub(super) fn add(&mut self, child: Child) -> ChildKey {
        let spec = Arc::clone(&child.spec);
        let key = self.children.push(child);
        self.dependencies.add(key, &spec);
        key
    }

    /// Forgets a child that is down; its requests must have been answered.
    pub(super) fn forget(&mut self, key: ChildKey) {
        self.remember_outcome(key);
        self.answer(key, Awaited::Started, &Err(RequestError::NotFound));
        self.answer(key, Awaited::Stopped, &Ok(Answer::Done));
        if let Some(child) = self.children.remove(key) {
            self.forgotten += 1;
            self.dependencies.remove(key, &child.spec);
            if let (Some(pool), Some(member)) = (&mut self.pool, &child.member) {
                pool.release(member.index);
            }
            if let Some(pass) = &mut self.pass {
                pass.forget(key);
            }
        }
    }

    /// The child, if this is still its life.
    pub(super) fn current(&self, incarnation: Incarnation) -> Option<&Child> {
        self.children
            .get(incarnation.child)
            .filter(|child| child.epoch == incarnation.epoch)
    }

    /// Changes what a child is doing, and tells those who depend on it.
    pub(super) fn set_state(&mut self, key: ChildKey, state: ChildState) {
        let before = self.standing(key);
        self.children.set_state(key, state);
        let after = self.standing(key);
        if before != after {
            self.announce_standing(key, after);
        }
    }

    /// A number in `0.0..1.0` for this child's present restart.
    pub(super) fn random(&self, key: ChildKey, attempt: u32) -> f64 {
        super::backoff::unit(self.seed, key.0, attempt)
    }

    pub(super) fn report(
        &mut self,
        context: ReportContext,
        reason: Option<ExitReason>,
        child: Option<ChildKey>,
        restart: Option<RestartNotice>,
    ) {
        let offender = child.and_then(|key| {
            let child = self.children.get(key)?;
            Some(Offender {
                name: child.name.clone(),
                incarnation: child.incarnation(key),
                uptime: self.now - child.started_at,
            })
        });
        let supervisor = self.flags.name.clone();
        let report = SupervisorReport {
            supervisor,
            context,
            reason,
            offender,
            restart,
        };
        self.actions.push(Action::Report(report));
    }

    /// The children by name, for a reload.
    pub(super) fn keys_by_name(&self) -> HashMap<ChildName, ChildKey> {
        self.children
            .iter()
            .map(|(key, child)| (child.name.clone(), key))
            .collect()
    }

    pub(super) fn info(&self, key: ChildKey, child: &Child) -> ChildInfo {
        ChildInfo {
            name: child.name.clone(),
            key,
            status: child.state.status(),
            standing: self.standing(key),
            incarnation: child.state.is_live().then(|| child.incarnation(key)),
            is_supervisor: child.spec.kind.is_supervisor(),
            restarts: child.starts.saturating_sub(1),
            last_exit: child.last_exit.clone(),
        }
    }
}
