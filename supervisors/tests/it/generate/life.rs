//! How a child lives: restart, backoff, shutdown, success.

use proptest::collection::btree_set;
use proptest::prelude::*;
use treewright_supervisors::spec::{
    Backoff, ChildKind, ChildSpec, KillScope, RestartType, Shutdown, ShutdownMode, Signal,
    StartCondition, Success,
};

use super::text::{duration, positive};

/// What every child says of its life.
#[derive(Clone, Debug)]
pub(super) struct Life {
    restart: RestartType,
    shutdown: Option<Shutdown>,
    backoff: Option<Backoff>,
    success: Option<Success>,
    start: Option<StartCondition>,
    start_timeout: Option<std::time::Duration>,
    pub(super) is_significant: bool,
}

pub(super) fn life() -> impl Strategy<Value = Life> {
    let restart = prop_oneof![
        Just(RestartType::Permanent),
        Just(RestartType::Transient),
        Just(RestartType::Temporary),
    ];
    let start = prop_oneof![
        Just(StartCondition::Spawned),
        Just(StartCondition::Ready),
        Just(StartCondition::Completed),
    ];
    let option = prop::option::of::<BoxedStrategy<_>>;
    let ends = (
        option(shutdown().boxed()),
        prop::option::of(backoff()),
        prop::option::of(success()),
    );
    let starts = (prop::option::of(start), prop::option::of(positive()));
    (restart, ends, starts, any::<bool>()).prop_map(
        |(restart, (shutdown, backoff, success), (start, start_timeout), is_significant)| Life {
            restart,
            shutdown,
            backoff,
            success,
            start,
            start_timeout,
            is_significant,
        },
    )
}

fn signal() -> impl Strategy<Value = Signal> {
    let numbers: Vec<i32> = (1..=31).chain(34..=64).collect();
    prop::sample::select(numbers).prop_map(|number| Signal::from_number(number).unwrap())
}

fn shutdown() -> impl Strategy<Value = Shutdown> {
    let mode = prop_oneof![
        1 => Just(ShutdownMode::BrutalKill),
        1 => Just(ShutdownMode::Infinity),
        3 => duration().prop_map(ShutdownMode::Timeout),
    ];
    let signal = prop_oneof![Just(Signal::TERM), signal()];
    let scope = prop_oneof![
        Just(KillScope::Process),
        Just(KillScope::Group),
        Just(KillScope::Tree),
        Just(KillScope::Cgroup),
    ];
    (mode, signal, scope).prop_map(|(mode, signal, scope)| Shutdown {
        mode,
        signal,
        scope,
    })
}

fn backoff() -> impl Strategy<Value = Backoff> {
    let delays = (duration(), duration(), duration());
    let growth = (
        prop_oneof![Just(2.0), 1.0_f64..1e6],
        prop_oneof![Just(0.2), 0.0_f64..=1.0],
    );
    (delays, growth).prop_map(|((one, other, reset_after), (factor, jitter))| Backoff {
        initial: one.min(other),
        factor,
        max: one.max(other),
        jitter,
        reset_after,
    })
}

fn success() -> impl Strategy<Value = Success> {
    (btree_set(0_i32..=255, 0..4), btree_set(signal(), 0..3))
        .prop_map(|(codes, signals)| Success { codes, signals })
}

/// A child of this kind that lives so, as far as its kind allows.
pub(super) fn child(name: String, kind: ChildKind, life: &Life) -> ChildSpec {
    let mut child = ChildSpec::new(name, kind);
    child.restart = life.restart;
    child.start_timeout = life.start_timeout;
    if let Some(shutdown) = &life.shutdown {
        child.shutdown = shutdown.clone();
    }
    if let Some(backoff) = life.backoff {
        child.backoff = backoff;
    }
    if let Some(success) = &life.success {
        child.success = success.clone();
    }
    child
}

/// The start condition, where the child can have it.
pub(super) fn start(child: &mut ChildSpec, life: &Life) {
    let is_probed = child.kind.exec().is_some_and(|exec| exec.ready.is_some());
    match life.start {
        Some(StartCondition::Ready) if !is_probed => {}
        Some(StartCondition::Completed) if child.restart == RestartType::Permanent => {}
        Some(start) => child.start = start,
        None => {}
    }
}
