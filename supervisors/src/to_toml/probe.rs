//! Probes: when a child counts as ready, and how it is found out that it is no use.

use std::time::Duration;

use super::error::ToTomlError;
use super::exec::path;
use super::units::duration;
use super::value::Value;
use crate::spec::{ChildName, LiveSpec, Probe, ReadySpec, defaults};

pub(super) fn ready(ready: &ReadySpec, child: &ChildName) -> Result<Value, ToTomlError> {
    let mut entries = vec![probe(&ready.probe, child)?];
    set_unless(&mut entries, "every", ready.every, defaults::READY_EVERY);
    set_unless(
        &mut entries,
        "timeout",
        ready.timeout,
        defaults::READY_TIMEOUT,
    );
    Ok(Value::Table(entries))
}

pub(super) fn live(live: &LiveSpec, child: &ChildName) -> Result<Value, ToTomlError> {
    let check = match live {
        LiveSpec::Watchdog(limit) => return Ok(Value::table([("watchdog", duration(*limit))])),
        LiveSpec::Check(check) => check,
    };
    let mut entries = vec![probe(&check.probe, child)?];
    set_unless(&mut entries, "every", check.every, defaults::LIVE_EVERY);
    set_unless(
        &mut entries,
        "timeout",
        check.timeout,
        defaults::LIVE_TIMEOUT,
    );
    if check.failures != defaults::LIVE_FAILURES {
        let failures = Value::Integer(i64::from(check.failures));
        entries.push(("failures".to_owned(), failures));
    }
    Ok(Value::Table(entries))
}

fn set_unless(entries: &mut Vec<(String, Value)>, key: &str, value: Duration, default: Duration) {
    if value != default {
        entries.push((key.to_owned(), duration(value)));
    }
}

fn probe(probe: &Probe, child: &ChildName) -> Result<(String, Value), ToTomlError> {
    let (key, value) = match probe {
        Probe::Tcp(address) => ("tcp", Value::text(address)),
        Probe::Http(url) => ("http", Value::text(url)),
        Probe::Exec(words) => ("exec", Value::texts(words)),
        Probe::File(file) => ("file", path(file, child)?),
        Probe::Log(text) => ("log", Value::text(text)),
        Probe::Notify => ("notify", Value::Boolean(true)),
        Probe::Uptime(uptime) => ("uptime", duration(*uptime)),
    };
    Ok((key.to_owned(), value))
}
