//! Runs the command.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// What the command said.
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Outcome {
    /// Everything, for a snapshot.
    pub(crate) fn shown(&self) -> String {
        format!(
            "exit code {}\n--- stdout\n{}--- stderr\n{}",
            self.code, self.out, self.err
        )
    }
}

/// The command, with an environment that does not depend on who runs the tests.
pub(crate) fn command(directory: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_treewright"));
    command
        .args(args)
        .current_dir(directory)
        .env_clear()
        .env("LANG", "C.UTF-8")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

pub(crate) fn outcome(output: Output) -> Outcome {
    Outcome {
        code: output.status.code().expect("it ended by itself"),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs the command in a directory.
pub(crate) fn run_in(directory: &Path, args: &[&str]) -> Outcome {
    outcome(command(directory, args).output().unwrap())
}

/// Runs the command in a directory, with this on its standard input.
pub(crate) fn run_with_input(directory: &Path, args: &[&str], input: &[u8]) -> Outcome {
    let mut child = command(directory, args)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // It may stop reading before the end, which is what some tests are about.
    let _ = stdin.write_all(input);
    drop(stdin);
    outcome(child.wait_with_output().unwrap())
}

/// A directory with these files, gone with the value.
pub(crate) fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = TempDir::new().unwrap();
    for (name, contents) in files {
        fs::write(directory.path().join(name), contents).unwrap();
    }
    directory
}

/// A program that has functions, built before it is named.
pub(crate) fn example(name: &str) -> PathBuf {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "--workspace"])
        .args(["--example", name])
        .current_dir(repository())
        .status();
    assert!(built.unwrap().success());
    let program = std::env::current_exe().unwrap();
    program
        .ancestors()
        .nth(2)
        .unwrap()
        .join("examples")
        .join(name)
}

/// The folder of the repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
