//! The command `treewright run`, running: one way to start it, follow it and end it.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use tempfile::TempDir;

use crate::command::{directory, repository};

/// What a shell does that stays.
pub(crate) const FOR_EVER: &str = "while :; do sleep 1; done";

/// The command, running on a tree of its own.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) output: BufReader<ChildStdout>,
    pub(crate) directory: TempDir,
}

impl Running {
    /// Starts it on a tree that is written for it.
    pub(crate) fn start(tree: &str, args: &[&str]) -> Self {
        let directory = directory(&[("t.toml", tree)]);
        let place = directory.path().to_owned();
        Self::start_in(&place, directory, &[&["t.toml"], args].concat())
    }

    /// The same with all it says in one stream, which is what [`wait_for`](Self::wait_for) reads.
    pub(crate) fn start_as_one(tree: &str, args: &[&str]) -> Self {
        let directory = directory(&[("t.toml", tree)]);
        let place = directory.path().to_owned();
        let args = [&["t.toml"], args].concat();
        Self::spawn(shell(), &place, directory, &args)
    }

    /// Starts it. Every process of the tree carries the directory's name, by which it is found.
    pub(crate) fn start_in(place: &Path, directory: TempDir, args: &[&str]) -> Self {
        let command = Command::new(env!("CARGO_BIN_EXE_treewright"));
        Self::spawn(command, place, directory, args)
    }

    /// Starts the servers of the repository's tree in a directory of their own, which anybody
    /// may write to.
    pub(crate) fn start_services() -> Self {
        let directory = directory(&[]);
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        std::fs::set_permissions(directory.path(), open).unwrap();
        let mut command = shell();
        command.env("SERVICES", directory.path());
        let args = ["-v", "trees/services.toml"];
        Self::spawn(command, &repository(), directory, &args)
    }

    /// Starts the repository's tree of this name, of functions of this program.
    pub(crate) fn start_of_program(tree: &str, program: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_treewright"));
        command.env(tree.to_uppercase(), program);
        let overlay = format!("trees/{tree}/by_command.toml");
        let args = [&format!("trees/{tree}.toml"), "-f", &overlay];
        Self::spawn(command, &repository(), directory(&[]), &args)
    }

    /// Starts it on a tree whose sockets are in a folder `run` beside it.
    pub(crate) fn start_with_sockets(tree: &str) -> Self {
        let directory = directory(&[("t.toml", tree)]);
        let sockets = directory.path().join("run");
        std::fs::create_dir(&sockets).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_treewright"));
        command
            .env("XDG_RUNTIME_DIR", &sockets)
            .env("TMPDIR", &sockets);
        let place = directory.path().to_owned();
        Self::spawn(command, &place, directory, &["t.toml"])
    }

    fn spawn(mut command: Command, place: &Path, directory: TempDir, args: &[&str]) -> Self {
        let mut child = command
            .arg("run")
            .args(args)
            .current_dir(place)
            .env("TREEWRIGHT_TEST", directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            output,
            directory,
        }
    }

    /// Reads on until a line contains `text`, and gives that line.
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        let mut seen = String::new();
        loop {
            let before = seen.len();
            let read = self.output.read_line(&mut seen).unwrap();
            assert_ne!(read, 0, "the output ended before `{text}`:\n{seen}");
            if seen[before..].contains(text) {
                return seen[before..].to_owned();
            }
        }
    }

    pub(crate) fn signal(&self, name: &str) {
        signal(self.child.id(), name);
    }

    /// The supervisor: the guardian's one child.
    pub(crate) fn supervisor(&self) -> u32 {
        let id = self.child.id();
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
        children.trim().parse().unwrap()
    }

    /// Waits for the end: exit code, the rest of the output, errors. Nothing may be left.
    pub(crate) fn end(mut self) -> (Option<i32>, String, String) {
        let (mut out, mut err) = (String::new(), String::new());
        self.output.read_to_string(&mut out).unwrap();
        self.child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut err)
            .unwrap();
        let code = self.child.wait().unwrap().code();
        let left = survivors(&self.directory);
        assert!(left.is_empty(), "left behind: {left:?}\n{out}{err}");
        let sockets = std::fs::read_dir(self.directory.path().join("run"));
        let sockets: Vec<_> = sockets.into_iter().flatten().flatten().collect();
        assert!(sockets.is_empty(), "left behind: {sockets:?}\n{out}{err}");
        (code, out, err)
    }
}

/// The command with its errors in its output.
fn shell() -> Command {
    let mut command = Command::new("sh");
    command.args([
        "-c",
        "exec \"$0\" \"$@\" 2>&1",
        env!("CARGO_BIN_EXE_treewright"),
    ]);
    command
}

/// Runs a tree to its end.
pub(crate) fn run(tree: &str) -> (Option<i32>, String, String) {
    Running::start(tree, &[]).end()
}

/// The number at the end of a line.
pub(crate) fn pid(line: &str) -> u32 {
    line.trim().rsplit(' ').next().unwrap().parse().unwrap()
}

pub(crate) fn signal(pid: u32, name: &str) {
    let status = Command::new("kill")
        .args(["-s", name, &pid.to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}

/// The processes that carry the directory in their environment.
pub(crate) fn survivors(directory: &TempDir) -> Vec<String> {
    let mark = format!("TREEWRIGHT_TEST={}", directory.path().display());
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let marked = processes.filter(|process| {
        let environ = std::fs::read(process.path().join("environ")).unwrap_or_default();
        environ
            .split(|byte| *byte == 0)
            .any(|entry| entry == mark.as_bytes())
    });
    marked
        .map(|process| std::fs::read_to_string(process.path().join("cmdline")).unwrap_or_default())
        .collect()
}

/// Runs a tree of the repository until its first child has started, asks it to stop, and gives
/// its exit code.
pub(crate) fn start_and_stop(file: &str) -> Option<i32> {
    let mut running = Running::start_in(&repository(), directory(&[]), &[file, "--verbose"]);
    // What the command says of itself is on standard error.
    let errors = running.child.stderr.take().unwrap();
    let mut lines = BufReader::new(errors).lines().map(Result::unwrap);
    let started = lines.find(|line| line.contains(" started after "));
    assert!(started.is_some(), "{file}: nothing has started");
    running.signal("TERM");
    lines.for_each(drop);
    let code = running.child.wait().unwrap().code();
    assert_eq!(survivors(&running.directory), [""; 0], "{file}");
    code
}
