//! OTP's cases about significant children and `auto_shutdown`.

use treewright_supervisors::spec::{
    AutoShutdown, ChildSpec, RestartType, Strategy, SupervisorSpec,
};
use treewright_supervisors::supervisor::{
    Answer, ChildRef, ExitReason, ReloadMode, Request, RequestError,
};

use crate::simulation::*;

const AUTOS: [AutoShutdown; 3] = [
    AutoShutdown::Never,
    AutoShutdown::AnySignificant,
    AutoShutdown::AllSignificant,
];

fn spec(auto: AutoShutdown, children: impl IntoIterator<Item = ChildSpec>) -> SupervisorSpec {
    supervisor(Strategy::OneForOne, children)
        .auto(auto)
        .intensity(100, seconds(1))
}

fn temporary(name: &str) -> ChildSpec {
    worker(name).temporary().significant()
}

fn transient(name: &str) -> ChildSpec {
    worker(name).transient().significant()
}

fn is_over(sim: &Simulation) -> bool {
    assert!(sim.finished().is_none() || sim.living().is_empty());
    matches!(sim.finished(), Some(ExitReason::AutoShutdown { .. }))
}

/// Every way a child can end: a request, a kill, a crash, by itself.
fn ways() -> [fn(&mut Simulation, &str); 4] {
    [
        |sim, name| sim.terminate_child(name).map(|_| ()).unwrap(),
        |sim, name| sim.kill(name),
        |sim, name| sim.crash(name),
        |sim, name| sim.end(name),
    ]
}

/// No end of a child that is not significant ends the supervisor.
#[test]
fn nonsignificant_temporary() {
    for auto in AUTOS {
        for way in ways() {
            let mut sim = Simulation::started(&spec(auto, [worker("a").temporary(), worker("b")]));
            way(&mut sim, "a");
            assert_eq!(sim.finished(), None);
            assert_eq!(sim.living(), ["b"]);
        }
    }
}

/// The same for a transient one, which is restarted after a kill and after a crash.
#[test]
fn nonsignificant_transient() {
    for auto in AUTOS {
        for (number, way) in ways().into_iter().enumerate() {
            let mut sim = Simulation::started(&spec(auto, [worker("a").transient(), worker("b")]));
            way(&mut sim, "a");
            assert_eq!(sim.finished(), None);
            assert_eq!(sim.is_up("a"), number == 1 || number == 2);
        }
    }
}

/// `any`: each end but the requested one ends the supervisor. `all`: only the last one does.
#[test]
fn significant_temporary() {
    for (number, way) in ways().into_iter().enumerate() {
        let children = [worker("a"), temporary("b"), temporary("c"), worker("d")];
        let any = spec(AutoShutdown::AnySignificant, children.clone());
        let mut sim = Simulation::started(&any);
        sim.take_log();
        way(&mut sim, "b");
        assert_eq!(is_over(&sim), number != 0);
        if number != 0 {
            assert_eq!(sim.take_orders(), ["stop d", "stop c", "stop a"]);
        }
        let all = spec(AutoShutdown::AllSignificant, children);
        let mut sim = Simulation::started(&all);
        way(&mut sim, "b");
        assert!(!is_over(&sim));
        way(&mut sim, "c");
        assert_eq!(is_over(&sim), number != 0);
    }
}

/// A transient one ends the supervisor only by a normal end: after a crash it is restarted.
#[test]
fn significant_transient() {
    for (number, way) in ways().into_iter().enumerate() {
        let children = [worker("a"), transient("b"), transient("c")];
        let mut sim = Simulation::started(&spec(AutoShutdown::AnySignificant, children.clone()));
        way(&mut sim, "b");
        assert_eq!(is_over(&sim), number == 3);
        let mut sim = Simulation::started(&spec(AutoShutdown::AllSignificant, children));
        way(&mut sim, "b");
        assert!(!is_over(&sim));
        if !sim.is_up("c") {
            continue;
        }
        way(&mut sim, "c");
        assert_eq!(is_over(&sim), number == 3);
    }
}

