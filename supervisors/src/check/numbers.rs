//! Ranges of numbers and durations.

use std::time::Duration;

use super::index::Thing;
use crate::duration::Written;
use crate::report::{Code, Fault, SpecPath};
use crate::spec::{
    Backoff, ChildKind, ChildSpec, ExecSpec, Identity, Limits, LiveSpec, LogSpec, PoolSpec, Probe,
    ShutdownMode, WorkersSpec,
};

/// The longest duration: the line of [`Time`](crate::Time) has no more.
const LONGEST: Duration = Duration::from_nanos(u64::MAX);

/// Collects the ranges of one thing.
struct Ranges<'a> {
    title: &'a str,
    path: &'a SpecPath,
    faults: &'a mut Vec<Fault>,
}

impl Ranges<'_> {
    fn fault(&mut self, keys: &[&str], what: &str, expected: &str) {
        let at = keys
            .iter()
            .fold(self.path.clone(), |path, key| path.key(key));
        let message = format!("`{}` of {} {what}", keys.join("."), self.title);
        self.faults.push(
            Fault::error(Code::OutOfRange, at, message).label(format!("expected {expected}")),
        );
    }

    fn require(&mut self, holds: bool, keys: &[&str], what: &str, expected: &str) {
        if !holds {
            self.fault(keys, what, expected);
        }
    }

    fn duration(&mut self, duration: Duration, keys: &[&str]) {
        self.require(
            duration <= LONGEST,
            keys,
            "is too large",
            "at most 584 years",
        );
    }

    fn positive(&mut self, duration: Duration, keys: &[&str]) {
        self.require(
            !duration.is_zero(),
            keys,
            "is zero",
            "a duration longer than zero",
        );
        self.duration(duration, keys);
    }
}

/// The window of a limit.
pub(super) fn limit(period: Duration, title: &str, path: &SpecPath, faults: &mut Vec<Fault>) {
    Ranges {
        title,
        path,
        faults,
    }
    .positive(period, &["period"]);
}

pub(super) fn pool(pool: &PoolSpec, thing: &Thing<'_>, faults: &mut Vec<Fault>) {
    members(pool.size, pool.max, pool.period, thing, faults);
}

pub(super) fn workers(workers: &WorkersSpec, thing: &Thing<'_>, faults: &mut Vec<Fault>) {
    members(workers.size, workers.max, workers.period, thing, faults);
}

fn members(size: u32, max: u32, period: Duration, thing: &Thing<'_>, faults: &mut Vec<Fault>) {
    let (title, path) = (thing.title(), thing.path());
    limit(period, &title, &path, faults);
    if size > max {
        faults.push(
            Fault::error(
                Code::OutOfRange,
                path.clone().key("size"),
                format!("{title} starts more members than it may have"),
            )
            .label(format!("expected at most {max}"))
            .related(path.clone().key("max"), format!("`max` is {max}")),
        );
    }
    if max == 0 {
        faults.push(
            Fault::error(
                Code::OutOfRange,
                path.key("max"),
                format!("{title} may have no members"),
            )
            .label("expected a whole number of at least 1"),
        );
    }
}

/// What every child has, and its world.
pub(super) fn settings(child: &ChildSpec, thing: &Thing<'_>, faults: &mut Vec<Fault>) {
    let (title, path) = (thing.title(), thing.path());
    let mut ranges = Ranges {
        title: &title,
        path: &path,
        faults,
    };
    backoff(&child.backoff, &mut ranges);
    if let ShutdownMode::Timeout(timeout) = child.shutdown.mode {
        ranges.duration(timeout, &["shutdown"]);
    }
    if let Some(timeout) = child.start_timeout {
        ranges.positive(timeout, &["start_timeout"]);
    }
    ranges.require(
        child
            .success
            .codes
            .iter()
            .all(|code| (0..=255).contains(code)),
        &["success", "codes"],
        "has a code that no process ends with",
        "whole numbers from 0 to 255",
    );
    if let ChildKind::Process(process) = &child.kind {
        identity(&process.identity, &mut ranges);
    }
    if let Some(exec) = child.kind.exec() {
        probes(exec, &mut ranges);
        limits(&exec.limits, &mut ranges);
        if let LogSpec::File(log) = &exec.log {
            ranges.require(
                log.max_size > 0,
                &["log", "max_size"],
                "is zero",
                "a size of at least \"1B\"",
            );
        }
    }
}

