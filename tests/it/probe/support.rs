//! Children and servers to be probed.

use std::fs::{self, File, OpenOptions};
use std::future::Future;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use treewright::process::{Child, Command, Output};
use treewright::spec::{ChildName, LiveCheck, LiveSpec, LogSpec, Probe, ReadySpec};
use treewright::tree::log::{ChildLog, LogSettings, Logs};
use treewright::tree::probe::{NotReady, ReadyProbe, Unwell, watch_live};

pub(super) use crate::process::run;

/// Long enough for any machine; only a failing test waits for it.
pub(super) const LONG: Duration = Duration::from_secs(60);
/// A time that is waited for in earnest.
pub(super) const SHORT: Duration = Duration::from_millis(50);

/// A directory of one test, removed at its end.
pub(super) struct Directory(PathBuf);

impl Directory {
    pub(super) fn new(test: &str) -> Self {
        let name = format!("treewright-it-probe-{test}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(super) fn root(&self) -> &Path {
        &self.0
    }

    pub(super) fn fifo(&self, name: &str) -> Fifo {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        let path = self.path(name);
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        Fifo(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

/// A FIFO that processes hold open for writing as long as they live.
pub(super) struct Fifo(PathBuf);

impl Fifo {
    pub(super) fn path(&self) -> std::path::Display<'_> {
        self.0.display()
    }

    /// Reads until nobody holds it any more.
    pub(super) fn read_to_end(&self) -> JoinHandle<String> {
        let path = self.0.clone();
        thread::spawn(move || fs::read_to_string(path).unwrap())
    }

    /// Reads the first byte, and leaves the rest to be read to its end.
    pub(super) fn first_byte(&self) -> JoinHandle<File> {
        let path = self.0.clone();
        thread::spawn(move || {
            let mut file = File::open(path).unwrap();
            file.read_exact(&mut [0]).unwrap();
            file
        })
    }
}

/// The command of an exec probe: its arguments, in this test's own world.
pub(super) fn command(argv: &[String]) -> Command {
    let mut command = Command::new(argv[0].as_str());
    command
        .args(&argv[1..])
        .stdout(Output::Null)
        .stderr(Output::Null);
    command
}

pub(super) fn shell(script: &str) -> Probe {
    Probe::Exec(["sh", "-c", script].map(String::from).to_vec())
}

/// Logs that write nowhere, and the log of one child.
pub(super) async fn quiet_log() -> (Logs, ChildLog) {
    let null = || OpenOptions::new().write(true).open("/dev/null").unwrap();
    let settings = LogSettings::new(null(), null(), []);
    let logs = Logs::new(settings, |report| panic!("{report}")).unwrap();
    let log = logs.open(&ChildName::from("web"), &LogSpec::Null).await;
    (logs, log.unwrap())
}

pub(super) fn ready_spec(probe: Probe, timeout: Duration) -> ReadySpec {
    ReadySpec {
        probe,
        every: Duration::from_millis(5),
        timeout,
    }
}

/// Asks until it is ready, or the time is up.
pub(super) async fn ready(probe: Probe, timeout: Duration) -> Result<(), NotReady> {
    let (_logs, log) = quiet_log().await;
    let ready = ReadyProbe::new(&ready_spec(probe, timeout), &log);
    ready.wait(None, &command).await
}

/// Watches until so many tries in a row failed.
pub(super) async fn unwell(probe: Probe, timeout: Duration, failures: u32) -> Unwell {
    let check = LiveCheck {
        probe,
        every: Duration::from_millis(5),
        timeout,
        failures,
    };
    watch_live(&LiveSpec::Check(check), None, &command).await
}

/// A server that does this with each connection, one after the other, until it is told to end.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(super) fn new(answer: impl Fn(TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                if is_farewell(&stream) {
                    return;
                }
                answer(stream);
            }
        });
        Self {
            address,
            thread: Some(thread),
        }
    }

    /// Reads the request and sends these bytes.
    pub(super) fn saying(answer: &'static str) -> Self {
        Self::new(move |mut stream| {
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
                request.push(byte[0]);
            }
            stream.write_all(answer.as_bytes()).unwrap();
        })
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

/// The last connection, which ends the server, sends nothing but this.
const FAREWELL: u8 = 0xff;

fn is_farewell(stream: &TcpStream) -> bool {
    let mut first = [0];
    stream.peek(&mut first).is_ok_and(|count| count == 1) && first[0] == FAREWELL
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut last = TcpStream::connect(self.address).unwrap();
        last.write_all(&[FAREWELL]).unwrap();
        self.thread.take().unwrap().join().unwrap();
    }
}

/// The helper program with this script.
pub(super) fn helper(script: &str) -> Command {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().unwrap().parent().unwrap();
    let program = folder.join("examples/helper");
    if !program.exists() {
        // `cargo test` builds it beside the tests; where only this test was built it is built now.
        let mut cargo = std::process::Command::new(env!("CARGO"));
        cargo.args([
            "build",
            "--quiet",
            "--package",
            "treewright",
            "--example",
            "helper",
        ]);
        assert!(cargo.status().unwrap().success());
    }
    let mut command = Command::new(program);
    command.args(script.split_whitespace());
    command
}

/// Runs `body` beside something that never ends.
pub(super) async fn beside<T, N>(
    forever: impl Future<Output = N>,
    body: impl Future<Output = T>,
) -> T {
    let forever = async {
        forever.await;
        std::future::pending().await
    };
    futures_lite::future::or(body, forever).await
}

/// Kills the child and what it started.
pub(super) async fn end(mut child: Child) {
    use treewright::spec::{Shutdown, ShutdownMode};
    let kill = Shutdown {
        mode: ShutdownMode::BrutalKill,
        ..Shutdown::default()
    };
    child.stop(&kill).await;
}
