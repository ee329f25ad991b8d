//! What is decided about jobs for a pool of another process, case by case.

use proptest::prelude::*;

use super::machine::{Action, Event, Fate, Machine, Window};
use crate::pool::machine::Shutdown;

const WIDE: Window = Window {
    jobs: 100,
    bytes: 1000,
};

fn job(bytes: u64, retries: u32) -> Event {
    Event::Submitted { bytes, retries }
}

/// A machine that has been told all this.
fn told(events: &[Event]) -> Machine {
    let mut machine = Machine::new();
    for event in events {
        machine.step(*event);
    }
    machine
}

fn sent(actions: &[Action]) -> Vec<u32> {
    let number = |action: &Action| match action {
        Action::Send { number, .. } => Some(*number),
        _ => None,
    };
    actions.iter().filter_map(number).collect()
}

fn finish(job: usize, fate: Fate) -> Action {
    Action::Finish { job, fate }
}

#[test]
fn jobs_wait_until_the_pool_is_found_and_go_in_their_order() {
    let mut machine = Machine::new();
    assert_eq!(machine.step(job(1, 0)), []);
    assert_eq!(machine.step(job(1, 0)), []);
    let actions = machine.step(Event::Up(WIDE));
    assert_eq!(
        actions,
        [
            Action::Send { job: 0, number: 0 },
            Action::Send { job: 1, number: 1 }
        ]
    );
}

#[test]
fn no_more_are_sent_than_may_be_open() {
    let few = Window {
        jobs: 2,
        bytes: 1000,
    };
    let mut machine = told(&[Event::Up(few), job(1, 0), job(1, 0)]);
    assert_eq!(machine.step(job(1, 0)), []);
    let actions = machine.step(Event::Answered(0));
    assert_eq!(sent(&actions), [2]);
}

#[test]
fn long_arguments_wait_for_others_unless_there_are_none() {
    let mut machine = told(&[Event::Up(WIDE)]);
    assert_eq!(sent(&machine.step(job(5000, 0))), [0]);
    assert!(sent(&machine.step(job(1, 0))).is_empty());
    assert_eq!(sent(&machine.step(Event::Answered(0))), [1]);
    assert!(sent(&machine.step(job(1000, 0))).is_empty());
}

#[test]
fn death_of_the_pool_costs_what_it_had_but_for_what_may_run_twice() {
    let mut machine = told(&[Event::Up(WIDE), job(1, 0), job(1, 1), job(1, 0)]);
    machine.step(Event::CancelAsked(2));
    assert_eq!(
        machine.step(Event::Lost),
        [
            finish(0, Fate::Lost),
            Action::Keep(1),
            finish(2, Fate::Cancelled),
            Action::Connect
        ]
    );
    assert_eq!(sent(&machine.step(Event::Up(WIDE))), [3]);
    // So often and no more.
    assert_eq!(machine.step(Event::Lost), [finish(1, Fate::Lost)]);
}

#[test]
fn pool_is_looked_for_when_there_is_a_job_and_not_before() {
    let mut machine = told(&[Event::Up(WIDE)]);
    assert_eq!(machine.step(Event::Lost), []);
    assert_eq!(machine.step(job(1, 0)), [Action::Connect]);
    assert_eq!(machine.step(job(1, 0)), []);
    assert_eq!(
        machine.step(Event::NotFound),
        [finish(0, Fate::NotFound), finish(1, Fate::NotFound)]
    );
    assert_eq!(machine.step(job(1, 0)), [Action::Connect]);
}

#[test]
fn shutdown_waits_for_all_or_for_what_was_sent_or_for_nothing() {
    let one = Window {
        jobs: 1,
        bytes: 1000,
    };
    for (how, expected) in [
        (Shutdown::Wait, vec![]),
        (Shutdown::CancelPending, vec![finish(1, Fate::Cancelled)]),
        (
            Shutdown::Now,
            vec![
                finish(1, Fate::Cancelled),
                finish(0, Fate::Cancelled),
                Action::End,
            ],
        ),
    ] {
        let mut machine = told(&[Event::Up(one), job(1, 0), job(1, 0)]);
        assert_eq!(machine.step(Event::Shutdown(how)), expected, "{how:?}");
    }
    let mut machine = told(&[Event::Up(one), job(1, 0), Event::Shutdown(Shutdown::Wait)]);
    let last = [finish(0, Fate::Answered), Action::End];
    assert_eq!(machine.step(Event::Answered(0)), last);
    let late = [finish(0, Fate::Cancelled)];
    assert_eq!(machine.step(job(1, 0)), late);
}

fn any_event() -> impl Strategy<Value = Event> {
    let window = Window { jobs: 3, bytes: 20 };
    prop_oneof![
        6 => (0..30_u64, 0..3_u32).prop_map(|(bytes, retries)| job(bytes, retries)),
        2 => (0..8_usize).prop_map(Event::CancelAsked),
        4 => (0..40_u32).prop_map(Event::Answered),
        2 => Just(Event::Up(window)),
        1 => Just(Event::Lost),
        1 => Just(Event::NotFound),
    ]
}

proptest! {
    /// Whatever happens: each job ends once, and what is open stays within the window.
    #[test]
    fn each_job_ends_once_and_the_window_is_kept(events in proptest::collection::vec(any_event(), 0..200)) {
        let mut machine = Machine::new();
        let mut submitted = 0;
        let mut finished = 0;
        let (mut open, mut is_up) = (std::collections::BTreeMap::new(), false);
        for event in events.into_iter().chain([Event::Shutdown(Shutdown::Now)]) {
            // What a line tells: it is up once, and lost only when it was.
            match event {
                Event::Up(_) | Event::NotFound if is_up => continue,
                Event::Lost if !is_up => continue,
                Event::Answered(number) if !open.contains_key(&number) => continue,
                Event::Up(_) => is_up = true,
                Event::Lost => {
                    is_up = false;
                    open.clear();
                }
                Event::Submitted { .. } => submitted += 1,
                _ => {}
            }
            for action in machine.step(event) {
                match action {
                    Action::Send { job, number } => {
                        prop_assert!(is_up);
                        prop_assert_eq!(open.insert(number, job), None);
                        prop_assert!(open.len() <= 3);
                    }
                    Action::Finish { job, .. } => {
                        finished += 1;
                        open.retain(|_, open| *open != job);
                    }
                    _ => {}
                }
            }
        }
        prop_assert_eq!(submitted, finished);
    }
}
