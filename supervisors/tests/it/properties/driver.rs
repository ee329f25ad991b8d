//! An adversarial environment: plays moves against one machine, then lets it come to rest or end.

use std::fmt;
use std::time::Duration;

use treewright_supervisors::Time;
use treewright_supervisors::spec::{
    ChildName, ChildSpec, PoolSpec, StartCondition, StopOrder, SupervisorSpec,
};
use treewright_supervisors::supervisor::{
    Action, ChildRef, Event, ExitReason, Incarnation, Links, ReloadMode, Request, RequestId,
    Standing, SupervisorState,
};

use super::life::Life;
use super::moves::{Ask, Move, Passing, What};
use super::oracle::Machine;
use super::specs::{CHILDREN, ELSEWHERE, child, describe, describe_child, name, pool};

/// What requests bring with them.
#[derive(Clone, Debug)]
pub(crate) struct Material {
    /// For `StartChild`: `c6` and `c7`.
    pub(crate) children: Vec<ChildSpec>,
    pub(crate) reload: SupervisorSpec,
    pub(crate) pool: PoolSpec,
}

impl Default for Material {
    fn default() -> Self {
        Self {
            children: vec![child(6, [0; _]), child(7, [0; _])],
            reload: SupervisorSpec::new("root"),
            pool: pool([0; _], [0; _]),
        }
    }
}

/// A machine, its oracle, and the moves' meaning.
#[derive(Clone)]
pub(crate) struct Driver {
    pub(crate) machine: Machine,
    pub(crate) material: Material,
    /// Every step, for replays.
    pub(crate) history: Vec<(Event, Time)>,
    pub(crate) actions: Vec<Action>,
    requests: u64,
    /// The spec, for a reader of a failure.
    summary: String,
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}\nwith {}",
            self.summary,
            describe(&self.material.reload)
        )?;
        self.material
            .children
            .iter()
            .try_for_each(|child| write!(f, "\nand {}", describe_child(child)))
    }
}

pub(crate) fn links() -> Links {
    Links {
        awaited: [(ELSEWHERE.into(), false)].into(),
        ..Links::default()
    }
}

impl Driver {
    pub(crate) fn supervisor(spec: &SupervisorSpec, material: Material) -> Self {
        let state = SupervisorState::new(spec).with_links(links());
        Self::new(
            Machine::new(state, spec.stop, false),
            material,
            describe(spec),
        )
    }

    pub(crate) fn pool(spec: &PoolSpec, material: Material) -> Self {
        let state = SupervisorState::pool("pool", spec).with_links(links());
        let summary = format!(
            "pool size {} max {} intensity {}/{:?} of {}",
            spec.size,
            spec.max,
            spec.intensity,
            spec.period,
            describe_child(&spec.template)
        );
        Self::new(
            Machine::new(state, StopOrder::Parallel, true),
            material,
            summary,
        )
    }

    fn new(machine: Machine, material: Material, summary: String) -> Self {
        Self {
            machine,
            material,
            history: Vec::new(),
            actions: Vec::new(),
            requests: 0,
            summary,
        }
    }

    pub(crate) fn feed(&mut self, event: Event) {
        self.feed_at(event, self.machine.now);
    }

    fn feed_at(&mut self, event: Event, at: Time) {
        self.history.push((event.clone(), at));
        self.actions = self.machine.feed(event, at);
    }

    pub(crate) fn play(&mut self, moves: &[Move]) {
        for one in moves {
            self.make(*one);
        }
    }

    pub(crate) fn make(&mut self, one: Move) {
        let at = self.pass_time(one.time);
        if let Some(event) = self.event(one) {
            self.feed_at(event, at);
        }
    }

    fn pass_time(&mut self, passing: Passing) -> Time {
        let now = self.machine.now;
        match passing {
            Passing::Stands => now,
            Passing::Millis(millis) => now + Duration::from_millis(millis.into()),
            Passing::ToTheTimer => self.machine.timer.map_or(now, |timer| timer.max(now)),
            Passing::PastTheTimer => {
                self.machine.timer.map_or(now, |timer| timer.max(now)) + Duration::from_nanos(1)
            }
            Passing::Back => Time::from_nanos(now.as_nanos() / 2),
        }
    }

