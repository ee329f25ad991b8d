//! OTP's cases about restart types.

use treewright_supervisors::spec::{RestartType, Strategy};
use treewright_supervisors::supervisor::{ChildStatus, ExitReason, ReportContext};

use crate::simulation::*;

/// One child of this restart type that has ended so.
fn after(restart: RestartType, reason: ExitReason) -> Simulation {
    let child = worker("child1").restart(restart);
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, [child]));
    sim.take_log();
    sim.exit("child1", reason);
    sim
}

/// OTP's `{shutdown, x}`.
fn shutdown_with() -> ExitReason {
    ExitReason::AutoShutdown { child: "x".into() }
}

fn is_restarted(mut sim: Simulation) {
    assert_eq!(sim.take_orders(), ["start child1"]);
    assert_eq!(sim.counts(), [1, 1, 0, 1]);
    // It is reported, whatever the reason was.
    assert_eq!(sim.take_reports(ReportContext::ChildTerminated).len(), 1);
}

fn is_kept(mut sim: Simulation) {
    assert_eq!(sim.take_orders(), [""; 0]);
    assert_eq!(sim.counts(), [1, 0, 0, 1]);
    assert_eq!(sim.take_reports(ReportContext::ChildTerminated), []);
    assert_eq!(sim.status("child1"), Some(ChildStatus::Completed));
    started(&sim.restart_child("child1"));
}

fn is_forgotten(mut sim: Simulation, is_reported: bool) {
    assert_eq!(sim.take_orders(), [""; 0]);
    assert_eq!(sim.counts(), [0, 0, 0, 0]);
    let reports = sim.take_reports(ReportContext::ChildTerminated);
    assert_eq!(reports.len(), usize::from(is_reported));
    started(&sim.start_child(worker("child1").temporary()));
}

/// A permanent child is restarted after a normal end.
#[test]
fn permanent_normal() {
    is_restarted(after(RestartType::Permanent, ExitReason::Normal));
}

/// A permanent child is restarted after `shutdown` and `{shutdown, x}`.
#[test]
fn permanent_shutdown() {
    is_restarted(after(RestartType::Permanent, ExitReason::Shutdown));
    is_restarted(after(RestartType::Permanent, shutdown_with()));
}

/// A permanent child is restarted after a crash.
#[test]
fn permanent_abnormal() {
    is_restarted(after(RestartType::Permanent, CRASH));
    is_restarted(after(RestartType::Permanent, KILLED));
}

/// A transient child that ended normally is kept, down, and can be restarted by hand.
#[test]
fn transient_normal() {
    is_kept(after(RestartType::Transient, ExitReason::Normal));
    is_kept(after(
        RestartType::Transient,
        ExitReason::Exited { code: 0 },
    ));
}

/// The same after `shutdown` and `{shutdown, x}`.
#[test]
fn transient_shutdown() {
    is_kept(after(RestartType::Transient, ExitReason::Shutdown));
    is_kept(after(RestartType::Transient, shutdown_with()));
}

/// A transient child is restarted after a crash.
#[test]
fn transient_abnormal() {
    is_restarted(after(RestartType::Transient, CRASH));
    is_restarted(after(RestartType::Transient, KILLED));
}

/// A temporary child is forgotten after a normal end; the name is free at once.
#[test]
fn temporary_normal() {
    is_forgotten(after(RestartType::Temporary, ExitReason::Normal), false);
}

/// The same after `shutdown` and `{shutdown, x}`.
#[test]
fn temporary_shutdown() {
    is_forgotten(after(RestartType::Temporary, ExitReason::Shutdown), false);
    is_forgotten(after(RestartType::Temporary, shutdown_with()), false);
}

/// The same after a crash, which is reported.
#[test]
fn temporary_abnormal() {
    is_forgotten(after(RestartType::Temporary, CRASH), true);
    is_forgotten(after(RestartType::Temporary, KILLED), true);
}

/// A temporary sibling that a group restart stops is not started again, and the supervisor lives on.
#[test]
fn temporary_bystander() {
    for strategy in [Strategy::OneForAll, Strategy::RestForOne] {
        let children = [worker("child1"), worker("child2").temporary()];
        let mut sim = Simulation::started(&supervisor(strategy, children));
        sim.take_log();
        sim.crash("child1");
        assert_eq!(sim.take_orders(), ["stop child2", "start child1"]);
        assert_eq!(sim.counts(), [1, 1, 0, 1]);
        assert_eq!(sim.finished(), None);
    }
}

/// The root's error shows the whole chain: which child of which supervisor failed, and how.
#[test]
fn faulty_application_shutdown() {
    let inner = named("inner", Strategy::OneForOne, [worker("child1")]).intensity(0, seconds(1));
    let root = supervisor(Strategy::OneForOne, [nested(inner)]).intensity(0, seconds(1));
    let mut sim = Simulation::started(&root);
    sim.crash("child1");
    let mut error: &dyn std::error::Error = sim.finished().unwrap();
    let mut chain = vec![error.to_string()];
    while let Some(source) = error.source() {
        chain.push(source.to_string());
        error = source;
    }
    let expected = [
        "gave up: child `inner` failed after 0 restarts within 1s",
        "gave up: child `child1` failed after 0 restarts within 1s",
        "exited with code 1",
    ];
    assert_eq!(chain, expected);
}

/// Every start that counts makes one report of progress, however it came about, and no report
/// of progress is made for one that does not.
#[test]
fn external_start_no_progress_log() {
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, [worker("child1")]));
    started(&sim.start_child(worker("child2")));
    sim.script("child3").start(Starts::Badly);
    sim.start_child(worker("child3")).unwrap_err();
    let progress = sim.take_reports(ReportContext::Progress);
    let names: Vec<&str> = progress.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["child1", "child2"]);
}