fn backoff(backoff: &Backoff, ranges: &mut Ranges<'_>) {
    ranges.require(
        (1.0..=1e6).contains(&backoff.factor),
        &["backoff", "factor"],
        "is out of range",
        "a number from 1 to 1000000",
    );
    ranges.require(
        (0.0..=1.0).contains(&backoff.jitter),
        &["backoff", "jitter"],
        "is out of range",
        "a number from 0 to 1",
    );
    for (name, duration) in [
        ("initial", backoff.initial),
        ("max", backoff.max),
        ("reset_after", backoff.reset_after),
    ] {
        ranges.duration(duration, &["backoff", name]);
    }
    if backoff.initial > backoff.max {
        let (initial, max) = (Written(backoff.initial), Written(backoff.max));
        let at = |key: &str| ranges.path.clone().key("backoff").key(key);
        let fault = Fault::error(
            Code::OutOfRange,
            at("initial"),
            format!("the backoff of {} begins above its end", ranges.title),
        )
        .label(format!("begins at {initial} …"))
        .related(at("max"), format!("… and is at most {max}"))
        .hint("make `initial` shorter, or `max` at least as long");
        ranges.faults.push(fault);
    }
}

fn probes(exec: &ExecSpec, ranges: &mut Ranges<'_>) {
    if let Some(ready) = &exec.ready {
        ranges.positive(ready.every, &["ready", "every"]);
        ranges.positive(ready.timeout, &["ready", "timeout"]);
        if let Probe::Uptime(uptime) = ready.probe
            && uptime >= ready.timeout
        {
            ranges.fault(
                &["ready", "uptime"],
                "is not shorter than its `timeout`",
                "less than `timeout`, or it is never ready",
            );
        }
    }
    match &exec.live {
        None => {}
        Some(LiveSpec::Watchdog(patience)) => ranges.positive(*patience, &["live", "watchdog"]),
        Some(LiveSpec::Check(live)) => {
            ranges.positive(live.every, &["live", "every"]);
            ranges.positive(live.timeout, &["live", "timeout"]);
            ranges.require(
                live.failures > 0,
                &["live", "failures"],
                "is zero",
                "a whole number of at least 1",
            );
            ranges.require(
                !matches!(live.probe, Probe::Log(_) | Probe::Notify | Probe::Uptime(_)),
                &["live"],
                "asks for something that is true once and for all",
                "`tcp`, `http`, `exec` or `file`",
            );
        }
    }
}

fn limits(limits: &Limits, ranges: &mut Ranges<'_>) {
    ranges.require(
        limits.memory != Some(0),
        &["limits", "memory"],
        "is zero",
        "a size of at least \"1B\"",
    );
    ranges.require(
        limits.pids != Some(0),
        &["limits", "pids"],
        "is zero",
        "a whole number of at least 1",
    );
    ranges.require(
        limits
            .cpu
            .is_none_or(|cpu| (0.001..=65536.0).contains(&cpu)),
        &["limits", "cpu"],
        "is out of range",
        "a number from 0.001 to 65536",
    );
}

fn identity(identity: &Identity, ranges: &mut Ranges<'_>) {
    ranges.require(
        identity.umask.is_none_or(|umask| umask <= 0o777),
        &["umask"],
        "is out of range",
        "octal digits from \"0\" to \"777\"",
    );
    ranges.require(
        identity.nice.is_none_or(|nice| (-20..=19).contains(&nice)),
        &["nice"],
        "is out of range",
        "a whole number from -20 to 19",
    );
}
