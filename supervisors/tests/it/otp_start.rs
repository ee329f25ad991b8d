//! OTP's cases about the start of a supervisor and of its children.

use treewright_supervisors::spec::{ChildKind, RestartType, ShutdownMode, Strategy};
use treewright_supervisors::supervisor::{
    Answer, ChildRef, ChildStatus, ExitReason, ReportContext, Request, RequestError,
};

use crate::simulation::*;

/// An empty supervisor starts, and stops with reason `shutdown`.
#[test]
fn sup_start_normal() {
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, []));
    assert!(sim.has_started());
    assert_eq!(sim.counts(), [0, 0, 0, 0]);
    sim.shutdown();
    assert_eq!(sim.finished(), Some(&ExitReason::Shutdown));
}

/// A supervisor that says `ignore` leaves no process behind and is no failure.
#[test]
fn sup_start_ignore_init() {
    let inner = named("inner", Strategy::OneForOne, [worker("child1")]);
    let mut sim = Simulation::new(&supervisor(Strategy::OneForOne, [nested(inner)]));
    sim.script("inner").start(Starts::Ignoring);
    sim.start();
    assert!(sim.has_started());
    assert_eq!(sim.living(), [""; 0]);
    assert_eq!(sim.counts(), [1, 0, 1, 0]);
}

/// A permanent child that says `ignore` is kept, and the next one still starts.
#[test]
fn sup_start_ignore_child() {
    let spec = supervisor(Strategy::OneForOne, [worker("child1"), worker("child2")]);
    let mut sim = Simulation::new(&spec);
    sim.script("child1").start(Starts::Ignoring);
    sim.start();
    assert_eq!(sim.living(), ["child2"]);
    assert_eq!(sim.status("child1"), Some(ChildStatus::Down));
    assert_eq!(sim.counts(), [2, 1, 0, 2]);
    assert_eq!(sim.order(), ["child2", "child1"]);
}

/// A temporary child from the initial list that says `ignore` is forgotten.
#[test]
fn sup_start_ignore_temporary_child() {
    let children = [worker("child1").temporary(), worker("child2").temporary()];
    let mut sim = Simulation::new(&supervisor(Strategy::OneForOne, children));
    sim.script("child1").start(Starts::Ignoring);
    sim.start();
    assert_eq!(sim.order(), ["child2"]);
    assert_eq!(sim.counts(), [1, 1, 0, 1]);
}

/// The same through `start_child`: it is granted, and nothing is stored.
#[test]
fn sup_start_ignore_temporary_child_start_child() {
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, []));
    sim.script("child1").start(Starts::Ignoring);
    let reply = sim.start_child(worker("child1").temporary());
    assert_eq!(reply, Ok(Answer::Child(None)));
    started(&sim.start_child(worker("child2").temporary()));
    assert_eq!(sim.order(), ["child2"]);
    assert_eq!(sim.counts(), [1, 1, 0, 1]);
}

/// The same in a pool.
#[test]
fn sup_start_ignore_temporary_child_start_child_simple() {
    ignore_in_pool(RestartType::Temporary);
}

/// The same with a permanent template: no ghost entry is left to break the stop.
#[test]
fn sup_start_ignore_permanent_child_start_child_simple() {
    ignore_in_pool(RestartType::Permanent);
}

fn ignore_in_pool(restart: RestartType) {
    let template = worker("jobs").restart(restart);
    let spec = supervisor(Strategy::OneForOne, [pool("jobs", template, 0, 10)]);
    let mut sim = Simulation::started(&spec);
    sim.script("jobs@0").next([Starts::Ignoring]);
    let args = Vec::new();
    let reply = sim.call_on("jobs", Request::StartMember { args: args.clone() });
    assert_eq!(reply, Ok(Answer::Child(None)));
    assert_eq!(sim.counts_of("jobs"), [1, 0, 0, 0]);
    started(&sim.call_on("jobs", Request::StartMember { args }));
    assert_eq!(sim.counts_of("jobs"), [1, 1, 0, 1]);
    sim.shutdown();
    assert_eq!(sim.finished(), Some(&ExitReason::Shutdown));
}

/// A child whose start goes wrong ends the start of the supervisor: the error names the child
/// and what it said, and nothing is left running.
#[test]
fn sup_start_error_return() {
    let spec = supervisor(Strategy::OneForOne, [worker("child1"), worker("child2")]);
    let mut sim = Simulation::new(&spec);
    sim.script("child2").start(Starts::Badly);
    sim.start();
    let reason = sim.finished().unwrap();
    assert_eq!(reason.to_string(), "failed to start child `child2`");
    assert_eq!(reason.root_cause(), &refused());
    assert_eq!(sim.living(), [""; 0]);
}

