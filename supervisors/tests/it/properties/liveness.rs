//! Nothing is forgotten: an environment that does as it is asked brings the machine to rest, with
//! everything up that should be.

use std::collections::BTreeSet;

use proptest::prelude::*;
use treewright_supervisors::spec::{ChildName, Condition, RestartType, Strategy as Restarts};
use treewright_supervisors::supervisor::{
    ChildInfo, ChildStatus, Event, ExitReason, Request, Standing,
};

use super::driver::{Driver, Material};
use super::moves::{Range, What, moves};
use super::safety::any_machine;
use super::specs::ELSEWHERE;
use super::{cases, specs};

/// Why children may be down although they are permanent.
#[derive(Default)]
struct Excuses {
    /// These said `ignore`, or somebody asked for something that can leave them down.
    names: BTreeSet<ChildName>,
    /// Somebody asked for something that can leave any of them down.
    is_general: bool,
}

impl Excuses {
    fn of(driver: &Driver) -> Self {
        let mut excuses = Self::default();
        for (event, _) in &driver.history {
            match event {
                Event::Ignored { incarnation } => {
                    let children = driver.machine.state.which_children();
                    let child = children
                        .into_iter()
                        .find(|child| child.key == incarnation.child);
                    excuses.names.extend(child.map(|child| child.name));
                }
                Event::Request { request, .. } => excuses.hear(request),
                _ => {}
            }
        }
        excuses
    }

    fn hear(&mut self, request: &Request) {
        match request {
            // One that ends a group's restart leaves the others as they are.
            Request::TerminateChild(_) | Request::Reload { .. } | Request::ReloadPool { .. } => {
                self.is_general = true;
            }
            Request::RestartChild(name) | Request::Start(name) | Request::Restart(name) => {
                self.names.insert(name.clone());
            }
            _ => {}
        }
    }
}

fn check_child(driver: &Driver, child: &ChildInfo, excuses: &Excuses) {
    let state = &driver.machine.state;
    match child.status {
        ChildStatus::Running | ChildStatus::Held | ChildStatus::Completed => {}
        ChildStatus::Gated => {
            let spec = state.childspec(&child.name).unwrap();
            let edges = &mut spec.depends_on.iter();
            assert!(
                edges.any(|(name, condition)| may_yet_hold(driver, name, *condition)),
                "{child:?} waits for nothing: {:?} {:?}",
                spec.depends_on,
                state.which_children(),
            );
        }
        ChildStatus::Down => {
            let spec = state.childspec(&child.name).unwrap();
            // A start in order comes no further than to a child that waits for a dependency.
            let is_excused =
                gated(driver) > 0 || excuses.is_general || excuses.names.contains(&child.name);
            assert!(
                spec.restart != RestartType::Permanent || is_excused,
                "{child:?} is forgotten"
            );
        }
        _ => panic!("{child:?} is not at rest"),
    }
}

fn gated(driver: &Driver) -> usize {
    let children = driver.machine.state.which_children();
    let gated = children
        .iter()
        .filter(|child| child.status == ChildStatus::Gated);
    gated.count()
}

/// Whether a dependency does not hold and still may.
fn may_yet_hold(driver: &Driver, name: &ChildName, condition: Condition) -> bool {
    if *name == *ELSEWHERE {
        let standing = driver.machine.elsewhere;
        return match condition {
            Condition::Started => standing == Standing::Coming,
            Condition::Ready => matches!(standing, Standing::Coming | Standing::Started),
            Condition::Completed => !matches!(standing, Standing::Completed | Standing::Gone),
        };
    }
    let status = driver
        .machine
        .state
        .which_child(name)
        .map(|child| child.status);
    match status {
        Some(ChildStatus::Held | ChildStatus::Gated) => true,
        Some(ChildStatus::Running) => condition == Condition::Completed,
        // The start in order has not come so far, since another child waits.
        Some(ChildStatus::Down) => gated(driver) > 1,
        _ => false,
    }
}

/// Whether a child is tried again and again: because something it depends on is down for good, or
/// because nobody can be as quick as it should be.
fn is_trying(driver: &Driver) -> bool {
    let children = driver.machine.state.which_children();
    children.iter().any(|child| match &child.last_exit {
        Some(ExitReason::DependencyFailed { .. }) => true,
        Some(ExitReason::StartTimeout { after }) => after.is_zero(),
        _ => false,
    })
}

fn check_rest(mut driver: Driver) {
    if !driver.come_to_rest() {
        assert!(
            is_trying(&driver),
            "it does not come to rest: {:?}",
            driver.machine.state
        );
        return;
    }
    let machine = &driver.machine;
    if machine.finish.is_some() {
        return;
    }
    let children = machine.state.which_children();
    let excuses = Excuses::of(&driver);
    for child in &children {
        check_child(&driver, child, &excuses);
    }
    if gated(&driver) == 0 {
        assert!(
            machine.open.is_empty(),
            "never answered: {:?}",
            machine.open
        );
        assert!(machine.is_started, "the start is never complete");
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn children_left_alone_all_run_in_the_end(driver in any_machine(), moves in moves(Range::News)) {
        let mut driver = driver;
        driver.feed(Event::Start);
        driver.play(&moves);
        check_rest(driver);
    }

    #[test]
    fn requests_are_all_answered_in_the_end(driver in any_machine(), moves in moves(Range::Requests)) {
        let mut driver = driver;
        driver.play(&moves);
        check_rest(driver);
    }

    /// Group restarts with nobody asking for anything: children start one after the other, and
    /// none is started or stopped while one behind it lives.
    #[test]
    fn groups_start_in_order_and_stop_in_reverse(
        spec in specs::supervisors(),
        is_all in any::<bool>(),
        moves in moves(Range::News),
        end in proptest::collection::vec((any::<u8>(), any::<u8>()), 0..8),
    ) {
        let mut spec = spec;
        spec.strategy = if is_all { Restarts::OneForAll } else { Restarts::RestForOne };
        for child in &mut spec.children {
            child.start_timeout = None;
        }
        let mut driver = Driver::supervisor(&spec, Material::default());
        driver.machine.is_in_order = true;
        driver.feed(Event::Start);
        for one in moves {
            // A child that is stopped for being no use is stopped out of its turn.
            if !matches!(one.what, What::Unhealthy) {
                driver.make(one);
            }
        }
        driver.finish(false, &end);
    }
}
