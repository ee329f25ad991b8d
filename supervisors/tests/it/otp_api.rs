//! OTP's cases about what is asked of a running supervisor.

use treewright_supervisors::spec::{
    AutoShutdown, Condition, RestartType, StartCondition, Strategy,
};
use treewright_supervisors::supervisor::{Answer, ChildRef, ChildStatus, Request, RequestError};

use crate::simulation::*;

/// The life of a child through every request, with OTP's answer to each.
#[test]
fn child_adm() {
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, [worker("child1")]));
    let life = sim.life("child1");
    assert_eq!(sim.counts(), [1, 1, 0, 1]);
    assert_eq!(
        sim.start_child(worker("child1")),
        Err(RequestError::AlreadyStarted(life))
    );
    assert_eq!(sim.terminate_child("child2"), Err(RequestError::NotFound));
    assert_eq!(sim.terminate_child("child1"), Ok(Answer::Done));
    assert_eq!(sim.status("child1"), Some(ChildStatus::Down));
    assert_eq!(sim.counts(), [1, 0, 0, 1]);
    // Terminating twice is no fault.
    assert_eq!(sim.terminate_child("child1"), Ok(Answer::Done));
    assert_eq!(
        sim.start_child(worker("child1")),
        Err(RequestError::AlreadyPresent)
    );
    assert_eq!(sim.restart_child("child2"), Err(RequestError::NotFound));
    let again = started(&sim.restart_child("child1"));
    assert_eq!(again.child, life.child);
    assert_ne!(again, life);
    assert_eq!(sim.restart_child("child1"), Err(RequestError::Running));
    assert_eq!(sim.delete_child("child1"), Err(RequestError::Running));
    assert_eq!(sim.delete_child("child2"), Err(RequestError::NotFound));
    let by_life = Request::TerminateChild(ChildRef::Member(life.child));
    assert_eq!(sim.call(by_life), Err(RequestError::NotFound));
    assert!(sim.is_up("child1"));
    sim.terminate_child("child1").unwrap();
    assert_eq!(sim.delete_child("child1"), Ok(Answer::Done));
    assert_eq!(sim.counts(), [0, 0, 0, 0]);
    for reply in [
        sim.restart_child("child1"),
        sim.delete_child("child1"),
        sim.terminate_child("child1"),
    ] {
        assert_eq!(reply, Err(RequestError::NotFound));
    }
    started(&sim.start_child(worker("child1")));
    sim.shutdown();
    // A call to a supervisor that is no more fails and does not hang.
    let reply = sim.call(Request::WhichChildren);
    assert_eq!(reply, Err(RequestError::ShuttingDown));
}

/// The same for a pool, whose members are asked for by key and never by name.
#[test]
fn child_adm_simple() {
    let spec = supervisor(Strategy::OneForOne, [pool("jobs", worker("jobs"), 0, 10)]);
    let mut sim = Simulation::started(&spec);
    assert_eq!(sim.counts_of("jobs"), [1, 0, 0, 0]);
    let first = started(&sim.call_on("jobs", Request::StartMember { args: Vec::new() }));
    assert_eq!(sim.counts_of("jobs"), [1, 1, 0, 1]);
    started(&sim.call_on("jobs", Request::StartMember { args: Vec::new() }));
    assert_eq!(sim.counts_of("jobs"), [1, 2, 0, 2]);
    for request in [
        Request::TerminateChild(ChildRef::Name("jobs".into())),
        Request::TerminateChild(ChildRef::Name("jobs@0".into())),
        Request::RestartChild("jobs@0".into()),
        Request::DeleteChild("jobs@0".into()),
        Request::WhichChild("jobs@0".into()),
    ] {
        let reply = sim.call_on("jobs", request.clone());
        assert_eq!(reply, Err(RequestError::SimpleOneForOne), "{request:?}");
    }
    let by_key = Request::TerminateChild(ChildRef::Member(first.child));
    assert_eq!(sim.call_on("jobs", by_key.clone()), Ok(Answer::Done));
    assert_eq!(sim.counts_of("jobs"), [1, 1, 0, 1]);
    // A member that is gone is as terminated as can be.
    assert_eq!(sim.call_on("jobs", by_key), Ok(Answer::Done));
    let foreign = Simulation::started(&supervisor(
        Strategy::OneForOne,
        ["a", "b", "c", "d"].map(worker),
    ));
    let foreign = ChildRef::Member(foreign.life("d").child);
    let reply = sim.call_on("jobs", Request::TerminateChild(foreign));
    assert_eq!(reply, Err(RequestError::NotFound));
    assert_eq!(sim.counts_of("jobs"), [1, 1, 0, 1]);
}

