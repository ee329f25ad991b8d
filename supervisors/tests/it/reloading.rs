//! Taking over a new spec while children run: the smallest set of restarts.

use treewright_supervisors::spec::{
    AutoShutdown, ChildSpec, Condition, StartCondition, Strategy, SupervisorSpec,
};
use treewright_supervisors::supervisor::{
    Answer, ChildStatus, ExitReason, ReloadMode, Request, RequestError,
};

use crate::simulation::*;

fn root(children: impl IntoIterator<Item = ChildSpec>) -> SupervisorSpec {
    supervisor(Strategy::OneForOne, children)
}

fn run(children: impl IntoIterator<Item = ChildSpec>) -> Simulation {
    let mut sim = Simulation::started(&root(children));
    sim.take_log();
    sim
}

fn reload(sim: &mut Simulation, children: impl IntoIterator<Item = ChildSpec>) -> Vec<String> {
    sim.reload(root(children), ReloadMode::Act).unwrap();
    sim.take_orders()
}

const NOTHING: [&str; 0] = [];

#[test]
fn reload_of_the_same_spec_does_nothing() {
    let children = || {
        [
            worker("a"),
            worker("b").transient(),
            worker("c").temporary(),
        ]
    };
    let mut sim = run(children());
    assert_eq!(reload(&mut sim, children()), NOTHING);
}

#[test]
fn added_child_is_started_at_its_place() {
    let mut sim = run([worker("a"), worker("c")]);
    assert_eq!(
        reload(&mut sim, [worker("a"), worker("b"), worker("c")]),
        ["start b"]
    );
    assert_eq!(sim.order(), ["c", "b", "a"]);
    sim.shutdown();
    assert_eq!(sim.take_orders(), ["stop c", "stop b", "stop a"]);
}

#[test]
fn removed_child_is_stopped_and_forgotten() {
    let mut sim = run([worker("a"), worker("b"), worker("c")]);
    assert_eq!(reload(&mut sim, [worker("b")]), ["stop c", "stop a"]);
    assert_eq!(sim.order(), ["b"]);
}

#[test]
fn removed_significant_child_does_not_end_the_supervisor() {
    let b = worker("b").transient().significant();
    let spec = root([worker("a"), b]).auto(AutoShutdown::AnySignificant);
    let mut sim = Simulation::started(&spec);
    sim.reload(
        root([worker("a")]).auto(AutoShutdown::AnySignificant),
        ReloadMode::Act,
    )
    .unwrap();
    assert_eq!(sim.living(), ["a"]);
    assert_eq!(sim.finished(), None);
}

#[test]
fn change_of_what_the_supervisor_uses_restarts_nobody() {
    let mut sim = run([process("a", "old"), worker("b")]);
    let changed = process("a", "old").transient().stop_within(seconds(1));
    assert_eq!(reload(&mut sim, [changed, worker("b")]), NOTHING);
    sim.end("a");
    assert_eq!(sim.status("a"), Some(ChildStatus::Completed));
}

#[test]
fn change_of_what_the_process_was_made_with_restarts_it_alone() {
    let mut sim = run([worker("first"), process("a", "old"), worker("last")]);
    let orders = reload(
        &mut sim,
        [worker("first"), process("a", "new"), worker("last")],
    );
    assert_eq!(orders, ["stop a", "start a"]);
    assert_eq!(*sim.running_spec("a"), process("a", "new"));
}

#[test]
fn changed_temporary_child_is_restarted_too() {
    let mut sim = run([process("a", "old").temporary()]);
    let orders = reload(&mut sim, [process("a", "new").temporary()]);
    assert_eq!(orders, ["stop a", "start a"]);
    assert_eq!(*sim.running_spec("a"), process("a", "new").temporary());
}

#[test]
fn changed_temporary_child_that_does_not_start_is_not_tried_again() {
    let mut sim = run([process("a", "old").temporary()]);
    sim.script("a").start(Starts::Badly);
    let reply = sim.reload(root([process("a", "new").temporary()]), ReloadMode::Act);
    assert_eq!(reply, Err(RequestError::Failed(refused())));
    assert_eq!(sim.take_orders(), ["stop a", "start a"]);
    assert_eq!(sim.counts(), [0, 0, 0, 0]);
}

