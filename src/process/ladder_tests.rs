//! Tables and properties of the kill ladder.

use proptest::prelude::*;

use super::LadderAction::{ArmTimer, Ask, Finish, Kill, Look, Wait};
use super::LadderEvent::{Again, LeaderEnded, Seen, Start, TimeUp};
use super::*;

const TEN: Duration = Duration::from_secs(10);

fn at(seconds: u64) -> Time {
    Time::ORIGIN + Duration::from_secs(seconds)
}

fn seen(is_leader_running: bool, others: usize) -> LadderEvent {
    Seen {
        is_leader_running,
        others,
    }
}

fn finish(stopped: Option<Rung>, left_behind: Option<Rung>) -> LadderAction {
    Finish {
        stopped,
        left_behind,
    }
}

/// Events with their second, and the actions each must give.
type Script<'a> = &'a [(u64, LadderEvent, &'a [LadderAction])];

fn play(mode: ShutdownMode, script: Script<'_>) {
    let mut ladder = Ladder::new(mode);
    for (number, (second, event, expected)) in script.iter().enumerate() {
        let actions = ladder.step(*event, at(*second));
        assert_eq!(actions, *expected, "line {number}: {event:?}");
    }
}

#[test]
fn process_that_ends_when_asked_is_not_killed() {
    play(
        ShutdownMode::Timeout(TEN),
        &[
            (0, Start, &[Look]),
            (0, seen(true, 2), &[Ask, ArmTimer(at(10)), Wait]),
            (3, seen(false, 0), &[finish(Some(Rung::Asked), None)]),
            (10, TimeUp, &[]),
        ],
    );
}

#[test]
fn process_that_ignores_the_signal_is_killed_when_its_time_is_up() {
    play(
        ShutdownMode::Timeout(TEN),
        &[
            (0, Start, &[Look]),
            (0, seen(true, 0), &[Ask, ArmTimer(at(10)), Wait]),
            (10, TimeUp, &[Look]),
            (10, seen(true, 0), &[Kill, Wait]),
            (10, seen(false, 1), &[Kill, Wait]),
            (
                11,
                seen(false, 0),
                &[finish(Some(Rung::Killed), Some(Rung::Killed))],
            ),
        ],
    );
}

#[test]
fn brutal_kill_does_not_ask() {
    play(
        ShutdownMode::BrutalKill,
        &[
            (0, Start, &[Look]),
            (0, seen(true, 1), &[Kill, Wait]),
            (0, seen(false, 0), &[finish(Some(Rung::Killed), None)]),
        ],
    );
}

#[test]
fn infinity_waits_for_the_process_and_not_for_what_it_left_behind() {
    play(
        ShutdownMode::Infinity,
        &[
            (0, Start, &[Look]),
            (0, seen(true, 1), &[Ask, Wait]),
            (3600, TimeUp, &[]),
            (3600, seen(true, 1), &[Wait]),
            (4000, seen(false, 1), &[ArmTimer(at(4010)), Wait]),
            (4010, TimeUp, &[Look]),
            (4010, seen(false, 1), &[Kill, Wait]),
            (
                4010,
                seen(false, 0),
                &[finish(Some(Rung::Asked), Some(Rung::Killed))],
            ),
        ],
    );
}

#[test]
fn process_that_ended_by_itself_and_left_nothing_is_not_touched() {
    play(
        ShutdownMode::Timeout(TEN),
        &[
            (0, Start, &[Look]),
            (0, seen(false, 0), &[finish(None, None)]),
        ],
    );
}

#[test]
fn process_that_ended_when_asked_is_not_said_to_be_killed_because_others_were() {
    play(
        ShutdownMode::Timeout(TEN),
        &[
            (0, Start, &[Look]),
            (0, seen(true, 1), &[Ask, ArmTimer(at(10)), Wait]),
            (9, LeaderEnded, &[]),
            (10, TimeUp, &[Look]),
            (10, seen(false, 1), &[Kill, Wait]),
            (
                11,
                seen(false, 0),
                &[finish(Some(Rung::Asked), Some(Rung::Killed))],
            ),
        ],
    );
}

#[test]
fn what_a_process_left_behind_is_asked_first() {
    play(
        ShutdownMode::Timeout(TEN),
        &[
            (0, Start, &[Look]),
            (0, seen(false, 3), &[Ask, ArmTimer(at(10)), Wait]),
            (1, seen(false, 0), &[finish(None, Some(Rung::Asked))]),
        ],
    );
}

#[test]
fn second_request_to_kill_does_not_wait_for_the_first_one() {
    play(
        ShutdownMode::Infinity,
        &[
            (0, Start, &[Look]),
            (0, seen(true, 0), &[Ask, Wait]),
            (5, Again(ShutdownMode::BrutalKill), &[Look]),
            (5, seen(true, 0), &[Kill, Wait]),
            (5, Again(ShutdownMode::Timeout(TEN)), &[Look]),
        ],
    );
}

#[test]
fn second_request_can_only_shorten_the_time() {
    play(
        ShutdownMode::Timeout(TEN),
        &[
            (0, Start, &[Look]),
            (0, seen(true, 0), &[Ask, ArmTimer(at(10)), Wait]),
            (1, Again(ShutdownMode::Timeout(TEN * 6)), &[Wait]),
            (
                2,
                Again(ShutdownMode::Timeout(TEN / 10)),
                &[ArmTimer(at(3)), Wait],
            ),
            (3, TimeUp, &[Look]),
        ],
    );
}

/// A scope to stop: who is in it, who ignores the signal, and what is forked meanwhile.
#[derive(Clone, Debug)]
struct Scope {
    mode: ShutdownMode,
    is_leader_running: bool,
    is_leader_deaf: bool,
    deaf: usize,
    polite: usize,
    /// Forks that are seen only after a look, one a look.
    forks: usize,
    brutal_at: Option<u64>,
}

fn scopes() -> impl Strategy<Value = Scope> {
    let mode = prop_oneof![
        Just(ShutdownMode::BrutalKill),
        (0..20_u64).prop_map(|s| ShutdownMode::Timeout(Duration::from_secs(s))),
        Just(ShutdownMode::Infinity),
    ];
    let counts = (0..4_usize, 0..4_usize, 0..4_usize);
    let brutal_at = proptest::option::of(0..30_u64);
    (mode, any::<bool>(), any::<bool>(), counts, brutal_at).prop_map(
        |(mode, is_leader_running, is_leader_deaf, (deaf, polite, forks), brutal_at)| Scope {
            mode,
            is_leader_running,
            is_leader_deaf,
            deaf,
            polite,
            forks,
            brutal_at,
        },
    )
}

impl Scope {
    fn look(&mut self) -> LadderEvent {
        let event = seen(self.is_leader_running, self.deaf + self.polite);
        if self.forks > 0 && (self.is_leader_running || self.deaf > 0) {
            self.forks -= 1;
            self.deaf += 1;
        }
        event
    }

    fn is_empty(&self) -> bool {
        !self.is_leader_running && self.deaf + self.polite == 0
    }
}

proptest! {
    #[test]
    fn ladder_ends_with_an_empty_scope_and_kills_only_when_it_may(mut scope in scopes()) {
        let whole = scope.clone();
        let mut ladder = Ladder::new(scope.mode);
        let mut actions = ladder.step(Start, at(0));
        let (mut now, mut timer, mut asked, mut is_again_due) = (0, None, 0, scope.brutal_at);
        for _ in 0..200 {
            let mut next = None;
            for action in actions.drain(..) {
                match action {
                    Look => next = Some(scope.look()),
                    Ask => {
                        asked += 1;
                        scope.polite = 0;
                        scope.is_leader_running &= scope.is_leader_deaf;
                    }
                    Kill => {
                        let may = match whole.mode {
                            ShutdownMode::BrutalKill => true,
                            ShutdownMode::Timeout(t) => now >= t.as_secs(),
                            ShutdownMode::Infinity => !scope.is_leader_running,
                        };
                        prop_assert!(may || whole.brutal_at.is_some_and(|at| at <= now));
                        scope.is_leader_running = false;
                        // One that was forked since it was looked is not hit.
                        scope.deaf = usize::from(scope.deaf > 0 && scope.forks > 0);
                        scope.forks = scope.forks.saturating_sub(1);
                        scope.polite = 0;
                    }
                    Wait => {}
                    ArmTimer(time) => {
                        prop_assert!(time >= at(now));
                        timer = Some(time);
                    }
                    Finish { .. } => {
                        prop_assert!(scope.is_empty());
                        prop_assert!(asked <= 1);
                        prop_assert!(whole.mode != ShutdownMode::BrutalKill || asked == 0);
                        prop_assert_eq!(ladder.step(TimeUp, at(now)), vec![]);
                        return Ok(());
                    }
                }
            }
            // Time passes only when nothing is to be done at once.
            let event = match next {
                Some(event) => event,
                None if is_again_due.is_some_and(|due| due <= now) => {
                    is_again_due = None;
                    Again(ShutdownMode::BrutalKill)
                }
                None if timer.is_some_and(|due| due <= at(now)) => {
                    timer = None;
                    TimeUp
                }
                None if scope.is_empty() => scope.look(),
                None if !scope.is_leader_running || timer.is_some() || is_again_due.is_some() => {
                    now += 1;
                    match timer.is_some() || is_again_due.is_some() {
                        true => continue,
                        false => scope.look(),
                    }
                }
                // A leader that ignores the signal for ever, and nobody asks again.
                None => {
                    prop_assert_eq!(whole.mode, ShutdownMode::Infinity);
                    return Ok(());
                }
            };
            actions = ladder.step(event, at(now));
        }
        prop_assert!(false, "it never ended: {whole:?}");
    }
}
