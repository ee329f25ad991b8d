//! What must hold after each step, in the words of the environment.

use std::collections::BTreeSet;

use treewright_supervisors::Time;
use treewright_supervisors::spec::{ChildName, Condition, StopOrder};
use treewright_supervisors::supervisor::{
    Action, Answer, ChildKey, ChildRef, ChildStatus, ExitReason, Incarnation, Reply, ReportContext,
    Request, RequestError, Standing, SupervisorReport,
};

use super::life::Life;
use super::oracle::Machine;
use super::specs::ELSEWHERE;

impl Machine {
    pub(super) fn check_dependency(
        &self,
        name: &ChildName,
        dependency: &ChildName,
        condition: Condition,
    ) {
        let life = self.lives.values().find(|life| life.name == *dependency);
        let running = life.filter(|life| life.is_running());
        let is_completed = life.is_none() && self.completed.contains(dependency);
        let holds = if *dependency == *ELSEWHERE {
            matches!(
                (condition, self.elsewhere),
                (
                    Condition::Started,
                    Standing::Started | Standing::Ready | Standing::Completed
                ) | (Condition::Ready, Standing::Ready | Standing::Completed)
                    | (Condition::Completed, Standing::Completed)
            )
        } else {
            match condition {
                Condition::Started => running.is_some() || is_completed,
                Condition::Ready => running.is_some_and(|life| life.is_ready) || is_completed,
                Condition::Completed => is_completed,
            }
        };
        assert!(
            holds,
            "{name} is started, and `{dependency} = {condition:?}` does not hold: {life:?}"
        );
    }

    /// When the supervisor ends one by one, and in a group restart, whoever stands behind is gone.
    pub(super) fn check_stop_order(&self, incarnation: Incarnation) {
        let is_one_by_one = self.stop == StopOrder::Reverse && !self.is_killed;
        if is_one_by_one && (self.is_shut_down || self.is_in_order) {
            self.check_none_behind(incarnation);
        }
    }

    pub(super) fn check_start_order(&self, incarnation: Incarnation) {
        if self.is_in_order {
            self.check_none_behind(incarnation);
            let starting = self.lives.values().find(|life| !life.is_counted);
            assert!(
                starting.is_none(),
                "{incarnation:?} is started before {starting:?} has"
            );
        }
    }

    fn check_none_behind(&self, incarnation: Incarnation) {
        let behind = self
            .order
            .iter()
            .skip_while(|key| **key != incarnation.child)
            .skip(1);
        for key in behind {
            let life = self.lives.get(key);
            assert!(
                life.is_none(),
                "{incarnation:?} has its turn before {life:?}"
            );
        }
    }

    pub(super) fn check_reply(&self, request: &Request, reply: &Reply) {
        let stopped = match request {
            Request::TerminateChild(ChildRef::Name(name)) => Some(name),
            Request::Stop(name) => Some(name),
            _ => None,
        };
        if let (Some(name), Ok(_)) = (stopped, reply) {
            let life = self.lives.values().find(|life| life.name == *name);
            assert!(life.is_none(), "{request:?} is done, and {life:?}");
        }
        if let Ok(Answer::Child(Some(incarnation))) = reply {
            // A one-shot counts as started when it is over.
            let is_over = self.graves.last() == Some(incarnation);
            let life = self.lives.get(&incarnation.child);
            let is_there =
                life.is_some_and(|life| life.incarnation == *incarnation && life.is_counted);
            assert!(
                is_there || is_over,
                "{request:?} is answered {reply:?}, and {life:?}"
            );
        }
    }

    pub(super) fn check_report(&mut self, report: &SupervisorReport) {
        let in_window = |stamps: &[Time], now: Time, period| {
            stamps
                .iter()
                .filter(|stamp| now - **stamp <= period)
                .count()
        };
        if let Some(notice) = report.restart {
            let before = in_window(&self.restarts, self.now, notice.period);
            assert_eq!(before + 1, notice.number as usize, "{report:?}");
            assert!(notice.number <= notice.intensity, "{report:?}");
            self.restarts.push(self.now);
        }
        if let (
            ReportContext::Shutdown,
            Some(ExitReason::GaveUp {
                intensity, period, ..
            }),
        ) = (report.context, &report.reason)
        {
            let before = in_window(&self.restarts, self.now, *period);
            assert_eq!(
                before, *intensity as usize,
                "gave up too early or too late: {report:?}"
            );
        }
    }

    pub(super) fn check_after_finish(&self, actions: &[Action]) {
        for action in actions {
            let is_refusal = matches!(
                action,
                Action::Reply {
                    reply: Err(RequestError::ShuttingDown),
                    ..
                }
            );
            assert!(is_refusal, "after the end: {action:?}");
        }
    }

    /// The list and the counts say what the environment knows.
    pub(super) fn check_table(&self) {
        let children = self.state.which_children();
        for child in &children {
            let life = self.lives.get(&child.key);
            assert_eq!(
                child.incarnation,
                life.map(|life| life.incarnation),
                "{child:?} {life:?}"
            );
            let status = life.map(|life| match () {
                () if life.stop.is_some() => ChildStatus::Stopping,
                () if life.is_counted => ChildStatus::Running,
                () => ChildStatus::Starting,
            });
            match status {
                Some(status) => assert_eq!(child.status, status, "{child:?} {life:?}"),
                None => assert!(
                    matches!(
                        child.status,
                        ChildStatus::Down
                            | ChildStatus::Completed
                            | ChildStatus::Held
                            | ChildStatus::Gated
                            | ChildStatus::Restarting { .. }
                    ),
                    "{child:?} is not there"
                ),
            }
            assert_eq!(self.state.which_child(&child.name).as_ref(), Some(child));
        }
        let known: BTreeSet<ChildKey> = children.iter().map(|child| child.key).collect();
        assert!(
            self.lives.keys().all(|key| known.contains(key)),
            "a live child is forgotten: {:?}",
            self.lives
        );
        let counts = self.state.count_children();
        assert_eq!(counts.specs, if self.is_pool { 1 } else { children.len() });
        assert_eq!(counts.active, self.lives.len());
        let supervisors = children.iter().filter(|child| child.is_supervisor).count();
        assert_eq!(
            (counts.supervisors, counts.workers),
            (supervisors, children.len() - supervisors)
        );
    }

    /// The next deadline is the earliest time anything waits for, and the timer is armed for it.
    pub(super) fn check_deadline(&self) {
        let children = self.state.which_children();
        let backoffs = children.iter().filter_map(|child| match child.status {
            ChildStatus::Restarting { until } => Some(until),
            _ => None,
        });
        let starts = self.lives.values().filter_map(Life::deadline);
        let earliest = backoffs.chain(starts).min();
        assert_eq!(self.state.next_deadline(), earliest);
        if let Some(earliest) = earliest {
            assert_eq!(
                self.timer,
                Some(earliest),
                "the timer is not armed for the next deadline"
            );
        }
    }
}
