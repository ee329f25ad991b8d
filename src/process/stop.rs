//! Carrying out the kill ladder on a child's scope.

use std::os::fd::AsFd;
use std::pin::pin;

use futures_lite::future;
use rustix::process::{
    Signal as OsSignal, WaitId, WaitIdOptions, kill_process_group, pidfd_send_signal, waitid,
};
use treewright_supervisors::Time;
use treewright_supervisors::spec::{KillScope, Shutdown, Signal};

use super::census::{self, descendants};
use super::ladder::{Ladder, LadderAction, LadderEvent};
use super::procfs::{self, Stat};
use super::{Child, Exit, Rung, cgroup_events, unix};
use crate::rt;

/// How far the stop of a child has come. It survives a dropped future.
#[derive(Debug)]
pub(super) struct Stopping {
    ladder: Ladder,
    signal: Signal,
    scope: KillScope,
    deadline: Time,
    /// The others that were seen in the scope last.
    others: Vec<Stat>,
}

/// How many of a scope are waited for at once: each takes a descriptor, and a scope may be a
/// fork bomb.
const WATCHED: usize = 64;

/// How often a scope that seems empty is looked at again because somebody was forked or
/// adopted while it was looked at.
const DOUBTS: u32 = 8;

/// What comes after a step of the ladder.
enum Next {
    Look,
    Wait,
    Finish {
        stopped: Option<Rung>,
        left_behind: Option<Rung>,
    },
}

pub(super) async fn stop(child: &mut Child, how: &Shutdown) -> Exit {
    let (mut stopping, mut event) = match child.stopping.take() {
        Some(stopping) => (stopping, LadderEvent::Again(how.mode)),
        None => (Stopping::new(child, how), LadderEvent::Start),
    };
    loop {
        let is_look_due = match stopping.step(child, event) {
            Next::Look => true,
            Next::Wait => false,
            Next::Finish {
                stopped,
                left_behind,
            } => {
                let reason = child.wait().await;
                return Exit {
                    reason,
                    stopped,
                    left_behind,
                };
            }
        };
        let (scope, deadline) = (stopping.scope, stopping.deadline);
        let others = stopping.others.clone();
        // From here to the next event the future may be dropped: all it knows is put away.
        child.stopping = Some(stopping);
        event = match is_look_due {
            true => look(child, scope).await,
            false => wait(child, scope, &others, deadline).await,
        };
        stopping = child
            .stopping
            .take()
            .expect("invariant: it was put there above, and look leaves it there");
    }
}

impl Stopping {
    fn new(child: &Child, how: &Shutdown) -> Self {
        Self {
            ladder: Ladder::new(how.mode),
            signal: how.signal,
            scope: scope_of(child, how.scope),
            deadline: Time::MAX,
            others: Vec::new(),
        }
    }

    /// Tells the ladder what happened, and does what it says.
    fn step(&mut self, child: &mut Child, event: LadderEvent) -> Next {
        if event == LadderEvent::TimeUp {
            self.deadline = Time::MAX;
            if child.try_wait().is_some() {
                // It ended in time, though nobody has looked since.
                self.ladder.step(LadderEvent::LeaderEnded, rt::now());
            }
        }
        let mut next = Next::Wait;
        for action in self.ladder.step(event, rt::now()) {
            match action {
                LadderAction::Look => next = Next::Look,
                LadderAction::Ask => {
                    send(child, self, self.signal);
                    send(child, self, Signal::CONT);
                }
                LadderAction::Kill => send(child, self, Signal::KILL),
                LadderAction::Wait => {}
                LadderAction::ArmTimer(deadline) => self.deadline = deadline,
                LadderAction::Finish {
                    stopped,
                    left_behind,
                } => {
                    next = Next::Finish {
                        stopped,
                        left_behind,
                    };
                }
            }
        }
        next
    }
}

/// Waits until something has changed and says what is there now, or until the time is up.
async fn wait(child: &mut Child, scope: KillScope, others: &[Stat], deadline: Time) -> LadderEvent {
    let changed = async {
        wait_for(child, scope, others).await;
        look(child, scope).await
    };
    let time_up = async {
        rt::sleep_until(deadline).await;
        LadderEvent::TimeUp
    };
    // Both only wait; a look that is dropped half-way is taken again.
    future::or(pin!(changed), pin!(time_up)).await
}

/// The scope that can be had: a child without a group of its own has no group to signal.
fn scope_of(child: &Child, wanted: KillScope) -> KillScope {
    match wanted {
        KillScope::Cgroup if child.cgroup.is_none() => KillScope::Tree,
        KillScope::Group if !child.is_group_leader => KillScope::Process,
        wanted => wanted,
    }
}

/// Looks who is in the scope, and keeps it for the signals.
async fn look(child: &mut Child, scope: KillScope) -> LadderEvent {
    // The process first: whatever it leaves behind is there before it shows as ended.
    let is_leader_running = child.try_wait().is_none();
    let mut doubts = 0;
    let others = loop {
        let (others, is_doubtful) = match scope {
            KillScope::Process => (Vec::new(), false),
            KillScope::Group => group(child).await,
            KillScope::Tree => tree(child).await,
            KillScope::Cgroup => (cgroup(child), false),
        };
        // Whoever slips through once would have to do so again and again.
        if !others.is_empty() || !is_doubtful || doubts == DOUBTS {
            break others;
        }
        doubts += 1;
        future::yield_now().await;
    };
    let count = others.len();
    if let Some(stopping) = &mut child.stopping {
        stopping.others = others;
    }
    LadderEvent::Seen {
        is_leader_running,
        others: count,
    }
}

