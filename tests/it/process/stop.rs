//! Stopping a process with all that belongs to it.

use std::time::Duration;

use futures_lite::future;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use treewright::process::{Exit, ExitStatus, Mark, Rung, TreeId, adopt_orphans, unreaped};
use treewright::spec::{KillScope, Shutdown, ShutdownMode, Signal};

use super::helper::{helper, is_alive, start};
use super::run;
use crate::guard::guarded;

pub(super) fn brutally() -> Shutdown {
    Shutdown {
        mode: ShutdownMode::BrutalKill,
        ..Shutdown::default()
    }
}

fn within(time: Duration) -> Shutdown {
    Shutdown {
        mode: ShutdownMode::Timeout(time),
        ..Shutdown::default()
    }
}

fn patiently(scope: KillScope) -> Shutdown {
    Shutdown {
        mode: ShutdownMode::Infinity,
        scope,
        ..Shutdown::default()
    }
}

fn mark() -> Mark {
    Mark::new(&TreeId::new("test"), "child", 1)
}

fn killed(stopped: Rung) -> Exit {
    let signal = match stopped {
        Rung::Asked => Signal::TERM,
        Rung::Killed => Signal::KILL,
    };
    Exit {
        reason: ExitStatus::Signal {
            signal,
            core: false,
        },
        stopped: Some(stopped),
        left_behind: None,
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "there is no runtime around a test"
)]
async fn blocking(work: impl FnOnce() + Send + 'static) {
    smol::unblock(work).await;
}

const SHORT: Duration = Duration::from_millis(50);

#[test]
fn process_ends_when_it_is_asked() {
    guarded(|| {
        let mut child = helper("hang").spawn().unwrap();
        let exit = run(child.stop(&patiently(KillScope::Tree)));
        assert_eq!(exit, killed(Rung::Asked));
        // Asked again it says the same.
        assert_eq!(run(child.stop(&brutally())), exit);
        assert_eq!(unreaped(), 0);
    });
}

#[test]
fn process_that_ignores_the_signal_is_killed() {
    guarded(|| {
        let (mut child, mut said) = start(&helper("ignore TERM say deaf hang"));
        said.expect("deaf");
        assert_eq!(run(child.stop(&within(SHORT))), killed(Rung::Killed));
    });
}

#[test]
fn process_gets_the_signal_of_its_spec() {
    guarded(|| {
        let (mut child, mut said) = start(&helper("ignore TERM say ready hang"));
        said.expect("ready");
        let how = Shutdown {
            signal: Signal::INT,
            ..patiently(KillScope::Process)
        };
        let exit = run(child.stop(&how));
        let reason = ExitStatus::Signal {
            signal: Signal::INT,
            core: false,
        };
        assert_eq!((exit.reason, exit.stopped), (reason, Some(Rung::Asked)));
    });
}

#[test]
fn stopped_process_is_continued_so_that_it_can_end() {
    guarded(|| {
        let mut child = helper("stop-itself hang").spawn().unwrap();
        let pid = Pid::from_raw(child.id().cast_signed()).unwrap();
        let has_stopped = WaitIdOptions::STOPPED;
        waitid(WaitId::Pid(pid), has_stopped).unwrap().unwrap();
        let exit = run(child.stop(&patiently(KillScope::Process)));
        assert_eq!(exit, killed(Rung::Asked));
    });
}

#[test]
fn brutal_kill_does_not_ask() {
    guarded(|| {
        let (mut child, mut said) = start(&helper("catch TERM say ready hang"));
        said.expect("ready");
        assert_eq!(run(child.stop(&brutally())), killed(Rung::Killed));
        assert!(std::panic::catch_unwind(move || said.line()).is_err());
    });
}

#[test]
fn second_request_goes_on_where_the_first_was_and_kills() {
    guarded(|| {
        let (mut child, mut said) = start(&helper("catch TERM say ready hang hang"));
        said.expect("ready");
        run(async {
            // The first is given up when the child says that it was asked.
            let asked = future::or(
                async {
                    child.stop(&patiently(KillScope::Tree)).await;
                    false
                },
                async {
                    blocking(move || said.expect("caught 15")).await;
                    true
                },
            );
            assert!(asked.await);
            assert_eq!(child.stop(&brutally()).await, killed(Rung::Killed));
        });
    });
}

/// Whoever left group, session and parent is found, with or without adopting orphans.
fn tree_is_stopped(is_adopting: bool) {
    if is_adopting {
        adopt_orphans().unwrap();
    }
    let escape = "fork [ setsid ignore TERM pid hang ] \
                  double-fork [ setsid ignore TERM pid fork [ pid hang ] hang ] hang";
    let mut command = helper(escape);
    command.mark(mark());
    let (mut child, mut said) = start(&command);
    let grandchildren = [said.pid(), said.pid(), said.pid()];
    assert!(grandchildren.into_iter().all(is_alive));
    let exit = run(child.stop(&within(SHORT * 10)));
    assert_eq!(exit.stopped, Some(Rung::Asked));
    assert_eq!(exit.left_behind, Some(Rung::Killed));
    assert!(!grandchildren.into_iter().any(is_alive));
}

#[test]
fn tree_is_stopped_with_those_who_left_it() {
    guarded(|| tree_is_stopped(false));
}

#[test]
fn tree_is_stopped_with_those_who_left_it_and_were_adopted() {
    guarded(|| tree_is_stopped(true));
}

