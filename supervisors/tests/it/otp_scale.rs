//! OTP's cases about counting children and about many of them.

use std::sync::Arc;

use treewright_supervisors::Time;
use treewright_supervisors::spec::{ChildSpec, RestartType, Strategy};
use treewright_supervisors::supervisor::{Action, Event, ExitReason, Request, SupervisorState};

use crate::simulation::*;

/// A thousand, then two thousand children are counted exactly, and none after they were killed.
#[test]
fn count_children() {
    let template = worker("jobs").temporary();
    let mut sim = Simulation::started(&supervisor(
        Strategy::OneForOne,
        [pool("jobs", template, 1000, 2000)],
    ));
    assert_eq!(sim.counts_of("jobs"), [1, 1000, 0, 1000]);
    sim.call_on("jobs", Request::Scale(2000)).unwrap();
    assert_eq!(sim.counts_of("jobs"), [1, 2000, 0, 2000]);
    assert_eq!(sim.counts_of("jobs"), [1, 2000, 0, 2000]);
    for index in 0..2000 {
        sim.kill(&format!("jobs@{index}"));
    }
    assert_eq!(sim.counts_of("jobs"), [1, 0, 0, 0]);
}

/// Supervisors have a column of their own, whether they run or not.
#[test]
fn count_children_supervisor() {
    let sub = |name: &str| nested(named(name, Strategy::OneForOne, [])).transient();
    let spec = supervisor(Strategy::OneForOne, [sub("a"), worker("w"), sub("b")]);
    let mut sim = Simulation::started(&spec);
    assert_eq!(sim.counts(), [3, 3, 2, 1]);
    sim.terminate_child("a").unwrap();
    sim.terminate_child("w").unwrap();
    assert_eq!(sim.counts(), [3, 1, 2, 1]);
}

/// Many children start and stop with one order each and nothing else. What that costs in time is
/// the benchmark's business.
#[test]
fn scale_start_stop_many_children() {
    for count in [1_000, 20_000] {
        let children = (0..count).map(|number| worker(&format!("child{number}")));
        let spec = supervisor(Strategy::OneForOne, children);
        let mut machine = SupervisorState::new(&spec);
        let (mut starts, mut stops) = (0, 0);
        let mut events = vec![Event::Start];
        while let Some(event) = events.pop() {
            for action in machine.step(event, Time::ORIGIN) {
                match action {
                    Action::StartChild { incarnation, .. } => {
                        starts += 1;
                        events.push(Event::Started { incarnation });
                    }
                    Action::Started => events.push(Event::Shutdown),
                    Action::StopChild { incarnation, .. } => {
                        stops += 1;
                        let reason = ExitReason::Shutdown;
                        events.push(Event::Stopped {
                            incarnation,
                            reason,
                            killed: false,
                        });
                    }
                    _ => {}
                }
            }
        }
        assert!(machine.is_finished());
        assert_eq!((starts, stops), (count, count));
    }
}

/// Stopping a pool of many temporary children asks each of them once, and leaves none.
#[test]
fn simple_one_for_one_scale_many_temporary_children() {
    for count in [1_000, 10_000] {
        let jobs = pool("jobs", worker("jobs").temporary(), count, count);
        let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, [jobs]));
        sim.take_log();
        sim.shutdown();
        assert_eq!(sim.finished(), Some(&ExitReason::Shutdown));
        let orders = sim.take_orders();
        let asked = orders.iter().filter(|line| line.starts_with("stop jobs@"));
        assert_eq!(asked.count(), usize::try_from(count).unwrap());
    }
}

/// What a temporary member was started with is not kept when it is gone.
#[test]
fn simple_one_for_one_corruption() {
    let jobs = pool("jobs", worker("jobs").temporary(), 0, 10);
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, [jobs]));
    for _ in 0..3 {
        let args = vec![toml::Value::String("x".repeat(1000))];
        started(&sim.call_on("jobs", Request::StartMember { args }));
        let held = Arc::clone(&sim.member("jobs@0").args);
        assert!(Arc::strong_count(&held) > 1);
        sim.crash("jobs@0");
        assert_eq!(Arc::strong_count(&held), 1);
    }
}

/// The same for a child that is no pool's member, in every strategy.
#[test]
fn do_not_save_start_parameters_for_temporary_children() {
    for strategy in [
        Strategy::OneForOne,
        Strategy::OneForAll,
        Strategy::RestForOne,
    ] {
        for restart in [
            RestartType::Permanent,
            RestartType::Transient,
            RestartType::Temporary,
        ] {
            let mut sim = Simulation::started(&supervisor(strategy, []));
            started(&sim.start_child(worker("a").restart(restart)));
            let held: Arc<ChildSpec> = sim.shared_spec("a");
            sim.end("a");
            let is_kept = Arc::strong_count(&held) > 1;
            assert_eq!(is_kept, restart != RestartType::Temporary);
        }
    }
}
