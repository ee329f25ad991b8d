//! One supervisor that runs for a measurement, from its start until nothing of it is left.

use std::fs::{self, File};
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::Signal;

use super::processes::{self, is_ready, now};
use super::supervisors::Supervisor;

const SECOND: u64 = 1_000_000_000;

/// The smallest child, compiled for this bench.
pub(crate) struct Program(PathBuf);

impl Program {
    pub(crate) fn compile(directory: &Path) -> Self {
        let program = directory.join("child");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/tree/child.c");
        // A C library that is made to be linked statically starts in fewer steps.
        let is_compiled = ["musl-gcc", "cc"].into_iter().any(|compiler| {
            let mut command = Command::new(compiler);
            command
                .args(["-O2", "-static", "-s", "-o"])
                .arg(&program)
                .arg(source);
            command.status().is_ok_and(|status| status.success())
        });
        assert!(is_compiled, "there is no C compiler that links statically");
        Self(program)
    }
}

/// What a child writes when it has become its program.
#[derive(Clone, Copy)]
pub(crate) struct Stamp {
    pub(crate) pid: u32,
    /// Nanoseconds.
    pub(crate) time: u64,
}

/// A supervisor that runs.
pub(crate) struct Session<'a> {
    supervisor: Supervisor,
    program: &'a Program,
    directory: tempfile::TempDir,
    child: Child,
    stamps: OwnedFd,
    /// When it was started, in nanoseconds.
    pub(crate) started: u64,
}

impl<'a> Session<'a> {
    /// Starts it with `count` children, which do what `mode` says.
    pub(crate) fn start(
        supervisor: Supervisor,
        program: &'a Program,
        count: usize,
        mode: &str,
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let fifo = directory.path().join("stamps");
        mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        // For writing too, so that it has no end while no child has it open.
        let stamps = File::options().read(true).write(true).open(&fifo).unwrap();
        let services = directory.path().join("services");
        fs::create_dir(&services).unwrap();
        let argv = [program.0.to_str().unwrap(), mode, fifo.to_str().unwrap()];
        let mut command = supervisor.command(&services, count, &argv);
        let output = File::create(directory.path().join("output")).unwrap();
        command
            .stdin(Stdio::null())
            .stderr(output.try_clone().unwrap())
            .stdout(output);
        let started = now();
        let child = command.spawn().unwrap();
        Self {
            supervisor,
            program,
            directory,
            child,
            stamps: stamps.into(),
            started,
        }
    }

    /// The next stamp; none if it does not come in time.
    pub(crate) fn stamp(&mut self, until: u64) -> Option<Stamp> {
        if !is_ready(&self.stamps, until) {
            return None;
        }
        let mut bytes = [0; 16];
        let mut file = File::from(self.stamps.try_clone().unwrap());
        file.read_exact(&mut bytes).unwrap();
        let (pid, time) = bytes.split_at(8);
        Some(Stamp {
            pid: u32::try_from(u64::from_ne_bytes(pid.try_into().unwrap())).unwrap(),
            time: u64::from_ne_bytes(time.try_into().unwrap()),
        })
    }

    /// As many stamps; fewer if they do not come within the time, in seconds.
    pub(crate) fn stamps(&mut self, count: usize, seconds: u64) -> Vec<Stamp> {
        let until = now() + seconds * SECOND;
        let next = std::iter::from_fn(|| self.stamp(until));
        next.take(count).collect()
    }

    /// The processes of the supervisor itself, its children not counted.
    pub(crate) fn supervisors(&self) -> Vec<u32> {
        let mut family = processes::family(self.child.id());
        family.retain(|pid| !processes::runs(*pid, &self.program.0));
        family
    }

    /// What it printed last.
    pub(crate) fn last_words(&self) -> String {
        let output = fs::read(self.directory.path().join("output")).unwrap();
        let output = String::from_utf8_lossy(&output);
        let lines: Vec<_> = output.lines().rev().take(3).collect();
        lines.join(" | ")
    }

    /// Asks it to stop and waits until nothing of it is left: how long that took, in
    /// milliseconds; nothing when it did not come to an end by itself.
    pub(crate) fn stop(mut self, seconds: u64) -> Option<f64> {
        let family = processes::family(self.child.id());
        let watched: Vec<OwnedFd> = family
            .iter()
            .filter_map(|pid| processes::watch(*pid))
            .collect();
        let asked = now();
        processes::signal(&watched[0], self.supervisor.stop_signal());
        let is_over = processes::wait_for(&watched, seconds);
        let took = (now() - asked) as f64 / 1e6;
        self.kill();
        is_over.then_some(took)
    }

    /// Kills what is left, the supervisors first, so that they start nobody again.
    fn kill(&mut self) {
        let mut family = self.supervisors();
        family.extend(processes::family(self.child.id()));
        let watched: Vec<OwnedFd> = family.into_iter().filter_map(processes::watch).collect();
        for process in &watched {
            processes::signal(process, Signal::KILL);
        }
        processes::wait_for(&watched, 10);
        self.child.wait().unwrap();
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        self.kill();
    }
}