/// A significant child that is being restarted counts as still there.
#[test]
fn significant_restarting_counts_as_there() {
    let children = [transient("a").delay(seconds(1)), transient("b")];
    let mut sim = Simulation::started(&spec(AutoShutdown::AllSignificant, children));
    sim.crash("a");
    sim.end("b");
    assert!(!is_over(&sim));
    sim.advance(seconds(1));
    sim.end("a");
    assert!(is_over(&sim));
}

/// Significant children are not for pools: a member's end never ends the pool.
#[test]
fn significant_simple() {
    let mut sim = Simulation::started(&spec(
        AutoShutdown::AnySignificant,
        [
            pool("jobs", worker("jobs").temporary(), 1, 2),
            transient("other"),
        ],
    ));
    let reply = sim.call_on("jobs", Request::StartChild(Box::new(temporary("x"))));
    assert!(matches!(reply, Err(RequestError::Invalid(_))), "{reply:?}");
    sim.end("jobs@0");
    assert_eq!(sim.finished(), None);
    assert!(sim.is_up("jobs"));
}

/// Significant siblings that a group restart stops do not end the supervisor.
#[test]
fn significant_bystander() {
    for strategy in [
        Strategy::OneForOne,
        Strategy::OneForAll,
        Strategy::RestForOne,
    ] {
        for auto in [AutoShutdown::AnySignificant, AutoShutdown::AllSignificant] {
            let children = [worker("a"), temporary("b"), transient("c")];
            let mut root = spec(auto, children);
            root.strategy = strategy;
            let mut sim = Simulation::started(&root);
            sim.kill("a");
            assert_eq!(sim.finished(), None, "{strategy:?} {auto:?}");
            let is_alone = strategy == Strategy::OneForOne;
            let expected: &[&str] = if is_alone {
                &["a", "b", "c"]
            } else {
                &["a", "c"]
            };
            assert_eq!(sim.living(), expected);
        }
    }
}

/// A significant supervisor that ends because of a significant child takes its parent with it;
/// one that is not significant does not.
#[test]
fn significant_escalation() {
    for is_significant in [true, false] {
        let inner = named("inner", Strategy::OneForOne, [transient("b")])
            .auto(AutoShutdown::AnySignificant);
        let inner = nested(inner)
            .transient()
            .with(|child| child.significant = is_significant);
        let root = spec(AutoShutdown::AnySignificant, [worker("a"), inner]);
        let mut sim = Simulation::started(&root);
        sim.end("b");
        assert_eq!(is_over(&sim), is_significant);
        let expected: &[&str] = if is_significant { &[] } else { &["a"] };
        assert_eq!(sim.living(), expected);
    }
}

/// OTP's `code_change`: the flags are those of `auto`, the children stay.
fn upgrade(
    sim: &mut Simulation,
    auto: AutoShutdown,
    children: Vec<ChildSpec>,
) -> Result<Answer, RequestError> {
    sim.reload(spec(auto, children), ReloadMode::MarkOnly)
}

fn upgrade_never_to(auto: AutoShutdown) -> Simulation {
    let mut sim = Simulation::started(&spec(AutoShutdown::Never, [worker("a")]));
    let refused = sim.start_child(temporary("b"));
    assert!(
        matches!(refused, Err(RequestError::Invalid(_))),
        "{refused:?}"
    );
    upgrade(&mut sim, auto, vec![worker("a")]).unwrap();
    started(&sim.start_child(temporary("b")));
    started(&sim.start_child(transient("c")));
    sim.end("b");
    sim
}

/// A significant child is refused before the change of the flag, taken after it, and then its end counts.
#[test]
fn significant_upgrade_never_any() {
    assert!(is_over(&upgrade_never_to(AutoShutdown::AnySignificant)));
}

