//! A plain model of OTP's supervisor, written after its documentation: it does one thing after
//! the other, inside one call, as OTP does.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use treewright_supervisors::spec::{AutoShutdown, RestartType, Strategy};

/// What a start comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Outcome {
    Runs,
    Fails,
    Ignores,
}

/// How a child ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum End {
    Normal,
    Crash,
}

/// What the model's supervisor has come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fate {
    Lives,
    FailedToStart,
    GaveUp,
    AutoShutdown,
}

/// OTP's answers, as far as they differ in kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Said {
    Ok,
    AlreadyStarted,
    AlreadyPresent,
    NotFound,
    Running,
    StartFailed,
}

/// One child of the model.
#[derive(Clone, Debug)]
pub(crate) struct Child {
    pub(crate) name: &'static str,
    pub(crate) restart: RestartType,
    pub(crate) significant: bool,
    pub(crate) is_up: bool,
}

/// The model: OTP's loop data, and what was done.
pub(crate) struct Model {
    pub(crate) strategy: Strategy,
    pub(crate) intensity: usize,
    pub(crate) period: Duration,
    pub(crate) auto: AutoShutdown,
    pub(crate) children: Vec<Child>,
    pub(crate) outcomes: HashMap<&'static str, VecDeque<Outcome>>,
    pub(crate) now: Duration,
    pub(crate) fate: Fate,
    pub(crate) log: Vec<String>,
    pub(crate) restarts: Vec<Duration>,
}

impl Model {
    /// `init/1`: the children of the list, and all goes back where one fails.
    pub(crate) fn init(&mut self) {
        let mut at = 0;
        while at < self.children.len() {
            match self.start(at) {
                Outcome::Runs => self.children[at].is_up = true,
                Outcome::Ignores if self.children[at].restart == RestartType::Temporary => {
                    self.children.remove(at);
                    continue;
                }
                Outcome::Ignores => {}
                Outcome::Fails => {
                    self.stop_from(0);
                    self.fate = Fate::FailedToStart;
                    return;
                }
            }
            at += 1;
        }
    }

    fn start(&mut self, at: usize) -> Outcome {
        let name = self.children[at].name;
        self.log.push(format!("start {name}"));
        let next = self.outcomes.get_mut(name).and_then(VecDeque::pop_front);
        next.unwrap_or(Outcome::Runs)
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.children.iter().position(|child| child.name == name)
    }

    /// Stops everything from this place on, in reverse; temporary ones are dropped.
    fn stop_from(&mut self, from: usize) {
        for at in (from..self.children.len()).rev() {
            let child = &mut self.children[at];
            if child.is_up {
                self.log.push(format!("stop {}", child.name));
                child.is_up = false;
            }
            if self.children[at].restart == RestartType::Temporary {
                self.children.remove(at);
            }
        }
    }

    /// An `EXIT` of a child that was up.
    pub(crate) fn exit(&mut self, name: &str, end: End) {
        let at = self.find(name).unwrap();
        self.children[at].is_up = false;
        match (self.children[at].restart, end) {
            (RestartType::Permanent, _) | (RestartType::Transient, End::Crash) => self.restart(at),
            (RestartType::Transient, End::Normal) => {
                let is_significant = self.children[at].significant;
                self.auto_shutdown(is_significant);
            }
            (RestartType::Temporary, _) => {
                let is_significant = self.children.remove(at).significant;
                self.auto_shutdown(is_significant);
            }
        }
    }

    fn auto_shutdown(&mut self, is_significant: bool) {
        let is_over = match self.auto {
            _ if !is_significant => false,
            AutoShutdown::Never => false,
            AutoShutdown::AnySignificant => true,
            AutoShutdown::AllSignificant => {
                let mut children = self.children.iter();
                !children.any(|child| child.significant && child.is_up)
            }
        };
        if is_over {
            self.stop_from(0);
            self.fate = Fate::AutoShutdown;
        }
    }

    /// `restart/2`, and `try_again_restart` for as long as a start fails.
    fn restart(&mut self, at: usize) {
        let mut failed = Some(at);
        while let Some(at) = failed {
            let (now, period) = (self.now, self.period);
            self.restarts.retain(|stamp| now - *stamp <= period);
            self.restarts.push(now);
            if self.restarts.len() > self.intensity {
                self.stop_from(0);
                self.fate = Fate::GaveUp;
                return;
            }
            failed = match self.strategy {
                Strategy::OneForOne => self.start_group(at, at + 1),
                Strategy::RestForOne => {
                    self.stop_from(at + 1);
                    self.start_group(at, self.children.len())
                }
                Strategy::OneForAll => {
                    let culprit = self.children[at].name;
                    self.stop_from(0);
                    // The one that failed is no temporary one, or it would not be restarted.
                    assert!(self.find(culprit).is_some());
                    self.start_group(0, self.children.len())
                }
            };
        }
    }

    /// Starts these in order; returns the place of the one that failed.
    fn start_group(&mut self, from: usize, to: usize) -> Option<usize> {
        for at in from..to {
            match self.start(at) {
                Outcome::Runs => self.children[at].is_up = true,
                Outcome::Ignores => {}
                Outcome::Fails => return Some(at),
            }
        }
        None
    }

    pub(crate) fn start_child(&mut self, child: Child) -> Said {
        match self.find(child.name).map(|at| self.children[at].is_up) {
            Some(true) => return Said::AlreadyStarted,
            Some(false) => return Said::AlreadyPresent,
            None => {}
        }
        self.children.push(child);
        let at = self.children.len() - 1;
        match self.start(at) {
            Outcome::Runs => self.children[at].is_up = true,
            Outcome::Ignores if self.children[at].restart != RestartType::Temporary => {}
            Outcome::Ignores => {
                self.children.pop();
            }
            Outcome::Fails => {
                self.children.pop();
                return Said::StartFailed;
            }
        }
        Said::Ok
    }

    pub(crate) fn terminate_child(&mut self, name: &str) -> Said {
        let Some(at) = self.find(name) else {
            return Said::NotFound;
        };
        if self.children[at].is_up {
            self.log.push(format!("stop {name}"));
            self.children[at].is_up = false;
        }
        if self.children[at].restart == RestartType::Temporary {
            self.children.remove(at);
        }
        Said::Ok
    }

    pub(crate) fn restart_child(&mut self, name: &str) -> Said {
        match self.find(name) {
            None => Said::NotFound,
            Some(at) if self.children[at].is_up => Said::Running,
            Some(at) => match self.start(at) {
                Outcome::Runs => {
                    self.children[at].is_up = true;
                    Said::Ok
                }
                Outcome::Ignores => Said::Ok,
                Outcome::Fails => Said::StartFailed,
            },
        }
    }

    pub(crate) fn delete_child(&mut self, name: &str) -> Said {
        match self.find(name) {
            None => Said::NotFound,
            Some(at) if self.children[at].is_up => Said::Running,
            Some(at) => {
                self.children.remove(at);
                Said::Ok
            }
        }
    }
}
