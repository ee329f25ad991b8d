//! Pools: many children alike.

use treewright_supervisors::Time;
use treewright_supervisors::load::{MemorySource, load_str};
use treewright_supervisors::spec::{ChildKind, ChildSpec, PoolSpec, Strategy};
use treewright_supervisors::supervisor::{
    Action, Answer, ChildRef, Event, ExitReason, ReloadMode, Request, RequestError, SupervisorState,
};

use crate::simulation::*;

/// The spec of a pool `jobs`.
fn jobs(size: u32, max: u32, template: ChildSpec) -> PoolSpec {
    match pool("jobs", template, size, max).kind {
        ChildKind::Pool(pool) => *pool,
        _ => unreachable!("invariant: a pool"),
    }
}

fn run(spec: PoolSpec) -> Simulation {
    let child = ChildSpec::new("jobs", ChildKind::Pool(Box::new(spec)));
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, [child]));
    sim.take_log();
    sim
}

fn scale(sim: &mut Simulation, size: u32) -> Result<Answer, RequestError> {
    sim.call_on("jobs", Request::Scale(size))
}

fn member() -> Request {
    Request::StartMember { args: Vec::new() }
}

#[test]
fn pool_starts_its_members_at_the_same_time() {
    let spec = pool("jobs", worker("jobs"), 3, 3);
    let mut sim = Simulation::new(&supervisor(Strategy::OneForOne, [spec, worker("last")]));
    sim.script("jobs").start(Starts::After(seconds(1)));
    sim.start();
    assert_eq!(sim.living(), ["jobs", "jobs@0", "jobs@1", "jobs@2"]);
    sim.advance(seconds(1));
    // The pool counts as started when each of them does.
    assert!(sim.is_up("last"));
}

#[test]
fn pool_of_none_has_started_at_once() {
    let spec = pool("jobs", worker("jobs"), 0, 3);
    let sim = Simulation::started(&supervisor(Strategy::OneForOne, [spec, worker("last")]));
    assert!(sim.has_started());
}

#[test]
fn pool_whose_member_fails_its_first_start_fails_to_start() {
    let spec = pool("jobs", worker("jobs"), 3, 3);
    let mut sim = Simulation::new(&supervisor(Strategy::OneForOne, [spec]));
    sim.script("jobs@1").start(Starts::Badly);
    sim.start();
    assert_eq!(sim.finished().unwrap().root_cause(), &refused());
    assert_eq!(sim.living(), [""; 0]);
}

#[test]
fn scale_up_starts_members_with_the_lowest_free_numbers() {
    let mut sim = run(jobs(3, 5, worker("jobs")));
    let gone = ChildRef::Member(sim.life("jobs@1").child);
    sim.call_on("jobs", Request::TerminateChild(gone)).unwrap();
    sim.take_log();
    assert_eq!(scale(&mut sim, 4), Ok(Answer::Done));
    assert_eq!(sim.take_orders(), ["start jobs@1", "start jobs@3"]);
    assert_eq!(sim.member("jobs@3").index, 3);
}

#[test]
fn scale_down_stops_the_highest_in_parallel() {
    let mut sim = run(jobs(5, 5, worker("jobs")));
    sim.script("jobs").stop(Stops::After(seconds(1)));
    let node = sim.life("jobs");
    let id = sim.request_on("jobs", Request::Scale(2));
    let mut orders = sim.take_orders();
    orders.sort_unstable();
    assert_eq!(orders, ["stop jobs@2", "stop jobs@3", "stop jobs@4"]);
    assert_eq!(sim.reply(id), None);
    sim.advance(seconds(1));
    assert_eq!(sim.reply(id), Some(&Ok(Answer::Done)));
    assert_eq!(sim.living(), ["jobs", "jobs@0", "jobs@1"]);
    assert_eq!(sim.life("jobs"), node);
}

#[test]
fn scale_over_the_maximum_is_refused() {
    let mut sim = run(jobs(1, 2, worker("jobs")));
    assert_eq!(
        scale(&mut sim, 3),
        Err(RequestError::MaxChildren { max: 2 })
    );
    assert_eq!(sim.counts_of("jobs"), [1, 1, 0, 1]);
    started(&sim.call_on("jobs", member()));
    assert_eq!(
        sim.call_on("jobs", member()),
        Err(RequestError::MaxChildren { max: 2 })
    );
}

#[test]
fn members_that_wait_for_their_restart_count_for_the_maximum() {
    let mut sim = run(jobs(2, 2, worker("jobs").delay(seconds(1))));
    sim.crash("jobs@0");
    assert_eq!(
        sim.call_on("jobs", member()),
        Err(RequestError::MaxChildren { max: 2 })
    );
}

#[test]
fn scale_to_none_and_back_works() {
    let mut sim = run(jobs(2, 4, worker("jobs")));
    scale(&mut sim, 0).unwrap();
    assert_eq!(sim.counts_of("jobs"), [1, 0, 0, 0]);
    scale(&mut sim, 4).unwrap();
    assert_eq!(sim.counts_of("jobs"), [1, 4, 0, 4]);
}

#[test]
fn scale_again_before_the_first_is_done_leads_to_the_last_size() {
    let mut sim = run(jobs(3, 5, worker("jobs")));
    sim.script("jobs").stop(Stops::After(seconds(1)));
    let down = sim.request_on("jobs", Request::Scale(1));
    let up = sim.request_on("jobs", Request::Scale(4));
    sim.advance(seconds(2));
    assert_eq!(sim.reply(down), Some(&Ok(Answer::Done)));
    assert_eq!(sim.reply(up), Some(&Ok(Answer::Done)));
    assert_eq!(sim.counts_of("jobs"), [1, 4, 0, 4]);
}