#[test]
fn temporary_child_that_has_ended_is_not_run_again_by_a_reload() {
    let migrate = || worker("migrate").temporary();
    let mut sim = run([migrate(), worker("web")]);
    sim.end("migrate");
    assert_eq!(
        reload(&mut sim, [migrate(), worker("web"), worker("new")]),
        ["start new"]
    );
    // One that was gone from the file and comes back is new.
    assert_eq!(reload(&mut sim, [worker("web"), worker("new")]), NOTHING);
    assert_eq!(
        reload(&mut sim, [migrate(), worker("web"), worker("new")]),
        ["start migrate"]
    );
}

#[test]
fn child_that_is_down_is_not_started_by_a_change() {
    let mut sim = run([
        process("a", "old"),
        process("b", "old").transient(),
        process("c", "old"),
    ]);
    sim.terminate_child("a").unwrap();
    sim.end("b");
    sim.call(Request::Stop("c".into())).unwrap();
    sim.take_log();
    let new = [
        process("a", "new"),
        process("b", "new").transient(),
        process("c", "new"),
    ];
    assert_eq!(reload(&mut sim, new), NOTHING);
    started(&sim.call(Request::Start("c".into())));
    assert_eq!(*sim.running_spec("c"), process("c", "new"));
}

#[test]
fn new_order_stops_nobody_and_counts_from_then_on() {
    let mut sim = run([worker("a"), worker("b"), worker("c")]);
    assert_eq!(
        reload(&mut sim, [worker("c"), worker("a"), worker("b")]),
        NOTHING
    );
    sim.shutdown();
    assert_eq!(sim.take_orders(), ["stop b", "stop a", "stop c"]);
}

#[test]
fn new_flags_count_at_once() {
    let mut sim = run([worker("a"), worker("b")]);
    let new = root([worker("a"), worker("b")]).set(|spec| spec.strategy = Strategy::OneForAll);
    sim.reload(new, ReloadMode::Act).unwrap();
    sim.crash("a");
    assert_eq!(sim.take_orders(), ["stop b", "start a", "start b"]);
}

#[test]
fn reload_does_not_forget_the_restarts_of_the_window() {
    let mut sim = run([worker("a")]);
    sim.crash("a");
    reload(&mut sim, [worker("a"), worker("b")]);
    sim.crash("a");
    assert!(matches!(sim.finished(), Some(ExitReason::GaveUp { .. })));
}

#[test]
fn everything_goes_before_anything_comes_and_both_in_order() {
    let mut sim = run([
        worker("a"),
        process("b", "old"),
        worker("c"),
        process("d", "old"),
    ]);
    sim.script("d").stop(Stops::After(seconds(1)));
    let new = [
        worker("e"),
        process("b", "new"),
        process("d", "new"),
        worker("a"),
    ];
    let request = sim.reload_request(root(new), ReloadMode::Act);
    let id = sim.request(request);
    assert_eq!(sim.reply(id), None);
    sim.advance(seconds(1));
    assert_eq!(sim.reply(id), Some(&Ok(Answer::Done)));
    let orders = sim.take_orders();
    let starts = orders
        .iter()
        .position(|line| line.starts_with("start"))
        .unwrap();
    assert!(
        orders[starts..]
            .iter()
            .all(|line| line.starts_with("start")),
        "{orders:?}"
    );
    assert_eq!(orders[starts..], ["start e", "start b", "start d"]);
    assert_eq!(orders.len(), 6);
}

#[test]
fn invalid_spec_changes_nothing() {
    let mut sim = run([worker("a"), worker("b")]);
    let invalid = [
        root([worker("a"), worker("a")]),
        root([worker("a").after("nobody", Condition::Started)]),
        root([worker("a").transient().significant()]),
        root([worker("a").significant()]).auto(AutoShutdown::AnySignificant),
        root([worker("a").counts_when(StartCondition::Completed)]),
    ];
    for spec in invalid {
        for mode in [ReloadMode::Act, ReloadMode::MarkOnly] {
            let reply = sim.reload(spec.clone(), mode);
            assert!(matches!(reply, Err(RequestError::Invalid(_))), "{reply:?}");
        }
    }
    assert_eq!(sim.take_log(), NOTHING);
    assert_eq!(sim.order(), ["b", "a"]);
}

