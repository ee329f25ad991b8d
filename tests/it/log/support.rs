//! Logs over files of the test's own, and children that write to them.

use std::fs::{self, File, OpenOptions};
use std::future::{Future, pending};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use async_process::{Child, Command};
use futures_lite::future::{block_on, or};
use smol::channel::{Receiver, unbounded};
use treewright::spec::{ChildName, LogFile, LogSpec, OnFull};
use treewright::tree::log::{AttachedOutput, ChildLog, LogReport, LogSettings, Logs};

/// Long enough for any machine; only a failing test waits for it.
pub(super) const GRACE: Duration = Duration::from_secs(60);

/// A directory of one test, removed at its end.
pub(super) struct Directory(PathBuf);

impl Directory {
    pub(super) fn new(test: &str) -> Self {
        let name = format!("treewright-it-log-{test}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(super) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    pub(super) fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).unwrap()
    }

    pub(super) fn fifo(&self, name: &str) -> PathBuf {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        let path = self.path(name);
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        path
    }

    /// Settings with the tree's own output in `stdout` and `stderr` of this directory.
    pub(super) fn settings(&self) -> LogSettings {
        let create = |name| {
            let mut options = OpenOptions::new();
            options.append(true).create(true);
            options.open(self.path(name)).unwrap()
        };
        LogSettings::new(create("stdout"), create("stderr"), ["web", "noisy"])
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

/// Logs, and what they reported.
pub(super) fn logs(settings: LogSettings) -> (Logs, Receiver<LogReport>) {
    let (tx, rx) = unbounded();
    let report = move |report| tx.try_send(report).unwrap();
    (Logs::new(settings, report).unwrap(), rx)
}

/// Runs the logs beside `body`, and closes them after it; everything must be written.
pub(super) fn run<T>(logs: &Logs, body: impl Future<Output = T>) -> T {
    let running = async {
        logs.run().await;
        pending().await
    };
    block_on(or(running, async {
        let value = body.await;
        assert!(logs.close(GRACE).await, "not everything was written");
        value
    }))
}

/// The log of the child of this name.
pub(super) async fn open(logs: &Logs, name: &str, spec: &LogSpec) -> ChildLog {
    logs.open(&ChildName::from(name), spec).await.unwrap()
}

/// `sh -c script` in a process group of its own, with its output attached to `log`.
pub(super) fn start(log: &ChildLog, script: &str) -> (Child, AttachedOutput) {
    use std::os::unix::process::CommandExt;
    let mut command = std::process::Command::new("sh");
    command.args(["-c", script]).process_group(0);
    let mut child = Command::from(command)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stdout: OwnedFd = child.stdout.take().unwrap().try_into().unwrap();
    let stderr: OwnedFd = child.stderr.take().unwrap().try_into().unwrap();
    let output = log.attach(Some(stdout), Some(stderr)).unwrap();
    (child, output)
}

/// Runs the script to its end and until its output is passed on.
pub(super) async fn finish(log: &ChildLog, script: &str) {
    let (mut child, output) = start(log, script);
    assert!(child.status().await.unwrap().success(), "{script}");
    output.drained().await;
}

pub(super) fn file(path: &Path, on_full: OnFull) -> LogSpec {
    LogSpec::File(LogFile {
        file: path.to_owned(),
        max_size: u64::MAX,
        keep: 1,
        on_full,
    })
}

/// The numbers of `lines`, and the sum of all markers among them.
pub(super) fn numbers_and_dropped(text: &str) -> (Vec<u64>, u64) {
    let (mut numbers, mut dropped) = (Vec::new(), 0);
    for line in text.lines() {
        match line.strip_prefix("[treewright: ") {
            Some(marker) => dropped += marker.split(' ').next().unwrap().parse::<u64>().unwrap(),
            None => numbers.push(line.parse().unwrap()),
        }
    }
    (numbers, dropped)
}

/// A file system of this size in memory; none where mounting is not permitted.
pub(super) struct TinyDisk(PathBuf);

impl TinyDisk {
    pub(super) fn mount(directory: &Directory, size: &str) -> Option<Self> {
        let path = directory.path("disk");
        fs::create_dir(&path).unwrap();
        let options = format!("size={size}");
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(&path)
            .output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(path));
        }
        #[expect(clippy::print_stderr, reason = "a test that was not run must be seen")]
        {
            eprintln!("SKIPPED: mounting a tmpfs is not permitted here, so no disk can be filled");
        }
        None
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(super) fn remount(&self, options: &str) {
        let status = std::process::Command::new("mount")
            .args(["-o", &format!("remount,{options}")])
            .arg(&self.0)
            .status();
        assert!(status.unwrap().success());
    }

    /// Takes all the space there is.
    pub(super) fn fill(&self) {
        use std::io::Write;
        let mut filler = File::create(self.path("filler")).unwrap();
        while filler.write(&[b'x'; 4096]).is_ok_and(|count| count > 0) {}
    }
}

impl Drop for TinyDisk {
    fn drop(&mut self) {
        let mut umount = std::process::Command::new("umount");
        let status = umount.arg("-l").arg(&self.0).status();
        assert!(status.unwrap().success());
    }
}
