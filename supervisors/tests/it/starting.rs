//! When a child counts as started, and what happens when it does not in time or is no use.

use treewright_supervisors::spec::{RestartType, StartCondition, Strategy};
use treewright_supervisors::supervisor::{
    ChildStatus, Event, ExitReason, Incarnation, ReportContext, RequestError,
};

use crate::simulation::*;

#[test]
fn spawned_child_counts_when_its_process_exists() {
    let a = probed("a").counts_when(StartCondition::Spawned);
    let sim = Simulation::started(&supervisor(Strategy::OneForOne, [a, worker("b")]));
    assert_eq!(sim.living(), ["a", "b"]);
    assert_eq!(sim.status("a"), Some(ChildStatus::Running));
}

#[test]
fn probed_child_counts_when_it_is_ready() {
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, [probed("a"), worker("b")]));
    assert_eq!(sim.status("a"), Some(ChildStatus::Starting));
    assert_eq!(sim.living(), ["a"]);
    sim.ready("a");
    assert_eq!(sim.status("a"), Some(ChildStatus::Running));
    assert_eq!(sim.living(), ["a", "b"]);
}

#[test]
fn probed_child_that_is_ready_before_its_process_is_known_counts_once() {
    let mut sim = Simulation::new(&supervisor(Strategy::OneForOne, [probed("a")]));
    sim.script("a").start(Starts::After(seconds(1)));
    sim.start();
    sim.ready("a");
    assert!(sim.has_started());
    sim.advance(seconds(1));
    assert_eq!(sim.take_reports(ReportContext::Progress).len(), 1);
}

#[test]
fn one_shot_counts_when_it_has_ended_in_success() {
    let a = worker("a")
        .transient()
        .counts_when(StartCondition::Completed);
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, [a, worker("b")]));
    assert_eq!(sim.living(), ["a"]);
    sim.end("a");
    assert_eq!(sim.living(), ["b"]);
    assert_eq!(sim.status("a"), Some(ChildStatus::Completed));
    assert!(sim.has_started());
}

#[test]
fn one_shot_that_ends_in_failure_fails_the_start() {
    let a = worker("a")
        .transient()
        .counts_when(StartCondition::Completed);
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, [a, worker("b")]));
    sim.crash("a");
    let Some(ExitReason::FailedToStart { child, cause }) = sim.finished() else {
        panic!("{:?}", sim.finished());
    };
    assert_eq!((&**child, &**cause), ("a", &CRASH));
}

#[test]
fn child_that_ends_before_it_is_ready_fails_the_start() {
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, [probed("a").transient()]));
    sim.end("a");
    assert!(matches!(
        sim.finished(),
        Some(ExitReason::FailedToStart { .. })
    ));
}

#[test]
fn start_that_takes_too_long_is_stopped_and_fails() {
    let a = probed("a").with(|child| child.start_timeout = Some(seconds(3)));
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, [worker("first"), a]));
    sim.script("a").stop(Stops::After(seconds(1)));
    sim.advance(millis(2999));
    assert_eq!(sim.status("a"), Some(ChildStatus::Starting));
    sim.advance(millis(1));
    assert_eq!(sim.status("a"), Some(ChildStatus::Stopping));
    assert_eq!(sim.finished(), None);
    sim.advance(seconds(1));
    let reason = sim.finished().unwrap();
    assert_eq!(
        reason.root_cause(),
        &ExitReason::StartTimeout { after: seconds(3) }
    );
    assert_eq!(sim.living(), [""; 0]);
}

#[test]
fn restart_that_takes_too_long_counts_as_one_more_failure() {
    let a = probed("a").with(|child| child.start_timeout = Some(seconds(3)));
    let mut sim =
        Simulation::started(&supervisor(Strategy::OneForOne, [a]).intensity(2, seconds(3600)));
    sim.ready("a");
    sim.crash("a");
    sim.advance(seconds(3));
    assert_eq!(sim.finished(), None);
    sim.advance(seconds(3));
    assert!(matches!(sim.finished(), Some(ExitReason::GaveUp { .. })));
}

#[test]
fn start_timeout_is_over_when_the_child_has_started() {
    let a = probed("a").with(|child| child.start_timeout = Some(seconds(3)));
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, [a]));
    sim.ready("a");
    sim.advance(seconds(1000));
    assert_eq!(sim.status("a"), Some(ChildStatus::Running));
}

#[test]
fn unhealthy_child_is_stopped_and_restarted_as_if_it_had_failed() {
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, [worker("a").transient()]));
    sim.script("a").stop(Stops::After(seconds(1)));
    sim.take_log();
    let why = sim.unhealthy("a");
    assert_eq!(sim.status("a"), Some(ChildStatus::Stopping));
    sim.advance(seconds(1));
    assert_eq!(sim.take_orders(), ["stop a", "start a"]);
    let reports = sim.take_reports(ReportContext::ChildTerminated);
    assert_eq!(reports, [("a".to_owned(), why)]);
}

#[test]
fn unhealthy_temporary_child_is_stopped_and_forgotten() {
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, [worker("a").temporary()]));
    sim.unhealthy("a");
    assert_eq!(sim.counts(), [0, 0, 0, 0]);
}

