//! What a child says when its function runs: who it is, and when that was.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::{Pid, Signal, kill_process};
use rustix::time::{ClockId, clock_gettime};

/// A child takes less to run on the slowest machine, in seconds.
const HANGS: i64 = 120;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp {
    pub(crate) pid: u32,
    /// Nanoseconds of [`now`].
    pub(crate) time: u64,
}

/// Nanoseconds of the clock that all processes share.
pub(crate) fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    u64::try_from(now.tv_sec).unwrap() * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap()
}

/// Says that this process runs.
pub(crate) fn leave(fifo: &str) {
    let mut stamp = u64::from(std::process::id()).to_ne_bytes().to_vec();
    stamp.extend(now().to_ne_bytes());
    let mut fifo = File::options().write(true).open(fifo).unwrap();
    fifo.write_all(&stamp).unwrap();
}

/// The plainest child: says that it runs, and stays.
pub(crate) fn stay(fifo: &str) {
    leave(fifo);
    loop {
        std::thread::park();
    }
}

/// Where the stamps of all children come in.
pub(crate) struct Stamps {
    _directory: tempfile::TempDir,
    path: PathBuf,
    file: File,
}

impl Stamps {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("stamps");
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        // For writing too, so that it has no end while no child has it open.
        let file = File::options().read(true).write(true).open(&path).unwrap();
        Self {
            _directory: directory,
            path,
            file,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn next(&mut self) -> Stamp {
        let limit = Timespec {
            tv_sec: HANGS,
            tv_nsec: 0,
        };
        let is_there = poll(&mut [PollFd::new(&self.file, PollFlags::IN)], Some(&limit));
        assert!(is_there.unwrap() > 0, "a child did not come up");
        let mut bytes = [0; 16];
        self.file.read_exact(&mut bytes).unwrap();
        let (pid, time) = bytes.split_at(8);
        Stamp {
            pid: u32::try_from(u64::from_ne_bytes(pid.try_into().unwrap())).unwrap(),
            time: u64::from_ne_bytes(time.try_into().unwrap()),
        }
    }

    /// As many, in the order of their coming.
    pub(crate) fn take(&mut self, count: usize) -> Vec<Stamp> {
        (0..count).map(|_| self.next()).collect()
    }
}

/// Kills a child that is kept running by somebody else again and again: how long until the
/// next one ran, in microseconds. `wait_until_kept` returns when that somebody has no more to do
/// for the one that runs, which is no part of the next restart.
pub(crate) fn kill_again_and_again(
    stamps: &mut Stamps,
    kills: usize,
    mut wait_until_kept: impl FnMut(),
) -> (Vec<f64>, Stamp) {
    let mut last = stamps.next();
    let mut latencies = Vec::new();
    for _ in 0..kills {
        wait_until_kept();
        let killed = now();
        signal(last.pid, Signal::KILL);
        last = stamps.next();
        latencies.push((last.time - killed) as f64 / 1e3);
    }
    (latencies, last)
}

pub(crate) fn signal(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), signal).unwrap();
}
