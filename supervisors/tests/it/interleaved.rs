//! Things that happen in the middle of something else.

use treewright_supervisors::spec::{Condition, OnStartFailure, StartCondition, Strategy};
use treewright_supervisors::supervisor::{Answer, ChildRef, ExitReason, ReloadMode, Request};

use crate::simulation::*;

/// `one_for_all` over a, b and c, with a in its backoff of ten seconds and all others down.
fn waiting() -> Simulation {
    let children = [worker("a").delay(seconds(10)), worker("b"), worker("c")];
    let mut sim =
        Simulation::started(&supervisor(Strategy::OneForAll, children).intensity(9, seconds(1)));
    sim.crash("a");
    assert_eq!(sim.living(), [""; 0]);
    sim
}

#[test]
fn child_terminated_and_restarted_while_its_group_waits_is_restarted_when_it_fails() {
    let mut sim = waiting();
    sim.terminate_child("b").unwrap();
    started(&sim.restart_child("b"));
    sim.crash("b");
    sim.advance(seconds(10));
    assert_eq!(sim.living(), ["a", "b", "c"]);
}

#[test]
fn child_held_and_started_while_its_group_waits_is_restarted_when_it_fails() {
    let mut sim = waiting();
    sim.call(Request::Stop("b".into())).unwrap();
    started(&sim.call(Request::Start("b".into())));
    sim.crash("b");
    sim.advance(seconds(10));
    assert_eq!(sim.living(), ["a", "b", "c"]);
}

#[test]
fn child_started_by_request_while_its_group_waits_takes_part_in_the_next_restart() {
    let mut sim = waiting();
    sim.terminate_child("b").unwrap();
    started(&sim.restart_child("b"));
    sim.advance(seconds(10));
    assert_eq!(sim.living(), ["a", "b", "c"]);
    sim.take_log();
    sim.crash("c");
    assert_eq!(
        sim.take_orders(),
        ["stop b", "stop a", "start a", "start b", "start c"]
    );
}

#[test]
fn start_that_fails_before_its_turn_to_be_stopped_counts_for_no_limit() {
    let children = [worker("a"), worker("b"), worker("c")];
    let mut sim = Simulation::started(&supervisor(Strategy::OneForAll, children));
    sim.script("b").next([Starts::BadlyAfter(seconds(1))]);
    sim.script("c").stop(Stops::After(seconds(2)));
    // b is restarted by hand and still starts when a takes the group down.
    sim.terminate_child("b").unwrap();
    let id = sim.request(Request::Restart("b".into()));
    sim.crash("a");
    sim.advance(seconds(2));
    assert_eq!(sim.finished(), None);
    assert_eq!(sim.living(), ["a", "b", "c"]);
    assert!(sim.reply(id).is_some());
}

#[test]
fn restart_that_fails_before_its_turn_to_be_stopped_counts_for_no_limit() {
    let children = [worker("a"), worker("b"), worker("c"), worker("d")];
    // Two restarts are allowed, and two are needed: of b, and of the group.
    let spec = supervisor(Strategy::RestForOne, children).intensity(2, seconds(3600));
    let mut sim = Simulation::started(&spec);
    sim.script("c").next([Starts::BadlyAfter(seconds(1))]);
    sim.script("d").start(Starts::Well);
    sim.crash("b");
    assert_eq!(sim.living(), ["a", "b", "c"]);
    // c starts; the group goes down because of a, and b is the last but slow to stop.
    sim.crash("a");
    sim.advance(seconds(2));
    assert_eq!(sim.finished(), None);
    assert_eq!(sim.living(), ["a", "b", "c", "d"]);
}

#[test]
fn start_that_fails_while_a_reload_is_about_to_stop_it_counts_for_no_limit() {
    let root = |program: &str| {
        let children = [worker("a"), process("b", program), process("c", program)];
        supervisor(Strategy::OneForOne, children)
    };
    let mut sim = Simulation::started(&root("old"));
    sim.script("b").next([Starts::BadlyAfter(seconds(1))]);
    sim.script("c").stop(Stops::After(seconds(2)));
    // The one restart that is allowed; it is about to fail when the reload comes.
    sim.crash("b");
    let request = sim.reload_request(root("new"), ReloadMode::Act);
    let id = sim.request(request);
    sim.advance(seconds(2));
    assert_eq!(sim.finished(), None);
    assert_eq!(sim.reply(id), Some(&Ok(Answer::Done)));
    assert_eq!(*sim.running_spec("b"), process("b", "new"));
    assert_eq!(*sim.running_spec("c"), process("c", "new"));
}

#[test]
fn reload_mends_a_child_that_a_reload_before_it_added_broken() {
    let root = |program: &str| {
        let b = process("b", program).delay(seconds(1));
        supervisor(Strategy::OneForOne, [worker("a"), b]).intensity(1000, seconds(1))
    };
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, [worker("a")]));
    sim.script("b").start(Starts::Badly);
    let request = sim.reload_request(root("broken"), ReloadMode::Act);
    let first = sim.request(request);
    sim.advance(seconds(10));
    assert_eq!(sim.reply(first), None);
    // Other requests do not wait for it either.
    started(&sim.start_child(worker("c")));
    sim.script("b").start(Starts::Well);
    sim.reload(root("mended"), ReloadMode::Act).unwrap();
    sim.advance(seconds(60));
    assert_eq!(
        *sim.running_spec("b"),
        process("b", "mended").delay(seconds(1))
    );
    assert!(sim.is_all_answered());
}

