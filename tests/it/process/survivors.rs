//! Guardian and keeper: whoever is killed, nothing is left.

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use treewright::process::{Child, Command, ExitStatus, Stdin};
use treewright::spec::{KillScope, Shutdown, ShutdownMode};

use super::helper::{Said, helper, start};
use super::run;
use crate::guard::guarded;

/// What the children do that are to be left behind: they are deaf, and have left group,
/// session and parent.
pub(super) const DEAF: &str = "ignore TERM fork [ setsid ignore TERM hang ] \
                    double-fork [ setsid ignore TERM fork [ hang ] hang ] hang";

/// A child that is only watched: whatever is left of it has to be ended by others.
pub(super) fn watch_only() -> Shutdown {
    Shutdown {
        mode: ShutdownMode::Infinity,
        scope: KillScope::Process,
        ..Shutdown::default()
    }
}

/// Waits until everybody who can write to the helper's output has gone.
pub(super) fn wait_until_all_are_gone(mut said: Said) -> Vec<String> {
    let mut lines = Vec::new();
    while let Some(line) = said.next() {
        lines.push(line);
    }
    lines
}

pub(super) fn kill(pid: i32) {
    let pidfd = pidfd_open(Pid::from_raw(pid).unwrap(), PidfdFlags::empty());
    // It may have ended by itself, which is as good.
    if let Ok(pidfd) = pidfd {
        let _ = pidfd_send_signal(&pidfd, Signal::KILL);
    }
}

fn number(line: &str, word: &str) -> i32 {
    line.strip_prefix(word).unwrap().trim().parse().unwrap()
}

/// A guardian with its supervisor.
struct Guarded {
    guardian: Child,
    said: Said,
    supervisor: i32,
}

impl Guarded {
    fn start(script: &str) -> Self {
        let (guardian, mut said) = start(&helper(&format!("guarded-supervisor [ {script} ]")));
        let supervisor = number(&said.line(), "supervisor ");
        Self {
            guardian,
            said,
            supervisor,
        }
    }

    fn end(mut self) -> (ExitStatus, Vec<String>) {
        let reason = run(self.guardian.wait());
        let lines = wait_until_all_are_gone(self.said);
        run(self.guardian.stop(&watch_only()));
        (reason, lines)
    }
}

#[test]
fn supervisor_that_is_killed_is_swept_up_after_by_its_guardian() {
    guarded(|| {
        let guarded = Guarded::start(&format!("say child {DEAF}"));
        let mut guarded = guarded;
        for _ in 0..3 {
            guarded.said.expect("child");
        }
        kill(guarded.supervisor);
        let (reason, lines) = guarded.end();
        assert_eq!(reason, ExitStatus::Code(4));
        assert_eq!(lines, ["over 4 swept true"]);
    });
}

#[test]
fn supervisor_whose_guardian_is_killed_stops_its_tree() {
    guarded(|| {
        let mut guarded = Guarded::start(&format!("say child {DEAF}"));
        for _ in 0..3 {
            guarded.said.expect("child");
        }
        guarded
            .guardian
            .signal(treewright::spec::Signal::KILL)
            .unwrap();
        let (_, lines) = guarded.end();
        assert_eq!(lines, ["lost"]);
    });
}

#[test]
fn supervisor_that_is_asked_to_end_gets_the_signal_from_its_guardian_and_its_code_is_passed_on() {
    guarded(|| {
        let mut guarded = Guarded::start("say child hang");
        for _ in 0..3 {
            guarded.said.expect("child");
        }
        guarded
            .guardian
            .signal(treewright::spec::Signal::TERM)
            .unwrap();
        let (reason, lines) = guarded.end();
        assert_eq!(reason, ExitStatus::Code(0));
        assert_eq!(lines, ["asked", "over 0 swept false"]);
    });
}