#[test]
fn unhealthy_child_that_is_terminated_meanwhile_stays_down() {
    use treewright_supervisors::supervisor::{Answer, ChildRef, Request};
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, [worker("a")]));
    sim.script("a").stop(Stops::After(seconds(1)));
    sim.unhealthy("a");
    let id = sim.request(Request::TerminateChild(ChildRef::Name("a".into())));
    sim.advance(seconds(1));
    assert_eq!(sim.reply(id), Some(&Ok(Answer::Done)));
    assert_eq!(sim.status("a"), Some(ChildStatus::Down));
}

#[test]
fn unhealthy_while_starting_fails_the_start() {
    let mut sim = Simulation::started(&supervisor(
        Strategy::OneForOne,
        [worker("first"), probed("a")],
    ));
    let why = sim.unhealthy("a");
    assert_eq!(sim.finished().unwrap().root_cause(), &why);
}

#[test]
fn group_restart_takes_an_unhealthy_child_with_it() {
    let mut sim = Simulation::started(&supervisor(Strategy::OneForAll, [worker("a"), worker("b")]));
    sim.script("b").stop(Stops::After(seconds(1)));
    sim.unhealthy("b");
    sim.take_log();
    sim.crash("a");
    sim.advance(seconds(1));
    // One restart of the group, not two, and each child once.
    assert_eq!(sim.take_orders(), ["start a", "start b"]);
    assert_eq!(sim.finished(), None);
}

/// All news there can be of a life.
fn news(incarnation: Incarnation) -> Vec<Event> {
    vec![
        Event::Started { incarnation },
        Event::Ready { incarnation },
        Event::StartFailed {
            incarnation,
            why: CRASH,
        },
        Event::Ignored { incarnation },
        Event::Exited {
            incarnation,
            reason: CRASH,
        },
        Event::Unhealthy {
            incarnation,
            why: CRASH,
        },
        Event::Stopped {
            incarnation,
            reason: CRASH,
            killed: true,
        },
        Event::Idle {
            incarnation,
            is_idle: true,
        },
    ]
}

#[test]
fn late_news_of_an_old_life_change_nothing() {
    let mut sim = Simulation::started(&supervisor(Strategy::OneForAll, [worker("a"), worker("b")]));
    let old = sim.life("a");
    sim.crash("b");
    sim.take_log();
    sim.take_all_reports();
    for event in news(old) {
        sim.inject(event);
    }
    assert_eq!(sim.take_log(), [""; 0]);
    assert_eq!(sim.take_all_reports(), []);
    assert_eq!(sim.counts(), [2, 2, 0, 2]);
}

#[test]
fn late_news_of_a_forgotten_child_change_nothing() {
    let mut sim = Simulation::started(&supervisor(Strategy::OneForAll, [worker("a").temporary()]));
    let old = sim.life("a");
    sim.end("a");
    for event in news(old) {
        sim.inject(event);
    }
    assert_eq!(sim.counts(), [0, 0, 0, 0]);
}

#[test]
fn news_before_the_start_and_after_the_end_change_nothing() {
    let spec = supervisor(Strategy::OneForOne, [worker("a")]);
    let mut sim = Simulation::started(&spec);
    let life = sim.life("a");
    sim.shutdown();
    sim.take_log();
    for event in
        news(life)
            .into_iter()
            .chain([Event::Timer, Event::Start, Event::Shutdown, Event::Kill])
    {
        sim.inject(event);
    }
    assert_eq!(sim.take_log(), [""; 0]);
    let mut sim = Simulation::new(&spec);
    for event in news(life) {
        sim.inject(event);
    }
    assert_eq!(sim.take_log(), [""; 0]);
    sim.start();
    assert!(sim.has_started());
}

#[test]
fn shutdown_before_the_start_ends_without_starting_anything() {
    let mut sim = Simulation::new(&supervisor(Strategy::OneForOne, [worker("a")]));
    sim.shutdown();
    assert_eq!(sim.finished(), Some(&ExitReason::Shutdown));
    assert_eq!(sim.take_log(), [""; 0]);
}

#[test]
fn child_that_fails_while_later_ones_start_is_restarted_before_they_are() {
    for restart in [RestartType::Permanent, RestartType::Transient] {
        let children = [worker("a").restart(restart), worker("b"), worker("c")];
        let mut sim = Simulation::new(&supervisor(Strategy::RestForOne, children));
        sim.script("b").start(Starts::After(seconds(1)));
        sim.start();
        sim.crash("a");
        sim.advance(seconds(1));
        assert!(sim.has_started());
        assert_eq!(
            sim.take_orders(),
            [
                "start a", "start b", "stop b", "start a", "start b", "start c"
            ]
        );
    }
}

#[test]
fn start_by_request_that_is_terminated_is_answered_superseded() {
    use treewright_supervisors::supervisor::{Answer, ChildRef, Request};
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, []));
    sim.script("a").start(Starts::Hanging);
    let start = sim.request(Request::StartChild(Box::new(worker("a"))));
    let stop = sim.request(Request::TerminateChild(ChildRef::Name("a".into())));
    assert_eq!(sim.reply(start), Some(&Err(RequestError::Superseded)));
    assert_eq!(sim.reply(stop), Some(&Ok(Answer::Done)));
}

#[test]
fn start_that_fails_late_lets_nothing_after_it_begin() {
    let children = [worker("a"), worker("b"), worker("c")];
    let mut sim = Simulation::new(&supervisor(Strategy::OneForOne, children));
    sim.script("b").start(Starts::BadlyAfter(seconds(1)));
    sim.start();
    sim.advance(seconds(1));
    assert_eq!(sim.take_orders(), ["start a", "start b", "stop a"]);
}
