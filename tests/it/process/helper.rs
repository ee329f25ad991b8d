//! The helper program: finding it, scripting it, reading what it says.

use std::collections::BTreeMap;
use std::fs;
use std::fs::File;
use std::io::{BufRead, BufReader, Lines};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::SystemTime;

use treewright::process::{Child, Command, Output};

/// The helper program.
pub(crate) fn path() -> PathBuf {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| program("helper")).clone()
}

/// A program of tests/programs/. `cargo test` builds it; where only this test was built it is
/// built now.
pub(crate) fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().unwrap().parent().unwrap();
    let program = profile.join("examples").join(name);
    let built = changed(&program);
    let sources = [Path::new("src"), Path::new("tests/programs")];
    if sources
        .into_iter()
        .map(changed)
        .any(|source| source > built)
    {
        let mut cargo = std::process::Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--package", "treewright"]);
        cargo.args(["--example", name]);
        if profile.ends_with("release") {
            cargo.arg("--release");
        }
        assert!(cargo.status().unwrap().success());
        // Cargo leaves it alone when what changed does not matter.
        fs::File::open(&program)
            .unwrap()
            .set_modified(SystemTime::now())
            .unwrap();
    }
    program
}

/// When this file, or the youngest in this folder, was changed.
fn changed(path: &Path) -> SystemTime {
    let Ok(metadata) = path.metadata() else {
        return SystemTime::UNIX_EPOCH;
    };
    if metadata.is_file() {
        return metadata.modified().unwrap();
    }
    let entries = fs::read_dir(path).unwrap();
    let times = entries.map(|entry| changed(&entry.unwrap().path()));
    times.max().unwrap_or(SystemTime::UNIX_EPOCH)
}

/// A command that runs this script, with its output in a pipe.
pub(crate) fn helper(script: &str) -> Command {
    let mut command = Command::new(path());
    command.args(script.split_whitespace()).stdout(Output::Pipe);
    command
}

/// The helper started, and the lines it says.
pub(crate) fn start(command: &Command) -> (Child, Said) {
    let mut child = command.spawn().unwrap();
    let said = Said::new(child.take_stdout().unwrap());
    (child, said)
}

/// What a helper says, line by line.
pub(crate) struct Said(Lines<BufReader<File>>);

impl Said {
    pub(crate) fn new(pipe: OwnedFd) -> Self {
        Self(BufReader::new(File::from(pipe)).lines())
    }

    /// Waits for the next line; none when all who could say one have gone.
    pub(crate) fn next(&mut self) -> Option<String> {
        self.0.next().map(Result::unwrap)
    }

    /// Waits for the next line.
    pub(crate) fn line(&mut self) -> String {
        self.next().expect("it says another line")
    }

    /// Waits for this line, and for nothing else.
    pub(crate) fn expect(&mut self, line: &str) {
        assert_eq!(self.line(), line);
    }

    /// Waits for `pid N`.
    pub(crate) fn pid(&mut self) -> i32 {
        let line = self.line();
        line.strip_prefix("pid ").unwrap().parse().unwrap()
    }

    /// Waits for a report.
    pub(crate) fn report(&mut self) -> Report {
        let mut report = Report::default();
        loop {
            let line = self.line();
            match line.split_once(' ') {
                None if line == "end" => return report,
                Some(("env", pair)) => {
                    let (name, value) = pair.split_once('=').unwrap();
                    report.env.insert(name.to_owned(), value.to_owned());
                }
                Some((name, value)) => {
                    report.values.insert(name.to_owned(), value.to_owned());
                }
                None => {
                    report.values.insert(line, String::new());
                }
            }
        }
    }
}

/// What a process sees of its own world.
#[derive(Debug, Default)]
pub(crate) struct Report {
    values: BTreeMap<String, String>,
    pub(crate) env: BTreeMap<String, String>,
}

impl Report {
    pub(crate) fn get(&self, name: &str) -> &str {
        &self.values[name]
    }
}

/// Whether this process exists and has not ended.
pub(crate) fn is_alive(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| {
        let (_, rest) = stat.rsplit_once(") ").unwrap();
        !rest.starts_with('Z') && !rest.starts_with('X')
    })
}