#[test]
fn guardian_as_the_first_process_of_a_namespace_gets_its_signals_and_reaps() {
    guarded(|| {
        let helper = super::helper::path();
        let mut command = Command::new("unshare");
        command
            .args(["--pid", "--fork", "--mount-proc", "--kill-child"])
            .arg(helper)
            .args(format!("guarded-supervisor [ say child {DEAF} ]").split_whitespace())
            .stdout(treewright::process::Output::Pipe);
        let (mut unshare, mut said) = start(&command);
        // The guardian is number one, so the supervisor comes next.
        said.expect("supervisor 2");
        for _ in 0..3 {
            said.expect("child");
        }
        // As the first process it would not even hear TERM if it did not listen.
        let first = first_child_of(unshare.id());
        let pidfd = pidfd_open(first, PidfdFlags::empty()).unwrap();
        pidfd_send_signal(&pidfd, Signal::TERM).unwrap();
        assert_eq!(run(unshare.wait()), ExitStatus::Code(0));
        let lines = wait_until_all_are_gone(said);
        assert_eq!(lines, ["asked", "over 0 swept false"]);
        run(unshare.stop(&watch_only()));
    });
}

fn first_child_of(pid: u32) -> Pid {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    let first = children.split_whitespace().next().unwrap();
    Pid::from_raw(first.parse().unwrap()).unwrap()
}

/// A program with its keeper.
struct Kept {
    program: Child,
    said: Said,
    keeper: i32,
    input: OwnedFd,
}

impl Kept {
    fn start(script: &str) -> Self {
        let (theirs, input) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
        let mut command = helper(&format!("kept-program [ {script} ]"));
        command.stdin(Stdin::From(Arc::new(theirs)));
        let (program, mut said) = start(&command);
        drop(command);
        said.line();
        // Its keeper is the first child it has.
        let first = said.line();
        let keeper = number(first.split_whitespace().nth(1).unwrap(), "");
        Self {
            program,
            said,
            keeper,
            input,
        }
    }
}

#[test]
fn program_that_is_killed_is_swept_up_after_by_its_keeper() {
    guarded(|| {
        let mut kept = Kept::start(&format!("say child {DEAF}"));
        for _ in 0..3 {
            kept.said.expect("child");
        }
        kept.program.signal(treewright::spec::Signal::KILL).unwrap();
        assert_eq!(wait_until_all_are_gone(kept.said), Vec::<String>::new());
        run(kept.program.stop(&watch_only()));
        wait_until_it_is_gone(kept.keeper);
    });
}

#[test]
fn keeper_that_is_killed_is_replaced_and_the_next_one_knows_all() {
    guarded(|| {
        let mut kept = Kept::start(&format!("say child {DEAF}"));
        for _ in 0..3 {
            kept.said.expect("child");
        }
        kill(kept.keeper);
        wait_until_it_is_gone(kept.keeper);
        let next = next_keeper(&kept.program);
        assert_ne!(next, kept.keeper);
        kept.program.signal(treewright::spec::Signal::KILL).unwrap();
        assert_eq!(wait_until_all_are_gone(kept.said), Vec::<String>::new());
        run(kept.program.stop(&watch_only()));
        wait_until_it_is_gone(next);
    });
}

#[test]
fn keeper_ends_when_its_program_ends() {
    guarded(|| {
        let mut kept = Kept::start("say child hang");
        for _ in 0..3 {
            kept.said.expect("child");
        }
        File::from(kept.input).flush().unwrap();
        assert_eq!(run(kept.program.wait()), ExitStatus::Code(0));
        run(kept.program.stop(&watch_only()));
        wait_until_it_is_gone(kept.keeper);
    });
}

pub(super) fn wait_until_it_is_gone(pid: i32) {
    let Ok(pidfd) = pidfd_open(Pid::from_raw(pid).unwrap(), PidfdFlags::empty()) else {
        return;
    };
    let mut ended = [rustix::event::PollFd::new(
        &pidfd,
        rustix::event::PollFlags::IN,
    )];
    rustix::event::poll(&mut ended, None).unwrap();
}

/// The keeper the program has now. Nothing tells when it has one again, so it is looked for.
fn next_keeper(program: &Child) -> i32 {
    let pid = program.id();
    loop {
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        for child in children.unwrap().split_whitespace() {
            let command = std::fs::read(format!("/proc/{child}/cmdline")).unwrap_or_default();
            if command.starts_with(b"treewright: keeper") {
                return child.parse().unwrap();
            }
        }
        std::thread::yield_now();
    }
}
