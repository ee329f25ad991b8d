//! Plain programs in a nursery: real processes, and nothing left of any.

use std::cell::Cell;
use std::fs::File;
use std::future::pending;
use std::io::{BufRead, BufReader};
use std::time::Duration;

use futures_lite::future::{or, yield_now};
use rustix::process::{getpid, kill_process};
use treewright::process::{Command, ExitStatus, Output, Rung};
use treewright::spec::{Signal, Success};
use treewright::{
    CommandBuilder, Error, ErrorKind, Nursery, ProcessHandle, Result, Runtime, move_on_after,
    open_nursery, run, sleep, timeout,
};

use crate::guard::guarded;

const LONG: Duration = Duration::from_secs(600);

fn shell<'env>(n: &Nursery<'env>, script: &str) -> CommandBuilder<'env> {
    let mut command = Command::new("sh");
    command.args(["-c", script]).stdout(Output::Pipe);
    n.command(command)
}

/// The next line that it prints, which says how far it has come.
fn line(process: &mut ProcessHandle) -> String {
    let stdout = File::from(process.take_stdout().unwrap());
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    line.trim().to_owned()
}

/// Whether the process runs. A dead one may still be listed until its new parent reaps it.
fn is_alive(id: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let state = stat.rsplit(')').next().unwrap().trim_start().chars().next();
    state.is_some_and(|state| state != 'Z' && state != 'X')
}

const STUBBORN: &str = "trap '' TERM; echo ready; exec sleep 600";

#[test]
fn command_that_ends_well_is_waited_for() {
    guarded(|| {
        let exit = run(async || {
            open_nursery(async |n| {
                let quick = shell(&n, "exit 0").start().await?;
                Ok(quick)
            })
            .await
        });
        let exit = exit.unwrap().try_exited().unwrap();
        assert_eq!((exit.reason, exit.stopped), (ExitStatus::Code(0), None));
    });
}

#[test]
fn command_that_ends_badly_fails_the_nursery_and_stops_the_others() {
    guarded(|| {
        let mut other = None;
        let error = run(async || {
            open_nursery(async |n| {
                other = Some(shell(&n, "exec sleep 600").start().await?);
                shell(&n, "exit 3").name("web").start().await?;
                sleep(LONG).await;
                Ok(())
            })
            .await
        });
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LostProcess);
        assert_eq!(error.to_string(), "process `web` exited with code 3");
        let failure = error.process_failure().unwrap();
        assert_eq!(
            (failure.name(), failure.exit().reason),
            ("web", ExitStatus::Code(3))
        );
        let other = other.unwrap();
        assert_eq!(other.try_exited().unwrap().stopped, Some(Rung::Asked));
        assert!(!is_alive(other.id()));
    });
}

#[test]
fn command_killed_from_outside_fails_the_nursery() {
    guarded(|| {
        let error = run(async || {
            open_nursery(async |n| {
                let process = shell(&n, "exec sleep 600").start().await?;
                process.signal(Signal::KILL)?;
                process.exited().await;
                pending::<Result<()>>().await
            })
            .await
        });
        let text = error.unwrap_err().to_string();
        assert_eq!(text, "process `sh` killed by signal KILL");
    });
}