#[test]
fn reload_mends_a_child_that_the_first_start_tries_again_and_again() {
    let root = |program: &str| {
        let b = process("b", program).delay(seconds(1));
        let mut root = supervisor(Strategy::OneForOne, [worker("a"), b, worker("c")]);
        root.on_start_failure = OnStartFailure::Retry;
        root.intensity(1000, seconds(1))
    };
    let mut sim = Simulation::new(&root("broken"));
    sim.script("b").start(Starts::Badly);
    sim.start();
    sim.advance(seconds(10));
    assert!(!sim.has_started());
    sim.script("b").start(Starts::Well);
    let mut new = root("mended");
    new.children.insert(0, worker("new"));
    let request = sim.reload_request(new, ReloadMode::Act);
    let id = sim.request(request);
    sim.advance(seconds(60));
    assert!(sim.has_started());
    assert_eq!(sim.reply(id), Some(&Ok(Answer::Done)));
    assert_eq!(sim.living(), ["a", "b", "c", "new"]);
    assert_eq!(
        *sim.running_spec("b"),
        process("b", "mended").delay(seconds(1))
    );
}

#[test]
fn reload_takes_out_a_child_that_the_first_start_tries_again_and_again() {
    for strategy in [
        Strategy::OneForOne,
        Strategy::OneForAll,
        Strategy::RestForOne,
    ] {
        let children = [worker("a"), worker("b").delay(seconds(1)), worker("c")];
        let mut root = supervisor(strategy, children).intensity(1000, seconds(1));
        root.on_start_failure = OnStartFailure::Retry;
        let mut sim = Simulation::new(&root);
        sim.script("b").start(Starts::Badly);
        sim.start();
        root.children.remove(1);
        sim.reload(root, ReloadMode::Act).unwrap();
        assert!(sim.has_started(), "{strategy:?}");
        assert_eq!(sim.living(), ["a", "c"]);
    }
}

#[test]
fn terminate_of_a_child_the_first_start_tries_again_lets_the_start_go_on() {
    let children = [worker("a"), worker("b").delay(seconds(1)), worker("c")];
    let mut root = supervisor(Strategy::OneForOne, children).intensity(1000, seconds(1));
    root.on_start_failure = OnStartFailure::Retry;
    let mut sim = Simulation::new(&root);
    sim.script("b").start(Starts::Badly);
    sim.start();
    let late = sim.request(Request::StartChild(Box::new(worker("late"))));
    // What is added comes after what the first start has still to do.
    assert_eq!(sim.reply(late), None);
    let terminate = Request::TerminateChild(ChildRef::Name("b".into()));
    assert_eq!(sim.call(terminate), Ok(Answer::Done));
    assert!(sim.has_started());
    assert_eq!(sim.living(), ["a", "c", "late"]);
    assert_eq!(sim.finished(), None::<&ExitReason>);
}

#[test]
fn group_restart_keeps_its_order_around_a_child_that_waits_for_a_dependency() {
    let db = probed("db").counts_when(StartCondition::Spawned);
    let web = worker("web").after("db", Condition::Ready);
    let children = [worker("a"), db, web, worker("last")];
    let mut sim = Simulation::started(&supervisor(Strategy::OneForAll, children));
    sim.script("db").stop(Stops::After(seconds(1)));
    assert_eq!(sim.living(), ["a", "db"]);
    sim.take_log();
    sim.crash("a");
    // Not while the group is being stopped …
    sim.ready("db");
    sim.advance(seconds(1));
    assert_eq!(sim.take_orders(), ["stop db", "start a", "start db"]);
    // … and in its turn.
    sim.ready("db");
    assert_eq!(sim.take_orders(), ["start web", "start last"]);
    assert!(sim.has_started());
}

#[test]
fn reload_of_what_a_start_waits_for_does_not_wait_for_that_start() {
    let root = |program: &str| {
        let db = process("db", program);
        let web = worker("web").after("db", Condition::Started);
        supervisor(Strategy::OneForOne, [worker("a"), db, web, worker("last")])
    };
    let mut sim = Simulation::new(&root("old"));
    sim.script("a").start(Starts::After(seconds(1)));
    sim.start();
    // Held before its turn came, so that `web` waits for it in the first start.
    sim.call(Request::Stop("db".into())).unwrap();
    sim.advance(seconds(1));
    assert_eq!(sim.living(), ["a"]);
    let request = sim.reload_request(
        supervisor(
            Strategy::OneForOne,
            [
                worker("a"),
                process("db", "new"),
                worker("web"),
                worker("last"),
            ],
        ),
        ReloadMode::Act,
    );
    let id = sim.request(request);
    assert_eq!(sim.reply(id), Some(&Ok(Answer::Done)));
    assert!(sim.has_started());
    assert_eq!(sim.living(), ["a", "last", "web"]);
}

#[test]
fn reload_that_adds_before_a_child_that_waits_keeps_both() {
    let db = probed("db").counts_when(StartCondition::Spawned);
    let web = worker("web").after("db", Condition::Ready);
    let mut root = supervisor(Strategy::OneForOne, [db, web, worker("last")]);
    let mut sim = Simulation::started(&root);
    root.children.insert(0, worker("new"));
    let request = sim.reload_request(root, ReloadMode::Act);
    let id = sim.request(request);
    assert_eq!(sim.living(), ["db", "new"]);
    sim.ready("db");
    assert_eq!(sim.reply(id), Some(&Ok(Answer::Done)));
    assert_eq!(sim.living(), ["db", "last", "new", "web"]);
    assert!(sim.has_started());
}
