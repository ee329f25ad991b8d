//! The operator's requests: start, stop, restart; and the end of a tree that is run as a job.

use treewright_supervisors::spec::{AutoShutdown, Strategy, SupervisorSpec};
use treewright_supervisors::supervisor::{
    Answer, ChildRef, ChildStatus, ExitReason, Request, RequestError, SupervisorState,
};

use crate::simulation::*;

fn start(name: &str) -> Request {
    Request::Start(name.into())
}

fn stop(name: &str) -> Request {
    Request::Stop(name.into())
}

fn restart(name: &str) -> Request {
    Request::Restart(name.into())
}

fn one(child: treewright_supervisors::spec::ChildSpec) -> Simulation {
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, [child]));
    sim.take_log();
    sim
}

#[test]
fn unknown_names_are_not_found() {
    let mut sim = one(worker("a"));
    for request in [start("x"), stop("x"), restart("x")] {
        assert_eq!(sim.call(request), Err(RequestError::NotFound));
    }
}

#[test]
fn start_of_a_running_child_says_so() {
    let mut sim = one(worker("a"));
    let life = sim.life("a");
    assert_eq!(
        sim.call(start("a")),
        Err(RequestError::AlreadyStarted(life))
    );
}

#[test]
fn start_of_a_waiting_child_ends_its_backoff() {
    let mut sim = one(worker("a").delay(seconds(100)));
    sim.crash("a");
    assert!(sim.is_restarting("a"));
    started(&sim.call(start("a")));
}

#[test]
fn start_ends_the_backoff_a_group_waits_for() {
    let children = [worker("a").delay(seconds(100)), worker("b")];
    let mut sim = Simulation::started(&supervisor(Strategy::OneForAll, children));
    sim.crash("a");
    assert_eq!(sim.living(), [""; 0]);
    started(&sim.call(start("a")));
    assert_eq!(sim.living(), ["a", "b"]);
}

#[test]
fn stop_of_a_waiting_child_holds_it() {
    let mut sim = one(worker("a").delay(seconds(100)));
    sim.crash("a");
    assert_eq!(sim.call(stop("a")), Ok(Answer::Done));
    sim.advance(seconds(1000));
    assert_eq!(sim.status("a"), Some(ChildStatus::Held));
}

#[test]
fn stop_of_the_child_a_group_waits_for_lets_the_others_start() {
    let children = [worker("a").delay(seconds(100)), worker("b")];
    let mut sim = Simulation::started(&supervisor(Strategy::OneForAll, children));
    sim.crash("a");
    assert_eq!(sim.call(stop("a")), Ok(Answer::Done));
    assert_eq!(sim.living(), ["b"]);
    assert_eq!(sim.status("a"), Some(ChildStatus::Held));
}

#[test]
fn stop_while_starting_wins() {
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, []));
    sim.script("a").start(Starts::After(seconds(5)));
    let id = sim.request(Request::StartChild(Box::new(worker("a"))));
    assert_eq!(sim.call(stop("a")), Ok(Answer::Done));
    assert_eq!(sim.reply(id), Some(&Err(RequestError::Superseded)));
    sim.advance(seconds(5));
    assert_eq!(sim.status("a"), Some(ChildStatus::Held));
}

#[test]
fn stop_of_a_child_that_was_not_started_yet_holds_it() {
    let mut sim = Simulation::new(&supervisor(Strategy::OneForOne, [worker("a"), worker("b")]));
    sim.script("a").start(Starts::After(seconds(5)));
    sim.start();
    assert_eq!(sim.call(stop("b")), Ok(Answer::Done));
    sim.advance(seconds(5));
    assert!(sim.has_started());
    assert_eq!(sim.living(), ["a"]);
    assert_eq!(sim.status("b"), Some(ChildStatus::Held));
}