#[test]
fn command_with_other_ends_that_count_as_success_does_not_fail() {
    guarded(|| {
        let success = Success {
            codes: [0, 3].into(),
            signals: [].into(),
        };
        run(async || {
            open_nursery(async |n| {
                shell(&n, "exit 3").success(success).start().await?;
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

#[test]
fn command_that_ignores_the_signal_is_killed_after_the_grace() {
    guarded(|| {
        let runtime = Runtime::builder().grace(Duration::from_millis(20));
        let process = runtime.run(async || {
            open_nursery(async |n| {
                let mut process = shell(&n, STUBBORN).start().await?;
                assert_eq!(line(&mut process), "ready");
                n.cancel("enough");
                Ok(process)
            })
            .await
        });
        let exit = process.unwrap().try_exited().unwrap();
        assert_eq!(exit.stopped, Some(Rung::Killed));
    });
}

#[test]
fn command_stopped_or_killed_by_its_handle_is_no_failure() {
    guarded(|| {
        run(async || {
            open_nursery(async |n| {
                let process = shell(&n, "exec sleep 600").start().await?;
                let exit = process.stop().await;
                assert_eq!(exit.stopped, Some(Rung::Asked));
                let mut stubborn = shell(&n, STUBBORN).start().await?;
                assert_eq!(line(&mut stubborn), "ready");
                let exit = stubborn.kill().await;
                assert_eq!(exit.stopped, Some(Rung::Killed));
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

#[test]
fn status_gives_a_bad_end_as_a_value() {
    guarded(|| {
        let exit = run(async || open_nursery(async |n| shell(&n, "exit 3").status().await).await);
        assert_eq!(exit.unwrap().reason, ExitStatus::Code(3));
    });
}

#[test]
fn status_that_is_dropped_stops_the_program() {
    guarded(|| {
        run(async || {
            open_nursery(async |n| {
                let long = shell(&n, "exec sleep 600").status();
                assert!(
                    move_on_after(Duration::from_millis(10), long)
                        .await
                        .is_none()
                );
                // The nursery would wait for it for ever otherwise.
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

#[test]
fn run_of_a_command_gives_its_failure_to_the_caller_only() {
    guarded(|| {
        let error = run(async || {
            open_nursery(async |n| {
                shell(&n, "exit 0").run().await?;
                Ok(shell(&n, "exit 3").run().await.unwrap_err())
            })
            .await
        });
        assert_eq!(error.unwrap().process_failure().unwrap().name(), "sh");
    });
}

#[test]
fn output_holds_all_that_was_written_to_both() {
    guarded(|| {
        let output = run(async || {
            // More than a pipe holds, on the one that is read second.
            let script = "printf out; head -c 300000 /dev/zero >&2; exit 4";
            open_nursery(async |n| shell(&n, script).output().await).await
        });
        let output = output.unwrap();
        assert_eq!(output.stdout, b"out");
        assert_eq!(output.stderr.len(), 300_000);
        assert_eq!(output.exit.reason, ExitStatus::Code(4));
    });
}

#[test]
fn output_of_a_program_that_leaves_its_pipe_to_another_comes_to_an_end() {
    guarded(|| {
        let output = run(async || {
            let script = "sleep 600 & echo said";
            open_nursery(async |n| shell(&n, script).output().await).await
        });
        assert_eq!(output.unwrap().stdout, b"said\n");
    });
}

#[test]
fn command_that_cannot_start_is_an_error_of_the_start() {
    guarded(|| {
        run(async || {
            open_nursery(async |n| {
                let missing = n.command(Command::new("treewright-no-such-program"));
                let error = missing.start().await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Spawn);
                assert!(error.hint().is_some());
                // The nursery goes on.
                shell(&n, "exit 0").run().await
            })
            .await
        })
        .unwrap();
    });
}

#[test]
fn command_outside_of_a_runtime_is_refused_with_advice() {
    guarded(|| {
        let error = futures_lite::future::block_on(open_nursery(async |n| {
            Ok(shell(&n, "exit 0").status().await.unwrap_err())
        }));
        let error: Error = error.unwrap();
        assert!(error.is_closed() && error.hint().unwrap().contains("treewright::run"));
    });
}

#[test]
fn command_in_a_nursery_that_ended_or_is_cancelled_is_refused() {
    guarded(|| {
        run(async || {
            let n = open_nursery(async |n| {
                n.cancel("enough");
                let error = shell(&n, "exit 0").start().await.unwrap_err();
                assert!(error.is_cancelled());
                Ok(n)
            })
            .await?;
            let error = shell(&n, "exit 0").start().await.unwrap_err();
            assert!(error.is_closed());
            Ok(())
        })
        .unwrap();
    });
}

#[test]
fn timeout_over_a_nursery_returns_when_its_processes_are_reaped() {
    guarded(|| {
        run(async || {
            let mut id = 0;
            let late = timeout(
                Duration::from_millis(500),
                open_nursery(async |n| {
                    id = shell(&n, "exec sleep 600").start().await?.id();
                    Ok(())
                }),
            )
            .await;
            assert!(late.unwrap_err().is_timeout());
            assert!(id > 0, "started");
            assert!(!is_alive(id), "reaped");
            Ok(())
        })
        .unwrap();
    });
}

#[test]
fn nursery_dropped_in_a_race_has_its_processes_reaped_before_run_returns() {
    guarded(|| {
        let id = Cell::new(0);
        run(async || {
            let nursery = open_nursery(async |n| {
                id.set(shell(&n, "exec sleep 600").start().await?.id());
                pending::<Result<()>>().await
            });
            let started = async {
                while id.get() == 0 {
                    yield_now().await;
                }
                Ok(())
            };
            or(nursery, started).await
        })
        .unwrap();
        assert!(!is_alive(id.get()));
    });
}

#[test]
fn body_that_panics_leaves_no_process() {
    guarded(|| {
        let mut id = 0;
        let error = run(async || {
            open_nursery(async |n| -> Result<()> {
                id = shell(&n, "exec sleep 600").start().await?.id();
                panic!("boom")
            })
            .await
        });
        assert!(error.unwrap_err().is_panic());
        assert!(!is_alive(id));
    });
}

#[test]
fn daemon_that_left_its_group_and_its_parent_is_gone_with_its_command() {
    guarded(|| {
        let mut daemon = 0;
        run(async || {
            open_nursery(async |n| {
                let script = "setsid sh -c 'echo $$; exec sleep 600' & wait $!";
                let mut process = shell(&n, script).start().await?;
                daemon = line(&mut process).parse().unwrap();
                assert!(is_alive(daemon));
                n.cancel("enough");
                Ok(())
            })
            .await
        })
        .unwrap();
        assert!(!is_alive(daemon));
    });
}

#[test]
fn signal_to_this_process_stops_the_commands_in_order() {
    guarded(|| {
        let mut handle = None;
        let error = run(async || {
            open_nursery(async |n| {
                handle = Some(shell(&n, "exec sleep 600").start().await?);
                kill_process(getpid(), rustix::process::Signal::TERM).unwrap();
                pending::<Result<()>>().await
            })
            .await
        });
        assert!(error.unwrap_err().is_cancelled());
        let exit = handle.unwrap().try_exited().unwrap();
        assert_eq!(exit.stopped, Some(Rung::Asked));
    });
}

#[test]
fn second_signal_to_this_process_kills_the_commands() {
    guarded(|| {
        let mut handle = None;
        let error = Runtime::builder().grace(LONG).run(async || {
            open_nursery(async |n| {
                let mut process = shell(&n, STUBBORN).start().await?;
                assert_eq!(line(&mut process), "ready");
                handle = Some(process);
                kill_process(getpid(), rustix::process::Signal::TERM).unwrap();
                treewright::shielded(async {
                    n.cancelled().await;
                    kill_process(getpid(), rustix::process::Signal::TERM).unwrap();
                })
                .await;
                pending::<Result<()>>().await
            })
            .await
        });
        assert!(error.unwrap_err().is_cancelled());
        let exit = handle.unwrap().try_exited().unwrap();
        assert_eq!(exit.stopped, Some(Rung::Killed));
    });
}

#[test]
fn two_commands_that_end_badly_come_out_with_the_first_as_the_cause() {
    guarded(|| {
        let error = run(async || {
            open_nursery(async |n| {
                // It answers the stop with a failure of its own, which is no failure: it was
                // asked to end.
                let script = "trap 'exit 9' TERM; echo ready; while :; do sleep 600 & wait; done";
                let mut other = shell(&n, script).name("other").start().await?;
                assert_eq!(line(&mut other), "ready");
                shell(&n, "exit 3").name("first").start().await?;
                pending::<Result<()>>().await
            })
            .await
        });
        let error = error.unwrap_err();
        assert!(!error.is_group());
        assert_eq!(error.process_failure().unwrap().name(), "first");
    });
}

#[test]
fn hundred_commands_are_all_reaped_when_one_of_them_fails() {
    guarded(|| {
        let mut ids = Vec::new();
        let error = run(async || {
            open_nursery(async |n| {
                for _ in 0..100 {
                    ids.push(shell(&n, "exec sleep 600").start().await?.id());
                }
                shell(&n, "exit 3").name("last").start().await?;
                pending::<Result<()>>().await
            })
            .await
        });
        let error = error.unwrap_err();
        assert!(!error.is_group());
        assert_eq!(error.process_failure().unwrap().name(), "last");
        assert_eq!(ids.len(), 100);
        assert!(ids.into_iter().all(|id| !is_alive(id)));
    });
}