    /// The event a move stands for, if it can happen now.
    fn event(&mut self, one: Move) -> Option<Event> {
        let reason = reason(one.extra);
        match one.what {
            What::Comply => {
                let life = self.pick(one.pick, |life| life.stop.is_some() || !life.is_counted)?;
                Some(compliance(life))
            }
            What::Started => self.of(one, |_| true, |incarnation| Event::Started { incarnation }),
            What::Ready => self.of(one, |_| true, |incarnation| Event::Ready { incarnation }),
            What::StartFailed => self.of(
                one,
                |life| !life.is_up,
                |incarnation| Event::StartFailed {
                    incarnation,
                    why: reason,
                },
            ),
            What::Ignored => self.of(
                one,
                |life| !life.is_up,
                |incarnation| Event::Ignored { incarnation },
            ),
            What::Exited => self.of(
                one,
                |_| true,
                |incarnation| Event::Exited {
                    incarnation,
                    reason,
                },
            ),
            What::Unhealthy => self.of(
                one,
                |_| true,
                |incarnation| Event::Unhealthy {
                    incarnation,
                    why: unhealthy(),
                },
            ),
            What::Stopped => {
                let killed = one.extra.is_multiple_of(2);
                self.of(
                    one,
                    |life| life.stop.is_some(),
                    |incarnation| Event::Stopped {
                        incarnation,
                        reason,
                        killed,
                    },
                )
            }
            What::Idle => {
                let is_idle = one.extra.is_multiple_of(2);
                self.of(
                    one,
                    |_| true,
                    |incarnation| Event::Idle {
                        incarnation,
                        is_idle,
                    },
                )
            }
            What::Late => {
                let graves = &self.machine.graves;
                let incarnation = *graves.get(usize::from(one.pick) % graves.len().max(1))?;
                Some(news(incarnation, one.extra))
            }
            What::Timer => Some(Event::Timer),
            What::Elsewhere => {
                let all = [
                    Standing::Coming,
                    Standing::Started,
                    Standing::Ready,
                    Standing::Completed,
                    Standing::Gone,
                ];
                let standing = all[usize::from(one.extra) % all.len()];
                Some(Event::Dependency {
                    child: ELSEWHERE.into(),
                    standing,
                })
            }
            What::StartAgain => Some(Event::Start),
            What::Ask(ask) => Some(self.ask(ask, one.pick, one.extra)),
            What::Shutdown => Some(Event::Shutdown),
            What::Kill => Some(Event::Kill),
        }
    }

    fn pick(&self, pick: u8, fits: impl Fn(&Life) -> bool) -> Option<&Life> {
        let fitting: Vec<&Life> = self
            .machine
            .lives
            .values()
            .filter(|life| fits(life))
            .collect();
        fitting
            .get(usize::from(pick) % fitting.len().max(1))
            .copied()
    }

    fn of(
        &self,
        one: Move,
        fits: impl Fn(&Life) -> bool,
        event: impl FnOnce(Incarnation) -> Event,
    ) -> Option<Event> {
        self.pick(one.pick, fits)
            .map(|life| event(life.incarnation))
    }

    fn ask(&mut self, ask: Ask, pick: u8, extra: u8) -> Event {
        let name = name(usize::from(pick) % (CHILDREN + 2));
        let mode = if extra.is_multiple_of(4) {
            ReloadMode::MarkOnly
        } else {
            ReloadMode::Act
        };
        let request = match ask {
            Ask::StartChild => Request::StartChild(Box::new(
                self.material.children[usize::from(pick) % 2].clone(),
            )),
            Ask::StartMember => Request::StartMember { args: Vec::new() },
            Ask::TerminateChild => Request::TerminateChild(self.child_ref(name, pick)),
            Ask::RestartChild => Request::RestartChild(self.child_name(name, pick)),
            Ask::DeleteChild => Request::DeleteChild(self.child_name(name, pick)),
            Ask::GetChildspec => Request::GetChildspec(self.child_ref(name, pick)),
            Ask::WhichChildren => Request::WhichChildren,
            Ask::WhichChild => Request::WhichChild(name),
            Ask::CountChildren => Request::CountChildren,
            Ask::Start => Request::Start(self.child_name(name, pick)),
            Ask::Stop => Request::Stop(self.child_name(name, pick)),
            Ask::Restart => Request::Restart(self.child_name(name, pick)),
            Ask::Scale => Request::Scale(u32::from(extra % 6)),
            Ask::Reload => Request::Reload {
                spec: Box::new(self.material.reload.clone()),
                links: links(),
                mode,
            },
            Ask::ReloadPool => Request::ReloadPool {
                spec: Box::new(self.material.pool.clone()),
                mode,
            },
        };
        self.requests += 1;
        Event::Request {
            from: RequestId(self.requests),
            request,
        }
    }

