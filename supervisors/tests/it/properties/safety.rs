//! What holds in every step, whatever the environment does; the oracle checks it.

use std::time::Duration;

use proptest::prelude::*;
use treewright_supervisors::Time;
use treewright_supervisors::spec::{PoolSpec, StopOrder, SupervisorSpec};
use treewright_supervisors::supervisor::{Event, SupervisorState};

use super::driver::{Driver, Material, links, news};
use super::moves::{Range, moves};
use super::specs::ChildCode;
use super::{cases, specs};

/// What requests bring with them; a reload keeps the limits, so that one window holds throughout.
fn material(
    stop: StopOrder,
    intensity: u32,
    period: Duration,
    first: ChildCode,
    second: ChildCode,
    reload: SupervisorSpec,
) -> Material {
    let pool = PoolSpec {
        intensity,
        period,
        ..specs::pool([first[0], 0, 0, first[1], 0, 0], second)
    };
    Material {
        children: vec![specs::child(6, first), specs::child(7, second)],
        reload: SupervisorSpec {
            stop,
            intensity,
            period,
            ..reload
        },
        pool,
    }
}

pub(crate) fn supervisors_with_specs() -> impl Strategy<Value = (SupervisorSpec, Driver)> {
    let codes = any::<(ChildCode, ChildCode)>();
    (specs::supervisors(), codes, specs::supervisors()).prop_map(
        |(spec, (first, second), reload)| {
            let material = material(
                spec.stop,
                spec.intensity,
                spec.period,
                first,
                second,
                reload,
            );
            let driver = Driver::supervisor(&spec, material);
            (spec, driver)
        },
    )
}

pub(crate) fn supervisors() -> impl Strategy<Value = Driver> {
    supervisors_with_specs().prop_map(|(_, driver)| driver)
}

pub(crate) fn pools() -> impl Strategy<Value = Driver> {
    let codes = any::<(ChildCode, ChildCode)>();
    (specs::pools(), codes, specs::supervisors()).prop_map(|(spec, (first, second), reload)| {
        Driver::pool(
            &spec,
            material(
                StopOrder::Parallel,
                spec.intensity,
                spec.period,
                first,
                second,
                reload,
            ),
        )
    })
}

pub(crate) fn any_machine() -> impl Strategy<Value = Driver> {
    prop_oneof![3 => supervisors(), 1 => pools()]
}

proptest! {
    #![proptest_config(cases())]

    /// Never two lives of a child, epochs grow, dependencies hold at each start, the window is
    /// kept, each request has one reply, the timer is armed for what is next, lists and counts
    /// are right: all checked by the oracle after each step.
    #[test]
    fn any_environment_keeps_the_invariants(mut driver in any_machine(), starts in any::<bool>(), moves in moves(Range::All)) {
        if starts {
            driver.feed(Event::Start);
        }
        driver.play(&moves);
    }

    #[test]
    fn shutdown_always_ends(
        mut driver in any_machine(),
        moves in moves(Range::Requests),
        kill in any::<bool>(),
        choices in proptest::collection::vec((any::<u8>(), any::<u8>()), 0..8),
        after in moves(Range::Requests),
    ) {
        driver.feed(Event::Start);
        driver.play(&moves);
        driver.finish(kill, &choices);
        driver.play(&after);
    }

    #[test]
    fn late_news_changes_nothing(mut driver in any_machine(), moves in moves(Range::Requests), choice in any::<u8>()) {
        driver.feed(Event::Start);
        driver.play(&moves);
        let (now, state) = (driver.machine.now, &driver.machine.state);
        // What time itself makes due is done with whatever event comes next.
        prop_assume!(state.next_deadline().is_none_or(|deadline| deadline > now));
        for grave in &driver.machine.graves {
            let mut after = state.clone();
            let actions = after.step(news(*grave, choice), now);
            prop_assert!(actions.is_empty(), "{:?}", actions);
            prop_assert_eq!(format!("{state:?}"), format!("{after:?}"));
        }
    }

    #[test]
    fn same_events_give_the_same_actions((spec, mut driver) in supervisors_with_specs(), moves in moves(Range::All)) {
        let mut again = SupervisorState::new(&spec).with_links(links());
        let mut copied = again.clone();
        driver.feed(Event::Start);
        let mut moves = moves.into_iter();
        loop {
            for (event, at) in driver.history.drain(..) {
                let expected = format!("{:?}", driver.actions);
                prop_assert_eq!(&format!("{:?}", again.step(event.clone(), at)), &expected);
                copied = copied.clone();
                prop_assert_eq!(&format!("{:?}", copied.step(event, at)), &expected);
            }
            let Some(one) = moves.next() else { break };
            driver.make(one);
        }
        prop_assert_eq!(again.which_children(), driver.machine.state.which_children());
    }

    #[test]
    fn earlier_time_counts_as_the_latest(mut driver in any_machine(), moves in moves(Range::Requests)) {
        driver.feed(Event::Start);
        driver.play(&moves);
        let (now, state) = (driver.machine.now, &driver.machine.state);
        let (mut back, mut still) = (state.clone(), state.clone());
        let actions = back.step(Event::Timer, Time::ORIGIN);
        prop_assert_eq!(format!("{actions:?}"), format!("{:?}", still.step(Event::Timer, now)));
        prop_assert_eq!(format!("{back:?}"), format!("{still:?}"));
    }
}
