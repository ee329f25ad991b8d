//! Starting processes and learning how they ended.

use std::io::Read;

use rustix::process::WaitOptions;
use treewright::process::{Command, ExitStatus, Output, unreaped};
use treewright::spec::{Limit, Rlimit, Signal};

use super::helper::{helper, start};
use super::run;
use crate::guard::guarded;

fn killed_by(signal: Signal) -> ExitStatus {
    ExitStatus::Signal {
        signal,
        core: false,
    }
}

fn end_of(command: &Command) -> ExitStatus {
    let mut child = command.spawn().unwrap();
    run(child.stop_when_ended()).reason
}

#[test]
fn exit_code_of_a_process_is_told() {
    guarded(|| {
        for code in [0, 1, 7, 127, 255] {
            let reason = end_of(&helper(&format!("exit {code}")));
            assert_eq!(reason, ExitStatus::Code(code));
        }
    });
}

#[test]
fn signal_that_killed_a_process_is_told() {
    guarded(|| {
        for signal in [Signal::TERM, Signal::KILL, Signal::PIPE, Signal::USR1] {
            let reason = end_of(&helper(&format!("kill-itself {signal}")));
            assert_eq!(reason, killed_by(signal));
        }
        let mut command = helper("segfault");
        command.rlimit(Rlimit::Core, Limit::To(0));
        assert_eq!(end_of(&command), killed_by(Signal::SEGV));
    });
}

#[test]
fn core_dump_of_a_process_is_told() {
    guarded(|| {
        let folder = std::env::temp_dir().join("core");
        std::fs::create_dir(&folder).unwrap();
        let mut command = helper("segfault");
        command.rlimit(Rlimit::Core, Limit::Unlimited).cwd(&folder);
        let dumped = ExitStatus::Signal {
            signal: Signal::SEGV,
            core: true,
        };
        assert_eq!(end_of(&command), dumped);
        std::fs::remove_dir_all(&folder).unwrap();
    });
}

#[test]
fn output_of_a_process_comes_out_of_its_pipes() {
    guarded(|| {
        let mut command = helper("say out complain err");
        command.stderr(Output::Pipe);
        let mut child = command.spawn().unwrap();
        let read = |pipe: Option<std::os::fd::OwnedFd>| {
            let mut text = String::new();
            let mut pipe = std::fs::File::from(pipe.unwrap());
            pipe.read_to_string(&mut text).unwrap();
            text
        };
        assert_eq!(read(child.take_stdout()), "out\n");
        assert_eq!(read(child.take_stderr()), "err\n");
        run(child.stop_when_ended());
    });
}

#[test]
fn end_is_told_also_when_a_grandchild_holds_the_output() {
    guarded(|| {
        let (mut child, mut said) = start(&helper("fork [ pid hang ] exit 3"));
        let grandchild = said.pid();
        assert_eq!(run(child.wait()), ExitStatus::Code(3));
        assert!(super::helper::is_alive(grandchild));
        run(child.stop_when_ended());
        assert!(!super::helper::is_alive(grandchild));
    });
}

#[test]
fn process_whose_main_thread_has_ended_has_not_ended() {
    guarded(|| {
        let (mut child, mut said) = start(&helper("main-thread-ends"));
        said.expect("alone");
        assert_eq!(child.try_wait(), None);
        run(child.stop(&super::stop::brutally()));
    });
}

#[test]
fn statuses_are_not_lost_beside_other_code_that_starts_processes() {
    guarded(|| {
        let others = std::thread::spawn(|| {
            (0..200).all(|n| {
                let mut other = std::process::Command::new("sh");
                let code = n % 100;
                other.args(["-c", &format!("exit {code}")]);
                other.status().unwrap().code() == Some(code)
            })
        });
        for n in 0..200 {
            assert_eq!(
                end_of(&helper(&format!("exit {}", n % 100))),
                ExitStatus::Code(n % 100)
            );
        }
        assert!(others.join().unwrap());
    });
}

#[test]
fn status_that_other_code_took_is_told_as_lost() {
    guarded(|| {
        let mut child = helper("exit 3").spawn().unwrap();
        // What no code beside ours should do.
        rustix::process::wait(WaitOptions::empty()).unwrap();
        assert_eq!(run(child.stop_when_ended()).reason, ExitStatus::Lost);
        assert_eq!(unreaped(), 0);
    });
}

#[test]
fn dropped_process_is_killed_and_reaped() {
    guarded(|| {
        let (child, mut said) = start(&helper("fork [ pid hang ] hang"));
        let grandchild = said.pid();
        drop(child);
        // The pipe ends when both are gone.
        assert!(std::panic::catch_unwind(move || said.line()).is_err());
        end_of(&helper("exit 0"));
        assert_eq!(unreaped(), 0);
        assert!(!super::helper::is_alive(grandchild));
    });
}

#[test]
fn signal_reaches_the_process_while_somebody_waits_for_it() {
    guarded(|| {
        let (mut child, mut said) = start(&helper("catch USR1 say ready hang"));
        said.expect("ready");
        let signaller = child.signaller();
        signaller.send(Signal::USR1).unwrap();
        said.expect("caught 10");
        signaller.send(Signal::KILL).unwrap();
        assert_eq!(run(child.wait()), killed_by(Signal::KILL));
        run(child.stop_when_ended());
        // It is reaped, and its number may be another's now; the signal goes to nobody.
        let error = signaller.send(Signal::KILL).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ESRCH));
    });
}