    /// A pool's members have names of their own.
    fn child_name(&self, name: ChildName, pick: u8) -> ChildName {
        let children = self.machine.state.which_children();
        match children.get(usize::from(pick) % children.len().max(1)) {
            Some(member) if self.machine.is_pool => member.name.clone(),
            _ => name,
        }
    }

    fn child_ref(&self, name: ChildName, pick: u8) -> ChildRef {
        let children = self.machine.state.which_children();
        match children.get(usize::from(pick) % children.len().max(1)) {
            Some(member) if self.machine.is_pool && pick < 240 => ChildRef::Member(member.key),
            _ => ChildRef::Name(name),
        }
    }

    /// Answers everything as it should be and lets time pass, until nothing more happens. Tells
    /// whether that came: children that fail for want of a dependency can be tried for ever.
    pub(crate) fn come_to_rest(&mut self) -> bool {
        self.feed(Event::Start);
        for _ in 0..400 {
            if self.machine.finish.is_some() {
                return true;
            }
            let is_open = |life: &Life| {
                life.stop.is_some() || !life.is_counted || !life.is_ready && life.is_probed()
            };
            if let Some(life) = self.pick(0, is_open) {
                self.feed(compliance(life));
            } else if let Some(timer) = self.machine.timer {
                self.feed_at(Event::Timer, timer.max(self.machine.now));
            } else {
                return true;
            }
        }
        false
    }

    /// Answers every stop, in the order and the way the moves choose, until nothing is left.
    pub(crate) fn finish(&mut self, kill: bool, choices: &[(u8, u8)]) {
        self.feed(if kill { Event::Kill } else { Event::Shutdown });
        let mut choices = choices.iter().copied().chain(std::iter::repeat((0, 0)));
        let bound = self.machine.lives.len();
        for _ in 0..=bound {
            if self.machine.finish.is_some() {
                break;
            }
            let (pick, how) = choices.next().unwrap_or_default();
            let Some(life) = self.pick(pick, |life| life.stop.is_some()) else {
                panic!(
                    "nothing is being stopped, and {:?} live",
                    self.machine.lives
                );
            };
            let (incarnation, reason) = (life.incarnation, reason(how));
            let event = match how % 4 {
                0 => Event::Exited {
                    incarnation,
                    reason,
                },
                1 if !life.is_up => Event::StartFailed {
                    incarnation,
                    why: reason,
                },
                2 if !life.is_up => Event::Ignored { incarnation },
                _ => Event::Stopped {
                    incarnation,
                    reason,
                    killed: how > 128,
                },
            };
            self.feed(event);
        }
        assert!(
            self.machine.finish.is_some(),
            "every stop is answered, and the supervisor does not finish"
        );
    }
}

/// What a life does that does as it is asked.
fn compliance(life: &Life) -> Event {
    let incarnation = life.incarnation;
    if life.stop.is_some() {
        let reason = ExitReason::Shutdown;
        Event::Stopped {
            incarnation,
            reason,
            killed: false,
        }
    } else if !life.is_up {
        Event::Started { incarnation }
    } else if life.spec.start == StartCondition::Completed && !life.is_counted {
        Event::Exited {
            incarnation,
            reason: ExitReason::Normal,
        }
    } else {
        Event::Ready { incarnation }
    }
}

fn unhealthy() -> ExitReason {
    ExitReason::Unhealthy {
        message: "no answer".into(),
    }
}

pub(crate) fn reason(choice: u8) -> ExitReason {
    match choice % 6 {
        0 => ExitReason::Normal,
        1 => ExitReason::Exited { code: 0 },
        2 => ExitReason::Shutdown,
        3 => ExitReason::OutOfMemory,
        _ => ExitReason::Exited { code: 1 },
    }
}

/// News of a life, true or not.
pub(crate) fn news(incarnation: Incarnation, choice: u8) -> Event {
    let reason = reason(choice / 8);
    match choice % 8 {
        0 => Event::Started { incarnation },
        1 => Event::Ready { incarnation },
        2 => Event::StartFailed {
            incarnation,
            why: reason,
        },
        3 => Event::Ignored { incarnation },
        4 => Event::Exited {
            incarnation,
            reason,
        },
        5 => Event::Unhealthy {
            incarnation,
            why: unhealthy(),
        },
        6 => Event::Stopped {
            incarnation,
            reason,
            killed: true,
        },
        _ => Event::Idle {
            incarnation,
            is_idle: true,
        },
    }
}
