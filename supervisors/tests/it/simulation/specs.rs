//! Short ways to write specs in tests.

use std::time::Duration;

use treewright_supervisors::spec::{
    AutoShutdown, Backoff, ChildKind, ChildSpec, Condition, EnvInherit, ExecSpec, Identity,
    KillScope, Limits, LogSpec, PoolSpec, Probe, ProcessSpec, ReadySpec, RestartType, Run,
    Shutdown, ShutdownMode, Signal, StartCondition, Strategy, SupervisorSpec, TreeSpec,
};
use treewright_supervisors::supervisor::ExitReason;

/// OTP's `abnormal`.
pub(crate) const CRASH: ExitReason = ExitReason::Exited { code: 1 };
/// What is left of a child that was killed.
pub(crate) const KILLED: ExitReason = ExitReason::Signalled {
    signal: Signal::KILL,
    core_dumped: false,
};
/// Why scripted starts fail.
pub(crate) fn refused() -> ExitReason {
    ExitReason::NotStarted {
        message: "scripted".into(),
    }
}

pub(crate) const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A supervisor with OTP's defaults: one restart in five seconds.
pub(crate) fn supervisor(
    strategy: Strategy,
    children: impl IntoIterator<Item = ChildSpec>,
) -> SupervisorSpec {
    named("root", strategy, children)
}

/// As [`supervisor`], with a name.
pub(crate) fn named(
    name: &str,
    strategy: Strategy,
    children: impl IntoIterator<Item = ChildSpec>,
) -> SupervisorSpec {
    let mut spec = SupervisorSpec::new(name);
    spec.strategy = strategy;
    spec.intensity = 1;
    spec.period = seconds(5);
    spec.children.extend(children);
    spec
}

/// A permanent child with OTP's defaults: restarted at once, five seconds to stop.
pub(crate) fn worker(name: &str) -> ChildSpec {
    otp(ChildSpec::new(name, ChildKind::Local))
}

/// A permanent OS command with OTP's defaults, running `program`.
pub(crate) fn process(name: &str, program: &str) -> ChildSpec {
    let process = ProcessSpec {
        run: Run::Argv(vec![program.into()]),
        identity: Identity::default(),
        exec: exec(None),
    };
    otp(ChildSpec::new(name, ChildKind::Process(Box::new(process))))
}

/// An OS command with a `ready` probe; it counts as started when it is ready.
pub(crate) fn probed(name: &str) -> ChildSpec {
    let ready = ReadySpec {
        probe: Probe::Notify,
        every: seconds(1),
        timeout: seconds(60),
    };
    let process = ProcessSpec {
        run: Run::Argv(vec![name.into()]),
        identity: Identity::default(),
        exec: exec(Some(ready)),
    };
    otp(ChildSpec::new(name, ChildKind::Process(Box::new(process))))
}

fn exec(ready: Option<ReadySpec>) -> ExecSpec {
    ExecSpec {
        cwd: None,
        env: Default::default(),
        env_files: Vec::new(),
        env_inherit: EnvInherit::All,
        limits: Limits::default(),
        ready,
        live: None,
        log: LogSpec::Inherit,
    }
}

/// A child that is a supervisor.
pub(crate) fn nested(spec: SupervisorSpec) -> ChildSpec {
    let name = spec.name.clone();
    let mut child = ChildSpec::new(name, ChildKind::Supervisor(Box::new(spec)));
    child.backoff = otp_backoff();
    child
}

/// A child that is a pool of `size` members of this template, with room for `max`.
pub(crate) fn pool(name: &str, template: ChildSpec, size: u32, max: u32) -> ChildSpec {
    let mut pool = PoolSpec::new(size, template);
    pool.max = max;
    pool.intensity = 1;
    pool.period = seconds(5);
    let mut child = ChildSpec::new(name, ChildKind::Pool(Box::new(pool)));
    child.backoff = otp_backoff();
    child
}

/// A tree with this root.
pub(crate) fn tree(root: SupervisorSpec) -> TreeSpec {
    TreeSpec {
        name: "tree".into(),
        exit_code_from: None,
        shutdown: None,
        root,
    }
}

fn otp(mut child: ChildSpec) -> ChildSpec {
    child.backoff = otp_backoff();
    child.stop_within(seconds(5))
}

fn otp_backoff() -> Backoff {
    Backoff {
        initial: Duration::ZERO,
        ..Backoff::default()
    }
}

/// Settings of a child, one after the other.
pub(crate) trait Tune: Sized {
    fn with(self, tune: impl FnOnce(&mut ChildSpec)) -> ChildSpec;

    fn restart(self, restart: RestartType) -> ChildSpec {
        self.with(|child| child.restart = restart)
    }

    fn transient(self) -> ChildSpec {
        self.restart(RestartType::Transient)
    }

    fn temporary(self) -> ChildSpec {
        self.restart(RestartType::Temporary)
    }

    fn significant(self) -> ChildSpec {
        self.with(|child| child.significant = true)
    }

    fn stop_within(self, timeout: Duration) -> ChildSpec {
        self.stop_mode(ShutdownMode::Timeout(timeout))
    }

    fn stop_mode(self, mode: ShutdownMode) -> ChildSpec {
        self.with(|child| {
            child.shutdown = Shutdown {
                mode,
                signal: Signal::TERM,
                scope: KillScope::Tree,
            };
        })
    }

    fn after(self, name: &str, condition: Condition) -> ChildSpec {
        self.with(|child| {
            child.depends_on.insert(name.into(), condition);
        })
    }

    fn counts_when(self, start: StartCondition) -> ChildSpec {
        self.with(|child| child.start = start)
    }

    fn delay(self, initial: Duration) -> ChildSpec {
        self.with(|child| {
            child.backoff.initial = initial;
            child.backoff.jitter = 0.0;
        })
    }
}

impl Tune for ChildSpec {
    fn with(mut self, tune: impl FnOnce(&mut ChildSpec)) -> ChildSpec {
        tune(&mut self);
        self
    }
}

/// Flags of a supervisor, one after the other.
pub(crate) trait Flags: Sized {
    fn set(self, set: impl FnOnce(&mut SupervisorSpec)) -> SupervisorSpec;

    fn intensity(self, intensity: u32, period: Duration) -> SupervisorSpec {
        self.set(|spec| {
            spec.intensity = intensity;
            spec.period = period;
        })
    }

    fn auto(self, auto: AutoShutdown) -> SupervisorSpec {
        self.set(|spec| spec.auto_shutdown = auto)
    }
}

impl Flags for SupervisorSpec {
    fn set(mut self, set: impl FnOnce(&mut SupervisorSpec)) -> SupervisorSpec {
        set(&mut self);
        self
    }
}
