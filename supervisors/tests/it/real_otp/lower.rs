//! From numbers to names: which supervisor and which child a random op is about.

use treewright_supervisors::spec::{AutoShutdown, RestartType, Strategy};

use super::case::{Call, Case, Child, Kind, Op, Outcome, Pool, Reason, Shutdown, Supervisor};
use super::generate::{RawChild, RawKind, RawMeddle, RawOp, RawSupervisor};

/// A supervisor, and what ops can be about.
struct Place {
    name: String,
    is_pool: bool,
    /// Whether children are restarted together.
    is_group: bool,
    /// For a pool, the members so far.
    children: Vec<String>,
}

#[derive(Default)]
struct Lowering {
    places: Vec<Place>,
    /// Supervisors that have others below them.
    inner: Vec<String>,
    is_interposed: bool,
    /// Whether starts fail.
    may_fail: bool,
}

pub(super) fn lower(
    root: &RawSupervisor,
    ops: &[RawOp],
    is_interposed: bool,
    may_fail: bool,
) -> Case {
    let mut lowering = Lowering {
        is_interposed,
        may_fail,
        ..Lowering::default()
    };
    let root = lowering.supervisor(root);
    let ops = ops.iter().flat_map(|op| lowering.op(op)).collect();
    Case {
        root,
        ops,
        is_interposed,
    }
}

impl Lowering {
    /// Out of reach where things are interposed and starts fail: ours gives up when the start fails, OTP when it
    /// would try again and after what came meanwhile, a difference in `docs/semantics.md`.
    fn intensity(&self, raw: u32) -> u32 {
        if self.is_unsure() { raw + 1000 } else { raw }
    }

    /// The end of the last significant child while a group waits for its next try: OTP decides
    /// at once, ours when it is known what the group starts, a difference in `docs/semantics.md`.
    fn auto(&self, raw: &RawSupervisor) -> AutoShutdown {
        let is_group = raw.strategy != Strategy::OneForOne;
        match raw.auto {
            AutoShutdown::AllSignificant if is_group && self.is_unsure() => {
                AutoShutdown::AnySignificant
            }
            auto => auto,
        }
    }

    /// Whether something may come between a start that failed and its next try.
    fn is_unsure(&self) -> bool {
        self.is_interposed && self.may_fail
    }

    fn place(&mut self, is_pool: bool, is_group: bool) -> usize {
        let name = format!("s{}", self.places.len());
        self.places.push(Place {
            name,
            is_pool,
            is_group,
            children: Vec::new(),
        });
        self.places.len() - 1
    }

    fn supervisor(&mut self, raw: &RawSupervisor) -> Supervisor {
        let place = self.place(false, raw.strategy != Strategy::OneForOne);
        let name = self.places[place].name.clone();
        let mut children = Vec::new();
        for (index, child) in raw.children.iter().enumerate() {
            let child = self.static_child(place, index, child, raw.auto);
            self.places[place].children.push(child.name.clone());
            children.push(child);
        }
        let dynamic = [format!("{name}x"), format!("{name}y")];
        self.places[place].children.extend(dynamic);
        Supervisor {
            name,
            strategy: raw.strategy,
            intensity: self.intensity(raw.intensity),
            period: raw.period,
            auto: self.auto(raw),
            children,
        }
    }

    /// A child that this supervisor has from its beginning, or a supervisor it is to start later.
    fn static_child(
        &mut self,
        place: usize,
        index: usize,
        raw: &RawChild,
        auto: AutoShutdown,
    ) -> Child {
        let supervisor = self.places[place].name.clone();
        let (kind, name) = match &raw.kind {
            RawKind::Worker => (Kind::Worker, format!("{supervisor}c{index}")),
            RawKind::Supervisor(below) => {
                let below = self.supervisor(below);
                let name = below.name.clone();
                (Kind::Supervisor(below), name)
            }
            RawKind::Pool(intensity, period, restart, shutdown) => {
                let pool = self.place(true, false);
                let name = self.places[pool].name.clone();
                let pool = Pool {
                    name: name.clone(),
                    intensity: self.intensity(*intensity),
                    period: *period,
                    restart: *restart,
                    shutdown: *shutdown,
                };
                (Kind::Pool(pool), name)
            }
        };
        let is_worker = matches!(kind, Kind::Worker);
        if !is_worker {
            self.inner.push(supervisor);
        }
        let is_permanent = raw.restart == RestartType::Permanent;
        let shutdown = if is_worker {
            raw.shutdown
        } else {
            Shutdown::Infinity
        };
        Child {
            name,
            restart: raw.restart,
            significant: raw.significant && !is_permanent && auto != AutoShutdown::Never,
            shutdown,
            kind,
        }
    }

    fn op(&mut self, raw: &RawOp) -> Vec<Op> {
        match raw {
            RawOp::Script(at, child, starts, end) => self.script(*at, *child, starts, *end),
            RawOp::Stops(at, child, stops) => {
                let at = self.at(*at);
                let name = self.child(at, *child);
                // A supervisor takes as long as its children do.
                let name = name.filter(|name| !self.is_supervisor(name));
                name.map(|name| Op::Stops(name, *stops))
                    .into_iter()
                    .collect()
            }
            RawOp::Wait(seconds) => vec![Op::Wait(*seconds)],
            RawOp::Together(at, meddles) if self.is_interposed => {
                let at = self.at(*at);
                let ops = meddles.iter().filter_map(|raw| self.meddle(at, raw));
                let ops = ops.collect();
                vec![Op::Together(self.places[at].name.clone(), ops)]
            }
            RawOp::Together(..) => Vec::new(),
            RawOp::Meddle(at, meddle) => {
                let at = self.at(*at);
                self.meddle(at, meddle).into_iter().collect()
            }
        }
    }