#[test]
fn new_child_that_does_not_start_is_tried_again_by_its_restart_type() {
    let mut sim = run([worker("a")]);
    sim.script("b").next([Starts::Badly]);
    let b = worker("b").delay(seconds(1));
    let request = sim.reload_request(root([worker("a"), b]), ReloadMode::Act);
    let id = sim.request(request);
    assert_eq!(sim.reply(id), None);
    sim.advance(seconds(1));
    assert_eq!(sim.reply(id), Some(&Ok(Answer::Done)));
    assert_eq!(sim.living(), ["a", "b"]);
}

/// `rest_for_one` with `c` in its backoff: `a` and `b` run, `d` is down.
fn in_a_loop(children: [ChildSpec; 4]) -> Simulation {
    let mut sim =
        Simulation::started(&supervisor(Strategy::RestForOne, children).intensity(100, seconds(1)));
    sim.crash("c");
    assert_eq!(sim.living(), ["a", "b"]);
    sim.take_log();
    sim
}

fn abcd() -> [ChildSpec; 4] {
    [
        worker("a"),
        worker("b"),
        worker("c").delay(seconds(10)),
        worker("d"),
    ]
}

fn in_order(order: [usize; 4]) -> SupervisorSpec {
    let children = abcd();
    supervisor(
        Strategy::RestForOne,
        order.map(|index| children[index].clone()),
    )
    .intensity(100, seconds(1))
}

#[test]
fn reload_during_a_retry_loop_of_a_group_loses_nobody() {
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [3, 0, 1, 2], [2, 3, 0, 1]] {
        let mut sim = in_a_loop(abcd());
        sim.reload(in_order(order), ReloadMode::Act).unwrap();
        assert_eq!(sim.take_orders(), NOTHING, "{order:?}");
        sim.advance(seconds(10));
        assert_eq!(sim.living(), ["a", "b", "c", "d"], "{order:?}");
        let starts = sim.take_orders();
        assert_eq!(starts.len(), 2, "{order:?}: {starts:?}");
    }
}

#[test]
fn reload_that_removes_the_child_a_group_waits_for_starts_the_others() {
    let mut sim = in_a_loop(abcd());
    let new = supervisor(
        Strategy::RestForOne,
        [worker("a"), worker("b"), worker("d")],
    );
    sim.reload(new, ReloadMode::Act).unwrap();
    assert_eq!(sim.living(), ["a", "b", "d"]);
}

#[test]
fn reload_that_adds_during_a_retry_loop_leads_to_the_new_spec() {
    let mut sim = in_a_loop(abcd());
    let mut new = in_order([0, 1, 2, 3]);
    new.children.insert(0, worker("new"));
    let request = sim.reload_request(new, ReloadMode::Act);
    let id = sim.request(request);
    sim.advance(seconds(10));
    assert_eq!(sim.reply(id), Some(&Ok(Answer::Done)));
    assert_eq!(sim.living(), ["a", "b", "c", "d", "new"]);
}

#[test]
fn reload_of_a_failing_command_ends_the_loop_with_the_next_try() {
    let mut sim = run([process("a", "old").delay(seconds(1))]);
    sim.crash("a");
    assert_eq!(
        reload(&mut sim, [process("a", "new").delay(seconds(1))]),
        NOTHING
    );
    sim.advance(seconds(1));
    assert_eq!(
        *sim.running_spec("a"),
        process("a", "new").delay(seconds(1))
    );
}

#[test]
fn child_that_is_terminated_while_a_reload_changes_it_stays_down() {
    use treewright_supervisors::supervisor::ChildRef;
    let mut sim = run([process("a", "old")]);
    sim.script("a").stop(Stops::After(seconds(1)));
    let id = sim.request(Request::TerminateChild(ChildRef::Name("a".into())));
    reload(&mut sim, [process("a", "new")]);
    sim.advance(seconds(1));
    assert_eq!(sim.reply(id), Some(&Ok(Answer::Done)));
    assert_eq!(sim.living(), NOTHING);
}

