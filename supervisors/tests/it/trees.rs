//! Random trees, with supervisors in supervisors, dependencies across them and children that take
//! their time: the checks of the simulation hold after every step, what is quiet in the end runs
//! as it should, and the stop leaves nothing.

use proptest::prelude::*;
use treewright_supervisors::spec::{
    ChildKind, ChildSpec, Condition, RestartType, StopOrder, Strategy as Restarts, SupervisorSpec,
    TreeSpec,
};
use treewright_supervisors::supervisor::{ChildRef, ChildStatus, ReloadMode, Request};

use crate::simulation::*;

const SUPERVISORS: [&str; 3] = ["root", "left", "right"];

/// What a child is like.
#[derive(Clone, Debug)]
struct Draw {
    restart: u8,
    start_time: u64,
    stop_time: u64,
    depends: Option<usize>,
    delay: u64,
    group: u8,
}

#[derive(Clone, Debug)]
enum Op {
    Crash(usize),
    End(usize),
    Unhealthy(usize),
    Terminate(usize),
    RestartChild(usize),
    Start(usize),
    Stop(usize),
    Restart(usize),
    Break(usize),
    Mend(usize),
    KillSupervisor(usize),
    Scale(u32),
    Reload(usize, usize),
    Wait(u64),
}

fn draws() -> impl Strategy<Value = Vec<Draw>> {
    let draw = (
        0..6_u8,
        0..3_u64,
        0..3_u64,
        prop::option::weighted(0.1, 0..9_usize),
        0..3_u64,
        0..3_u8,
    );
    let draw = draw.prop_map(
        |(restart, start_time, stop_time, depends, delay, group)| Draw {
            restart,
            start_time,
            stop_time,
            depends,
            delay,
            group,
        },
    );
    prop::collection::vec(draw, 1..9)
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let name = 0..9_usize;
    let op = prop_oneof![
        4 => name.clone().prop_map(Op::Crash),
        1 => name.clone().prop_map(Op::End),
        1 => name.clone().prop_map(Op::Unhealthy),
        2 => name.clone().prop_map(Op::Terminate),
        2 => name.clone().prop_map(Op::RestartChild),
        2 => name.clone().prop_map(Op::Start),
        1 => name.clone().prop_map(Op::Stop),
        2 => name.clone().prop_map(Op::Restart),
        2 => name.clone().prop_map(Op::Break),
        2 => name.clone().prop_map(Op::Mend),
        1 => (1..3_usize).prop_map(Op::KillSupervisor),
        1 => (0..4_u32).prop_map(Op::Scale),
        2 => (0..3_usize, 0..9_usize).prop_map(|(supervisor, turn)| Op::Reload(supervisor, turn)),
        8 => prop_oneof![Just(500), 1..4000_u64].prop_map(Op::Wait),
    ];
    prop::collection::vec(op, 0..40)
}

fn name(number: usize) -> String {
    format!("c{number}")
}

/// A tree of these: `left` and `right` under `root`, a pool at the end. A child depends only on
/// one that is started before it, wherever that is.
fn tree_of(draws: &[Draw], strategies: [u8; 3], parallel: bool) -> TreeSpec {
    let mut groups: [Vec<ChildSpec>; 3] = Default::default();
    // The order in which they are started: `left`, `right`, `root`.
    let place = |draw: &Draw, number: usize| ((draw.group + 2) % 3, number);
    for (number, draw) in draws.iter().enumerate() {
        let restart = match draw.restart {
            0 => RestartType::Temporary,
            1 => RestartType::Transient,
            _ => RestartType::Permanent,
        };
        let mut child = worker(&name(number))
            .restart(restart)
            .delay(millis(draw.delay * 700));
        let other = draw
            .depends
            .and_then(|other| Some((other, draws.get(other)?)));
        if let Some((other, dependency)) = other
            && place(dependency, other) < place(draw, number)
        {
            child = child.after(&name(other), Condition::Started);
        }
        groups[usize::from(draw.group)].push(child);
    }
    let strategy = |number: usize| match strategies[number] {
        0 => Restarts::OneForOne,
        1 => Restarts::OneForAll,
        _ => Restarts::RestForOne,
    };
    let [top, left, right] = groups;
    let make = |number: usize, children: Vec<ChildSpec>| {
        let mut spec = named(SUPERVISORS[number], strategy(number), children);
        spec.stop = if parallel {
            StopOrder::Parallel
        } else {
            StopOrder::Reverse
        };
        spec.intensity(if number == 0 { 1000 } else { 6 }, seconds(1))
    };
    let mut children = vec![nested(make(1, left)), nested(make(2, right))];
    children.extend(top);
    children.push(pool("jobs", worker("job").delay(millis(300)), 2, 3));
    tree(make(0, children))
}

