//! Kills at any moment of guardian, supervisor, keeper and program: nobody is ever left.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use treewright::process::{Child, Command, ExitStatus, Output, Stdin};

use super::helper::{Said, path, start};
use super::run;
use super::survivors::{DEAF, kill, wait_until_all_are_gone, wait_until_it_is_gone, watch_only};
use crate::guard::guarded;

/// Where the processes run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Here,
    /// In a namespace, whose first process is the guardian or the program.
    Namespace,
}

/// Two processes of which either is killed, with what runs below them.
struct Pair {
    started: Child,
    said: Said,
    /// Guardian or program, as it is called outside of a namespace.
    upper: i32,
    /// Supervisor or keeper.
    lower: i32,
    /// What the program reads until it is to end.
    _input: OwnedFd,
}

impl Pair {
    fn start(place: Place, role: &str) -> Self {
        // Children come and go all the time, so that a kill may hit any moment of theirs.
        let script =
            format!("{role} [ fork [ ignore TERM setsid hang ] double-fork [ {DEAF} ] exit 1 ]");
        let mut command = match place {
            Place::Here => Command::new(path()),
            Place::Namespace => {
                let mut command = Command::new("unshare");
                command.args(["--pid", "--fork", "--mount-proc", "--kill-child"]);
                command.arg(path());
                command
            }
        };
        let (theirs, input) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
        command.args(script.split_whitespace()).stdout(Output::Pipe);
        command.stdin(Stdin::From(Arc::new(theirs)));
        let (started, mut said) = start(&command);
        drop(command);
        // Guardian and program say this when the other one is there.
        said.line();
        let outer = i32::try_from(started.id()).unwrap();
        let upper = match place {
            Place::Here => outer,
            Place::Namespace => first_child_of(outer),
        };
        Self {
            started,
            said,
            upper,
            lower: first_child_of(upper),
            _input: input,
        }
    }

    /// Waits until everybody has gone.
    fn end(mut self) -> ExitStatus {
        drop(self._input);
        wait_until_all_are_gone(self.said);
        let reason = run(self.started.wait());
        run(self.started.stop(&watch_only()));
        for pid in [self.upper, self.lower] {
            wait_until_it_is_gone(pid);
        }
        reason
    }
}

fn first_child_of(pid: i32) -> i32 {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    children.split_whitespace().next().unwrap().parse().unwrap()
}

/// Kills each of guardian, supervisor, program and keeper this often, at different moments of
/// their lives, from the very beginning on. What is left is found by the output that it holds
/// open, and by the guard.
fn storm(times: u32, place: Place) {
    for round in 0..times {
        let moment = Duration::from_micros(u64::from(round * 7919 % 40_009));
        for role in ["guarded-supervisor", "kept-program"] {
            for is_upper in [true, false] {
                let pair = Pair::start(place, role);
                pause(moment);
                kill(if is_upper { pair.upper } else { pair.lower });
                let reason = pair.end();
                if role == "guarded-supervisor" && !is_upper {
                    assert_eq!(reason, ExitStatus::Code(4), "round {round}");
                }
            }
        }
    }
}

/// Not to wait for something: to choose the moment of a kill.
#[expect(
    clippy::disallowed_methods,
    reason = "any moment will do, and this one is meant"
)]
fn pause(time: Duration) {
    std::thread::sleep(time);
}

#[test]
fn storm_of_kills_leaves_nobody() {
    guarded(|| storm(5, Place::Here));
}

#[test]
fn storm_of_kills_in_a_namespace_leaves_nobody() {
    guarded(|| storm(3, Place::Namespace));
}

#[test]
#[ignore = "slow: 100 kills of each of the four processes"]
fn long_storm_of_kills_leaves_nobody() {
    guarded(|| storm(100, Place::Here));
}

#[test]
#[ignore = "slow: 100 kills of each of the four processes"]
fn long_storm_of_kills_in_a_namespace_leaves_nobody() {
    guarded(|| storm(100, Place::Namespace));
}
