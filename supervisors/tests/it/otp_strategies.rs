//! OTP's cases about strategies and intensity.

use treewright_supervisors::spec::{RestartType, ShutdownMode, Strategy};
use treewright_supervisors::supervisor::{ChildStatus, ExitReason, Request};

use crate::simulation::*;

/// How a supervisor with the default limit of these tests gave up.
fn gave_up(sim: &Simulation) -> bool {
    matches!(sim.finished(), Some(ExitReason::GaveUp { .. }))
}

fn three(strategy: Strategy) -> Simulation {
    let children = ["child1", "child2", "child3"].map(worker);
    let mut sim = Simulation::started(&supervisor(strategy, children).intensity(2, seconds(3600)));
    sim.take_log();
    sim
}

/// Intensity 1 in 1 s: one kill every 2.1 s for ever never escalates.
#[test]
fn multiple_restarts() {
    let spec = supervisor(Strategy::OneForOne, [worker("child1")]).intensity(1, seconds(1));
    let mut sim = Simulation::started(&spec);
    for _ in 0..100 {
        sim.kill("child1");
        assert!(sim.is_up("child1"));
        sim.advance(millis(2100));
    }
    assert_eq!(sim.finished(), None);
}

/// Only the dead child gets a new life; the third failure, whoever fails, ends the supervisor.
#[test]
fn one_for_one() {
    let mut sim = three(Strategy::OneForOne);
    let others = [sim.life("child1"), sim.life("child3")];
    sim.kill("child2");
    assert_eq!(sim.take_orders(), ["start child2"]);
    assert_eq!([sim.life("child1"), sim.life("child3")], others);
    assert_eq!(sim.counts(), [3, 3, 0, 3]);
    sim.kill("child1");
    assert_eq!(sim.finished(), None);
    sim.take_log();
    sim.kill("child3");
    assert!(gave_up(&sim));
    assert_eq!(sim.take_orders(), ["stop child2", "stop child1"]);
}

/// A child that cannot be restarted uses up the four tries that are allowed, then the
/// supervisor ends and its sibling with it.
#[test]
fn one_for_one_escalation() {
    let children = [worker("child1"), worker("child2")];
    let mut sim =
        Simulation::started(&supervisor(Strategy::OneForOne, children).intensity(4, seconds(3600)));
    sim.script("child1").start(Starts::Badly);
    sim.take_log();
    sim.kill("child1");
    let orders = ["start child1"; 4].into_iter().chain(["stop child2"]);
    assert_eq!(sim.take_orders(), orders.collect::<Vec<_>>());
    assert!(gave_up(&sim));
}

/// The siblings are stopped in reverse and everything is started again in order; a group
/// restart counts once, however many children it touches.
#[test]
fn one_for_all() {
    let mut sim = three(Strategy::OneForAll);
    let before = ["child1", "child2", "child3"].map(|name| sim.life(name));
    sim.kill("child2");
    let expected = [
        "stop child3",
        "stop child1",
        "start child1",
        "start child2",
        "start child3",
    ];
    assert_eq!(sim.take_orders(), expected);
    let after = ["child1", "child2", "child3"].map(|name| sim.life(name));
    assert!(
        before
            .iter()
            .zip(&after)
            .all(|(before, after)| before != after)
    );
    assert_eq!(sim.counts(), [3, 3, 0, 3]);
    sim.kill("child1");
    assert_eq!(sim.finished(), None);
    sim.kill("child3");
    assert!(gave_up(&sim));
}

/// A sibling that cannot be restarted in the group's restart ends the supervisor in the end.
#[test]
fn one_for_all_escalation() {
    let children = [worker("child1"), worker("child2")];
    let mut sim =
        Simulation::started(&supervisor(Strategy::OneForAll, children).intensity(4, seconds(3600)));
    sim.script("child2").start(Starts::Badly);
    sim.take_log();
    sim.kill("child1");
    assert!(gave_up(&sim));
    // The first stop, then four tries, each of which starts child1 and stops it again.
    let tries = ["start child1", "start child2", "stop child1"];
    let orders = std::iter::once("stop child2").chain(std::iter::repeat_n(tries, 4).flatten());
    assert_eq!(sim.take_orders(), orders.collect::<Vec<_>>());
}

