//! OTP's remaining cases: trees, loops of failing restarts, order, changes of the spec, reports.

use treewright_supervisors::spec::{RestartType, Strategy, SupervisorSpec};
use treewright_supervisors::supervisor::{
    Answer, ChildRef, ChildStatus, ExitReason, ReloadMode, ReportContext, Request, RequestError,
};

use crate::simulation::*;

fn strategies() -> [Strategy; 3] {
    [
        Strategy::OneForOne,
        Strategy::OneForAll,
        Strategy::RestForOne,
    ]
}

/// A deaf child cannot hang the supervisor: it answers while it waits, and kills in time.
#[test]
fn child_unlink() {
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, [worker("child1")]));
    sim.script("child1").stop(Stops::Deaf);
    let id = sim.request(Request::TerminateChild(ChildRef::Name("child1".into())));
    assert_eq!(sim.reply(id), None);
    sim.call(Request::WhichChildren).unwrap();
    sim.advance(seconds(5));
    assert_eq!(sim.reply(id), Some(&Ok(Answer::Done)));
    assert_eq!(sim.counts(), [1, 0, 0, 1]);
}

/// Death in one subtree does not touch the other. When a subtree escalates, the top restarts
/// all of them: what was added is gone, and one that was terminated is back.
#[test]
fn tree() {
    let sub = |name: &str, children: &[&str]| {
        nested(named(
            name,
            Strategy::OneForOne,
            children.iter().map(|child| worker(child)),
        ))
    };
    let spec = supervisor(
        Strategy::OneForAll,
        [
            sub("new", &[]),
            sub("sup1", &["child1", "child2"]),
            sub("sup2", &["child3"]),
        ],
    )
    .intensity(4, seconds(3600));
    let mut sim = Simulation::started(&spec);
    started(&sim.call_on("sup1", Request::StartChild(Box::new(worker("added")))));
    sim.terminate_child("new").unwrap();
    let (child1, child3) = (sim.life("child1"), sim.life("child3"));
    let sup2 = sim.life("sup2");
    sim.kill("child2");
    assert_eq!(sim.life("child1"), child1);
    assert_eq!((sim.life("child3"), sim.life("sup2")), (child3, sup2));
    assert_eq!(sim.counts(), [3, 2, 3, 0]);
    // Once more than `sup1` allows.
    sim.kill("child2");
    assert_eq!(sim.counts(), [3, 3, 3, 0]);
    assert_ne!(sim.life("sup2"), sup2);
    assert_eq!(
        sim.living(),
        ["child1", "child2", "child3", "new", "sup1", "sup2"]
    );
}

/// Children that are being restarted are known and not active; once the cause is gone all are.
#[test]
fn count_restarting_children() {
    let children = ["child1", "child2", "child3"].map(|name| worker(name).delay(seconds(1)));
    let mut sim =
        Simulation::started(&supervisor(Strategy::OneForOne, children).intensity(1000, seconds(1)));
    for name in ["child1", "child2"] {
        sim.script(name).start(Starts::Badly);
        sim.kill(name);
    }
    assert_eq!(sim.counts(), [3, 1, 0, 3]);
    sim.advance(seconds(60));
    assert_eq!(sim.counts(), [3, 1, 0, 3]);
    for name in ["child1", "child2"] {
        sim.script(name).start(Starts::Well);
    }
    sim.advance(seconds(60));
    assert_eq!(sim.counts(), [3, 3, 0, 3]);
    for (number, name) in ["child1", "child2", "child3"].into_iter().enumerate() {
        sim.terminate_child(name).unwrap();
        assert_eq!(sim.counts(), [3, 2 - number, 0, 3]);
    }
}

