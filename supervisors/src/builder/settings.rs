//! What can be set of every child: when it is started, restarted and stopped.

use std::time::Duration;

use super::Child;
use crate::spec::{
    Backoff, ChildKind, ChildName, Condition, RestartType, Shutdown, ShutdownMode, Signal,
    StartCondition,
};

impl Child {
    /// When it is started again after it ended.
    pub fn restart(mut self, restart: RestartType) -> Self {
        self.note("restart");
        self.own().restart = restart;
        self
    }

    /// Its end can end its supervisor, see [`AutoShutdown`](crate::spec::AutoShutdown).
    pub fn significant(mut self) -> Self {
        self.note("significant");
        self.own().significant = true;
        self
    }

    /// How it is stopped: a [`Duration`] is how long it may take to end after it was asked, a
    /// [`ShutdownMode`] one of OTP's three kinds, a [`Shutdown`] all of it.
    pub fn shutdown(mut self, shutdown: impl Into<Shutdown>) -> Self {
        self.note("shutdown");
        self.own().shutdown = shutdown.into();
        self
    }

    /// How long it is waited before it is started again.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.note("backoff");
        self.own().backoff = backoff;
        self
    }

    /// Which exit codes are success; only 0 unless said.
    pub fn success_codes(mut self, codes: impl IntoIterator<Item = i32>) -> Self {
        self.note("success");
        self.own().success.codes = codes.into_iter().collect();
        self
    }

    /// By which signals it may die in success; none unless said.
    pub fn success_signals(mut self, signals: impl IntoIterator<Item = Signal>) -> Self {
        self.note("success");
        self.own().success.signals = signals.into_iter().collect();
        self
    }

    /// What "started" means. With a `ready` probe it is [`StartCondition::Ready`] unless said.
    pub fn start(mut self, start: StartCondition) -> Self {
        self.note("start");
        self.is_start_given = true;
        self.own().start = start;
        self
    }

    /// Time from the spawn in which it must count as started.
    pub fn start_timeout(mut self, limit: Duration) -> Self {
        self.note("start_timeout");
        self.own().start_timeout = Some(limit);
        self
    }

    /// What must hold of another child before each of its starts. A pool waits once, not each
    /// of its members.
    pub fn depends_on(mut self, child: impl Into<ChildName>, condition: Condition) -> Self {
        self.note("depends_on");
        self.spec.depends_on.insert(child.into(), condition);
        self
    }

    /// How many members the pool may have; as many as are started unless said.
    pub fn max(mut self, max: u32) -> Self {
        self.note("max");
        match &mut self.spec.kind {
            ChildKind::Pool(pool) => pool.max = max,
            ChildKind::Workers(workers) => workers.max = max,
            _ => {}
        }
        self
    }

    /// How many restarts the pool allows in its period, over all members.
    pub fn intensity(mut self, intensity: u32) -> Self {
        self.note("intensity");
        match &mut self.spec.kind {
            ChildKind::Pool(pool) => pool.intensity = intensity,
            ChildKind::Workers(workers) => workers.intensity = intensity,
            _ => {}
        }
        self
    }

    /// The window in which the restarts of the pool's members are counted.
    pub fn period(mut self, period: Duration) -> Self {
        self.note("period");
        match &mut self.spec.kind {
            ChildKind::Pool(pool) => pool.period = period,
            ChildKind::Workers(workers) => workers.period = period,
            _ => {}
        }
        self
    }
}

/// Asked by SIGTERM, given this long, then killed with all that belongs to it.
impl From<Duration> for Shutdown {
    fn from(limit: Duration) -> Self {
        ShutdownMode::Timeout(limit).into()
    }
}

/// By SIGTERM, with all that belongs to it.
impl From<ShutdownMode> for Shutdown {
    fn from(mode: ShutdownMode) -> Self {
        Self {
            mode,
            ..Self::default()
        }
    }
}