/// Whatever a process leaves behind is ended before it counts as stopped.
fn rest_is_stopped(is_adopting: bool) {
    if is_adopting {
        adopt_orphans().unwrap();
    }
    let mut command = helper("fork [ pid hang ] double-fork [ setsid pid hang ] exit 3");
    command.mark(mark());
    let (mut child, mut said) = start(&command);
    let rest = [said.pid(), said.pid()];
    assert_eq!(run(child.wait()), ExitStatus::Code(3));
    assert!(rest.into_iter().all(is_alive));
    let exit = run(child.stop(&patiently(KillScope::Tree)));
    assert_eq!(exit.stopped, None);
    assert_eq!(exit.left_behind, Some(Rung::Asked));
    assert!(!rest.into_iter().any(is_alive));
}

#[test]
fn what_a_process_leaves_behind_is_stopped_before_it_counts_as_stopped() {
    guarded(|| rest_is_stopped(false));
}

#[test]
fn what_a_process_leaves_behind_is_stopped_also_when_it_was_adopted() {
    guarded(|| rest_is_stopped(true));
}

#[test]
fn leftovers_are_found_while_the_numbers_of_processes_begin_anew() {
    guarded(|| {
        let script = format!(
            "echo $(($(cat /proc/sys/kernel/pid_max) - 40)) > /proc/sys/kernel/ns_last_pid || exit 1
            {} stop-many 30 [ double-fork [ setsid hang ] exit 0 ] processes
            exit $?",
            super::helper::path().display()
        );
        // The shell is the first process of the namespace and takes the orphans.
        let mut command = treewright::process::Command::new("unshare");
        command.args(["--pid", "--fork", "--mount-proc", "--kill-child"]);
        command.args(["sh", "-c", &script]);
        command.stdout(treewright::process::Output::Pipe);
        let (mut unshare, mut said) = start(&command);
        said.expect("processes 2");
        assert_eq!(run(unshare.wait()), ExitStatus::Code(0));
        run(unshare.stop(&brutally()));
    });
}

#[test]
fn rest_of_a_dropped_child_is_found_by_the_next_one_with_its_mark() {
    guarded(|| {
        let mark = mark();
        let mut command = helper("double-fork [ setsid pid hang ] hang");
        command.mark(mark.clone());
        let (child, mut said) = start(&command);
        let left = said.pid();
        drop(child);
        assert!(is_alive(left));
        let mut next = helper("exit 0");
        let mut next = next.mark(mark).spawn().unwrap();
        run(next.stop_when_ended());
        assert!(!is_alive(left));
    });
}

#[test]
fn scope_group_leaves_those_who_left_the_group_alone() {
    guarded(|| {
        let script = "fork [ pid hang ] double-fork [ setsid pid hang ] hang";
        let mut command = helper(script);
        command.mark(mark());
        let (mut child, mut said) = start(&command);
        let first = said.pid();
        let second = said.pid();
        run(child.stop(&patiently(KillScope::Group)));
        let (inside, outside) = match is_alive(first) {
            true => (second, first),
            false => (first, second),
        };
        assert!(is_alive(outside) && !is_alive(inside));
        kill(outside);
    });
}

#[test]
fn scope_process_leaves_everybody_else_alone() {
    guarded(|| {
        let (mut child, mut said) = start(&helper("fork [ pid hang ] hang"));
        let grandchild = said.pid();
        run(child.stop(&patiently(KillScope::Process)));
        assert!(is_alive(grandchild));
        kill(grandchild);
    });
}

/// Kills a process that nobody here waits for, and waits until it has gone.
fn kill(pid: i32) {
    let pid = Pid::from_raw(pid).unwrap();
    let pidfd = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).unwrap();
    rustix::process::pidfd_send_signal(&pidfd, rustix::process::Signal::KILL).unwrap();
    let mut ended = [rustix::event::PollFd::new(
        &pidfd,
        rustix::event::PollFlags::IN,
    )];
    rustix::event::poll(&mut ended, None).unwrap();
}

#[test]
fn fork_bomb_of_many_sessions_is_stopped_whole() {
    guarded(|| {
        adopt_orphans().unwrap();
        let mut command = helper("fork-bomb 100");
        command.mark(mark());
        let (mut child, mut said) = start(&command);
        said.expect("bombed");
        run(child.stop(&within(SHORT)));
        assert!(std::panic::catch_unwind(move || said.line()).is_err());
    });
}

#[test]
fn child_of_other_code_is_never_taken_for_an_orphan() {
    guarded(|| {
        adopt_orphans().unwrap();
        let mut other = std::process::Command::new(super::helper::path())
            .arg("hang")
            .spawn()
            .unwrap();
        let mut command = helper("double-fork [ setsid hang ] hang");
        command.mark(mark());
        let mut child = command.spawn().unwrap();
        run(child.stop(&brutally()));
        assert!(other.try_wait().unwrap().is_none());
        other.kill().unwrap();
        other.wait().unwrap();
    });
}

#[test]
fn many_that_ignore_the_signal_share_their_time() {
    guarded(|| {
        adopt_orphans().unwrap();
        let started = (0..20).map(|_| start(&helper("ignore TERM say deaf hang")));
        let mut children: Vec<_> = started.collect();
        for (_, said) in &mut children {
            said.expect("deaf");
        }
        let time = Duration::from_millis(500);
        let begin = std::time::SystemTime::now();
        run(async {
            let executor = smol::LocalExecutor::new();
            let stops = children.into_iter().map(|(mut child, _)| {
                executor.spawn(async move { child.stop(&within(time)).await })
            });
            let stops: Vec<_> = stops.collect();
            executor
                .run(async {
                    for stop in stops {
                        assert_eq!(stop.await, killed(Rung::Killed));
                    }
                })
                .await;
        });
        // One after the other it would take twenty times as long.
        assert!(begin.elapsed().unwrap() < time * 10);
    });
}
