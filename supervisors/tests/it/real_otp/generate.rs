//! Random cases, in terms that stay meaningful when they shrink: things are told by numbers,
//! and `lower` finds out which things those are.

use proptest::prelude::*;
use treewright_supervisors::spec::{AutoShutdown, RestartType, Strategy as Restarts};

use super::case::{Case, Outcome, Reason, Shutdown, Stops};
use super::lower::lower;

#[derive(Clone, Debug)]
pub(super) struct RawSupervisor {
    pub(super) strategy: Restarts,
    pub(super) intensity: u32,
    pub(super) period: u64,
    pub(super) auto: AutoShutdown,
    pub(super) children: Vec<RawChild>,
}

#[derive(Clone, Debug)]
pub(super) struct RawChild {
    pub(super) restart: RestartType,
    pub(super) significant: bool,
    pub(super) shutdown: Shutdown,
    pub(super) kind: RawKind,
}

#[derive(Clone, Debug)]
pub(super) enum RawKind {
    Worker,
    Supervisor(RawSupervisor),
    Pool(u32, u64, RestartType, Shutdown),
}

/// One thing that happens to child `.1` of supervisor `.0`, both counted round and round.
#[derive(Clone, Debug)]
pub(super) enum RawOp {
    /// And perhaps it ends right then, so that the script is acted out.
    Script(u8, u8, Vec<(Outcome, Vec<RawMeddle>)>, Option<Reason>),
    Stops(u8, u8, Stops),
    Wait(u64),
    Together(u8, Vec<RawMeddle>),
    Meddle(u8, RawMeddle),
}

/// What may happen at any moment.
#[derive(Clone, Debug)]
pub(super) enum RawMeddle {
    Exit(u8, Reason),
    Start(u8, RestartType, bool, Shutdown),
    /// A supervisor, with what is below it.
    StartSupervisor(RawChild),
    Terminate(u8),
    Restart(u8),
    Delete(u8),
    GetChildspec(u8),
}

impl RawMeddle {
    /// The same about another child.
    pub(super) fn about(&self, that: u8) -> Self {
        let mut raw = self.clone();
        if let Some(child) = raw.child() {
            *child = that;
        }
        raw
    }

    /// The same about that child, where this is about an odd one.
    pub(super) fn mostly_about(&self, that: u8) -> Self {
        let mut raw = self.clone();
        if let Some(child) = raw.child().filter(|child| **child % 2 == 1) {
            *child = that;
        }
        raw
    }

    fn child(&mut self) -> Option<&mut u8> {
        match self {
            Self::StartSupervisor(_) => None,
            Self::Exit(child, _)
            | Self::Start(child, ..)
            | Self::Terminate(child)
            | Self::Restart(child)
            | Self::Delete(child)
            | Self::GetChildspec(child) => Some(child),
        }
    }
}

pub(super) fn cases() -> impl Strategy<Value = Case> {
    (
        supervisors(2, 1..5),
        prop::collection::vec(ops(), 0..40),
        any::<bool>(),
        prop::bool::weighted(0.75),
    )
        .prop_map(|(root, ops, is_interposed, may_fail)| {
            lower(&root, &ops, is_interposed, may_fail || !is_interposed)
        })
}

fn restart_types() -> impl Strategy<Value = RestartType> {
    prop_oneof![
        3 => Just(RestartType::Permanent),
        3 => Just(RestartType::Transient),
        3 => Just(RestartType::Temporary),
    ]
}

fn reasons() -> impl Strategy<Value = Reason> {
    prop_oneof![
        1 => Just(Reason::Normal),
        1 => Just(Reason::Shutdown),
        1 => Just(Reason::ShutdownWith),
        2 => Just(Reason::Crash),
        1 => Just(Reason::Kill),
    ]
}

fn shutdowns() -> impl Strategy<Value = Shutdown> {
    prop_oneof![
        1 => Just(Shutdown::BrutalKill),
        2 => (0..4_u64).prop_map(Shutdown::Timeout),
        1 => Just(Shutdown::Infinity),
    ]
}

/// One timer counts for all members; that of `infinity` would have to be read off their ends.
fn member_shutdowns() -> impl Strategy<Value = Shutdown> {
    prop_oneof![
        1 => Just(Shutdown::BrutalKill),
        2 => (0..4_u64).prop_map(Shutdown::Timeout),
    ]
}

