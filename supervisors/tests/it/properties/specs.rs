//! Random specs: every flag and key the machine looks at. A spec is decoded from bytes, each of
//! which chooses from a list whose first entry is the plainest, so that cases are made and shrunk
//! quickly.

use std::time::Duration;

use proptest::prelude::*;
use treewright_supervisors::spec::{
    AutoShutdown, Backoff, ChildKind, ChildName, ChildSpec, Condition, ExecSpec, Identity,
    OnStartFailure, PoolSpec, Probe, ProcessSpec, ReadySpec, RestartType, Run, Shutdown,
    ShutdownMode, StartCondition, StopOrder, Strategy as Restarts, SupervisorSpec,
};

/// Children of one supervisor are called `c0` to `c5`; `c6` and `c7` come by request.
pub(crate) const CHILDREN: usize = 6;

/// A child of another supervisor that some depend on.
pub(crate) const ELSEWHERE: &str = "elsewhere";

/// What a child is decoded from.
pub(crate) type ChildCode = [u8; 18];

/// What a supervisor's flags are decoded from.
pub(crate) type FlagsCode = [u8; 6];

pub(crate) fn name(index: usize) -> ChildName {
    format!("c{index}").into()
}

pub(crate) fn choose<T: Clone>(code: u8, from: &[T]) -> T {
    from[usize::from(code) % from.len()].clone()
}

fn millis(code: u8) -> Duration {
    Duration::from_millis(choose(code, &[0, 1, 10, 100, 5000]))
}

/// A child that may depend on those before it; combinations the loader refuses are mended.
pub(crate) fn child(index: usize, code: ChildCode) -> ChildSpec {
    use RestartType::{Permanent, Temporary, Transient};
    use StartCondition::{Completed, Ready, Spawned};
    let [
        restart,
        significant,
        mode,
        initial,
        factor,
        max,
        jitter,
        reset,
        start,
        timeout,
        kind,
        edges @ ..,
    ] = code;
    let restart = choose(restart, &[Permanent, Transient, Temporary]);
    let is_permanent = restart == Permanent;
    let start = choose(
        start,
        &[Spawned, Spawned, Spawned, Spawned, Ready, Ready, Completed],
    );
    let mut child = ChildSpec {
        restart,
        significant: !is_permanent && choose(significant, &[false, false, true]),
        backoff: Backoff {
            initial: millis(initial),
            factor: choose(factor, &[1.0, 2.0]),
            max: millis(max),
            jitter: choose(jitter, &[0.0, 0.5, 1.0]),
            reset_after: millis(reset),
        },
        start: if is_permanent && start == Completed {
            Spawned
        } else {
            start
        },
        start_timeout: (timeout > 200).then(|| millis(timeout)),
        ..ChildSpec::new(name(index), child_kind(kind))
    };
    child.shutdown = Shutdown {
        mode: choose(
            mode,
            &[
                ShutdownMode::Timeout(Duration::from_secs(1)),
                ShutdownMode::BrutalKill,
                ShutdownMode::Infinity,
            ],
        ),
        ..Shutdown::default()
    };
    // The last edge is the one to the other supervisor.
    for (other, edge) in edges
        .into_iter()
        .enumerate()
        .filter(|(_, edge)| *edge > 200)
    {
        let condition = choose(
            edge,
            &[Condition::Started, Condition::Ready, Condition::Completed],
        );
        if other == CHILDREN {
            child.depends_on.insert(ELSEWHERE.into(), condition);
        } else if other < index {
            child.depends_on.insert(name(other), condition);
        }
    }
    child
}

/// A closure, a command with a `ready` probe or without (and of two versions), or a supervisor.
fn child_kind(code: u8) -> ChildKind {
    let (version, is_probed) = choose(
        code,
        &[
            (0, false),
            (0, true),
            (1, false),
            (1, true),
            (2, false),
            (3, false),
            (3, false),
        ],
    );
    match version {
        2 => return ChildKind::Supervisor(Box::new(SupervisorSpec::new("nested"))),
        3 => return ChildKind::Local,
        _ => {}
    }
    let ready = is_probed.then(|| ReadySpec {
        probe: Probe::Notify,
        every: Duration::from_secs(1),
        timeout: Duration::from_secs(60),
    });
    ChildKind::Process(Box::new(ProcessSpec {
        run: Run::Argv(vec!["true".into(), version.to_string()]),
        identity: Identity::default(),
        exec: ExecSpec {
            ready,
            ..ExecSpec::default()
        },
    }))
}

