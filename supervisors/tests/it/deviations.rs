//! Where a supervisor differs from OTP's on purpose: one test or more per row of the table in
//! `docs/semantics.md`. The rows about reloads have modules of their own.

use std::time::Duration;

use treewright_supervisors::spec::{
    AutoShutdown, ChildSpec, Condition, OnStartFailure, StartCondition, StopOrder, Strategy,
};
use treewright_supervisors::supervisor::{
    Answer, ChildRef, ChildStatus, ExitReason, ReportContext, Request, RequestError,
    SupervisorState,
};

use crate::simulation::*;

/// A child that waits 100 ms, 200 ms, 400 ms, 400 ms … before it is restarted.
fn backing_off(name: &str) -> ChildSpec {
    worker(name).delay(millis(100)).with(|child| {
        child.backoff.max = millis(400);
        child.backoff.reset_after = seconds(60);
    })
}

fn patient(
    children: impl IntoIterator<Item = ChildSpec>,
) -> treewright_supervisors::spec::SupervisorSpec {
    supervisor(Strategy::OneForOne, children).intensity(1000, seconds(1))
}

#[test]
fn backoff_of_failing_restarts_doubles_up_to_max() {
    let mut sim = Simulation::started(&patient([backing_off("a")]));
    sim.take_log();
    sim.script("a").next(vec![Starts::Badly; 4]);
    sim.crash("a");
    assert!(sim.is_restarting("a"));
    sim.advance(seconds(10));
    assert_eq!(sim.take_start_times("a"), [100, 300, 700, 1100, 1500]);
}

#[test]
fn backoff_of_a_child_that_stayed_up_begins_anew() {
    let mut sim = Simulation::started(&patient([backing_off("a")]));
    sim.take_log();
    sim.crash("a");
    sim.advance(seconds(1));
    // Up for less than `reset_after`: the second in a row.
    sim.crash("a");
    sim.advance(seconds(60) + millis(200));
    // Up for exactly `reset_after`: the first again.
    sim.crash("a");
    sim.advance(seconds(1));
    assert_eq!(sim.take_start_times("a"), [100, 1200, 61_300]);
}

#[test]
fn backoff_holds_up_the_siblings_of_a_group() {
    let mut root = patient([worker("first"), backing_off("a"), worker("last")]);
    root.strategy = Strategy::OneForAll;
    let mut sim = Simulation::started(&root);
    sim.take_log();
    sim.crash("a");
    assert_eq!(sim.take_orders(), ["stop last", "stop first"]);
    sim.advance(millis(99));
    assert_eq!(sim.living(), [""; 0]);
    sim.advance(millis(1));
    assert_eq!(sim.take_orders(), ["start first", "start a", "start last"]);
}

#[test]
fn backoff_jitter_shortens_by_the_seed_and_nothing_else() {
    let delay = |seed| {
        let child = worker("a").with(|child| {
            child.backoff.initial = seconds(1);
            child.backoff.jitter = 0.5;
        });
        let machine = SupervisorState::new(&patient([child])).with_seed(seed);
        let mut sim = Simulation::of_machine(machine, Default::default());
        sim.start();
        sim.take_log();
        sim.crash("a");
        sim.advance(seconds(2));
        sim.take_start_times("a")[0]
    };
    let delays: Vec<u128> = (0..20).map(delay).collect();
    assert!(
        delays.iter().all(|delay| (500..=1000).contains(delay)),
        "{delays:?}"
    );
    let mut different = delays.clone();
    different.sort_unstable();
    different.dedup();
    assert!(different.len() > 10, "{delays:?}");
    assert_eq!(delays, (0..20).map(delay).collect::<Vec<_>>());
}

#[test]
fn intensity_counts_a_restart_for_exactly_one_period() {
    let spec = supervisor(Strategy::OneForOne, [worker("a")]).intensity(1, seconds(5));
    for (after, is_over) in [
        (seconds(5), true),
        (seconds(5) + Duration::from_nanos(1), false),
    ] {
        let mut sim = Simulation::started(&spec);
        sim.advance(millis(1234));
        sim.crash("a");
        sim.advance(after);
        sim.crash("a");
        assert_eq!(sim.finished().is_some(), is_over, "{after:?}");
    }
}