#[test]
fn scale_down_takes_members_the_operator_has_stopped_with_it() {
    let mut sim = run(jobs(3, 3, worker("jobs")));
    sim.script("jobs@2").stop(Stops::After(seconds(1)));
    sim.call_on("jobs", Request::Stop("jobs@1".into())).unwrap();
    sim.request_on("jobs", Request::Stop("jobs@2".into()));
    let id = sim.request_on("jobs", Request::Scale(1));
    sim.advance(seconds(1));
    assert_eq!(sim.reply(id), Some(&Ok(Answer::Done)));
    assert_eq!(sim.which("jobs").len(), 1);
    scale(&mut sim, 2).unwrap();
    assert_eq!(sim.living(), ["jobs", "jobs@0", "jobs@1"]);
}

#[test]
fn pool_requests_are_for_pools() {
    let mut sim = Simulation::started(&supervisor(Strategy::OneForOne, [worker("a")]));
    assert_eq!(sim.call(member()), Err(RequestError::NotAPool));
    assert_eq!(sim.call(Request::Scale(1)), Err(RequestError::NotAPool));
    let spec = Box::new(jobs(1, 1, worker("jobs")));
    let mode = ReloadMode::Act;
    assert_eq!(
        sim.call(Request::ReloadPool { spec, mode }),
        Err(RequestError::NotAPool)
    );
}

#[test]
fn member_that_ends_for_good_frees_its_number() {
    let mut sim = run(jobs(2, 2, worker("jobs").transient()));
    sim.end("jobs@0");
    assert_eq!(sim.counts_of("jobs"), [1, 1, 0, 1]);
    started(&sim.call_on("jobs", member()));
    assert_eq!(sim.living(), ["jobs", "jobs@0", "jobs@1"]);
}

fn reload(sim: &mut Simulation, spec: PoolSpec) -> Result<Answer, RequestError> {
    let spec = Box::new(spec);
    let mode = ReloadMode::Act;
    sim.call_on("jobs", Request::ReloadPool { spec, mode })
}

#[test]
fn reload_of_a_template_that_needs_no_restart_touches_nobody() {
    let mut sim = run(jobs(2, 2, process("jobs", "old")));
    reload(
        &mut sim,
        jobs(2, 2, process("jobs", "old").stop_within(seconds(1))),
    )
    .unwrap();
    assert_eq!(sim.take_log(), [""; 0]);
    sim.script("jobs").stop(Stops::Deaf);
    sim.shutdown();
    sim.advance(seconds(1));
    assert_eq!(sim.finished(), Some(&ExitReason::Shutdown));
}

#[test]
fn reload_of_a_template_that_needs_a_restart_restarts_every_member() {
    let mut sim = run(jobs(2, 2, process("jobs", "old")));
    reload(&mut sim, jobs(2, 2, process("jobs", "new"))).unwrap();
    let mut orders = sim.take_orders();
    orders.sort_unstable();
    assert_eq!(
        orders,
        ["start jobs@0", "start jobs@1", "stop jobs@0", "stop jobs@1"]
    );
    assert_eq!(*sim.running_spec("jobs@1"), process("jobs", "new"));
}

#[test]
fn reload_of_size_and_template_leads_to_both() {
    for size in [1, 5] {
        for restart in [worker("jobs"), worker("jobs").temporary()] {
            let restart = restart.restart;
            let mut sim = run(jobs(3, 5, process("jobs", "old").restart(restart)));
            sim.script("jobs").stop(Stops::After(seconds(1)));
            let spec = Box::new(jobs(size, 5, process("jobs", "new").restart(restart)));
            let mode = ReloadMode::Act;
            let id = sim.request_on("jobs", Request::ReloadPool { spec, mode });
            sim.advance(seconds(2));
            assert_eq!(sim.reply(id), Some(&Ok(Answer::Done)), "{size} {restart:?}");
            let expected = usize::try_from(size).unwrap();
            assert_eq!(
                sim.counts_of("jobs"),
                [1, expected, 0, expected],
                "{restart:?}"
            );
            for index in 0..size {
                let spec = sim.running_spec(&format!("jobs@{index}"));
                assert_eq!(*spec, process("jobs", "new").restart(restart));
            }
        }
    }
}

#[test]
fn pool_whose_members_have_a_probe_counts_as_started_when_they_are_ready() {
    let text = "[pool.jobs]\nrun = 'worker'\nsize = 1\nready = { log = 'up' }\n\
        [process.web]\nrun = 'web'\ndepends_on = { jobs = 'ready' }\n";
    let loaded = load_str("t.toml", text, &MemorySource::new()).unwrap();
    let mut root = SupervisorState::new(&loaded.spec.root);
    let started = |actions: &[Action]| match actions {
        [Action::StartChild { incarnation, .. }] => *incarnation,
        other => panic!("{other:?}"),
    };
    let incarnation = started(&root.step(Event::Start, Time::ORIGIN));
    // The pool says so when its members are ready.
    let actions = root.step(Event::Started { incarnation }, Time::ORIGIN);
    let starts = actions
        .iter()
        .filter(|action| matches!(action, Action::StartChild { .. }));
    assert_eq!(starts.count(), 1, "{actions:?}");
}