#[test]
fn restart_is_stop_and_start_and_counts_for_no_limit() {
    let mut sim = one(worker("a"));
    for _ in 0..10 {
        let life = sim.life("a");
        assert_ne!(started(&sim.call(restart("a"))), life);
    }
    assert_eq!(sim.finished(), None);
    assert_eq!(sim.take_orders().len(), 20);
}

#[test]
fn two_restarts_at_once_are_one() {
    let mut sim = one(worker("a"));
    sim.script("a").stop(Stops::After(seconds(1)));
    let ids = [sim.request(restart("a")), sim.request(restart("a"))];
    sim.advance(seconds(1));
    for id in ids {
        assert_eq!(started(sim.reply(id).unwrap()), sim.life("a"));
    }
    assert_eq!(sim.take_orders(), ["stop a", "start a"]);
}

#[test]
fn restart_while_a_stop_is_under_way_follows_it() {
    let mut sim = one(worker("a"));
    sim.script("a").stop(Stops::After(seconds(1)));
    let stopped = sim.request(stop("a"));
    let restarted = sim.request(restart("a"));
    sim.advance(seconds(1));
    assert_eq!(sim.reply(stopped), Some(&Ok(Answer::Done)));
    started(sim.reply(restarted).unwrap());
    assert_eq!(sim.take_orders(), ["stop a", "start a"]);
}

#[test]
fn stop_while_a_restart_is_under_way_wins() {
    let mut sim = one(worker("a"));
    sim.script("a").stop(Stops::After(seconds(1)));
    let restarted = sim.request(restart("a"));
    let stopped = sim.request(stop("a"));
    sim.advance(seconds(1));
    assert_eq!(sim.reply(restarted), Some(&Err(RequestError::Superseded)));
    assert_eq!(sim.reply(stopped), Some(&Ok(Answer::Done)));
    assert_eq!(sim.status("a"), Some(ChildStatus::Held));
}

#[test]
fn restart_that_fails_to_start_leaves_the_child_down() {
    let mut sim = one(worker("a"));
    sim.script("a").start(Starts::Badly);
    assert_eq!(sim.call(restart("a")), Err(RequestError::Failed(refused())));
    assert_eq!(sim.status("a"), Some(ChildStatus::Down));
}

#[test]
fn restart_of_a_temporary_child_keeps_it() {
    let mut sim = one(worker("a").temporary());
    started(&sim.call(restart("a")));
    assert_eq!(sim.living(), ["a"]);
}

#[test]
fn group_restart_during_a_restart_starts_each_child_once_and_in_order() {
    let mut sim = Simulation::started(&supervisor(
        Strategy::OneForAll,
        [worker("a"), worker("b"), worker("c")],
    ));
    sim.script("c").stop(Stops::After(seconds(1)));
    sim.script("b").stop(Stops::After(seconds(2)));
    sim.take_log();
    let id = sim.request(restart("c"));
    sim.crash("a");
    sim.advance(seconds(3));
    assert_eq!(
        sim.take_orders(),
        ["stop c", "stop b", "start a", "start b", "start c"]
    );
    assert_eq!(started(sim.reply(id).unwrap()), sim.life("c"));
}

#[test]
fn kill_overtakes_a_stop() {
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, [worker("a"), worker("b")]));
    sim.script("b").stop(Stops::Deaf);
    sim.take_log();
    sim.shutdown();
    assert_eq!(sim.take_orders(), ["stop b"]);
    sim.kill_all();
    assert_eq!(sim.take_orders(), ["kill b", "kill a"]);
    assert_eq!(sim.finished(), Some(&ExitReason::Shutdown));
}

#[test]
fn kill_reaches_children_of_children() {
    let inner = named("inner", Strategy::OneForOne, [worker("b")]);
    let mut sim = Simulation::started(&supervisor(
        Strategy::OneForOne,
        [worker("a"), nested(inner)],
    ));
    sim.script("b").stop(Stops::Deaf);
    sim.kill_all();
    assert_eq!(sim.living(), [""; 0]);
    assert_eq!(sim.finished(), Some(&ExitReason::Shutdown));
}