#[test]
fn giving_up_is_abnormal_for_a_transient_parent_and_keeps_its_causes() {
    let inner = named("inner", Strategy::OneForOne, [worker("a")]).intensity(0, seconds(1));
    let root = supervisor(Strategy::OneForOne, [nested(inner).transient()]);
    let mut sim = Simulation::started(&root);
    sim.take_log();
    sim.crash("a");
    assert_eq!(sim.take_orders(), ["start inner", "start a"]);
    let reports = sim.take_reports(ReportContext::ChildTerminated);
    let (_, reason) = reports.iter().find(|(name, _)| name == "inner").unwrap();
    assert!(
        matches!(reason, ExitReason::GaveUp { intensity: 0, .. }),
        "{reason:?}"
    );
    assert_eq!(reason.root_cause(), &CRASH);
}

#[test]
fn questions_are_answered_while_a_child_starts() {
    let mut sim = Simulation::new(&supervisor(Strategy::OneForOne, [worker("a"), worker("b")]));
    sim.script("a").start(Starts::After(seconds(9)));
    sim.start();
    assert_eq!(sim.status("a"), Some(ChildStatus::Starting));
    sim.call(Request::WhichChildren).unwrap();
    sim.call(Request::CountChildren).unwrap();
    // What would start something waits for its turn, and is answered then.
    let id = sim.request(Request::StartChild(Box::new(worker("c"))));
    assert_eq!(sim.reply(id), None);
    sim.advance(seconds(9));
    started(sim.reply(id).unwrap());
    assert_eq!(sim.take_orders(), ["start a", "start b", "start c"]);
}

#[test]
fn a_stop_overtakes_a_start_that_hangs() {
    let mut sim = Simulation::new(&supervisor(Strategy::OneForOne, [worker("a"), worker("b")]));
    sim.script("a").start(Starts::Hanging);
    sim.start();
    assert_eq!(sim.terminate_child("a"), Ok(Answer::Done));
    // The supervisor's start goes on without it.
    assert!(sim.has_started());
    assert_eq!(sim.living(), ["b"]);
}

#[test]
fn a_shutdown_overtakes_a_start_that_hangs() {
    let mut sim = Simulation::new(&supervisor(Strategy::OneForOne, [worker("a"), worker("b")]));
    sim.script("b").start(Starts::Hanging);
    sim.start();
    let id = sim.request(Request::StartChild(Box::new(worker("c"))));
    sim.shutdown();
    assert_eq!(sim.finished(), Some(&ExitReason::Shutdown));
    assert_eq!(sim.reply(id), Some(&Err(RequestError::ShuttingDown)));
    assert!(sim.is_all_answered());
}

#[test]
fn requests_about_a_child_that_stops_wait_for_its_end() {
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, [worker("a")]));
    sim.script("a").stop(Stops::After(seconds(2)));
    let terminate = Request::TerminateChild(ChildRef::Name("a".into()));
    let first = sim.request(terminate.clone());
    let second = sim.request(terminate);
    let restart = sim.request(Request::RestartChild("a".into()));
    assert_eq!(sim.status("a"), Some(ChildStatus::Stopping));
    assert_eq!(
        (sim.reply(first), sim.reply(second), sim.reply(restart)),
        (None, None, None)
    );
    sim.advance(seconds(2));
    assert_eq!(sim.reply(first), Some(&Ok(Answer::Done)));
    assert_eq!(sim.reply(second), Some(&Ok(Answer::Done)));
    assert_eq!(started(sim.reply(restart).unwrap()), sim.life("a"));
    assert_eq!(sim.take_orders(), ["start a", "stop a", "start a"]);
}

