//! The kill ladder: ask, wait, kill, until nothing is left. It decides and does not act.

use std::time::Duration;

use treewright_supervisors::Time;
use treewright_supervisors::spec::ShutdownMode;

use super::Rung;

/// How long what a process left behind may take when the process itself had for ever.
pub(super) const LEFT_BEHIND: Duration = Duration::from_secs(10);

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LadderEvent {
    /// The scope is to be emptied.
    Start,
    /// The scope was looked at.
    Seen {
        /// Whether the process itself runs.
        is_leader_running: bool,
        /// How many others are in the scope.
        others: usize,
    },
    /// The process itself was seen to have ended; who else is there is not known yet.
    LeaderEnded,
    /// The time that was asked for has come.
    TimeUp,
    /// It was asked again, in this way.
    Again(ShutdownMode),
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LadderAction {
    /// Look at the scope now.
    Look,
    /// Send the signal that asks, and then CONT, to all that were seen.
    Ask,
    /// Kill all that were seen.
    Kill,
    /// Wait until the process has ended, or else all others that were seen, then look again.
    Wait,
    /// Say so when this time has come; an earlier order is void.
    ArmTimer(Time),
    /// The scope is empty.
    Finish {
        stopped: Option<Rung>,
        left_behind: Option<Rung>,
    },
}

/// One descent of the ladder.
#[derive(Clone, Debug)]
pub(super) struct Ladder {
    mode: ShutdownMode,
    phase: Phase,
    deadline: Option<Time>,
    leader: Leader,
    has_left_behind: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing was done to it yet.
    Looking,
    Asking,
    Killing,
    Finished,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leader {
    Running,
    /// It ended, at this rung; none when by itself.
    Ended(Option<Rung>),
}

impl Ladder {
    pub(super) fn new(mode: ShutdownMode) -> Self {
        Self {
            mode,
            phase: Phase::Looking,
            deadline: None,
            leader: Leader::Running,
            has_left_behind: false,
        }
    }

    pub(super) fn step(&mut self, event: LadderEvent, now: Time) -> Vec<LadderAction> {
        if self.phase == Phase::Finished {
            return Vec::new();
        }
        match event {
            LadderEvent::Start => vec![LadderAction::Look],
            LadderEvent::Seen {
                is_leader_running,
                others,
            } => self.seen(is_leader_running, others, now),
            LadderEvent::LeaderEnded => {
                self.leader_ended();
                Vec::new()
            }
            LadderEvent::TimeUp => self.time_up(now),
            LadderEvent::Again(mode) => self.again(mode, now),
        }
    }

    fn rung(&self) -> Option<Rung> {
        match self.phase {
            Phase::Looking => None,
            Phase::Asking => Some(Rung::Asked),
            Phase::Killing | Phase::Finished => Some(Rung::Killed),
        }
    }

    fn seen(&mut self, is_leader_running: bool, others: usize, now: Time) -> Vec<LadderAction> {
        if !is_leader_running {
            self.leader_ended();
        }
        if is_leader_running || others > 0 {
            self.has_left_behind |= !is_leader_running;
            return self.go_on(now);
        }
        let finish = LadderAction::Finish {
            stopped: match self.leader {
                Leader::Running => None,
                Leader::Ended(rung) => rung,
            },
            left_behind: self.rung().filter(|_| self.has_left_behind),
        };
        self.phase = Phase::Finished;
        vec![finish]
    }

    fn leader_ended(&mut self) {
        if self.leader == Leader::Running {
            self.leader = Leader::Ended(self.rung());
        }
    }

    fn go_on(&mut self, now: Time) -> Vec<LadderAction> {
        match (self.phase, self.mode) {
            (Phase::Finished, _) => Vec::new(),
            (Phase::Looking, ShutdownMode::BrutalKill) | (Phase::Killing, _) => self.kill(),
            (Phase::Looking, mode) => {
                self.phase = Phase::Asking;
                let mut actions = vec![LadderAction::Ask];
                match mode {
                    ShutdownMode::Timeout(time) => actions.extend(self.arm(now + time)),
                    _ => actions.extend(self.limit_what_is_left(now)),
                }
                actions.push(LadderAction::Wait);
                actions
            }
            (Phase::Asking, _) => {
                let mut actions = Vec::from_iter(self.limit_what_is_left(now));
                actions.push(LadderAction::Wait);
                actions
            }
        }
    }

    fn kill(&mut self) -> Vec<LadderAction> {
        self.phase = Phase::Killing;
        self.deadline = None;
        vec![LadderAction::Kill, LadderAction::Wait]
    }

    /// For ever is for the process itself; what it left behind would keep it from being
    /// started again.
    fn limit_what_is_left(&mut self, now: Time) -> Option<LadderAction> {
        match self.leader {
            Leader::Ended(_) if self.deadline.is_none() => self.arm(now + LEFT_BEHIND),
            _ => None,
        }
    }

    fn arm(&mut self, deadline: Time) -> Option<LadderAction> {
        if self.deadline.is_some_and(|armed| armed <= deadline) {
            return None;
        }
        self.deadline = Some(deadline);
        Some(LadderAction::ArmTimer(deadline))
    }

    fn time_up(&mut self, now: Time) -> Vec<LadderAction> {
        match self.deadline {
            // What was seen last may be gone and have left others, so it is looked at first.
            Some(deadline) if deadline <= now && self.phase == Phase::Asking => {
                self.phase = Phase::Killing;
                self.deadline = None;
                vec![LadderAction::Look]
            }
            _ => Vec::new(),
        }
    }

    fn again(&mut self, mode: ShutdownMode, now: Time) -> Vec<LadderAction> {
        match (self.phase, mode) {
            (Phase::Looking, mode) => {
                self.mode = mode;
                vec![LadderAction::Look]
            }
            (Phase::Asking, ShutdownMode::BrutalKill) => {
                self.phase = Phase::Killing;
                self.deadline = None;
                vec![LadderAction::Look]
            }
            (Phase::Asking, ShutdownMode::Timeout(time)) => {
                let mut actions = Vec::from_iter(self.arm(now + time));
                actions.push(LadderAction::Wait);
                actions
            }
            (Phase::Asking, ShutdownMode::Infinity) => vec![LadderAction::Wait],
            (Phase::Killing, _) => vec![LadderAction::Look],
            (Phase::Finished, _) => Vec::new(),
        }
    }
}

#[cfg(test)]
#[path = "ladder_tests.rs"]
mod tests;
