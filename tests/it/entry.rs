//! Where programs begin: `main` and tests with a runtime, and a program that is started again.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::fd::OwnedFd;
use std::process::{Command, Output, Stdio};
use std::time::Duration;
use std::{env, fs, future, io};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use treewright::{ErrorContext as _, Result, open_nursery, process, sleep};

use crate::guard::guarded;
use crate::process::helper;

fn entry(kind: &str) -> (Option<i32>, String, String) {
    let output = Command::new(helper::program("entries"))
        .arg(kind)
        .env("RUST_BACKTRACE", "0")
        .output()
        .unwrap();
    let Output {
        status,
        stdout,
        stderr,
    } = output;
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn main_returns_what_it_says_and_an_error_is_shown_with_its_causes() {
    guarded(|| {
        for (kind, code, stdout, stderr) in [
            ("nothing", 0, "nothing\n", ""),
            ("our-result", 1, "", "Error: outer\ncaused by: ours\n"),
            (
                "another-error",
                1,
                "",
                "Error: invalid digit found in string\n",
            ),
            ("code", 7, "", ""),
            ("never", 8, "", ""),
            ("settings", 1, "", "Error: settings taken\n"),
        ] {
            let expected = (Some(code), stdout.to_owned(), stderr.to_owned());
            assert_eq!(entry(kind), expected, "{kind}");
        }
        let (code, _, stderr) = entry("panic");
        assert_eq!(code, Some(1));
        let last = stderr.lines().last().unwrap();
        assert!(
            last.starts_with("Error: panicked at tests/programs/entries.rs:"),
            "{stderr}"
        );
        assert!(last.ends_with(": boom"), "{stderr}");
    });
}

#[test]
fn program_of_another_runtime_is_started_again_where_it_says_so() {
    guarded(|| {
        let kept = "kept\n".to_owned();
        assert_eq!(entry("another-runtime").1, kept);
        assert_eq!(entry("plain"), (Some(9), kept, String::new()));
    });
}

#[test]
fn program_that_would_not_play_its_part_gets_no_keeper() {
    guarded(|| {
        let (_, stdout, _) = entry("without-bootstrap");
        let expected = "cannot start the keeper: this program has not called `bootstrap`\n";
        assert_eq!(stdout, expected);
    });
}

#[test]
fn program_with_two_tasks_of_one_path_does_not_start() {
    guarded(|| {
        let output = Command::new(helper::program("duplicates"))
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(
            String::from_utf8(output.stderr).unwrap(),
            "Error: two tasks are known by `shop/sell`, at tests/programs/duplicates.rs:3 \
             and at tests/programs/duplicates.rs:6\n\
             hint: give one of them a name of its own: `#[task(name = \"…\")]`\n"
        );
    });
}

#[treewright::test]
async fn test_has_a_runtime() {
    sleep(Duration::from_millis(1)).await;
}

#[treewright::test(grace = Duration::from_millis(1))]
async fn test_may_fail_by_an_error() -> io::Result<()> {
    open_nursery(async |_| Ok(()))
        .await
        .map_err(io::Error::other)
}

#[treewright::test]
#[should_panic(expected = "as it should")]
async fn test_that_panics_is_expected_to_by_its_message() {
    panic!("as it should");
}

#[treewright::test]
#[should_panic(expected = "caused by: inner")]
async fn test_whose_runtime_fails_says_why() {
    // An error of the runtime itself, which a test without a result cannot return.
    crate::entry::failing().await.unwrap();
}

async fn failing() -> Result<()> {
    Err::<(), _>("inner").context("outer")
}

#[treewright::task]
async fn process_id() -> u32 {
    std::process::id()
}

#[treewright::test]
async fn test_runs_a_function_in_a_process_of_its_own() -> Result<()> {
    let id = open_nursery(async |n| n.run_in_actor(process_id()).await?.result().await).await?;
    assert_ne!(id, std::process::id());
    Ok(())
}

/// Names the test that is to start a child and be killed.
const VICTIM: &str = "TREEWRIGHT_TEST_VICTIM";

/// Under no harness of ours: what is started again is a test program, and a hook before its
/// `main` makes it the keeper.
#[treewright::test]
async fn victim_starts_a_child_when_it_is_told_to() -> Result<()> {
    if env::var_os(VICTIM).is_none() {
        return Ok(());
    }
    open_nursery(async |n| {
        let script = "ignore TERM fork [ setsid ignore TERM hang ] say ready hang";
        let mut command = process::Command::new(helper::path());
        command.args(script.split(' '));
        n.command(command).start().await?;
        future::pending().await
    })
    .await
}

#[test]
fn test_program_that_is_killed_is_swept_up_after_by_its_keeper() {
    guarded(|| {
        let name = "entry::victim_starts_a_child_when_it_is_told_to";
        let mut victim = Command::new(env::current_exe().unwrap())
            .args([name, "--exact", "--nocapture", "--test-threads=1"])
            .env(VICTIM, "1")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(victim.stdout.take().unwrap());
        let mut line = String::new();
        // The harness begins the line with the name of the test.
        while !line.ends_with("ready\n") {
            line.clear();
            assert_ne!(said.read_line(&mut line).unwrap(), 0);
        }
        let children = children_of(victim.id());
        victim.kill().unwrap();
        victim.wait().unwrap();
        // It ends when the last one has gone who could write to it.
        said.read_to_string(&mut line).unwrap();
        // The keeper is among them.
        assert_eq!(children.len(), 2);
        for child in children {
            poll(&mut [PollFd::new(&child, PollFlags::IN)], None).unwrap();
        }
    });
}

fn children_of(pid: u32) -> Vec<OwnedFd> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let children =
        tasks.map(|task| fs::read_to_string(task.unwrap().path().join("children")).unwrap());
    let children: String = children.collect();
    let pids = children.split_whitespace().map(|pid| pid.parse().unwrap());
    pids.map(|pid| pidfd_open(Pid::from_raw(pid).unwrap(), PidfdFlags::empty()).unwrap())
        .collect()
}
