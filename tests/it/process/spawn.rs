//! Starting processes.

use std::io::Read;

use treewright::process::{Command, ExitReason, Output, Rung, SpawnError};
use treewright::spec::{Shutdown, Signal};

use super::run;

fn shell(script: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script]);
    command
}

#[test]
fn exit_code_of_a_process_is_told() {
    let mut child = shell("exit 7").spawn().unwrap();
    let exit = run(child.stop_when_ended());
    assert_eq!(exit.reason, ExitReason::Code(7));
    assert_eq!((exit.stopped, exit.left_behind), (None, None));
}

#[test]
fn process_that_is_asked_to_stop_ends_by_the_signal() {
    let mut child = shell("exec sleep 1000").spawn().unwrap();
    let exit = run(child.stop(&Shutdown::default()));
    assert_eq!(
        exit.reason,
        ExitReason::Signal {
            signal: Signal::TERM,
            core: false
        }
    );
    assert_eq!(exit.stopped, Some(Rung::Asked));
}

#[test]
fn output_of_a_process_comes_out_of_its_pipe() {
    let mut command = shell("echo out; echo err >&2");
    command.stdout(Output::Pipe).stderr(Output::Pipe);
    let mut child = command.spawn().unwrap();
    let read = |fd: Option<std::os::fd::OwnedFd>| {
        let mut text = String::new();
        std::fs::File::from(fd.unwrap())
            .read_to_string(&mut text)
            .unwrap();
        text
    };
    assert_eq!(read(child.take_stdout()), "out\n");
    assert_eq!(read(child.take_stderr()), "err\n");
    run(child.stop_when_ended());
}

#[test]
fn program_that_is_nowhere_is_an_error_and_not_an_exit() {
    let error = Command::new("no-such-program-anywhere")
        .spawn()
        .unwrap_err();
    assert!(matches!(error, SpawnError::NotFound { .. }), "{error}");
}
