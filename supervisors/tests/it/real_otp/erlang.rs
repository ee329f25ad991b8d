//! OTP's side: one Erlang machine that runs case after case.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "the other side of the comparison is a program"
)]

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use super::case::Case;

/// Longer than any case takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// The running program `driver.erl`.
pub(super) struct Erlang {
    process: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    pub(super) release: String,
}

impl Erlang {
    /// Starts it; `None` where Erlang is not installed and need not be.
    pub(super) fn start() -> Option<Self> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/real_otp/driver.erl");
        let process = Command::new("escript")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut process = match process {
            Ok(process) => process,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let is_required = std::env::var_os("TREEWRIGHT_REQUIRE_ERLANG").is_some();
                assert!(!is_required, "no `escript`: install erlang-base");
                eprintln!("SKIPPED: no `escript` here; install erlang-base to compare with OTP");
                return None;
            }
            Err(error) => panic!("cannot start `escript`: {error}"),
        };
        let input = process.stdin.take();
        let output = process.stdout.take().unwrap();
        let (tx, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines() {
                if line.is_err() || tx.send(line.unwrap()).is_err() {
                    break;
                }
            }
        });
        let mut erlang = Self {
            process,
            input,
            lines,
            release: String::new(),
        };
        erlang.release = erlang.line().replace("ready ", "");
        Some(erlang)
    }

    fn line(&self) -> String {
        let line = self.lines.recv_timeout(PATIENCE);
        line.expect("the Erlang side answers; what it says of an error is on standard error")
    }

    /// What each step of the case comes to.
    pub(super) fn transcript(&mut self, case: &Case) -> Vec<Vec<String>> {
        let input = self.input.as_mut().unwrap();
        writeln!(input, "{case}").unwrap();
        input.flush().unwrap();
        let (mut steps, mut step) = (Vec::new(), Vec::new());
        loop {
            match self.line().as_str() {
                "." => return steps,
                "-" => steps.push(std::mem::take(&mut step)),
                line => step.push(line.to_owned()),
            }
        }
    }
}

impl Drop for Erlang {
    fn drop(&mut self) {
        // It ends when its input does.
        self.input = None;
        let ended = self.process.wait();
        if !thread::panicking() {
            assert!(ended.unwrap().success(), "the Erlang side failed");
        }
    }
}