/// The supervisor of this name, with its own children (not the supervisors) in another order.
fn turned(tree: &TreeSpec, supervisor: usize, turn: usize) -> SupervisorSpec {
    let mut spec = match supervisor {
        0 => tree.root.clone(),
        number => match &tree.root.children[number - 1].kind {
            ChildKind::Supervisor(spec) => (**spec).clone(),
            _ => unreachable!("invariant: a supervisor"),
        },
    };
    let first = if supervisor == 0 { 2 } else { 0 };
    let length = spec.children.len() - first;
    if length > 0 {
        spec.children[first..].rotate_left(turn % length);
    }
    spec
}

fn by_name(child: usize) -> ChildRef {
    ChildRef::Name(name(child).as_str().into())
}

/// Asks whichever supervisor lives and has the child.
fn ask(sim: &mut Simulation, draws: &[Draw], child: usize, request: Request) {
    let Some(draw) = draws.get(child) else { return };
    let supervisor = SUPERVISORS[usize::from(draw.group)];
    if sim.lives(supervisor) {
        sim.request_on(supervisor, request);
    }
}

fn happen(sim: &mut Simulation, tree: &TreeSpec, draws: &[Draw], op: &Op) {
    match op {
        Op::Crash(child) if sim.is_up(&name(*child)) => sim.crash(&name(*child)),
        Op::End(child) if sim.is_up(&name(*child)) => sim.end(&name(*child)),
        Op::Unhealthy(child) if sim.is_up(&name(*child)) => {
            sim.unhealthy(&name(*child));
        }
        Op::Terminate(child) => ask(sim, draws, *child, Request::TerminateChild(by_name(*child))),
        Op::RestartChild(child) => {
            ask(
                sim,
                draws,
                *child,
                Request::RestartChild(name(*child).into()),
            );
        }
        Op::Start(child) => ask(sim, draws, *child, Request::Start(name(*child).into())),
        Op::Stop(child) => ask(sim, draws, *child, Request::Stop(name(*child).into())),
        Op::Restart(child) => ask(sim, draws, *child, Request::Restart(name(*child).into())),
        Op::Break(child) => {
            sim.script(&name(*child))
                .start(Starts::BadlyAfter(millis(100)));
        }
        Op::Mend(child) => {
            sim.script(&name(*child)).start(Starts::Well);
        }
        Op::KillSupervisor(number) if sim.lives(SUPERVISORS[*number]) => {
            sim.kill(SUPERVISORS[*number]);
        }
        Op::Scale(size) if sim.lives("jobs") => {
            sim.request_on("jobs", Request::Scale(*size));
        }
        Op::Reload(supervisor, turn) if sim.lives(SUPERVISORS[*supervisor]) => {
            let spec = turned(tree, *supervisor, *turn);
            let request = sim.reload_request(spec, ReloadMode::Act);
            sim.request_on(SUPERVISORS[*supervisor], request);
        }
        Op::Wait(time) => sim.advance(millis(*time)),
        _ => {}
    }
}

/// Everybody behaves, and enough time passes for every backoff, start and stop.
fn calm_down(sim: &mut Simulation, draws: &[Draw]) {
    for number in 0..draws.len() {
        sim.script(&name(number)).start(Starts::Well);
    }
    sim.advance(seconds(120));
}

/// After quiet minutes nothing is under way. Where somebody depends on a child that may be down
/// for good, its supervisor and those above may be trying for ever.
fn is_quiet(sim: &Simulation, draws: &[Draw]) -> Result<(), TestCaseError> {
    if draws.iter().any(|draw| draw.depends.is_some()) {
        return Ok(());
    }
    for number in 0..draws.len() {
        let status = sim.status(&name(number));
        let is_settled = matches!(
            status,
            None | Some(
                ChildStatus::Running
                    | ChildStatus::Down
                    | ChildStatus::Completed
                    | ChildStatus::Held
            )
        );
        prop_assert!(is_settled, "c{number} is {status:?}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(crate::properties::cases())]

    #[test]
    fn any_tree_comes_to_rest_and_stops(
        draws in draws(),
        strategies in prop::array::uniform3(0..3_u8),
        parallel: bool,
        ops in ops(),
    ) {
        let tree = tree_of(&draws, strategies, parallel);
        let mut sim = Simulation::of_tree(&tree);
        for (number, draw) in draws.iter().enumerate() {
            let behaviour = sim.script(&name(number));
            behaviour.start(Starts::After(millis(draw.start_time * 400)));
            behaviour.stop(Stops::After(millis(draw.stop_time * 600)));
        }
        sim.start();
        for op in &ops {
            happen(&mut sim, &tree, &draws, op);
        }
        calm_down(&mut sim, &draws);
        if sim.finished().is_none() {
            is_quiet(&sim, &draws)?;
            sim.shutdown();
            sim.advance(seconds(120));
        }
        prop_assert!(sim.finished().is_some());
        prop_assert!(sim.is_all_answered() , "unanswered");
        prop_assert_eq!(sim.living(), [""; 0]);
    }
}