/// `child_adm`'s other half: a child's spec is refused without any effect where it makes no
/// sense. Wrong types cannot be written in Rust; in a file the loader refuses them.
#[test]
fn child_specs() {
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, [worker("child1")]));
    let refused = [
        worker("x").after("nobody", Condition::Started),
        worker("x").counts_when(StartCondition::Completed),
        worker("x").transient().significant(),
    ];
    for spec in refused {
        let reply = sim.start_child(spec);
        assert!(matches!(reply, Err(RequestError::Invalid(_))), "{reply:?}");
        assert_eq!(sim.counts(), [1, 1, 0, 1]);
    }
    // A pool has its template and no other children.
    let mut sim = Simulation::started(&supervisor(
        Strategy::OneForOne,
        [pool("jobs", worker("jobs"), 0, 1)],
    ));
    let reply = sim.call_on("jobs", Request::StartChild(Box::new(worker("x"))));
    assert!(matches!(reply, Err(RequestError::Invalid(_))), "{reply:?}");
    // Names are one of a kind.
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, []));
    started(&sim.start_child(worker("x")));
    assert!(sim.start_child(worker("x")).is_err());
}

/// Of `significant` and `auto_shutdown` two combinations are refused and all others taken.
#[test]
fn child_specs_map() {
    let autos = [
        AutoShutdown::Never,
        AutoShutdown::AnySignificant,
        AutoShutdown::AllSignificant,
    ];
    let restarts = [
        RestartType::Permanent,
        RestartType::Transient,
        RestartType::Temporary,
    ];
    for auto in autos {
        for restart in restarts {
            for significant in [false, true] {
                let spec = supervisor(Strategy::OneForOne, []).auto(auto);
                let mut sim = Simulation::started(&spec);
                let child = worker("x")
                    .restart(restart)
                    .with(|child| child.significant = significant);
                let reply = sim.start_child(child);
                let is_refused = significant
                    && (auto == AutoShutdown::Never || restart == RestartType::Permanent);
                assert_eq!(
                    reply.is_err(),
                    is_refused,
                    "{auto:?} {restart:?} {significant}"
                );
            }
        }
    }
}

/// Listing and single look-up agree through start, stop and delete.
#[test]
fn which_children() {
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, []));
    assert_eq!(
        sim.call(Request::WhichChildren),
        Ok(Answer::Children(Vec::new()))
    );
    for name in ["b", "a", "c"] {
        started(&sim.start_child(worker(name)));
    }
    // The newest first.
    assert_eq!(sim.order(), ["c", "a", "b"]);
    sim.terminate_child("a").unwrap();
    look_up_agrees(&mut sim);
    assert_eq!(sim.order(), ["c", "a", "b"]);
    sim.delete_child("a").unwrap();
    look_up_agrees(&mut sim);
    assert_eq!(sim.order(), ["c", "b"]);
    let reply = sim.call(Request::WhichChild("a".into()));
    assert_eq!(reply, Err(RequestError::NotFound));
}

fn look_up_agrees(sim: &mut Simulation) {
    for child in sim.which("root") {
        let reply = sim.call(Request::WhichChild(child.name.clone()));
        assert_eq!(reply, Ok(Answer::Children(vec![child])));
    }
}

/// The same for a pool, which has no single look-up.
#[test]
fn which_children_simple_one_for_one() {
    let spec = supervisor(Strategy::OneForOne, [pool("jobs", worker("jobs"), 2, 2)]);
    let mut sim = Simulation::started(&spec);
    let Ok(Answer::Children(children)) = sim.call_on("jobs", Request::WhichChildren) else {
        panic!("no list");
    };
    assert_eq!(children, sim.which("jobs"));
    let reply = sim.call_on("jobs", Request::WhichChild("jobs@1".into()));
    assert_eq!(reply, Err(RequestError::SimpleOneForOne));
}

/// OTP looks at the spec before it looks whether its name is taken.
#[test]
fn start_child_of_a_refused_spec_is_invalid_also_where_its_name_is_taken() {
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, [worker("a")]));
    let refused = worker("a").with(|child| child.significant = true);
    let reply = sim.start_child(refused);
    assert!(matches!(reply, Err(RequestError::Invalid(_))), "{reply:?}");
}

/// As `terminate_child` is content with a member that is gone, so is `get_childspec`.
#[test]
fn get_childspec_of_a_member_that_is_gone_is_the_template() {
    let template = worker("jobs").temporary();
    let spec = supervisor(Strategy::OneForOne, [pool("jobs", template.clone(), 1, 1)]);
    let mut sim = Simulation::started(&spec);
    let key = sim.life("jobs@0").child;
    sim.end("jobs@0");
    let request = Request::GetChildspec(ChildRef::Member(key));
    let reply = sim.call_on("jobs", request);
    assert_eq!(reply, Ok(Answer::Spec(std::sync::Arc::new(template))));
}
