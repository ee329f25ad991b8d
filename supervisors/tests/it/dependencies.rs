//! Dependencies: what must hold before a child is started, here and across supervisors.

use treewright_supervisors::spec::{Condition, OnStartFailure, StartCondition, Strategy};
use treewright_supervisors::supervisor::{
    Answer, ChildStatus, ExitReason, Request, RequestError, Standing,
};

use crate::simulation::*;

fn failed_on(name: &str) -> ExitReason {
    ExitReason::DependencyFailed {
        dependency: name.into(),
    }
}

#[test]
fn dependent_waits_until_its_dependency_is_ready() {
    // `db` counts as started when its process exists, so only the gate holds `web` up.
    let db = probed("db").counts_when(StartCondition::Spawned);
    let web = worker("web").after("db", Condition::Ready);
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, [db, web, worker("last")]));
    assert_eq!(sim.status("web"), Some(ChildStatus::Gated));
    assert_eq!(sim.living(), ["db"]);
    sim.ready("db");
    assert_eq!(sim.living(), ["db", "last", "web"]);
    assert!(sim.has_started());
}

#[test]
fn dependent_of_a_dependency_without_a_probe_waits_for_its_start_only() {
    let web = worker("web").after("db", Condition::Ready);
    let sim = Simulation::started(&supervisor(Strategy::OneForOne, [worker("db"), web]));
    assert_eq!(sim.living(), ["db", "web"]);
}

#[test]
fn dependent_that_restarts_waits_for_its_dependency_again() {
    let db = worker("db").delay(seconds(5));
    let web = worker("web").after("db", Condition::Started);
    let mut sim =
        Simulation::started(&supervisor(Strategy::OneForOne, [db, web]).intensity(9, seconds(1)));
    sim.crash("db");
    // A dependency never causes a restart …
    assert!(sim.is_up("web"));
    sim.crash("web");
    // … and gates every start.
    assert_eq!(sim.status("web"), Some(ChildStatus::Gated));
    sim.take_log();
    sim.advance(seconds(5));
    assert_eq!(sim.take_orders(), ["start db", "start web"]);
}

#[test]
fn dependency_that_is_down_for_good_fails_the_start() {
    let db = worker("db")
        .temporary()
        .counts_when(StartCondition::Completed);
    let web = worker("web").after("db", Condition::Completed);
    let mut root = supervisor(Strategy::OneForOne, [db, web]);
    // The failure of `db` is its own; `web` fails because of it.
    root.on_start_failure = OnStartFailure::Retry;
    let mut sim = Simulation::new(&root);
    sim.script("db").end(seconds(1), CRASH);
    sim.start();
    sim.advance(seconds(1));
    let Some(ExitReason::GaveUp { child, cause, .. }) = sim.finished() else {
        panic!("{:?}", sim.finished());
    };
    assert_eq!((&**child, &**cause), ("web", &failed_on("db")));
}

#[test]
fn dependency_that_was_terminated_fails_a_start_by_request() {
    let web = worker("web").after("db", Condition::Started);
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, [worker("db"), web]));
    sim.terminate_child("web").unwrap();
    sim.terminate_child("db").unwrap();
    assert_eq!(
        sim.restart_child("web"),
        Err(RequestError::Failed(failed_on("db")))
    );
    started(&sim.restart_child("db"));
    started(&sim.restart_child("web"));
}

#[test]
fn dependency_that_ended_is_never_ready_again() {
    let db = probed("db").transient();
    let web = worker("web").after("db", Condition::Ready);
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, [db, web]));
    sim.ready("db");
    sim.end("db");
    sim.terminate_child("web").unwrap();
    assert_eq!(
        sim.restart_child("web"),
        Err(RequestError::Failed(failed_on("db")))
    );
}

#[test]
fn dependency_that_is_held_is_waited_for() {
    let web = worker("web").after("db", Condition::Started);
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, [worker("db"), web]));
    sim.call(Request::Stop("db".into())).unwrap();
    sim.crash("web");
    assert_eq!(sim.status("web"), Some(ChildStatus::Gated));
    sim.advance(seconds(1000));
    assert_eq!(sim.finished(), None);
    started(&sim.call(Request::Start("db".into())));
    assert_eq!(sim.living(), ["db", "web"]);
}

#[test]
fn dependent_that_waits_can_be_stopped() {
    let db = probed("db").counts_when(StartCondition::Spawned);
    let web = worker("web").after("db", Condition::Ready);
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, [db, web, worker("last")]));
    assert_eq!(sim.terminate_child("web"), Ok(Answer::Done));
    assert!(sim.has_started());
    sim.ready("db");
    assert_eq!(sim.living(), ["db", "last"]);
}

#[test]
fn unknown_dependency_is_refused() {
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, []));
    let reply = sim.start_child(worker("web").after("db", Condition::Started));
    assert!(matches!(reply, Err(RequestError::Invalid(_))), "{reply:?}");
}