fn job(spec: &SupervisorSpec) -> Simulation {
    let machine = SupervisorState::new(spec).end_when_idle();
    let mut sim = Simulation::of_machine(machine, Default::default());
    sim.start();
    sim
}

#[test]
fn job_ends_when_no_child_runs_or_waits() {
    let children = [
        worker("a").transient(),
        worker("b").temporary().delay(seconds(1)),
    ];
    let mut sim = job(&supervisor(Strategy::OneForOne, children));
    sim.end("a");
    assert_eq!(sim.finished(), None);
    sim.crash("b");
    assert_eq!(sim.finished(), Some(&ExitReason::Normal));
}

#[test]
fn job_waits_for_a_child_in_its_backoff_and_for_one_that_is_held() {
    let mut sim = job(&supervisor(
        Strategy::OneForOne,
        [worker("a").transient().delay(seconds(1))],
    ));
    sim.crash("a");
    assert_eq!(sim.finished(), None);
    sim.advance(seconds(1));
    sim.call(stop("a")).unwrap();
    assert_eq!(sim.finished(), None);
    started(&sim.call(start("a")));
    sim.end("a");
    assert_eq!(sim.finished(), Some(&ExitReason::Normal));
}

#[test]
fn job_ends_when_a_nested_supervisor_has_become_idle() {
    let inner = named("inner", Strategy::OneForOne, [worker("b").transient()]);
    let mut sim = job(&supervisor(
        Strategy::OneForOne,
        [worker("a").transient(), nested(inner)],
    ));
    sim.end("b");
    assert_eq!(sim.finished(), None);
    // It is there until the tree ends, and it is busy again when something runs in it.
    let again = sim.call_on("inner", Request::RestartChild("b".into()));
    started(&again);
    sim.end("a");
    assert_eq!(sim.finished(), None);
    sim.end("b");
    assert_eq!(sim.finished(), Some(&ExitReason::Normal));
}

#[test]
fn supervisor_that_is_no_job_stays_without_children() {
    let mut sim = one(worker("a").temporary());
    sim.end("a");
    assert_eq!(sim.finished(), None);
    started(&sim.start_child(worker("b")));
}

#[test]
fn held_significant_child_neither_ends_the_supervisor_nor_counts_as_ended() {
    let children = [
        worker("a").transient().significant(),
        worker("b").transient().significant(),
    ];
    let spec = supervisor(Strategy::OneForOne, children).auto(AutoShutdown::AllSignificant);
    let mut sim = Simulation::started(&spec);
    sim.call(stop("a")).unwrap();
    sim.end("b");
    assert_eq!(sim.finished(), None);
    started(&sim.call(start("a")));
    sim.end("a");
    assert!(matches!(
        sim.finished(),
        Some(ExitReason::AutoShutdown { .. })
    ));
}

#[test]
fn every_request_is_answered_when_the_supervisor_ends() {
    let children = [worker("a"), worker("b").delay(seconds(100)), worker("c")];
    let mut sim = Simulation::started(&supervisor(Strategy::OneForAll, children));
    sim.script("a").stop(Stops::After(seconds(1)));
    sim.script("c").stop(Stops::After(seconds(1)));
    sim.crash("b");
    let queued = sim.request(Request::StartChild(Box::new(worker("d"))));
    let waiting = sim.request(start("b"));
    let stopping = sim.request(Request::TerminateChild(ChildRef::Name("c".into())));
    sim.shutdown();
    assert_eq!(sim.reply(queued), Some(&Err(RequestError::ShuttingDown)));
    assert_eq!(sim.reply(waiting), Some(&Err(RequestError::ShuttingDown)));
    sim.advance(seconds(2));
    assert_eq!(sim.reply(stopping), Some(&Ok(Answer::Done)));
    assert!(sim.is_all_answered());
}
