//! What tests of actors share: news from other processes, and gates that hold them up.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use std::{env, fs, process};

use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};
use rustix::process::{
    Pid, PidfdFlags, PidfdGetfdFlags, Signal, kill_process, pidfd_getfd, pidfd_open,
};
use treewright::{Error, RemoteError, RemoteKind};

/// So short that a test may wait for it to pass.
pub(crate) const MOMENT: Duration = Duration::from_millis(50);

fn new_pipe(kind: &str) -> (PathBuf, File) {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = env::temp_dir().join(format!("{kind}-{}-{count}", process::id()));
    mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    // With both ends in one hand, it neither waits for the other one nor ever ends.
    let both = OpenOptions::new().read(true).write(true).open(&path);
    (path, both.unwrap())
}

/// Where processes of a test tell what happens to them, line by line.
pub(crate) struct Post {
    path: PathBuf,
    pipe: smol::Async<File>,
    unread: String,
}

impl Post {
    pub(crate) fn new() -> Self {
        let (path, pipe) = new_pipe("post");
        Self {
            path,
            pipe: smol::Async::new(pipe).unwrap(),
            unread: String::new(),
        }
    }

    /// What [`say`] is told to reach it.
    pub(crate) fn address(&self) -> String {
        self.path.to_str().unwrap().to_owned()
    }

    /// Waits for the next line.
    pub(crate) async fn line(&mut self) -> String {
        loop {
            if let Some(end) = self.unread.find('\n') {
                let line: String = self.unread.drain(..=end).collect();
                return line.trim_end().to_owned();
            }
            let mut bytes = [0; 4096];
            let length = self.pipe.get_ref().read(&mut bytes);
            match length {
                Ok(length) => self
                    .unread
                    .push_str(str::from_utf8(&bytes[..length]).unwrap()),
                Err(_) => self.pipe.readable().await.unwrap(),
            }
        }
    }

    /// Waits for this line, and for nothing else.
    pub(crate) async fn expect(&mut self, line: &str) {
        assert_eq!(self.line().await, line);
    }

    /// Waits for this many lines and sorts them.
    pub(crate) async fn sorted(&mut self, count: usize) -> Vec<String> {
        let mut lines = Vec::new();
        for _ in 0..count {
            lines.push(self.line().await);
        }
        lines.sort();
        lines
    }

    /// Waits for the number of a process, and watches that process.
    pub(crate) async fn process(&mut self) -> Watch {
        let line = self.line().await;
        Watch::of(line.strip_prefix("pid ").unwrap().parse().unwrap())
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        fs::remove_file(&self.path).unwrap();
    }
}

/// Sends a line to a [`Post`].
pub(crate) fn say(address: &str, line: &str) {
    let post = OpenOptions::new().read(true).write(true).open(address);
    // A post that is closed wants to hear nothing more.
    if let Ok(mut post) = post {
        post.write_all(format!("{line}\n").as_bytes()).unwrap();
    }
}

/// Tells a [`Post`] which process this is.
pub(crate) fn say_pid(address: &str) {
    say(address, &format!("pid {}", process::id()));
}

