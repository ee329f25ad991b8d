//! The plainest program that keeps commands running: start, wait for any, start again.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, wait};
use signal_hook::consts::SIGTERM;
use signal_hook::iterator::Signals;

#[derive(Default)]
struct Children {
    pids: BTreeSet<i32>,
    is_stopping: bool,
}

/// Keeps `count` copies of `argv` running, without any delay, until it is sent TERM; then
/// ends them all and waits for them.
pub(crate) fn keep_running(count: usize, argv: &[OsString]) {
    let children = Arc::new(Mutex::new(Children::default()));
    let mut signals = Signals::new([SIGTERM]).unwrap();
    let stopped = Arc::clone(&children);
    std::thread::spawn(move || {
        for _ in signals.forever() {
            let mut children = stopped.lock().unwrap();
            children.is_stopping = true;
            for pid in &children.pids {
                // One that has just ended is not there any more.
                let _ = kill_process(Pid::from_raw(*pid).unwrap(), Signal::TERM);
            }
        }
    });
    for _ in 0..count {
        start(&mut children.lock().unwrap(), argv);
    }
    loop {
        let Ok(Some((pid, _))) = wait(WaitOptions::empty()) else {
            return;
        };
        let mut children = children.lock().unwrap();
        children.pids.remove(&pid.as_raw_pid());
        if !children.is_stopping {
            start(&mut children, argv);
        }
    }
}

fn start(children: &mut Children, argv: &[OsString]) {
    let mut command = Command::new(&argv[0]);
    let child = command.args(&argv[1..]).stdin(Stdio::null()).spawn();
    children.pids.insert(child.unwrap().id().cast_signed());
}