/// What is left of a child that ended is the rule of its restart type, in every strategy.
#[test]
fn do_not_save_child_specs_for_temporary_children() {
    let ends: [fn(&mut Simulation); 4] = [
        |sim| sim.kill("x"),
        |sim| sim.end("x"),
        |sim| sim.crash("x"),
        |sim| sim.terminate_child("x").map(|_| ()).unwrap(),
    ];
    for strategy in strategies() {
        for restart in [
            RestartType::Permanent,
            RestartType::Transient,
            RestartType::Temporary,
        ] {
            for (number, end) in ends.iter().enumerate() {
                let mut sim =
                    Simulation::started(&supervisor(strategy, [worker("x").restart(restart)]));
                end(&mut sim);
                let reply = sim.start_child(worker("x").restart(restart));
                let is_terminated = number == 3;
                let is_kept = is_terminated || number == 1;
                match restart {
                    RestartType::Permanent if is_terminated => {
                        assert_eq!(reply, Err(RequestError::AlreadyPresent))
                    }
                    RestartType::Transient if is_kept => {
                        assert_eq!(reply, Err(RequestError::AlreadyPresent))
                    }
                    RestartType::Permanent | RestartType::Transient => {
                        assert!(
                            matches!(reply, Err(RequestError::AlreadyStarted(_))),
                            "{reply:?}"
                        );
                    }
                    RestartType::Temporary => assert_eq!(started(&reply), sim.life("x")),
                }
            }
        }
    }
}

/// A supervisor whose child's restart fails again and again.
fn looping(strategy: Strategy, children: &[&str], culprit: &str) -> Simulation {
    let children = children.iter().map(|name| {
        worker(name)
            .delay(millis(10))
            .with(|child| child.backoff.factor = 1.0)
    });
    let mut sim =
        Simulation::started(&supervisor(strategy, children).intensity(1_000_000, seconds(1)));
    sim.script(culprit).start(Starts::Badly);
    sim.kill(culprit);
    sim.advance(seconds(1));
    assert!(sim.is_restarting(culprit));
    sim.take_log();
    sim
}

/// While a child's restart fails in a loop every request is answered, and the loop can be broken.
#[test]
fn hanging_restart_loop() {
    let mut sim = looping(Strategy::OneForOne, &["child1"], "child1");
    assert_eq!(
        sim.start_child(worker("child1")),
        Err(RequestError::AlreadyPresent)
    );
    assert_eq!(sim.restart_child("child1"), Err(RequestError::Restarting));
    assert_eq!(sim.delete_child("child1"), Err(RequestError::Restarting));
    assert_eq!(sim.counts(), [1, 0, 0, 1]);
    assert_eq!(sim.terminate_child("child1"), Ok(Answer::Done));
    assert_eq!(sim.status("child1"), Some(ChildStatus::Down));
    sim.take_log();
    sim.advance(seconds(10));
    assert_eq!(sim.take_log(), [""; 0]);
    assert_eq!(
        sim.restart_child("child1"),
        Err(RequestError::Failed(refused()))
    );
    sim.script("child1").start(Starts::Well);
    started(&sim.restart_child("child1"));
    // The stop of the supervisor does not wait for the loop.
    let mut sim = looping(Strategy::OneForOne, &["child1"], "child1");
    sim.shutdown();
    assert_eq!(sim.finished(), Some(&ExitReason::Shutdown));
}

/// The same in `rest_for_one`: the earlier sibling runs on, the later one is down.
#[test]
fn hanging_restart_loop_rest_for_one() {
    let names = ["child1", "child2", "child3"];
    let mut sim = looping(Strategy::RestForOne, &names, "child2");
    assert_eq!(sim.counts(), [3, 1, 0, 3]);
    assert_eq!(sim.living(), ["child1"]);
    assert_eq!(sim.status("child3"), Some(ChildStatus::Down));
    assert_eq!(sim.restart_child("child2"), Err(RequestError::Restarting));
    assert_eq!(sim.delete_child("child2"), Err(RequestError::Restarting));
    assert_eq!(sim.terminate_child("child2"), Ok(Answer::Done));
    sim.advance(seconds(10));
    assert_eq!(sim.living(), ["child1"]);
    assert_eq!(sim.status("child2"), Some(ChildStatus::Down));
    assert_eq!(sim.status("child3"), Some(ChildStatus::Down));
    sim.script("child2").start(Starts::Well);
    started(&sim.restart_child("child2"));
    started(&sim.restart_child("child3"));
    assert_eq!(sim.counts(), [3, 3, 0, 3]);
}