/// A failed start is no restart: it is reported, tried once, and the children before it are
/// stopped in reverse. The failure goes up through every level that was starting.
#[test]
fn sup_start_fail() {
    let inner = named(
        "inner",
        Strategy::OneForOne,
        [worker("b"), worker("c"), worker("d"), worker("e")],
    );
    let mut sim = Simulation::new(&supervisor(
        Strategy::OneForOne,
        [worker("a"), nested(inner)],
    ));
    sim.script("d").start(Starts::Badly);
    sim.start();
    let expected = [
        "start a",
        "start inner",
        "start b",
        "start c",
        "start d",
        "stop c",
        "stop b",
        "stop a",
    ];
    assert_eq!(sim.take_orders(), expected);
    let chain = chain(sim.finished().unwrap());
    assert_eq!(
        chain,
        [
            "failed to start child `inner`",
            "failed to start child `d`",
            "scripted"
        ]
    );
    let reports = sim.take_reports(ReportContext::StartError);
    assert_eq!(reports[0], ("d".to_owned(), refused()));
    assert_eq!(reports[1].0, "inner");
    assert_eq!(reports.len(), 2);
}

fn chain(reason: &ExitReason) -> Vec<String> {
    let reasons = std::iter::successors(Some(reason), |reason| reason.cause());
    reasons.map(ToString::to_string).collect()
}

/// `start_child` on a failing start returns the error and discards the spec.
#[test]
fn sup_start_child_returns_error() {
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, []));
    sim.script("child1").start(Starts::Badly);
    let reply = sim.start_child(worker("child1"));
    assert_eq!(reply, Err(RequestError::Failed(refused())));
    assert_eq!(sim.counts(), [0, 0, 0, 0]);
    assert_eq!(sim.take_orders(), ["start child1"]);
    assert_eq!(sim.take_reports(ReportContext::StartError).len(), 1);
}

/// `restart_child` on a failing start returns the error and keeps the spec, down.
#[test]
fn sup_start_restart_child_returns_error() {
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, [worker("child1")]));
    sim.terminate_child("child1").unwrap();
    sim.script("child1").start(Starts::Badly);
    assert_eq!(
        sim.restart_child("child1"),
        Err(RequestError::Failed(refused()))
    );
    assert_eq!(sim.status("child1"), Some(ChildStatus::Down));
    assert_eq!(sim.counts(), [1, 0, 0, 1]);
    sim.script("child1").start(Starts::Well);
    started(&sim.restart_child("child1"));
}

/// A pool's `start_child` on a failing start returns the error and stores nothing.
#[test]
fn sup_start_child_returns_error_simple() {
    let spec = supervisor(Strategy::OneForOne, [pool("jobs", worker("jobs"), 0, 10)]);
    let mut sim = Simulation::started(&spec);
    sim.script("jobs").start(Starts::Badly);
    let reply = sim.call_on("jobs", Request::StartMember { args: Vec::new() });
    assert_eq!(reply, Err(RequestError::Failed(refused())));
    assert_eq!(sim.counts_of("jobs"), [1, 0, 0, 0]);
}

/// The defaults are to be seen when specs are read back; an unknown name is not found.
#[test]
fn sup_start_map() {
    use treewright_supervisors::spec::{ChildSpec, SupervisorSpec};
    let mut spec = SupervisorSpec::new("root");
    spec.children
        .push(ChildSpec::new("child1", ChildKind::Local));
    let inner = Box::new(SupervisorSpec::new("inner"));
    spec.children
        .push(ChildSpec::new("inner", ChildKind::Supervisor(inner)));
    let mut sim = Simulation::started(&spec);
    let child = read_spec(sim.call(get("child1")));
    assert_eq!(child.restart, RestartType::Permanent);
    assert!(!child.significant);
    assert_eq!(child.shutdown.mode, ShutdownMode::Timeout(seconds(10)));
    let inner = read_spec(sim.call(get("inner")));
    assert_eq!(inner.shutdown.mode, ShutdownMode::Infinity);
    assert_eq!(sim.call(get("child2")), Err(RequestError::NotFound));
}

fn get(name: &str) -> Request {
    Request::GetChildspec(ChildRef::Name(name.into()))
}

fn read_spec(
    reply: Result<Answer, RequestError>,
) -> std::sync::Arc<treewright_supervisors::spec::ChildSpec> {
    match reply {
        Ok(Answer::Spec(spec)) => spec,
        other => panic!("{other:?}"),
    }
}

/// A pool's template is read back per member; of who is no member, nothing.
#[test]
fn sup_start_map_simple() {
    let template = worker("jobs").transient();
    let spec = supervisor(
        Strategy::OneForOne,
        [pool("jobs", template.clone(), 2, 2), worker("other")],
    );
    let mut sim = Simulation::started(&spec);
    for member in sim.which("jobs") {
        let reply = sim.call_on("jobs", Request::GetChildspec(ChildRef::Member(member.key)));
        assert_eq!(*read_spec(reply), template);
    }
    // A key nobody has: of a life in a machine with more children.
    let foreign = Simulation::started(&supervisor(
        Strategy::OneForOne,
        ["a", "b", "c", "d"].map(worker),
    ));
    let foreign = ChildRef::Member(foreign.life("d").child);
    let reply = sim.call_on("jobs", Request::GetChildspec(foreign));
    assert_eq!(reply, Err(RequestError::NotFound));
}
