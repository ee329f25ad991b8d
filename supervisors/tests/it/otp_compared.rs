//! Random histories of a supervisor, held against the model of OTP's: the same starts and stops
//! in the same order, the same answers, the same children left, the same end.

use std::collections::HashMap;
use std::time::Duration;

use proptest::prelude::*;
use treewright_supervisors::spec::{
    AutoShutdown, ChildSpec, RestartType, Strategy as Restarts, SupervisorSpec,
};
use treewright_supervisors::supervisor::{ExitReason, Reply, RequestError};

use crate::otp_model::{Child, End, Fate, Model, Outcome, Said};
use crate::simulation::*;

const NAMES: [&str; 7] = ["a", "b", "c", "d", "e", "f", "g"];

/// One thing that happens.
#[derive(Clone, Debug)]
enum Op {
    Exit(usize, End),
    Start(usize, RestartType, bool),
    Terminate(usize),
    Restart(usize),
    Delete(usize),
    Script(usize, Vec<Outcome>),
    Wait(u64),
}

#[derive(Clone, Debug)]
struct History {
    strategy: Restarts,
    auto: AutoShutdown,
    intensity: u32,
    children: Vec<(RestartType, bool)>,
    scripts: Vec<(usize, Vec<Outcome>)>,
    ops: Vec<Op>,
}

fn restart_types() -> impl Strategy<Value = RestartType> {
    prop_oneof![
        3 => Just(RestartType::Permanent),
        2 => Just(RestartType::Transient),
        1 => Just(RestartType::Temporary),
    ]
}

fn outcomes() -> impl Strategy<Value = Vec<Outcome>> {
    let outcome = prop_oneof![
        3 => Just(Outcome::Fails),
        3 => Just(Outcome::Runs),
        1 => Just(Outcome::Ignores),
    ];
    prop::collection::vec(outcome, 1..4)
}

fn ops() -> impl Strategy<Value = Op> {
    let name = 0..NAMES.len();
    let end = prop_oneof![Just(End::Normal), Just(End::Crash)];
    prop_oneof![
        8 => (name.clone(), end).prop_map(|(name, end)| Op::Exit(name, end)),
        2 => (name.clone(), restart_types(), any::<bool>())
            .prop_map(|(name, restart, significant)| Op::Start(name, restart, significant)),
        2 => name.clone().prop_map(Op::Terminate),
        2 => name.clone().prop_map(Op::Restart),
        1 => name.clone().prop_map(Op::Delete),
        4 => (name, outcomes()).prop_map(|(name, outcomes)| Op::Script(name, outcomes)),
        3 => prop_oneof![Just(5000), 1..9000_u64].prop_map(Op::Wait),
    ]
}

fn histories() -> impl Strategy<Value = History> {
    let strategy = prop_oneof![
        Just(Restarts::OneForOne),
        Just(Restarts::OneForAll),
        Just(Restarts::RestForOne)
    ];
    let auto = prop_oneof![
        2 => Just(AutoShutdown::Never),
        1 => Just(AutoShutdown::AnySignificant),
        2 => Just(AutoShutdown::AllSignificant)
    ];
    let children = prop::collection::vec((restart_types(), any::<bool>()), 0..6);
    let scripts = prop_oneof![
        4 => Just(Vec::new()),
        1 => prop::collection::vec((0..NAMES.len(), outcomes()), 1..3),
    ];
    let ops = prop::collection::vec(ops(), 0..40);
    (strategy, auto, 0..5_u32, children, scripts, ops).prop_map(
        |(strategy, auto, intensity, children, scripts, ops)| History {
            strategy,
            auto,
            intensity,
            children,
            scripts,
            ops,
        },
    )
}

/// A child for the machine and for the model, significant where that is allowed.
fn both(
    auto: AutoShutdown,
    name: usize,
    restart: RestartType,
    significant: bool,
) -> (ChildSpec, Child) {
    let name = NAMES[name];
    let significant =
        significant && auto != AutoShutdown::Never && restart != RestartType::Permanent;
    let spec = worker(name)
        .restart(restart)
        .with(|child| child.significant = significant);
    let child = Child {
        name,
        restart,
        significant,
        is_up: false,
    };
    (spec, child)
}

fn said(reply: &Reply) -> Said {
    match reply {
        Ok(_) => Said::Ok,
        Err(RequestError::AlreadyStarted(_)) => Said::AlreadyStarted,
        Err(RequestError::AlreadyPresent) => Said::AlreadyPresent,
        Err(RequestError::NotFound) => Said::NotFound,
        Err(RequestError::Running) => Said::Running,
        Err(RequestError::Failed(_)) => Said::StartFailed,
        Err(other) => panic!("OTP does not say `{other}`"),
    }
}

