//! What is measured: starting, stopping, restarting, memory, idleness.

use std::time::Duration;

use rustix::process::Signal;

use super::processes::{self, now};
use super::session::{Program, Session};
use super::supervisors::Supervisor;

const SECOND: u64 = 1_000_000_000;
/// How many children are started and stopped.
pub(crate) const MANY: usize = 1000;
/// How many run while one after another of them is killed.
const FEW: usize = 100;
/// How long a supervisor may take to do what another does in a second.
const LIMIT: u64 = 150;
/// How long the killing of children may take in all, in seconds.
const RESTART_LIMIT: u64 = 20;

/// A figure of one round: what it is of, and its value.
pub(crate) type Figure = (&'static str, f64);

/// Starts many, looks at the supervisor while they run, and stops them.
pub(crate) fn many(supervisor: Supervisor, program: &Program, idle: bool) -> Vec<Figure> {
    let mut figures = Vec::new();
    let mut session = Session::start(supervisor, program, MANY, "stay");
    let stamps = session.stamps(MANY, LIMIT);
    let Some(last) = stamps
        .iter()
        .map(|stamp| stamp.time)
        .max()
        .filter(|_| stamps.len() == MANY)
    else {
        let (name, started) = (supervisor.name(), stamps.len());
        eprintln!(
            "{name}: {started} of {MANY} started: {}",
            session.last_words()
        );
        return figures;
    };
    figures.push(("start", (last - session.started) as f64 / 1e6));
    std::thread::sleep(Duration::from_millis(500));
    let supervisors = session.supervisors();
    let sum = |of: fn(u32) -> f64| supervisors.iter().map(|pid| of(*pid)).sum::<f64>();
    figures.push(("start cpu", sum(processes::processor_time)));
    figures.push(("processes", supervisors.len() as f64));
    figures.push(("memory", sum(processes::memory)));
    if idle {
        let ticks = || {
            supervisors
                .iter()
                .map(|pid| processes::ticks(*pid))
                .sum::<u64>()
        };
        let before = ticks();
        std::thread::sleep(Duration::from_secs(10));
        figures.push(("idle", (ticks() - before) as f64));
    }
    match session.stop(LIMIT) {
        Some(took) => figures.push(("stop", took)),
        None => eprintln!("{}: did not stop", supervisor.name()),
    }
    figures
}

/// Kills one child after another: how long until its replacement runs, in microseconds.
pub(crate) fn restarts(supervisor: Supervisor, program: &Program) -> Vec<f64> {
    let mut session = Session::start(supervisor, program, FEW, "stay");
    let stamps = session.stamps(FEW, LIMIT);
    // runit delays whoever has not been up for a second.
    std::thread::sleep(Duration::from_millis(2500));
    let until = now() + RESTART_LIMIT * SECOND;
    let mut latencies = Vec::new();
    for stamp in stamps {
        if now() > until {
            break;
        }
        let Some(process) = processes::watch(stamp.pid) else {
            continue;
        };
        let killed = now();
        processes::signal(&process, Signal::KILL);
        match session.stamp(now() + 10 * SECOND) {
            Some(next) => latencies.push((next.time - killed) as f64 / 1e3),
            None => eprintln!(
                "{}: no restart: {}",
                supervisor.name(),
                session.last_words()
            ),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    session.stop(LIMIT);
    latencies
}

/// Counts how often a child that always ends is started again, in a second.
pub(crate) fn crashes(supervisor: Supervisor, program: &Program, seconds: u64) -> Option<f64> {
    let mut session = Session::start(supervisor, program, 1, "crash");
    let first = session.stamp(now() + LIMIT * SECOND)?;
    let until = first.time + seconds * SECOND;
    let mut count = 0_u32;
    while session.stamp(until).is_some_and(|stamp| stamp.time < until) {
        count += 1;
    }
    session.stop(LIMIT);
    Some(f64::from(count) / seconds as f64)
}