fn supervisors(
    levels: u32,
    children: std::ops::Range<usize>,
) -> impl Strategy<Value = RawSupervisor> {
    let strategy = prop_oneof![
        1 => Just(Restarts::OneForOne),
        1 => Just(Restarts::OneForAll),
        1 => Just(Restarts::RestForOne),
    ];
    let auto = prop_oneof![
        2 => Just(AutoShutdown::Never),
        1 => Just(AutoShutdown::AnySignificant),
        1 => Just(AutoShutdown::AllSignificant),
    ];
    let children = prop::collection::vec(self::children(levels), children);
    (strategy, 0..5_u32, 1..7_u64, auto, children).prop_map(
        |(strategy, intensity, period, auto, children)| RawSupervisor {
            strategy,
            intensity,
            period,
            auto,
            children,
        },
    )
}

fn children(levels: u32) -> impl Strategy<Value = RawChild> {
    let worker = Just(RawKind::Worker);
    let pool = (0..5_u32, 1..7_u64, restart_types(), member_shutdowns());
    let pool = pool.prop_map(|(intensity, period, restart, shutdown)| {
        RawKind::Pool(intensity, period, restart, shutdown)
    });
    let kind = if levels == 0 {
        prop_oneof![6 => worker, 2 => pool].boxed()
    } else {
        let below = supervisors(levels - 1, 0..4)
            .prop_map(RawKind::Supervisor)
            .boxed();
        prop_oneof![6 => worker, 2 => below, 2 => pool].boxed()
    };
    (restart_types(), any::<bool>(), shutdowns(), kind).prop_map(
        |(restart, significant, shutdown, kind)| RawChild {
            restart,
            significant,
            shutdown,
            kind,
        },
    )
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        3 => Just(Outcome::Ok),
        1 => Just(Outcome::Ignore),
        2 => Just(Outcome::Error),
        2 => Just(Outcome::Crash),
        2 => Just(Outcome::Odd),
    ]
}

fn meddles() -> impl Strategy<Value = RawMeddle> {
    let start = (any::<u8>(), restart_types(), any::<bool>(), shutdowns());
    let start = start.prop_map(|(child, restart, significant, shutdown)| {
        RawMeddle::Start(child, restart, significant, shutdown)
    });
    let below = supervisors(0, 0..3).prop_map(RawKind::Supervisor);
    let start_supervisor = (restart_types(), any::<bool>(), shutdowns(), below);
    let start_supervisor = start_supervisor.prop_map(|(restart, significant, shutdown, kind)| {
        RawMeddle::StartSupervisor(RawChild {
            restart,
            significant,
            shutdown,
            kind,
        })
    });
    prop_oneof![
        8 => (any::<u8>(), reasons()).prop_map(|(child, reason)| RawMeddle::Exit(child, reason)),
        3 => start,
        1 => start_supervisor,
        2 => any::<u8>().prop_map(RawMeddle::Terminate),
        2 => any::<u8>().prop_map(RawMeddle::Restart),
        2 => any::<u8>().prop_map(RawMeddle::Delete),
        3 => any::<u8>().prop_map(RawMeddle::GetChildspec),
    ]
}

fn ops() -> impl Strategy<Value = RawOp> {
    let (supervisor, child) = (any::<u8>(), any::<u8>());
    let scripted = (outcomes(), prop::collection::vec(meddles(), 0..3));
    let ends = prop::option::of(reasons());
    let scripts = (
        supervisor,
        child,
        prop::collection::vec(scripted, 1..4),
        ends,
    );
    let stops = prop_oneof![
        1 => Just(Stops::Obey),
        1 => Just(Stops::Deaf),
        2 => (0..4_u64, reasons()).prop_map(|(seconds, reason)| Stops::Delayed(seconds, reason)),
    ];
    // A restart that fails, and somebody asks about that child before the next try.
    let hanging = (supervisor, child, meddles()).prop_map(|(at, child, meddle)| {
        let meanwhile = vec![meddle.about(1)];
        RawOp::Script(
            at,
            child,
            vec![(Outcome::Error, meanwhile)],
            Some(Reason::Crash),
        )
    });
    let together = (supervisor, prop::collection::vec(meddles(), 2..4));
    prop_oneof![
        12 => (supervisor, meddles()).prop_map(|(at, meddle)| RawOp::Meddle(at, meddle)),
        4 => scripts
            .prop_map(|(at, child, starts, end)| RawOp::Script(at, child, starts, end)),
        2 => (supervisor, child, stops)
            .prop_map(|(at, child, stops)| RawOp::Stops(at, child, stops)),
        2 => (1..7_u64).prop_map(RawOp::Wait),
        4 => hanging,
        2 => together.prop_map(|(at, meddles)| RawOp::Together(at, meddles)),
    ]
}