pub(crate) fn supervisor(flags: FlagsCode, children: &[ChildCode]) -> SupervisorSpec {
    let [
        strategy,
        intensity,
        period,
        auto_shutdown,
        stop,
        on_start_failure,
    ] = flags;
    use AutoShutdown::{AllSignificant, AnySignificant, Never};
    let auto_shutdown = choose(
        auto_shutdown,
        &[Never, Never, AnySignificant, AllSignificant],
    );
    let children = children.iter().enumerate().map(|(index, code)| {
        let child = child(index, *code);
        ChildSpec {
            significant: child.significant && auto_shutdown != Never,
            ..child
        }
    });
    SupervisorSpec {
        strategy: choose(
            strategy,
            &[
                Restarts::OneForOne,
                Restarts::OneForAll,
                Restarts::RestForOne,
            ],
        ),
        intensity: choose(intensity, &[0, 1, 2, 3, 10]),
        period: millis(period),
        auto_shutdown,
        stop: choose(stop, &[StopOrder::Reverse, StopOrder::Parallel]),
        on_start_failure: choose(
            on_start_failure,
            &[OnStartFailure::Retry, OnStartFailure::Rollback],
        ),
        children: children.collect(),
        ..SupervisorSpec::new("root")
    }
}

pub(crate) fn pool(flags: FlagsCode, template: ChildCode) -> PoolSpec {
    let [size, intensity, period, room, ..] = flags;
    let mut template = child(0, template);
    template.significant = false;
    if template.start == StartCondition::Completed {
        template.start = StartCondition::Spawned;
    }
    let size = choose(size, &[0, 1, 2, 3]);
    PoolSpec {
        max: size + choose(room, &[0, 1, 3]),
        intensity: choose(intensity, &[0, 1, 2, 3, 10]),
        period: millis(period),
        ..PoolSpec::new(size, template)
    }
}

pub(crate) fn supervisors() -> impl Strategy<Value = SupervisorSpec> {
    let children = proptest::collection::vec(any::<ChildCode>(), 0..=CHILDREN);
    (any::<FlagsCode>(), children).prop_map(|(flags, children)| supervisor(flags, &children))
}

pub(crate) fn pools() -> impl Strategy<Value = PoolSpec> {
    (any::<FlagsCode>(), any::<ChildCode>()).prop_map(|(flags, template)| pool(flags, template))
}

/// A spec in a few lines, for a reader of a failure.
pub(crate) fn describe(spec: &SupervisorSpec) -> String {
    let SupervisorSpec {
        strategy,
        intensity,
        period,
        auto_shutdown,
        stop,
        on_start_failure,
        ..
    } = spec;
    let flags = format!(
        "{strategy:?} {intensity}/{period:?} auto {auto_shutdown:?} stop {stop:?} {on_start_failure:?}"
    );
    let children = spec
        .children
        .iter()
        .map(|child| format!("\n  {}", describe_child(child)));
    flags + &children.collect::<String>()
}

pub(crate) fn describe_child(spec: &ChildSpec) -> String {
    let ChildSpec {
        name,
        restart,
        significant,
        start,
        start_timeout,
        depends_on,
        ..
    } = spec;
    let Backoff {
        initial,
        factor,
        max,
        jitter,
        reset_after,
    } = spec.backoff;
    let is_probed = spec.kind.exec().is_some_and(|exec| exec.ready.is_some());
    format!(
        "{name} {restart:?} significant {significant} {:?} start {start:?} in {start_timeout:?} probed {is_probed} \
         backoff {initial:?}x{factor}<{max:?} jitter {jitter} reset {reset_after:?} depends on {depends_on:?}",
        spec.shutdown.mode,
    )
}