/// When child2 fails to start in the group's restart, child1, which was started again already,
/// is stopped, and then both are started.
#[test]
fn one_for_all_other_child_fails_restart() {
    let children = [worker("child1"), worker("child2")];
    let mut sim =
        Simulation::started(&supervisor(Strategy::OneForAll, children).intensity(3, seconds(3600)));
    sim.script("child2").next([Starts::Badly]);
    sim.take_log();
    sim.kill("child1");
    let expected = [
        "stop child2",
        "start child1",
        "start child2", // child2 fails,
        "stop child1",
        "start child1",
        "start child2", // and all begins anew.
    ];
    assert_eq!(sim.take_orders(), expected);
    assert_eq!(sim.living(), ["child1", "child2"]);
}

/// Only later siblings are replaced, in order; the earlier one does not notice.
#[test]
fn rest_for_one() {
    let mut sim = three(Strategy::RestForOne);
    let first = sim.life("child1");
    sim.kill("child2");
    assert_eq!(
        sim.take_orders(),
        ["stop child3", "start child2", "start child3"]
    );
    assert_eq!(sim.life("child1"), first);
    assert_eq!(sim.counts(), [3, 3, 0, 3]);
    sim.kill("child3");
    assert_eq!(sim.take_orders(), ["start child3"]);
    assert_eq!(sim.finished(), None);
    sim.kill("child1");
    assert!(gave_up(&sim));
}

/// A later child that cannot be restarted ends the supervisor in the end.
#[test]
fn rest_for_one_escalation() {
    let children = [worker("child1"), worker("child2")];
    let mut sim = Simulation::started(
        &supervisor(Strategy::RestForOne, children).intensity(4, seconds(3600)),
    );
    sim.script("child2").start(Starts::Badly);
    sim.take_log();
    sim.kill("child1");
    assert!(gave_up(&sim));
    let expected = [
        "stop child2",
        "start child1",
        "start child2",
        "start child2",
        "start child2",
        "start child2",
        "stop child1",
    ];
    assert_eq!(sim.take_orders(), expected);
}

/// When child2 fails to start in the group's restart, only child2 is tried again: child1 runs already.
#[test]
fn rest_for_one_other_child_fails_restart() {
    let children = [worker("child1"), worker("child2")];
    let mut sim = Simulation::started(
        &supervisor(Strategy::RestForOne, children).intensity(3, seconds(3600)),
    );
    sim.script("child2").next([Starts::Badly]);
    sim.take_log();
    sim.kill("child1");
    let expected = [
        "stop child2",
        "start child1",
        "start child2",
        "start child2",
    ];
    assert_eq!(sim.take_orders(), expected);
    assert_eq!(sim.living(), ["child1", "child2"]);
}

/// A transient sibling that had ended normally, and one that was terminated, come back with a
/// group restart: every spec that is left is started.
#[test]
fn group_restart_brings_ended_and_terminated_siblings_back() {
    let children = [worker("a"), worker("b").transient(), worker("c")];
    let mut sim = Simulation::started(&supervisor(Strategy::OneForAll, children));
    sim.end("b");
    sim.terminate_child("c").unwrap();
    assert_eq!(sim.living(), ["a"]);
    sim.take_log();
    sim.kill("a");
    assert_eq!(sim.take_orders(), ["start a", "start b", "start c"]);
}

fn jobs(size: u32) -> Simulation {
    let template = worker("jobs").stop_mode(ShutdownMode::Timeout(seconds(2)));
    let child = pool("jobs", template, size, 10).with(|child| set_intensity(child, 2));
    Simulation::started(&supervisor(Strategy::OneForOne, [child]).intensity(0, seconds(3600)))
}

