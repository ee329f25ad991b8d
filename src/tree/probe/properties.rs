//! What holds of every probe, whatever happens to it.

use std::time::Duration;

use proptest::prelude::*;
use treewright_supervisors::spec::{LiveCheck, LiveSpec, Probe, ReadySpec};

use super::TryFailure;
use super::live::LiveState;
use super::notify::Notification;
use super::ready::ReadyState;
use super::step::{ProbeAction, ProbeEvent, ProbeState};
use crate::time::Time;

/// Something that happens, so many milliseconds after the last thing. Tries are answered by how
/// far back they were begun: 0 is the last one.
#[derive(Clone, Debug)]
enum Happening {
    Answer { back: u64, is_good: bool },
    Print,
    Notify { is_ready: bool, is_ping: bool },
    Nothing,
}

fn happenings() -> impl Strategy<Value = Vec<(u64, Happening)>> {
    let happening = prop_oneof![
        4 => (0_u64..3, any::<bool>()).prop_map(|(back, is_good)| Happening::Answer { back, is_good }),
        1 => Just(Happening::Print),
        1 => any::<(bool, bool)>().prop_map(|(is_ready, is_ping)| Happening::Notify { is_ready, is_ping }),
        3 => Just(Happening::Nothing),
    ];
    prop::collection::vec((0_u64..400, happening), 0..40)
}

fn probes() -> impl Strategy<Value = Probe> {
    prop_oneof![
        3 => Just(Probe::Tcp("a:1".to_owned())),
        1 => Just(Probe::Log("up".to_owned())),
        1 => Just(Probe::Notify),
        1 => Just(Probe::Uptime(Duration::from_millis(700))),
    ]
}

fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// What was done, and when.
type Done = Vec<(Time, ProbeAction)>;

/// Plays the happenings on a virtual clock; timers fire when they are due and never early.
fn play(state: &mut impl ProbeState, happenings: &[(u64, Happening)]) -> Done {
    let mut now = Time::ORIGIN;
    let mut done: Done = Vec::new();
    record(state.step(ProbeEvent::Started, now), now, &mut done);
    for (gap, happening) in happenings {
        let then = now + millis(*gap);
        while state.next_deadline() <= then {
            now = now.max(state.next_deadline());
            record(state.step(ProbeEvent::Timer, now), now, &mut done);
        }
        now = then;
        let last = done
            .iter()
            .filter(|(_, action)| matches!(action, ProbeAction::Try(_)))
            .count();
        let event = match happening {
            Happening::Answer { back, is_good } => {
                let outcome = if *is_good {
                    Ok(())
                } else {
                    Err(TryFailure::TimedOut(millis(1)))
                };
                ProbeEvent::Tried((last as u64).saturating_sub(*back), outcome)
            }
            Happening::Print => ProbeEvent::Printed,
            Happening::Notify { is_ready, is_ping } => ProbeEvent::Notified(Notification {
                is_ready: *is_ready,
                is_watchdog_ping: *is_ping,
                ..Notification::default()
            }),
            Happening::Nothing => continue,
        };
        record(state.step(event, now), now, &mut done);
    }
    done
}

fn record(actions: Vec<ProbeAction>, now: Time, done: &mut Done) {
    done.extend(actions.into_iter().map(|action| (now, action)));
}

fn is_verdict(action: &ProbeAction) -> bool {
    !matches!(action, ProbeAction::Try(_) | ProbeAction::Abandon)
}

/// One verdict at most, and it is the end; tries are numbered one after the other.
fn check_order(done: &Done) -> Result<(), TestCaseError> {
    let verdicts = done.iter().filter(|(_, action)| is_verdict(action)).count();
    prop_assert!(verdicts <= 1);
    if verdicts == 1 {
        prop_assert!(is_verdict(&done[done.len() - 1].1));
    }
    let tries: Vec<u64> = done
        .iter()
        .filter_map(|(_, action)| match action {
            ProbeAction::Try(epoch) => Some(*epoch),
            _ => None,
        })
        .collect();
    prop_assert!(tries.iter().copied().eq(1..=tries.len() as u64));
    Ok(())
}

proptest! {
    #[test]
    fn readiness_ends_once_and_in_time(
        probe in probes(),
        every in 1_u64..300,
        timeout in 1_u64..3000,
        happenings in happenings(),
    ) {
        let spec = ReadySpec { probe: probe.clone(), every: millis(every), timeout: millis(timeout) };
        let mut state = ReadyState::new(&spec);
        let done = play(&mut state, &happenings);
        check_order(&done)?;
        let deadline = Time::ORIGIN + millis(timeout);
        for (at, action) in &done {
            match action {
                // An uptime is reached whatever the timeout says.
                ProbeAction::Ready if !matches!(probe, Probe::Uptime(_)) => prop_assert!(*at <= deadline),
                ProbeAction::NotReady(_) => prop_assert_eq!(*at, deadline),
                _ => {}
            }
        }
        let total: u64 = happenings.iter().map(|(gap, _)| gap).sum();
        let is_over = done.iter().any(|(_, action)| is_verdict(action));
        prop_assert!(is_over || total < timeout || matches!(probe, Probe::Uptime(_)));
    }

    #[test]
    fn child_is_unwell_only_after_so_many_failures_in_a_row(
        every in 1_u64..300,
        timeout in 1_u64..300,
        failures in 1_u32..4,
        happenings in happenings(),
    ) {
        let mut state = LiveState::new(&LiveSpec::Check(LiveCheck {
            probe: Probe::Tcp("a:1".to_owned()),
            every: millis(every),
            timeout: millis(timeout),
            failures,
        }));
        let done = play(&mut state, &happenings);
        check_order(&done)?;
        let tries = done.iter().filter(|(_, action)| matches!(action, ProbeAction::Try(_))).count();
        let is_unwell = done.iter().any(|(_, action)| is_verdict(action));
        prop_assert!(!is_unwell || tries >= failures as usize);
    }
}
