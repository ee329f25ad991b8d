//! Every default of a spec, on one screen.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::*;

// Supervisors and pools. OTP allows 1 restart in 5 s; with a delay between tries
// such a limit would never be reached, so the window is longer here.
pub(crate) const STRATEGY: Strategy = Strategy::OneForOne;
pub(crate) const INTENSITY: u32 = 5;
pub(crate) const PERIOD: Duration = Duration::from_secs(60);
pub(crate) const AUTO_SHUTDOWN: AutoShutdown = AutoShutdown::Never;
pub(crate) const STOP: StopOrder = StopOrder::Reverse;
pub(crate) const ON_START_FAILURE: OnStartFailure = OnStartFailure::Rollback;
pub(crate) const ISOLATED: bool = false;
pub(crate) const POOL_SIZE: u32 = 1;

// Children.
pub(crate) const RESTART: RestartType = RestartType::Permanent;
pub(crate) const SIGNIFICANT: bool = false;
pub(crate) const SHUTDOWN_SIGNAL: Signal = Signal::TERM;
pub(crate) const SHUTDOWN_MODE: ShutdownMode = ShutdownMode::Timeout(Duration::from_secs(10));
pub(crate) const SUPERVISOR_SHUTDOWN_MODE: ShutdownMode = ShutdownMode::Infinity;
pub(crate) const SHUTDOWN_SCOPE: KillScope = KillScope::Tree;
pub(crate) const BACKOFF: Backoff = Backoff {
    initial: Duration::from_millis(100),
    factor: 2.0,
    max: Duration::from_secs(30),
    jitter: 0.2,
    reset_after: Duration::from_secs(60),
};
pub(crate) const SUCCESS_CODES: [i32; 1] = [0];

// Probes and logs.
pub(crate) const READY_EVERY: Duration = Duration::from_secs(1);
pub(crate) const READY_TIMEOUT: Duration = Duration::from_secs(60);
pub(crate) const LIVE_EVERY: Duration = Duration::from_secs(10);
pub(crate) const LIVE_TIMEOUT: Duration = Duration::from_secs(1);
pub(crate) const LIVE_FAILURES: u32 = 3;
pub(crate) const LOG: LogSpec = LogSpec::Inherit;
pub(crate) const LOG_MAX_SIZE: u64 = 50_000_000;
pub(crate) const LOG_KEEP: u32 = 10;
pub(crate) const LOG_ON_FULL: OnFull = OnFull::Drop;

// The world of a child.
pub(crate) const ENV_INHERIT: EnvInherit = EnvInherit::All;

impl SupervisorSpec {
    /// A supervisor with every flag at its default and no children.
    #[must_use]
    pub fn new(name: impl Into<ChildName>) -> Self {
        Self {
            name: name.into(),
            strategy: STRATEGY,
            intensity: INTENSITY,
            period: PERIOD,
            auto_shutdown: AUTO_SHUTDOWN,
            stop: STOP,
            on_start_failure: ON_START_FAILURE,
            isolated: ISOLATED,
            children: Vec::new(),
        }
    }
}

impl ChildSpec {
    /// A child with every setting at its default.
    ///
    /// Supervisors and pools get the whole time they need to stop (`infinity`), as in OTP;
    /// a child with a `ready` probe counts as started when it is ready.
    #[must_use]
    pub fn new(name: impl Into<ChildName>, kind: ChildKind) -> Self {
        let is_ready_probed = kind.exec().is_some_and(|exec| exec.ready.is_some());
        Self {
            name: name.into(),
            restart: RESTART,
            significant: SIGNIFICANT,
            shutdown: if kind.is_supervisor() {
                Shutdown {
                    mode: SUPERVISOR_SHUTDOWN_MODE,
                    ..Shutdown::default()
                }
            } else {
                Shutdown::default()
            },
            backoff: BACKOFF,
            success: Success::default(),
            start: if is_ready_probed {
                StartCondition::Ready
            } else {
                StartCondition::Spawned
            },
            start_timeout: None,
            depends_on: BTreeMap::new(),
            kind,
        }
    }
}

impl PoolSpec {
    /// A pool of `size` members of this template, with the default limits and room for no more.
    #[must_use]
    pub fn new(size: u32, template: ChildSpec) -> Self {
        Self {
            size,
            max: size,
            intensity: INTENSITY,
            period: PERIOD,
            template: Box::new(template),
        }
    }
}

impl WorkersSpec {
    /// So many workers in the usual world, with the default limits and room for no more.
    #[must_use]
    pub fn new(size: u32) -> Self {
        Self {
            size,
            max: size.max(1),
            intensity: INTENSITY,
            period: PERIOD,
            exe: None,
            exec: ExecSpec::default(),
        }
    }
}

/// Asked every second, for a minute.
impl From<Probe> for ReadySpec {
    fn from(probe: Probe) -> Self {
        Self {
            probe,
            every: READY_EVERY,
            timeout: READY_TIMEOUT,
        }
    }
}

/// Asked every 10 seconds, a second each time; the third failure in a row counts.
impl From<Probe> for LiveSpec {
    fn from(probe: Probe) -> Self {
        Self::Check(LiveCheck {
            probe,
            every: LIVE_EVERY,
            timeout: LIVE_TIMEOUT,
            failures: LIVE_FAILURES,
        })
    }
}

impl Default for Shutdown {
    fn default() -> Self {
        Self {
            mode: SHUTDOWN_MODE,
            signal: SHUTDOWN_SIGNAL,
            scope: SHUTDOWN_SCOPE,
        }
    }
}

impl Default for Backoff {
    fn default() -> Self {
        BACKOFF
    }
}

impl Default for Success {
    fn default() -> Self {
        Self {
            codes: BTreeSet::from(SUCCESS_CODES),
            signals: BTreeSet::new(),
        }
    }
}

impl Default for ExecSpec {
    fn default() -> Self {
        Self {
            cwd: None,
            env: BTreeMap::new(),
            env_files: Vec::new(),
            env_inherit: ENV_INHERIT,
            limits: Limits::default(),
            ready: None,
            live: None,
            log: LOG,
        }
    }
}