/// Who is in the group, and whether nobody in it might be wrong.
async fn group(child: &Child) -> (Vec<Stat>, bool) {
    let leader = child.pid;
    let below = below(child);
    let census = census::census(leader, child.birth).await;
    let mut members = census.group(leader);
    members.extend(below.into_iter().filter(|s| s.group == leader.as_raw_pid()));
    (without_doubles(members), census.is_doubtful())
}

/// Who is in the tree, and whether nobody in it might be wrong.
async fn tree(child: &Child) -> (Vec<Stat>, bool) {
    loop {
        let below = below(child);
        let census = census::census(child.pid, child.birth).await;
        if census.is_unsure() {
            // Somebody is in the middle of an exec, which takes microseconds.
            continue;
        }
        let mark = child.mark.as_ref();
        let mut members = census.members(child.pid, child.is_group_leader, mark);
        members.extend(below);
        return (without_doubles(members), census.is_doubtful());
    }
}

/// Who descends from it. The children of one that has ended have other parents already.
fn below(child: &Child) -> Vec<Stat> {
    match child.has_ended() {
        true => Vec::new(),
        false => descendants(child.pid),
    }
}

fn cgroup(child: &Child) -> Vec<Stat> {
    let Some(cgroup) = &child.cgroup else {
        return Vec::new();
    };
    let members = cgroup.members();
    let others = members.into_iter().filter(|pid| *pid != child.pid);
    others
        .filter_map(procfs::stat)
        .filter(|stat| !stat.is_dead())
        .collect()
}

fn without_doubles(mut members: Vec<Stat>) -> Vec<Stat> {
    members.sort_unstable_by_key(|stat| stat.pid.as_raw_pid());
    members.dedup_by_key(|stat| stat.pid);
    members
}

/// Sends a signal to all that were seen, each once.
fn send(child: &Child, stopping: &Stopping, signal: Signal) {
    // Failures need no answer: who is gone is not there at the next look, and who may not be
    // signalled is waited for.
    let is_kill = signal == Signal::KILL;
    if is_kill
        && stopping.scope == KillScope::Cgroup
        && child
            .cgroup
            .as_ref()
            .is_some_and(|cgroup| cgroup.kill().is_ok())
    {
        return;
    }
    let Some(number) = unix::known_signal(signal) else {
        return;
    };
    let is_by_group =
        child.is_group_leader && matches!(stopping.scope, KillScope::Group | KillScope::Tree);
    if is_by_group {
        // The leader is not reaped, so the number of its group is its own.
        let _ = kill_process_group(child.pid, number);
    } else {
        let _ = child.signal(signal);
    }
    for other in &stopping.others {
        if !is_by_group || !is_in_group_of(child, other) {
            signal_exactly(other, number);
        }
    }
}

/// Whether it is in the group of the child, or has been until just now.
///
/// It is asked anew, after the group was signalled: one that made a session of its own after it
/// was seen has got nothing, and would be waited for without end.
fn is_in_group_of(child: &Child, other: &Stat) -> bool {
    let group = child.pid.as_raw_pid();
    other.group == group && procfs::stat(other.pid).is_none_or(|now| now.group == group)
}

/// Sends a signal to this process and to no later one of the same number.
pub(super) fn signal_exactly(process: &Stat, signal: OsSignal) {
    if let Some(pidfd) = procfs::watch(process) {
        let _ = pidfd_send_signal(&pidfd, signal);
    }
}

/// Waits until the process has ended, or, when it had before, until all the others have.
///
/// So the end of the process itself is seen at once, and with it the rung it ended at.
async fn wait_for(child: &mut Child, scope: KillScope, others: &[Stat]) {
    if child.try_wait().is_none() {
        child.wait().await;
        return;
    }
    if scope == KillScope::Cgroup
        && let Some(cgroup) = &child.cgroup
        && cgroup_events::wait_until_empty(cgroup).await.is_ok()
    {
        return;
    }
    // Where the kernel tells nothing of the group, by its members.
    for other in others.iter().take(WATCHED) {
        wait_for_one(other).await;
    }
}

/// Waits until a process has ended; at once when it has gone.
async fn wait_for_one(process: &Stat) {
    let Some(pidfd) = procfs::watch(process) else {
        return;
    };
    let Ok(pidfd) = rt::Async::new_nonblocking(pidfd) else {
        return;
    };
    let _ = rt::readable(&pidfd).await;
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
    // Ours to reap if it was adopted; an error says that it is its parent's.
    let _ = waitid(WaitId::PidFd(pidfd.as_fd()), options);
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::{CommandExt, ExitStatusExt};
    use std::process::Command as StdCommand;

    use rustix::process::Pid;

    use super::super::Command;
    use super::*;
    use crate::time::Clock;

    #[test]
    fn one_that_left_the_group_after_it_was_seen_is_signalled_all_the_same() {
        rt::block_on(&Clock::Monotonic, async {
            let mut command = Command::new("sleep");
            command.args(["600"]);
            let mut leader = command.spawn().unwrap();
            let mut left = StdCommand::new("sleep")
                .arg("600")
                .process_group(0)
                .spawn()
                .unwrap();
            let mut seen = procfs::stat(Pid::from_child(&left)).unwrap();
            seen.group = leader.pid.as_raw_pid();
            let stopping = Stopping {
                others: vec![seen],
                ..Stopping::new(&leader, &Shutdown::default())
            };
            send(&leader, &stopping, Signal::TERM);
            // It ends in any case, and by which signal says what it got.
            left.kill().unwrap();
            assert_eq!(left.wait().unwrap().signal(), Some(15));
            leader.stop_when_ended().await;
        });
    }
}