fn set_intensity(child: &mut treewright_supervisors::spec::ChildSpec, intensity: u32) {
    if let treewright_supervisors::spec::ChildKind::Pool(pool) = &mut child.kind {
        pool.intensity = intensity;
        pool.period = seconds(3600);
    }
}

/// Only the dead member is replaced; the third failure ends the pool.
#[test]
fn simple_one_for_one() {
    let mut sim = jobs(2);
    let other = sim.life("jobs@1");
    sim.take_log();
    sim.kill("jobs@0");
    assert_eq!(sim.take_orders(), ["start jobs@0"]);
    assert_eq!(sim.life("jobs@1"), other);
    sim.kill("jobs@1");
    assert_eq!(sim.finished(), None);
    sim.kill("jobs@0");
    assert!(gave_up(&sim));
    assert_eq!(sim.living(), [""; 0]);
}

/// The stop of a pool is parallel: it takes as long as the slowest good member, and as the
/// time allowed where one is deaf.
#[test]
fn simple_one_for_one_shutdown() {
    let mut sim = jobs(6);
    sim.script("jobs").stop(Stops::After(seconds(1)));
    sim.shutdown();
    sim.advance(millis(999));
    assert_eq!(sim.counts_of("jobs"), [1, 6, 0, 6]);
    sim.advance(millis(1));
    assert_eq!(sim.finished(), Some(&ExitReason::Shutdown));

    let mut sim = jobs(6);
    sim.script("jobs@2").stop(Stops::Deaf);
    sim.shutdown();
    sim.advance(millis(1999));
    assert_eq!(sim.living(), ["jobs", "jobs@2"]);
    sim.advance(millis(1));
    assert_eq!(sim.finished(), Some(&ExitReason::Shutdown));
}

/// A member gets its own arguments, and keeps them when it is restarted.
#[test]
fn simple_one_for_one_extra() {
    let mut sim = jobs(0);
    let args = vec![toml::Value::String("mine".into())];
    started(&sim.call_on("jobs", Request::StartMember { args: args.clone() }));
    assert_eq!(&*sim.member("jobs@0").args, args);
    sim.kill("jobs@0");
    assert_eq!(&*sim.member("jobs@0").args, args);
}

/// A member that cannot be restarted ends the pool and the other members with it.
#[test]
fn simple_one_for_one_escalation() {
    let mut sim = jobs(2);
    sim.script("jobs@0").start(Starts::Badly);
    sim.take_log();
    sim.kill("jobs@0");
    assert!(gave_up(&sim));
    assert_eq!(
        sim.take_orders(),
        ["start jobs@0", "start jobs@0", "stop jobs@1"]
    );
}

/// A restart that says `ignore` removes the member, and the stop afterwards is clean.
#[test]
fn simple_one_for_one_restart_ignore() {
    for restart in [RestartType::Transient, RestartType::Permanent] {
        let template = worker("jobs").restart(restart);
        let spec = supervisor(Strategy::OneForOne, [pool("jobs", template, 2, 2)]);
        let mut sim = Simulation::started(&spec);
        sim.script("jobs@0").start(Starts::Ignoring);
        sim.kill("jobs@0");
        assert_eq!(sim.counts_of("jobs"), [1, 1, 0, 1]);
        assert_eq!(sim.status("jobs@0"), None);
        sim.shutdown();
        assert_eq!(sim.finished(), Some(&ExitReason::Shutdown));
    }
}

/// In `one_for_one` a restart that says `ignore` leaves the child down, without another try.
#[test]
fn restart_ignored_stays_down() {
    let mut sim = three(Strategy::OneForOne);
    sim.script("child2").start(Starts::Ignoring);
    sim.kill("child2");
    assert_eq!(sim.take_orders(), ["start child2"]);
    assert_eq!(sim.status("child2"), Some(ChildStatus::Down));
    assert_eq!(sim.counts(), [3, 2, 0, 3]);
}