/// The same for `all`.
#[test]
fn significant_upgrade_never_all() {
    let mut sim = upgrade_never_to(AutoShutdown::AllSignificant);
    assert!(!is_over(&sim));
    sim.end("c");
    assert!(is_over(&sim));
}

fn upgrade_to_never(auto: AutoShutdown) {
    let mut sim = Simulation::started(&spec(auto, []));
    started(&sim.start_child(transient("b")));
    // The new spec does not know the child: it stays as it is.
    upgrade(&mut sim, AutoShutdown::Never, Vec::new()).unwrap();
    sim.end("b");
    assert_eq!(sim.finished(), None);
    let refused = sim.start_child(transient("c"));
    assert!(
        matches!(refused, Err(RequestError::Invalid(_))),
        "{refused:?}"
    );
    started(&sim.restart_child("b"));
}

/// After the change significant children do not count any more and new ones are refused; one
/// that is there can still be restarted.
#[test]
fn significant_upgrade_any_never() {
    upgrade_to_never(AutoShutdown::AnySignificant);
}

/// The same from `all`.
#[test]
fn significant_upgrade_all_never() {
    upgrade_to_never(AutoShutdown::AllSignificant);
}

/// The mode changes under living children without touching them; the next end obeys the new one.
#[test]
fn significant_upgrade_any_all() {
    let children = [temporary("a"), temporary("b")];
    let mut sim = Simulation::started(&spec(AutoShutdown::AnySignificant, children.clone()));
    sim.take_log();
    upgrade(&mut sim, AutoShutdown::AllSignificant, children.to_vec()).unwrap();
    assert_eq!(sim.take_log(), [""; 0]);
    sim.end("a");
    assert!(!is_over(&sim));
    sim.end("b");
    assert!(is_over(&sim));
}

/// The other way round.
#[test]
fn significant_upgrade_all_any() {
    let children = [temporary("a"), temporary("b")];
    let mut sim = Simulation::started(&spec(AutoShutdown::AllSignificant, children.clone()));
    upgrade(&mut sim, AutoShutdown::AnySignificant, children.to_vec()).unwrap();
    sim.end("a");
    assert!(is_over(&sim));
}

/// A running child becomes significant and ceases to be without a restart; a combination that
/// is not allowed is refused and changes nothing.
#[test]
fn significant_upgrade_child() {
    let any = AutoShutdown::AnySignificant;
    let mut sim = Simulation::started(&spec(any, [worker("a").transient(), transient("b")]));
    sim.take_log();
    upgrade(&mut sim, any, vec![transient("a"), worker("b").transient()]).unwrap();
    let illegal = worker("a").restart(RestartType::Permanent).significant();
    let refused = upgrade(&mut sim, any, vec![illegal, worker("b").transient()]);
    assert!(
        matches!(refused, Err(RequestError::Invalid(_))),
        "{refused:?}"
    );
    let reply = sim.call(Request::GetChildspec(ChildRef::Name("a".into())));
    assert_eq!(reply, Ok(Answer::Spec(transient("a").into())));
    assert_eq!(sim.take_log(), [""; 0]);
    sim.end("b");
    assert!(!is_over(&sim));
    sim.end("a");
    assert!(is_over(&sim));
}

/// A significant child that ends while later siblings are still starting: the supervisor has
/// started, and then it ends; it did not fail to start.
#[test]
fn significant_end_during_start_is_no_failed_start() {
    let inner = named(
        "inner",
        Strategy::OneForOne,
        [transient("job"), worker("late")],
    )
    .auto(AutoShutdown::AnySignificant);
    let root = spec(
        AutoShutdown::Never,
        [worker("a"), nested(inner).transient()],
    );
    let mut sim = Simulation::new(&root);
    sim.script("late").start(Starts::After(seconds(1)));
    sim.start();
    sim.end("job");
    sim.advance(seconds(1));
    assert!(sim.has_started());
    assert_eq!(sim.finished(), None);
    assert_eq!(sim.living(), ["a"]);
}
