//! The specs of a case, for our machines.

use std::time::Duration;

use treewright_supervisors::spec::{ChildSpec, ShutdownMode, SupervisorSpec};

use super::case::{Child, Kind, Pool, Shutdown, Supervisor};
use crate::simulation::{Flags, Tune, named, nested, pool, seconds, worker};

/// Without interposed happenings nothing waits between tries: that is OTP. With them there has to
/// be a rest between two tries, as there is in OTP where the next try is a message to itself: of a
/// nanosecond, which the window is widened for.
pub(super) fn supervisor(from: &Supervisor, is_interposed: bool) -> SupervisorSpec {
    let children = from.children.iter();
    let children = children.map(|from| self::child(from, is_interposed));
    named(&from.name, from.strategy, children)
        .intensity(from.intensity, period(from.period, is_interposed))
        .auto(from.auto)
}

fn period(whole: u64, is_interposed: bool) -> Duration {
    let widened = if is_interposed { 500 } else { 0 };
    seconds(whole) + Duration::from_millis(widened)
}

pub(super) fn child(from: &Child, is_interposed: bool) -> ChildSpec {
    let spec = match &from.kind {
        Kind::Worker => worker(&from.name),
        Kind::Supervisor(below) => nested(supervisor(below, is_interposed)),
        Kind::Pool(from) => members(from, is_interposed),
    };
    spec.restart(from.restart).with(|child| {
        child.significant = from.significant;
        child.shutdown.mode = mode(from.shutdown);
        rest_between_tries(child, is_interposed);
    })
}

fn rest_between_tries(child: &mut ChildSpec, is_interposed: bool) {
    if is_interposed {
        child.backoff.initial = Duration::from_nanos(1);
        child.backoff.factor = 1.0;
        child.backoff.jitter = 0.0;
    }
}

fn members(from: &Pool, is_interposed: bool) -> ChildSpec {
    let template = worker(&from.name).restart(from.restart).with(|child| {
        child.shutdown.mode = mode(from.shutdown);
        rest_between_tries(child, is_interposed);
    });
    let mut child = pool(&from.name, template, 0, u32::MAX);
    if let treewright_supervisors::spec::ChildKind::Pool(pool) = &mut child.kind {
        pool.intensity = from.intensity;
        pool.period = period(from.period, is_interposed);
    }
    child
}

fn mode(shutdown: Shutdown) -> ShutdownMode {
    match shutdown {
        Shutdown::BrutalKill => ShutdownMode::BrutalKill,
        Shutdown::Timeout(timeout) => ShutdownMode::Timeout(seconds(timeout)),
        Shutdown::Infinity => ShutdownMode::Infinity,
    }
}