/// The same in a pool: terminating the member that loops removes it.
#[test]
fn hanging_restart_loop_simple() {
    let template = worker("jobs")
        .delay(millis(10))
        .with(|child| child.backoff.factor = 1.0);
    let mut jobs = pool("jobs", template, 1, 10);
    if let treewright_supervisors::spec::ChildKind::Pool(pool) = &mut jobs.kind {
        pool.intensity = 1_000_000;
    }
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, [jobs]));
    let member = sim.life("jobs@0").child;
    sim.script("jobs").start(Starts::Badly);
    sim.kill("jobs@0");
    sim.advance(seconds(1));
    assert!(sim.is_restarting("jobs@0"));
    assert_eq!(sim.counts_of("jobs"), [1, 0, 0, 1]);
    let terminate = Request::TerminateChild(ChildRef::Member(member));
    assert_eq!(sim.call_on("jobs", terminate), Ok(Answer::Done));
    assert_eq!(sim.counts_of("jobs"), [1, 0, 0, 0]);
}

/// In `one_for_all` the loop that is broken leaves the siblings as they are between two tries.
#[test]
fn hanging_restart_loop_one_for_all_terminated_culprit_ends_the_loop() {
    let mut sim = looping(
        Strategy::OneForAll,
        &["child1", "child2", "child3"],
        "child2",
    );
    sim.terminate_child("child2").unwrap();
    let before: Vec<String> = sim.living().into_iter().map(String::from).collect();
    sim.take_log();
    sim.advance(seconds(10));
    assert_eq!(sim.take_log(), [""; 0]);
    assert_eq!(sim.living(), before);
    sim.script("child2").start(Starts::Well);
    started(&sim.restart_child("child2"));
}

/// Flags and specs change while children live, a faulty spec changes nothing, new children are
/// not started until asked for, a changed spec counts at once without a restart, and a child
/// that is gone from the spec stays, behind the others.
#[test]
fn code_change() {
    let children = [worker("child1"), worker("child2").stop_within(seconds(2))];
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, children));
    let life = sim.life("child2");
    sim.take_log();
    let twice = supervisor(Strategy::OneForOne, [worker("x"), worker("x")]);
    assert!(sim.reload(twice, ReloadMode::MarkOnly).is_err());
    assert_eq!(sim.order(), ["child2", "child1"]);
    let new = [worker("child2").stop_within(seconds(1)), worker("child3")];
    let new = supervisor(Strategy::RestForOne, new).intensity(7, seconds(7));
    sim.reload(new, ReloadMode::MarkOnly).unwrap();
    assert_eq!(sim.take_log(), [""; 0]);
    assert_eq!(sim.order(), ["child1", "child3", "child2"]);
    assert_eq!(sim.life("child2"), life);
    assert_eq!(sim.status("child3"), Some(ChildStatus::Down));
    started(&sim.restart_child("child3"));
    // The new time to stop counts.
    sim.script("child2").stop(Stops::Deaf);
    let id = sim.request(Request::TerminateChild(ChildRef::Name("child2".into())));
    sim.advance(seconds(1));
    assert_eq!(sim.reply(id), Some(&Ok(Answer::Done)));
    // And so does the new strategy, over the new order.
    sim.take_log();
    sim.kill("child3");
    assert_eq!(
        sim.take_orders(),
        ["stop child1", "start child3", "start child1"]
    );
}

/// The template of a pool may change; it counts from the next start.
#[test]
fn code_change_simple() {
    let spec = supervisor(Strategy::OneForOne, [pool("jobs", worker("jobs"), 1, 3)]);
    let mut sim = Simulation::started(&spec);
    sim.take_log();
    let template = process("jobs", "new");
    let treewright_supervisors::spec::ChildKind::Pool(new) =
        pool("jobs", template.clone(), 1, 3).kind
    else {
        panic!("no pool");
    };
    let mode = ReloadMode::MarkOnly;
    sim.call_on("jobs", Request::ReloadPool { spec: new, mode })
        .unwrap();
    assert_eq!(sim.take_log(), [""; 0]);
    started(&sim.call_on("jobs", Request::StartMember { args: Vec::new() }));
    assert_eq!(*sim.running_spec("jobs@1"), template);
    sim.kill("jobs@0");
    assert_eq!(*sim.running_spec("jobs@0"), template);
    // A pool's spec is for pools, and a supervisor's is not.
    let wrong = sim.reload_request(supervisor(Strategy::OneForOne, []), mode);
    assert!(sim.call_on("jobs", wrong).is_err());
}

