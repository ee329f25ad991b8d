//! OTP's cases about stopping.

use treewright_supervisors::spec::{ChildSpec, RestartType, ShutdownMode, Strategy};
use treewright_supervisors::supervisor::{ExitReason, ReportContext};

use crate::simulation::*;

/// `infinity` is legal for workers and supervisors alike: both are waited for.
#[test]
fn sup_stop_infinity() {
    let inner = named("inner", Strategy::OneForOne, [worker("child2")]);
    let child1 = worker("child1").stop_mode(ShutdownMode::Infinity);
    let child2 = nested(inner).stop_mode(ShutdownMode::Infinity);
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, [child1, child2]));
    sim.script("child1").stop(Stops::After(seconds(100_000)));
    sim.shutdown();
    sim.advance(seconds(99_999));
    assert_eq!(sim.living(), ["child1"]);
    sim.advance(seconds(1));
    assert_eq!(sim.finished(), Some(&ExitReason::Shutdown));
    assert_eq!(sim.take_reports(ReportContext::ShutdownError), []);
}

/// A child that ignores the request is killed when its time is over; its sibling is not.
#[test]
fn sup_stop_timeout() {
    let children = [worker("child1"), worker("child2").stop_within(seconds(1))];
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, children));
    sim.script("child2").stop(Stops::Deaf);
    sim.shutdown();
    sim.advance(millis(999));
    assert_eq!(sim.living(), ["child1", "child2"]);
    sim.advance(millis(1));
    assert_eq!(sim.finished(), Some(&ExitReason::Shutdown));
    let reports = sim.take_reports(ReportContext::ShutdownError);
    assert_eq!(reports, [("child2".to_owned(), KILLED)]);
}

/// The same in a pool: one deaf member among good ones.
#[test]
fn sup_stop_timeout_dynamic() {
    let template = worker("jobs").stop_within(seconds(1));
    let mut sim = Simulation::started(&supervisor(
        Strategy::OneForOne,
        [pool("jobs", template, 5, 5)],
    ));
    sim.script("jobs@3").stop(Stops::Deaf);
    sim.shutdown();
    assert_eq!(sim.living(), ["jobs", "jobs@3"]);
    sim.advance(seconds(1));
    assert_eq!(sim.finished(), Some(&ExitReason::Shutdown));
    let reports = sim.take_reports(ReportContext::ShutdownError);
    assert_eq!(reports, [("jobs@3".to_owned(), KILLED)]);
}

/// A brutal child is killed without being asked; the other one is asked.
#[test]
fn sup_stop_brutal_kill() {
    let children = [
        worker("child1"),
        worker("child2").stop_mode(ShutdownMode::BrutalKill),
    ];
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, children));
    sim.take_log();
    sim.shutdown();
    assert_eq!(sim.take_orders(), ["kill child2", "stop child1"]);
    assert_eq!(sim.take_reports(ReportContext::ShutdownError), []);
}

/// Ten members of a pool are killed; the pool's own reason is `shutdown`.
#[test]
fn sup_stop_brutal_kill_dynamic() {
    let template = worker("jobs").stop_mode(ShutdownMode::BrutalKill);
    let mut sim = Simulation::started(&supervisor(
        Strategy::OneForOne,
        [pool("jobs", template, 10, 10)],
    ));
    sim.take_log();
    sim.shutdown();
    let orders = sim.take_orders();
    assert_eq!(
        orders
            .iter()
            .filter(|line| line.starts_with("kill jobs@"))
            .count(),
        10
    );
    assert_eq!(sim.finished(), Some(&ExitReason::Shutdown));
    assert_eq!(sim.take_reports(ReportContext::ShutdownError), []);
}

/// While a slow child is being stopped, twelve others end by themselves: none is restarted,
/// each keeps its own reason, and the stop completes in order.
#[test]
fn sup_stop_race() {
    let restarts = [
        RestartType::Permanent,
        RestartType::Transient,
        RestartType::Temporary,
    ];
    let reasons = [
        ExitReason::Normal,
        ExitReason::Shutdown,
        ExitReason::AutoShutdown { child: "x".into() },
        CRASH,
    ];
    let mut children: Vec<ChildSpec> = vec![worker("first")];
    for (i, restart) in restarts.iter().enumerate() {
        for j in 0..reasons.len() {
            children.push(worker(&format!("c{i}{j}")).restart(*restart));
        }
    }
    children.push(worker("slow").stop_within(seconds(2)));
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, children));
    sim.script("slow").stop(Stops::After(seconds(1)));
    sim.take_log();
    sim.shutdown();
    for i in 0..restarts.len() {
        for (j, reason) in reasons.iter().enumerate() {
            sim.exit(&format!("c{i}{j}"), reason.clone());
            let exit = sim.info(&format!("c{i}{j}")).map(|info| info.last_exit);
            // Temporary ones are forgotten.
            let expected = (i < 2).then(|| Some(reason.clone()));
            assert_eq!(exit, expected);
        }
    }
    sim.advance(seconds(1));
    assert_eq!(sim.finished(), Some(&ExitReason::Shutdown));
    assert_eq!(sim.take_orders(), ["stop slow", "stop first"]);
    // By OTP's rule the end of a permanent child is right with `shutdown` only.
    let reports = sim.take_reports(ReportContext::ShutdownError);
    let names: Vec<&str> = reports.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["c00", "c03", "c13", "c23"]);
}

/// Members that end with other reasons when they are stopped do not spoil the stop.
#[test]
fn sup_stop_non_shutdown_exit_dynamic() {
    for restart in [
        RestartType::Permanent,
        RestartType::Transient,
        RestartType::Temporary,
    ] {
        let template = worker("jobs").restart(restart);
        let spec = supervisor(Strategy::OneForOne, [pool("jobs", template, 3, 3)]);
        let mut sim = Simulation::started(&spec);
        sim.script("jobs@1").stop(Stops::With(millis(10), CRASH));
        sim.script("jobs@2")
            .stop(Stops::With(millis(20), ExitReason::Normal));
        sim.take_log();
        sim.shutdown();
        sim.advance(millis(20));
        assert_eq!(sim.finished(), Some(&ExitReason::Shutdown));
        assert!(
            sim.take_orders()
                .iter()
                .all(|line| !line.starts_with("start"))
        );
    }
}
