//! The plainest program that keeps this image running: spawn, a blocking wait, spawn again.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::Signal;

use crate::Kind;
use crate::stamps::{Stamps, kill_again_and_again, now, signal};

/// Starts this image again, which says that it runs and stays.
pub(crate) fn start(fifo: &Path) -> Child {
    let mut command = Command::new("/proc/self/exe");
    command.arg(format!("stamp={}", fifo.display()));
    command.stdin(Stdio::null()).spawn().unwrap()
}

/// From the KILL of one until the next one runs, in microseconds.
pub(crate) fn restarts(kills: usize) -> Vec<f64> {
    let mut stamps = Stamps::new();
    let fifo: PathBuf = stamps.path().to_owned();
    let is_enough = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&is_enough);
    let keeper = std::thread::spawn(move || {
        while !told.load(Ordering::SeqCst) {
            start(&fifo).wait().unwrap();
        }
    });
    // Nothing is left to do for a child that says that it runs but to wait for it.
    let (latencies, last) = kill_again_and_again(&mut stamps, kills, || ());
    is_enough.store(true, Ordering::SeqCst);
    signal(last.pid, Signal::KILL);
    keeper.join().unwrap();
    latencies
}

/// From the KILL of one until all have been stopped, in reverse and each waited for, and all
/// run again, in milliseconds.
pub(crate) fn group_restarts(kind: Kind, count: usize, kills: usize) -> Vec<f64> {
    let mut stamps = Stamps::new();
    let (mut children, _) = start_all(&mut stamps, kind, count);
    let mut latencies = Vec::new();
    for _ in 0..kills {
        let killed = now();
        let victim = &mut children[count / 2];
        victim.kill().unwrap();
        victim.wait().unwrap();
        stop_all(children);
        let last;
        (children, last) = start_all(&mut stamps, kind, count);
        latencies.push((last - killed) as f64 / 1e6);
    }
    stop_all(children);
    latencies
}

/// Starts so many, and tells when the last one ran.
fn start_all(stamps: &mut Stamps, kind: Kind, count: usize) -> (Vec<Child>, u64) {
    let mut times = Vec::new();
    let mut children = Vec::new();
    for _ in 0..count {
        children.push(start(stamps.path()));
        // An actor counts as started when it answers, a command when it has been started.
        if matches!(kind, Kind::Actor) {
            times.push(stamps.next().time);
        }
    }
    let missing = count - times.len();
    times.extend(stamps.take(missing).iter().map(|stamp| stamp.time));
    (children, times.into_iter().max().unwrap())
}

fn stop_all(children: Vec<Child>) {
    for mut child in children.into_iter().rev() {
        if child.try_wait().unwrap().is_none() {
            signal(child.id(), Signal::TERM);
            child.wait().unwrap();
        }
    }
}