/// Tells a [`Post`] when it is dropped.
pub(crate) struct SayWhenDropped(pub(crate) String, pub(crate) &'static str);

impl Drop for SayWhenDropped {
    fn drop(&mut self) {
        say(&self.0, self.1);
    }
}

/// Holds up processes until it is opened, for all of them at once.
pub(crate) struct Gate {
    path: PathBuf,
    _closed: File,
}

impl Gate {
    pub(crate) fn new() -> Self {
        let (path, _closed) = new_pipe("gate");
        Self { path, _closed }
    }

    /// What [`pass`] is told to wait at it.
    pub(crate) fn address(&self) -> String {
        self.path.to_str().unwrap().to_owned()
    }

    /// Lets everybody pass.
    pub(crate) fn open(self) {
        drop(self);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        // Who comes from now on finds no gate, and who waits sees its pipe end after this.
        fs::remove_file(&self.path).unwrap();
    }
}

/// Waits until a [`Gate`] is open.
pub(crate) async fn pass(address: &str) {
    let mut options = OpenOptions::new();
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap();
    let gate = options.read(true).custom_flags(flags).open(address);
    if let Ok(gate) = gate {
        let gate = smol::Async::new_nonblocking(gate).unwrap();
        gate.readable().await.unwrap();
    }
}

/// A process that is only looked at.
pub(crate) struct Watch {
    pid: u32,
    /// None if it was gone before it was looked at.
    pidfd: Option<smol::Async<File>>,
}

impl Watch {
    pub(crate) fn of(pid: u32) -> Self {
        let pidfd: Option<OwnedFd> = pidfd_open(raw(pid), PidfdFlags::NONBLOCK).ok();
        let watch = |pidfd| smol::Async::new_nonblocking(File::from(pidfd)).unwrap();
        Self {
            pid,
            pidfd: pidfd.map(watch),
        }
    }

    /// Waits until it has ended.
    pub(crate) async fn gone(&self) {
        if let Some(pidfd) = &self.pidfd {
            pidfd.readable().await.unwrap();
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(raw(self.pid), signal).unwrap();
    }
}

fn raw(pid: u32) -> Pid {
    Pid::from_raw(pid.try_into().unwrap()).unwrap()
}

/// What came from another actor.
pub(crate) fn remote(error: &Error) -> &RemoteError {
    error
        .remote()
        .unwrap_or_else(|| panic!("it came from here: {error:?}"))
}

/// The kind of what came from another actor.
pub(crate) fn kind(error: &Error) -> RemoteKind {
    remote(error).kind()
}

/// The last segment of each name on the way that an error came.
pub(crate) fn relay(error: &RemoteError) -> Vec<&str> {
    error
        .relay()
        .iter()
        .map(treewright::ActorId::name)
        .collect()
}

/// Shuts every socket of this process.
pub(crate) fn shut_all_sockets() {
    for number in fs::read_dir("/proc/self/fd").unwrap() {
        let path = number.unwrap().path();
        let is_socket = fs::read_link(&path)
            .is_ok_and(|target| target.to_string_lossy().starts_with("socket:"));
        if is_socket {
            let number: u32 = path.file_name().unwrap().to_str().unwrap().parse().unwrap();
            let pidfd = pidfd_open(rustix::process::getpid(), PidfdFlags::empty()).unwrap();
            let flags = PidfdGetfdFlags::empty();
            let socket = pidfd_getfd(pidfd, number.try_into().unwrap(), flags).unwrap();
            // One that is not connected cannot be shut.
            let _ = rustix::net::shutdown(&socket, rustix::net::Shutdown::Both);
        }
    }
}

/// Which process runs it.
#[treewright::task]
pub(crate) async fn process_id() -> u32 {
    process::id()
}

/// Says which process runs it, waits for ever, and says when it is dropped.
#[treewright::task]
pub(crate) async fn hang(post: String) {
    let _told = SayWhenDropped(post.clone(), "dropped");
    say_pid(&post);
    std::future::pending().await
}

/// Says which process runs it, and never gives the processor back.
#[treewright::task]
pub(crate) async fn spin(post: String) {
    say_pid(&post);
    loop {
        std::hint::spin_loop();
    }
}

/// Says which process runs it, and blocks its thread for ever.
#[treewright::task]
pub(crate) async fn block(post: String) {
    say_pid(&post);
    loop {
        std::thread::park();
    }
}

/// Fails at once.
#[treewright::task]
pub(crate) async fn fail(text: String) -> treewright::Result<()> {
    Err(Error::other(text))
}

/// Says that it is ready, and fails as soon as the gate is open, also when it is cancelled.
#[treewright::task]
pub(crate) async fn fail_at(gate: String, post: String, text: String) -> treewright::Result<()> {
    say(&post, "ready");
    treewright::shielded(pass(&gate)).await;
    Err(Error::other(text))
}
