//! One machine and an environment that does at once what it is asked.

use std::collections::VecDeque;
use std::time::Duration;

use treewright_supervisors::Time;
use treewright_supervisors::spec::{ChildKind, ChildSpec, SupervisorSpec};
use treewright_supervisors::supervisor::{
    Action, Event, ExitReason, Incarnation, Request, RequestId, SupervisorState,
};

pub(crate) struct Bed {
    pub(crate) state: SupervisorState,
    pub(crate) lives: Vec<Incarnation>,
    pub(crate) events: u64,
    now: u64,
    queue: VecDeque<Event>,
}

/// A child without a delay between restarts.
pub(crate) fn child(index: usize) -> ChildSpec {
    let mut child = ChildSpec::new(format!("c{index}"), ChildKind::Local);
    child.backoff.initial = Duration::ZERO;
    child
}

/// A supervisor that never gives up.
pub(crate) fn supervisor(children: usize) -> SupervisorSpec {
    SupervisorSpec {
        intensity: u32::MAX,
        period: Duration::ZERO,
        children: (0..children).map(child).collect(),
        ..SupervisorSpec::new("root")
    }
}

impl Bed {
    pub(crate) fn new(state: SupervisorState) -> Self {
        Self {
            state,
            lives: Vec::new(),
            events: 0,
            now: 0,
            queue: VecDeque::new(),
        }
    }

    /// A machine whose children all run.
    pub(crate) fn started(spec: &SupervisorSpec) -> Self {
        Self::up(SupervisorState::new(spec))
    }

    pub(crate) fn up(state: SupervisorState) -> Self {
        let mut bed = Self::new(state);
        bed.run(Event::Start);
        bed.events = 0;
        bed
    }

    /// Feeds an event and what follows from it.
    pub(crate) fn run(&mut self, event: Event) {
        self.queue.push_back(event);
        while let Some(event) = self.queue.pop_front() {
            self.events += 1;
            self.now += 1;
            for action in self.state.step(event, Time::from_nanos(self.now)) {
                self.act(action);
            }
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::StartChild { incarnation, .. } => {
                if incarnation.epoch == 1 {
                    self.lives.push(incarnation);
                }
                self.queue.push_back(Event::Started { incarnation });
            }
            Action::StopChild { incarnation, .. } => {
                let reason = ExitReason::Shutdown;
                self.queue.push_back(Event::Stopped {
                    incarnation,
                    reason,
                    killed: false,
                });
            }
            Action::ArmTimer(time) if time.as_nanos() <= self.now => {
                self.queue.push_back(Event::Timer)
            }
            _ => {}
        }
    }

    pub(crate) fn crash(&mut self, index: usize) {
        let mut incarnation = self.lives[index];
        let reason = ExitReason::Exited { code: 1 };
        self.run(Event::Exited {
            incarnation,
            reason,
        });
        incarnation.epoch += 1;
        self.lives[index] = incarnation;
    }

    pub(crate) fn ask(&mut self, request: Request) {
        let from = RequestId(self.now);
        self.run(Event::Request { from, request });
    }

    /// Nanoseconds per event of what is done.
    pub(crate) fn time(&mut self, work: impl FnOnce(&mut Self)) -> f64 {
        self.events = 0;
        let start = now();
        work(self);
        (now() - start).as_nanos() as f64 / self.events as f64
    }
}

/// The processor time this thread has used: what else the machine does is not counted.
pub(crate) fn now() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let nanos = u64::try_from(time.tv_nsec).unwrap_or_default();
    Duration::from_secs(u64::try_from(time.tv_sec).unwrap_or_default())
        + Duration::from_nanos(nanos)
}

/// Indexes below `size`, scattered.
pub(crate) fn scattered(size: usize, count: usize) -> impl Iterator<Item = usize> {
    (0..count).map(move |step| step.wrapping_mul(0x9e37_79b9_7f4a_7c15) % size)
}