#[test]
fn parallel_stop_takes_as_long_as_the_slowest() {
    let mut root = supervisor(Strategy::OneForAll, [worker("a"), worker("b"), worker("c")]);
    root.stop = StopOrder::Parallel;
    let mut sim = Simulation::started(&root);
    sim.script("a").stop(Stops::After(seconds(3)));
    sim.script("b").stop(Stops::After(seconds(2)));
    sim.script("c").stop(Stops::After(seconds(1)));
    sim.take_log();
    // In a group restart …
    sim.crash("b");
    assert_eq!(sim.take_orders(), ["stop c", "stop a"]);
    sim.advance(seconds(3));
    assert_eq!(sim.take_orders(), ["start a", "start b", "start c"]);
    // … and at the end.
    sim.shutdown();
    assert_eq!(sim.take_orders(), ["stop c", "stop b", "stop a"]);
    sim.advance(seconds(3));
    assert_eq!(sim.finished(), Some(&ExitReason::Shutdown));
}

#[test]
fn a_child_the_operator_stopped_stays_down_through_a_group_restart() {
    let children = [worker("a"), worker("b"), worker("c")];
    let mut sim = Simulation::started(&supervisor(Strategy::OneForAll, children));
    assert_eq!(sim.call(Request::Stop("b".into())), Ok(Answer::Done));
    sim.terminate_child("c").unwrap();
    assert_eq!(sim.status("b"), Some(ChildStatus::Held));
    sim.take_log();
    sim.crash("a");
    // `terminate_child` is OTP's: the group's restart brings its child back.
    assert_eq!(sim.take_orders(), ["start a", "start c"]);
    assert_eq!(sim.status("b"), Some(ChildStatus::Held));
    let life = started(&sim.call(Request::Start("b".into())));
    assert_eq!(life, sim.life("b"));
}

/// A supervisor that tries the first start of its children again.
fn retrying(strategy: Strategy, children: impl IntoIterator<Item = ChildSpec>) -> Simulation {
    let mut root = supervisor(strategy, children).intensity(3, seconds(3600));
    root.on_start_failure = OnStartFailure::Retry;
    Simulation::new(&root)
}

#[test]
fn a_failed_first_start_that_is_to_be_retried_waits_for_its_backoff() {
    let mut sim = retrying(
        Strategy::OneForOne,
        [worker("a"), backing_off("b"), worker("c")],
    );
    sim.script("b").next([Starts::Badly, Starts::Badly]);
    sim.start();
    assert!(!sim.has_started());
    // Order holds: what comes after it waits.
    assert_eq!(sim.living(), ["a"]);
    sim.advance(millis(300));
    assert!(sim.has_started());
    assert_eq!(sim.living(), ["a", "b", "c"]);
    assert_eq!(
        sim.take_orders(),
        ["start a", "start b", "start b", "start b", "start c"]
    );
}

#[test]
fn a_failed_first_start_that_is_retried_too_often_ends_the_supervisor() {
    let mut sim = retrying(Strategy::OneForOne, [worker("a"), worker("b")]);
    sim.script("b").start(Starts::Badly);
    sim.start();
    assert!(!sim.has_started());
    assert!(matches!(
        sim.finished(),
        Some(ExitReason::GaveUp { intensity: 3, .. })
    ));
    let orders = sim.take_orders();
    assert_eq!(orders.iter().filter(|line| *line == "start b").count(), 4);
}

#[test]
fn a_failed_first_start_in_one_for_all_is_retried_with_its_group() {
    let mut sim = retrying(
        Strategy::OneForAll,
        [worker("a"), backing_off("b"), worker("c")],
    );
    sim.script("b").next([Starts::Badly]);
    sim.start();
    sim.advance(millis(100));
    assert!(sim.has_started());
    let expected = [
        "start a", "start b", "stop a", "start a", "start b", "start c",
    ];
    assert_eq!(sim.take_orders(), expected);
}

#[test]
fn a_temporary_child_that_fails_its_first_start_is_not_retried() {
    let mut sim = retrying(Strategy::OneForOne, [worker("a").temporary(), worker("b")]);
    sim.script("a").start(Starts::Badly);
    sim.start();
    assert!(sim.has_started());
    assert_eq!(sim.order(), ["b"]);
}