    fn script(
        &mut self,
        at: u8,
        child: u8,
        starts: &[(Outcome, Vec<RawMeddle>)],
        end: Option<Reason>,
    ) -> Vec<Op> {
        let at = self.at(at);
        // For a pool also the member that comes next.
        let next = self.places[at].is_pool.then(|| self.next_member(at));
        let mut names = self.places[at].children.clone();
        names.extend(next);
        let index = usize::from(child) % names.len();
        let name = names[index].clone();
        let that = u8::try_from(index).unwrap_or_default();
        let is_group = self.places[at].is_group;
        let (is_interposed, may_fail) = (self.is_interposed, self.may_fail);
        let starts = starts.iter().map(|(outcome, meanwhile)| {
            let is_well = outcome.is_failure() && !may_fail;
            let outcome = if is_well { Outcome::Ok } else { *outcome };
            let meanwhile = meanwhile.iter().filter(|_| is_interposed);
            let ops = meanwhile.filter_map(|raw| self.meddle(at, &raw.mostly_about(that)));
            let ops = ops.filter(|op| is_comparable(op, is_group, outcome, &name));
            (outcome, ops.collect())
        });
        let script = Op::Script(name.clone(), starts.collect());
        let end = end.and_then(|reason| self.meddle(at, &RawMeddle::Exit(that, reason)));
        std::iter::once(script).chain(end).collect()
    }

    fn is_supervisor(&self, name: &str) -> bool {
        self.places.iter().any(|place| place.name == name)
    }

    fn at(&self, number: u8) -> usize {
        usize::from(number) % self.places.len()
    }

    fn next_member(&self, at: usize) -> String {
        let place = &self.places[at];
        format!("{}m{}", place.name, place.children.len())
    }

    fn child(&self, at: usize, number: u8) -> Option<String> {
        let children = &self.places[at].children;
        let index = usize::from(number).checked_rem(children.len())?;
        Some(children[index].clone())
    }

    /// A child, or now and then somebody nobody knows.
    fn child_or_nobody(&self, at: usize, number: u8) -> String {
        let child = if number == u8::MAX {
            None
        } else {
            self.child(at, number)
        };
        child.unwrap_or_else(|| "nobody".into())
    }

    fn meddle(&mut self, at: usize, raw: &RawMeddle) -> Option<Op> {
        let supervisor = self.places[at].name.clone();
        let is_pool = self.places[at].is_pool;
        let by_name = |this: &Self, number: u8| this.child_or_nobody(at, number);
        let call = match raw {
            RawMeddle::Exit(child, reason) => {
                let name = self.child(at, *child)?;
                let is_supervisor = self.is_supervisor(&name);
                // A supervisor hears of nothing but a kill. What is below another one that was
                // killed ends in no order.
                let reason = if is_supervisor { Reason::Kill } else { *reason };
                let is_inner = self.inner.contains(&name);
                return (!is_inner).then_some(Op::Exit(supervisor, name, reason));
            }
            // Never below one that may be killed: what is below that ends in no order.
            RawMeddle::StartSupervisor(_) if at > 0 && !self.inner.contains(&supervisor) => {
                return None;
            }
            RawMeddle::StartSupervisor(child) => {
                // Whether it may be significant is not known any more: sometimes it may not.
                let auto = AutoShutdown::AnySignificant;
                let child = self.static_child(at, 0, child, auto);
                self.places[at].children.push(child.name.clone());
                Call::StartChild(child)
            }
            RawMeddle::Start(..) if is_pool => {
                let name = self.next_member(at);
                self.places[at].children.push(name.clone());
                Call::StartMember(name)
            }
            RawMeddle::Start(child, restart, significant, shutdown) => Call::StartChild(Child {
                name: by_name(self, *child),
                restart: *restart,
                significant: *significant,
                shutdown: *shutdown,
                kind: Kind::Worker,
            }),
            RawMeddle::Terminate(child) => match self.member(at, *child) {
                Some(member) => Call::TerminateMember(member),
                None => Call::TerminateChild(by_name(self, *child)),
            },
            RawMeddle::GetChildspec(child) => match self.member(at, *child) {
                Some(member) => Call::GetChildspecOfMember(member),
                None => Call::GetChildspec(by_name(self, *child)),
            },
            RawMeddle::Restart(child) => Call::RestartChild(by_name(self, *child)),
            RawMeddle::Delete(child) => Call::DeleteChild(by_name(self, *child)),
        };
        Some(Op::Call(supervisor, call))
    }

    /// A member of a pool, mostly; now and then a pool is asked by a name.
    fn member(&self, at: usize, number: u8) -> Option<String> {
        let is_by_name = number % 8 == 7;
        if !self.places[at].is_pool || is_by_name {
            return None;
        }
        self.child(at, number)
    }
}

/// Whether both sides do the same when this happens during a start of that child that comes to
/// this. While a group is tried again, ours lets another child be that somebody starts or stops
/// then, and OTP stops and starts it with the group. Without a group, ours tries the child that
/// failed before another one that ended after it, and OTP the other way round. All of this is
/// in `docs/semantics.md`.
fn is_comparable(op: &Op, is_group: bool, outcome: Outcome, name: &str) -> bool {
    match op {
        Op::Call(_, Call::StartChild(child)) => !is_group || child.name == name,
        Op::Call(_, Call::RestartChild(child) | Call::TerminateChild(child)) => {
            !is_group || child == name
        }
        // Its old pid, in OTP; with us its key, which is that of its next life as well.
        Op::Call(_, Call::TerminateMember(child) | Call::GetChildspecOfMember(child)) => {
            child != name || outcome.is_failure()
        }
        Op::Exit(..) => is_group || !outcome.is_failure(),
        _ => true,
    }
}