fn fate(sim: &Simulation) -> Fate {
    match sim.finished() {
        None => Fate::Lives,
        Some(ExitReason::FailedToStart { .. }) => Fate::FailedToStart,
        Some(ExitReason::GaveUp { .. }) => Fate::GaveUp,
        Some(ExitReason::AutoShutdown { .. }) => Fate::AutoShutdown,
        Some(other) => panic!("OTP does not end with `{other}`"),
    }
}

fn script(sim: &mut Simulation, model: &mut Model, name: usize, outcomes: &[Outcome]) {
    let starts = outcomes.iter().map(|outcome| match outcome {
        Outcome::Runs => Starts::Well,
        Outcome::Fails => Starts::Badly,
        Outcome::Ignores => Starts::Ignoring,
    });
    sim.script(NAMES[name]).next(starts);
    model
        .outcomes
        .entry(NAMES[name])
        .or_default()
        .extend(outcomes);
}

fn begin(history: &History) -> (Simulation, Model) {
    let (mut specs, mut children) = (Vec::new(), Vec::new());
    for (name, (restart, significant)) in history.children.iter().enumerate() {
        let (spec, child) = both(history.auto, name, *restart, *significant);
        specs.push(spec);
        children.push(child);
    }
    let root: SupervisorSpec = supervisor(history.strategy, specs)
        .auto(history.auto)
        .intensity(history.intensity, seconds(5));
    let model = Model {
        strategy: history.strategy,
        intensity: usize::try_from(history.intensity).unwrap(),
        period: seconds(5),
        auto: history.auto,
        children,
        outcomes: HashMap::new(),
        now: Duration::ZERO,
        fate: Fate::Lives,
        log: Vec::new(),
        restarts: Vec::new(),
    };
    (Simulation::new(&root), model)
}

/// Lets it happen in both; returns both answers where there are any.
fn happen(
    sim: &mut Simulation,
    model: &mut Model,
    auto: AutoShutdown,
    op: &Op,
) -> Option<(Said, Said)> {
    match op {
        Op::Exit(name, end) => {
            if sim.is_up(NAMES[*name]) {
                let reason = if *end == End::Crash {
                    CRASH
                } else {
                    ExitReason::Normal
                };
                sim.exit(NAMES[*name], reason);
                model.exit(NAMES[*name], *end);
            }
            None
        }
        Op::Start(name, restart, significant) => {
            let (spec, child) = both(auto, *name, *restart, *significant);
            Some((said(&sim.start_child(spec)), model.start_child(child)))
        }
        Op::Terminate(name) => {
            let reply = sim.terminate_child(NAMES[*name]);
            Some((said(&reply), model.terminate_child(NAMES[*name])))
        }
        Op::Restart(name) => {
            let reply = sim.restart_child(NAMES[*name]);
            Some((said(&reply), model.restart_child(NAMES[*name])))
        }
        Op::Delete(name) => {
            let reply = sim.delete_child(NAMES[*name]);
            Some((said(&reply), model.delete_child(NAMES[*name])))
        }
        Op::Script(name, outcomes) => {
            script(sim, model, *name, outcomes);
            None
        }
        Op::Wait(time) => {
            sim.advance(millis(*time));
            model.now += millis(*time);
            None
        }
    }
}

fn compare(sim: &mut Simulation, model: &mut Model) -> Result<(), TestCaseError> {
    prop_assert_eq!(sim.take_orders(), std::mem::take(&mut model.log));
    prop_assert_eq!(fate(sim), model.fate);
    if model.fate == Fate::Lives {
        let which = sim.which("root").into_iter().rev();
        let which: Vec<(String, bool)> = which
            .map(|child| (child.name.to_string(), child.incarnation.is_some()))
            .collect();
        let children = model.children.iter();
        let expected: Vec<(String, bool)> = children
            .map(|child| (child.name.to_owned(), child.is_up))
            .collect();
        prop_assert_eq!(which, expected);
    }
    Ok(())
}

proptest! {
    #![proptest_config(crate::properties::cases())]

    #[test]
    fn any_history_with_no_delays_is_otps(history in histories()) {
        let (mut sim, mut model) = begin(&history);
        for (name, outcomes) in &history.scripts {
            script(&mut sim, &mut model, *name, outcomes);
        }
        sim.start();
        model.init();
        compare(&mut sim, &mut model)?;
        for op in &history.ops {
            if model.fate != Fate::Lives {
                break;
            }
            if let Some((machine, otp)) = happen(&mut sim, &mut model, history.auto, op) {
                prop_assert_eq!(machine, otp, "{:?}", op);
            }
            compare(&mut sim, &mut model)?;
        }
    }
}