#[test]
fn the_outcome_of_a_temporary_child_outlives_it() {
    let migrate = worker("migrate")
        .temporary()
        .counts_when(StartCondition::Completed);
    let web = worker("web").after("migrate", Condition::Completed);
    let mut sim = Simulation::new(&supervisor(Strategy::OneForOne, [migrate, web]));
    sim.script("migrate")
        .end(seconds(1), ExitReason::Exited { code: 0 });
    sim.start();
    assert_eq!(sim.living(), ["migrate"]);
    sim.advance(seconds(1));
    assert_eq!(sim.order(), ["web"]);
    // It counts for every later start, not for the first alone.
    sim.crash("web");
    assert_eq!(sim.living(), ["web"]);
    // A child that is added later may depend on it too.
    started(&sim.start_child(worker("late").after("migrate", Condition::Completed)));
}

/// OTP stops what comes after the child that failed once more before it tries again.
#[test]
fn a_child_started_while_a_group_waits_is_left_alone_by_its_next_try() {
    let children = [worker("a").delay(seconds(1)), worker("b")];
    let mut sim = Simulation::started(&supervisor(Strategy::RestForOne, children));
    sim.crash("a");
    sim.start_child(worker("c")).unwrap();
    let life = sim.life("c");
    sim.advance(seconds(1));
    assert_eq!(sim.living(), ["a", "b", "c"]);
    assert_eq!(sim.life("c"), life);
}

/// OTP starts it with the others at the next try.
#[test]
fn a_child_terminated_while_a_group_waits_is_left_out_of_its_next_try() {
    let children = [worker("a").delay(seconds(1)), worker("b"), worker("c")];
    let mut sim = Simulation::started(&supervisor(Strategy::OneForAll, children));
    sim.crash("a");
    sim.terminate_child("b").unwrap();
    sim.advance(seconds(1));
    assert_eq!(sim.living(), ["a", "c"]);
}

/// OTP counts when it is about to try again, and serves what was asked meanwhile before.
#[test]
fn a_start_that_fails_once_too_often_ends_the_supervisor_at_once() {
    let children = [worker("a").delay(seconds(1))];
    let spec = supervisor(Strategy::OneForOne, children).intensity(1, seconds(60));
    let mut sim = Simulation::started(&spec);
    sim.script("a").next([Starts::Badly]);
    sim.crash("a");
    assert_eq!(sim.finished(), None);
    sim.advance(seconds(1));
    assert!(matches!(sim.finished(), Some(ExitReason::GaveUp { .. })));
}

/// OTP's pid is of one life, and means nobody after a restart.
#[test]
fn a_member_is_known_by_the_same_key_in_all_its_lives() {
    let template = worker("jobs");
    let spec = supervisor(Strategy::OneForOne, [pool("jobs", template, 1, 1)]);
    let mut sim = Simulation::started(&spec);
    let first = sim.life("jobs@0");
    sim.crash("jobs@0");
    assert_ne!(sim.life("jobs@0"), first);
    let request = Request::TerminateChild(ChildRef::Member(first.child));
    sim.call_on("jobs", request).unwrap();
    assert!(!sim.is_up("jobs@0"));
}

/// OTP restarts the one first that ended, and then tries again with the one that had failed before.
#[test]
fn of_two_restarts_that_are_due_the_one_that_was_due_first_comes_first() {
    let children = [worker("a").delay(millis(1)), worker("b").delay(millis(5))];
    let spec = supervisor(Strategy::OneForOne, children).intensity(9, seconds(5));
    let mut sim = Simulation::started(&spec);
    sim.script("a").next([Starts::Badly]);
    sim.crash("a");
    sim.advance(millis(1));
    sim.take_log();
    sim.crash("b");
    sim.advance(millis(10));
    assert_eq!(sim.take_orders(), ["start a", "start b"]);
}

/// OTP looks at what is up at this moment only.
#[test]
fn the_last_significant_child_is_known_when_a_group_has_been_restarted() {
    let children = [
        worker("a").transient().significant(),
        worker("b").delay(seconds(1)),
    ];
    let spec = supervisor(Strategy::RestForOne, children).auto(AutoShutdown::AllSignificant);
    let mut sim = Simulation::started(&spec);
    sim.crash("b");
    sim.end("a");
    assert_eq!(sim.finished(), None);
    sim.advance(seconds(1));
    assert!(matches!(
        sim.finished(),
        Some(ExitReason::AutoShutdown { .. })
    ));
}