#[test]
fn child_that_is_removed_while_it_is_being_restarted_is_gone() {
    for wish in [Request::Restart("a".into()), Request::Stop("a".into())] {
        let mut sim = run([worker("a"), worker("b")]);
        sim.script("a").stop(Stops::After(seconds(1)));
        let first = sim.request(wish);
        let request = sim.reload_request(root([worker("b")]), ReloadMode::Act);
        let second = sim.request(request);
        sim.advance(seconds(1));
        assert!(sim.reply(first).is_some());
        assert_eq!(sim.reply(second), Some(&Ok(Answer::Done)));
        assert_eq!(sim.order(), ["b"]);
    }
}

#[test]
fn child_that_waits_for_a_dependency_it_has_no_more_is_started() {
    let mut sim = run([worker("db"), worker("web").after("db", Condition::Started)]);
    sim.call(Request::Stop("db".into())).unwrap();
    sim.crash("web");
    assert_eq!(sim.status("web"), Some(ChildStatus::Gated));
    sim.take_log();
    assert_eq!(
        reload(&mut sim, [worker("db"), worker("web")]),
        ["start web"]
    );
}

#[test]
fn reload_while_starting_waits_for_the_start() {
    let mut sim = Simulation::new(&root([worker("a"), worker("b")]));
    sim.script("a").start(Starts::After(seconds(1)));
    sim.start();
    let request = sim.reload_request(root([worker("a"), worker("c")]), ReloadMode::Act);
    let id = sim.request(request);
    assert_eq!(sim.reply(id), None);
    sim.advance(seconds(1));
    assert_eq!(sim.reply(id), Some(&Ok(Answer::Done)));
    assert_eq!(sim.living(), ["a", "c"]);
}

#[test]
fn nested_supervisor_comes_back_with_the_children_of_its_new_spec() {
    let inner = |children: &[&str]| {
        let children = children.iter().map(|name| worker(name));
        nested(named("inner", Strategy::OneForOne, children).intensity(0, seconds(1)))
    };
    let old = tree(root([inner(&["a"])]));
    let new = tree(root([inner(&["a", "b"])]));
    let mut sim = Simulation::of_tree(&old);
    sim.start();
    sim.take_log();
    sim.reload_tree(&old, &new);
    assert_eq!(sim.take_orders(), ["start b"]);
    // It gives up, and its parent starts it from what it knows.
    sim.crash("a");
    assert_eq!(sim.living(), ["a", "b", "inner"]);
}

#[test]
fn marked_change_counts_from_the_next_start() {
    let mut sim = run([process("a", "old"), worker("b")]);
    sim.reload(
        root([process("a", "new"), worker("c")]),
        ReloadMode::MarkOnly,
    )
    .unwrap();
    assert_eq!(sim.take_log(), NOTHING);
    assert_eq!(*sim.running_spec("a"), process("a", "old"));
    assert_eq!(sim.living(), ["a", "b"]);
    sim.crash("a");
    assert_eq!(*sim.running_spec("a"), process("a", "new"));
}

#[test]
fn child_that_was_added_stays_behind_those_of_the_new_spec() {
    let mut sim = run([worker("a"), worker("b")]);
    sim.start_child(worker("x")).unwrap();
    sim.take_orders();
    assert_eq!(
        reload(&mut sim, [worker("b"), worker("c")]),
        ["stop a", "start c"]
    );
    assert_eq!(sim.order(), ["x", "c", "b"]);
}

#[test]
fn child_that_was_added_is_the_specs_once_the_spec_has_it() {
    let mut sim = run([worker("a")]);
    sim.start_child(worker("x")).unwrap();
    sim.take_orders();
    assert_eq!(reload(&mut sim, [worker("x"), worker("a")]), NOTHING);
    assert_eq!(reload(&mut sim, [worker("a")]), ["stop x"]);
}