/// `db` in one supervisor, `web` in another, which starts first or second.
fn cousins(is_db_first: bool) -> Simulation {
    let storage = named(
        "storage",
        Strategy::OneForOne,
        [probed("db").counts_when(StartCondition::Spawned)],
    );
    let front = named(
        "front",
        Strategy::OneForOne,
        [worker("web").after("db", Condition::Ready)],
    );
    let (storage, front) = (nested(storage), nested(front));
    let children = if is_db_first {
        [storage, front]
    } else {
        [front, storage]
    };
    Simulation::of_tree(&tree(supervisor(Strategy::OneForOne, children)))
}

#[test]
fn cousin_waits_until_its_dependency_is_ready() {
    let mut sim = cousins(true);
    sim.script("db").ready(seconds(3));
    sim.start();
    assert_eq!(sim.status("web"), Some(ChildStatus::Gated));
    sim.advance(seconds(3));
    assert!(sim.is_up("web"));
    assert!(sim.has_started());
}

#[test]
fn cousin_of_a_terminated_dependency_fails_to_start() {
    use treewright_supervisors::supervisor::ChildRef;
    let mut sim = cousins(true);
    sim.script("db").ready(seconds(0));
    sim.start();
    let db = ChildRef::Name("db".into());
    sim.call_on("storage", Request::TerminateChild(db)).unwrap();
    let web = ChildRef::Name("web".into());
    sim.call_on("front", Request::TerminateChild(web)).unwrap();
    let reply = sim.call_on("front", Request::RestartChild("web".into()));
    assert_eq!(reply, Err(RequestError::Failed(failed_on("db"))));
}

#[test]
fn cousin_restarts_while_the_dependencys_supervisor_is_being_restarted() {
    let mut sim = cousins(true);
    sim.script("db").ready(seconds(1));
    sim.start();
    sim.advance(seconds(1));
    // `storage` is killed as a whole; `db` will come back with it.
    sim.kill("storage");
    sim.crash("web");
    assert_eq!(sim.status("web"), Some(ChildStatus::Gated));
    sim.advance(seconds(1));
    assert!(sim.is_up("web"));
}

#[test]
fn cousin_of_a_dependency_whose_supervisor_is_gone_fails_to_start() {
    use treewright_supervisors::supervisor::ChildRef;
    let mut sim = cousins(true);
    sim.script("db").ready(seconds(0));
    sim.start();
    sim.terminate_child("storage").unwrap();
    let web = ChildRef::Name("web".into());
    sim.call_on("front", Request::TerminateChild(web)).unwrap();
    let reply = sim.call_on("front", Request::RestartChild("web".into()));
    assert_eq!(reply, Err(RequestError::Failed(failed_on("db"))));
    // And with it the child is back.
    started(&sim.restart_child("storage"));
    started(&sim.call_on("front", Request::RestartChild("web".into())));
}

#[test]
fn cousin_waits_while_the_dependencys_supervisor_waits_for_its_restart() {
    let storage = named("storage", Strategy::OneForOne, [worker("db")]).intensity(0, seconds(1));
    let front = named(
        "front",
        Strategy::OneForOne,
        [worker("web").after("db", Condition::Started)],
    );
    let children = [nested(storage).delay(seconds(5)), nested(front)];
    let mut sim = Simulation::of_tree(&tree(supervisor(Strategy::OneForOne, children)));
    sim.start();
    sim.crash("db");
    sim.crash("web");
    assert_eq!(sim.living(), ["front"]);
    assert_eq!(sim.status("web"), Some(ChildStatus::Gated));
    sim.advance(seconds(5));
    assert!(sim.is_up("web"));
}

#[test]
fn standing_of_a_child_elsewhere_opens_and_breaks_the_gate() {
    let root = supervisor(
        Strategy::OneForOne,
        [worker("web").after("db", Condition::Ready)],
    );
    let links = treewright_supervisors::supervisor::Links {
        awaited: [("db".into(), true)].into(),
        ..Default::default()
    };
    let machine = treewright_supervisors::supervisor::SupervisorState::new(&root);
    let links = std::collections::BTreeMap::from([("root".into(), links)]);
    let mut sim = Simulation::of_machine(machine, links);
    sim.start();
    for standing in [Standing::Coming, Standing::Started] {
        sim.stands("db", standing);
        assert_eq!(sim.status("web"), Some(ChildStatus::Gated));
    }
    sim.stands("db", Standing::Ready);
    assert!(sim.is_up("web"));
    sim.stands("db", Standing::Gone);
    assert!(sim.is_up("web"));
    sim.terminate_child("web").unwrap();
    assert_eq!(
        sim.restart_child("web"),
        Err(RequestError::Failed(failed_on("db")))
    );
}