/// Start order is the order of the list, whatever the names; `rest_for_one` stops and restarts
/// in that order, and the stop of all is its exact reverse.
#[test]
fn order_of_children() {
    let names = ["e", "a", "d", "b", "c"];
    let mut sim = Simulation::started(&supervisor(Strategy::RestForOne, names.map(worker)));
    assert_eq!(
        sim.take_orders(),
        ["start e", "start a", "start d", "start b", "start c"]
    );
    sim.kill("d");
    assert_eq!(
        sim.take_orders(),
        ["stop c", "stop b", "start d", "start b", "start c"]
    );
    sim.shutdown();
    assert_eq!(
        sim.take_orders(),
        ["stop c", "stop b", "stop d", "stop a", "stop e"]
    );
}

/// A report names supervisor, context, reason and offender.
#[test]
fn format_log_1() {
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, [worker("child1")]));
    let life = sim.life("child1");
    sim.take_all_reports();
    sim.crash("child1");
    let reports = sim.take_all_reports();
    let report = &reports[0];
    assert_eq!(report.supervisor, *"root");
    assert_eq!(report.context, ReportContext::ChildTerminated);
    assert_eq!(report.reason, Some(CRASH));
    let offender = report.offender.as_ref().unwrap();
    assert_eq!((&*offender.name, offender.incarnation), ("child1", life));
}

/// A child that fails to start for what somebody else holds fails alone; nobody else is touched.
#[test]
fn already_started_outside_supervisor() {
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, [worker("owner")]));
    let owner = sim.life("owner");
    sim.script("child1").start(Starts::Badly);
    sim.start_child(worker("child1")).unwrap_err();
    assert_eq!(sim.life("owner"), owner);
    assert_eq!(sim.living(), ["owner"]);
}

/// Names lead to the new life after each kill, end and restart by request, at every level.
#[test]
fn simple_global_supervisor() {
    let inner = named("inner", Strategy::OneForOne, [worker("child1")]).intensity(10, seconds(1));
    let spec: SupervisorSpec =
        supervisor(Strategy::OneForOne, [nested(inner)]).intensity(10, seconds(1));
    let mut sim = Simulation::started(&spec);
    for end in [Simulation::kill, Simulation::end] {
        for name in ["child1", "inner"] {
            let supervisor = sim.life("inner");
            end(&mut sim, name);
            // Who kills a supervisor kills what is under it.
            assert_eq!(sim.living(), ["child1", "inner"]);
            assert_eq!(sim.life("inner") == supervisor, name == "child1");
        }
    }
    sim.terminate_child("inner").unwrap();
    assert_eq!(sim.living(), [""; 0]);
    started(&sim.restart_child("inner"));
    assert_eq!(sim.living(), ["child1", "inner"]);
}

/// The same report on one line for a person: the child, what happened to it, what follows.
#[test]
fn format_log_2() {
    let inner = named(
        "inner",
        Strategy::OneForOne,
        [worker("child1").delay(millis(250))],
    );
    let mut sim = Simulation::started(&supervisor(
        Strategy::OneForOne,
        [nested(inner).transient()],
    ));
    sim.take_all_reports();
    sim.advance(seconds(90));
    sim.crash("child1");
    sim.script("child1").start(Starts::Badly);
    sim.script("inner").start(Starts::Badly);
    sim.advance(millis(250));
    let lines: Vec<String> = sim
        .take_all_reports()
        .iter()
        .map(ToString::to_string)
        .collect();
    let expected = [
        "child1 exited with code 1 after 1m 30s, restart 1 of 1 in 5s, next try in 250 ms",
        "child1 did not start: scripted",
        "inner gave up: child `child1` failed after 1 restart within 5s: scripted",
    ];
    assert_eq!(lines[..3], expected);
}
