//! What the machine decides, case by case.

use std::collections::VecDeque;
use std::time::Duration;

use treewright_supervisors::spec::Backoff;

use super::{Action, Begun, Ending, Event, Fate, Machine, NewJob, Settings, Shutdown};
use crate::time::Time;

pub(in crate::pool) fn settings(workers: usize) -> Settings {
    Settings {
        workers,
        tasks_per_worker: None,
        grace: Duration::from_secs(1),
        intensity: 2,
        period: Duration::from_secs(1),
        backoff: Backoff {
            initial: Duration::from_millis(100),
            factor: 2.0,
            max: Duration::from_secs(1),
            jitter: 0.0,
            reset_after: Duration::from_secs(60),
        },
        start_attempts: 2,
        idle_limit: None,
        kept: 0,
    }
}

/// A machine whose orders are collected.
struct Desk {
    machine: Machine,
    now: Time,
}

impl Desk {
    fn new(settings: Settings) -> Self {
        Self {
            machine: Machine::new(settings),
            now: Time::ORIGIN,
        }
    }

    fn tell(&mut self, event: Event) -> Vec<Action> {
        let mut actions = Vec::new();
        self.machine.step(event, self.now, &mut actions);
        self.machine.settle(self.now, &mut actions);
        actions
    }

    fn submit(&mut self, change: impl FnOnce(&mut NewJob)) -> (usize, Vec<Action>) {
        let key = self.machine.next_key();
        let mut job = NewJob {
            key,
            function: 0,
            calls: 1,
            bytes: 0,
            timeout: None,
            retries: 0,
        };
        change(&mut job);
        (key, self.tell(Event::Submitted(job)))
    }

    fn up(&mut self, worker: usize) -> Vec<Action> {
        self.tell(Event::WorkerUp {
            worker,
            knows_begun: true,
        })
    }

    fn answered(&mut self, worker: usize, number: u32, took: Duration) -> Vec<Action> {
        self.tell(Event::Answered {
            worker,
            number,
            took,
        })
    }

    fn died(&mut self, worker: usize, number: Option<u32>) -> Vec<Action> {
        let begun = number.map(|number| Begun {
            number,
            calls_lost: 1,
            calls_left: 0,
        });
        let ending = Ending::Up(begun);
        self.tell(Event::WorkerEnded { worker, ending })
    }

    /// One worker that is up and has run a job that took so long.
    fn with_pace(settings: Settings, took: Duration) -> Self {
        let mut desk = Self::new(settings);
        desk.submit(|_| {});
        desk.up(0);
        desk.answered(0, 0, took);
        desk
    }
}

fn sends(actions: &[Action]) -> usize {
    let is_send = |action: &&Action| matches!(action, Action::Send { .. });
    actions.iter().filter(is_send).count()
}

const SHORT: Duration = Duration::from_micros(1);
const LONG: Duration = Duration::from_secs(1);

#[test]
fn worker_is_started_with_the_first_job_and_no_sooner() {
    let mut desk = Desk::new(settings(2));
    assert_eq!(desk.tell(Event::TimeUp), []);
    assert_eq!(desk.submit(|_| {}).1, [Action::StartWorker(0)]);
    let (worker, number, job) = (0, 0, 0);
    assert_eq!(
        desk.up(0),
        [Action::Send {
            worker,
            number,
            job
        }]
    );
}

#[test]
fn eager_pool_starts_all_workers_at_once() {
    let mut desk = Desk::new(Settings {
        kept: usize::MAX,
        ..settings(2)
    });
    let started = [Action::StartWorker(0), Action::StartWorker(1)];
    assert_eq!(desk.tell(Event::TimeUp), started);
}

#[test]
fn kept_workers_stay_when_they_have_nothing_to_do_and_the_others_end() {
    let mut desk = Desk::new(Settings {
        kept: 1,
        idle_limit: Some(LONG),
        ..settings(2)
    });
    assert_eq!(desk.tell(Event::TimeUp), [Action::StartWorker(0)]);
    desk.up(0);
    desk.now = desk.now + LONG;
    assert_eq!(desk.machine.deadline(), None);
    assert_eq!(desk.tell(Event::TimeUp), []);
    desk.submit(|_| {});
    assert_eq!(desk.submit(|_| {}).1, [Action::StartWorker(1)]);
    desk.up(1);
    for worker in [0, 1] {
        desk.tell(Event::Answered {
            worker,
            number: 0,
            took: LONG,
        });
    }
    assert_eq!(desk.machine.deadline(), Some(desk.now + LONG));
    desk.now = desk.now + LONG;
    assert_eq!(desk.tell(Event::TimeUp), [Action::Stop(0)]);
    assert_eq!(desk.machine.deadline(), None);
}

#[test]
fn short_jobs_are_sent_ahead_and_long_ones_are_not() {
    for (took, expected) in [(SHORT, 100), (LONG, 1)] {
        let mut desk = Desk::with_pace(settings(1), took);
        let sent: usize = (0..100).map(|_| sends(&desk.submit(|_| {}).1)).sum();
        assert_eq!(sent, expected);
    }
}

#[test]
fn worker_that_dies_costs_the_job_it_was_at_and_the_others_wait_in_their_order() {
    let mut desk = Desk::with_pace(settings(1), SHORT);
    for _ in 0..3 {
        desk.submit(|_| {});
    }
    let fate = Fate::Lost { attempt: 1 };
    let actions = desk.died(0, Some(1));
    assert!(
        actions.contains(&Action::Finish { job: 0, fate }),
        "{actions:?}"
    );
    assert!(actions.contains(&Action::StartWorker(0)));
    let (worker, number) = (0, 0);
    assert_eq!(
        desk.up(0)[0],
        Action::Send {
            worker,
            number,
            job: 1
        }
    );
}

#[test]
fn job_that_may_be_run_again_is_until_its_retries_are_used_up() {
    let mut desk = Desk::new(settings(1));
    desk.submit(|job| job.retries = 2);
    for attempt in 1..=3 {
        desk.up(0);
        let actions = desk.died(0, Some(0));
        let fate = Fate::Lost { attempt };
        let is_lost = actions.contains(&Action::Finish { job: 0, fate });
        assert_eq!(is_lost, attempt == 3, "{actions:?}");
        desk.now = desk.now + LONG * 2;
        desk.tell(Event::TimeUp);
    }
}

#[test]
fn workers_that_die_one_after_the_other_are_replaced_with_a_pause() {
    let mut desk = Desk::new(settings(1));
    for _ in 0..4 {
        desk.submit(|_| {});
    }
    for _ in 0..2 {
        desk.up(0);
        assert!(desk.died(0, Some(0)).contains(&Action::StartWorker(0)));
    }
    desk.up(0);
    assert!(!desk.died(0, Some(0)).contains(&Action::StartWorker(0)));
    let pause = Duration::from_millis(100);
    assert_eq!(desk.machine.deadline(), Some(desk.now + pause));
    desk.now = desk.now + pause;
    assert_eq!(desk.tell(Event::TimeUp), [Action::StartWorker(0)]);
}

#[test]
fn jobs_fail_when_no_worker_comes_up_and_the_next_one_is_tried() {
    let mut desk = Desk::new(settings(1));
    desk.submit(|_| {});
    let ending = Ending::NeverUp { is_final: false };
    assert_eq!(desk.tell(Event::WorkerEnded { worker: 0, ending }), []);
    desk.now = desk.machine.deadline().unwrap();
    assert_eq!(desk.tell(Event::TimeUp), [Action::StartWorker(0)]);
    let fate = Fate::NoWorkers;
    let failed = desk.tell(Event::WorkerEnded { worker: 0, ending });
    assert_eq!(failed, [Action::Finish { job: 0, fate }]);
    assert_eq!(desk.submit(|_| {}).1, [Action::StartWorker(0)]);
    let ending = Ending::NeverUp { is_final: true };
    let failed = desk.tell(Event::WorkerEnded { worker: 0, ending });
    assert_eq!(failed, [Action::Finish { job: 0, fate }]);
}

#[test]
fn job_that_has_had_its_time_is_killed_alone() {
    let mut desk = Desk::with_pace(settings(1), SHORT);
    desk.submit(|job| job.timeout = Some(LONG));
    desk.submit(|_| {});
    assert_eq!(desk.machine.deadline(), Some(desk.now + LONG));
    desk.now = desk.now + LONG;
    let (worker, number) = (0, 2);
    let orders = desk.tell(Event::TimeUp);
    assert_eq!(
        orders,
        [Action::TakeBack { worker, number }, Action::AskBack(0)]
    );
    let was_sent = true;
    desk.tell(Event::TakenBack {
        worker,
        number,
        was_sent,
    });
    assert_eq!(desk.tell(Event::AskedBack(0)), [Action::Kill(0)]);
    let fate = Fate::TimedOut { limit: LONG };
    assert!(
        desk.died(0, Some(1))
            .contains(&Action::Finish { job: 0, fate })
    );
}

#[test]
fn job_that_ends_at_the_last_moment_is_not_killed() {
    let mut desk = Desk::with_pace(settings(1), SHORT);
    desk.submit(|job| job.timeout = Some(LONG));
    desk.submit(|_| {});
    desk.now = desk.now + LONG;
    desk.tell(Event::TimeUp);
    // The next one has begun, so this one has ended.
    let (worker, number, was_sent) = (0, 2, false);
    desk.tell(Event::TakenBack {
        worker,
        number,
        was_sent,
    });
    assert_eq!(desk.tell(Event::AskedBack(0)), []);
}

#[test]
fn jobs_of_a_worker_that_is_behind_are_given_to_one_that_has_nothing_to_do() {
    let mut desk = Desk::with_pace(settings(2), SHORT);
    for _ in 0..4 {
        desk.submit(|_| {});
    }
    desk.now = desk.machine.deadline().unwrap();
    let orders = desk.tell(Event::TimeUp);
    let (worker, was_sent) = (0, true);
    let back = |number| Action::TakeBack { worker, number };
    assert_eq!(orders, [back(4), back(3), Action::AskBack(0)]);
    desk.tell(Event::TakenBack {
        worker,
        number: 4,
        was_sent,
    });
    desk.tell(Event::TakenBack {
        worker,
        number: 3,
        was_sent,
    });
    assert_eq!(desk.tell(Event::AskedBack(0)), []);
    assert_eq!(sends(&desk.up(1)), 2);
}

#[test]
fn all_jobs_behind_one_that_is_stuck_are_given_away_in_the_end() {
    let mut desk = Desk::with_pace(settings(2), SHORT);
    let jobs: Vec<usize> = (0..9).map(|_| desk.submit(|_| {}).0).collect();
    desk.now = desk.machine.deadline().unwrap();
    let mut orders = VecDeque::from(desk.tell(Event::TimeUp));
    let (worker, mut number, mut sent) = (0, 0, Vec::new());
    while sent.len() < 8 {
        let more = match orders.pop_front() {
            Some(Action::TakeBack { number, .. }) => desk.tell(Event::TakenBack {
                worker,
                number,
                was_sent: true,
            }),
            Some(Action::AskBack(worker)) => desk.tell(Event::AskedBack(worker)),
            Some(Action::StartWorker(key)) => desk.up(key),
            Some(Action::Send { worker: 1, job, .. }) => {
                sent.push(job);
                number += 1;
                desk.answered(1, number - 1, SHORT)
            }
            Some(Action::Finish { .. }) => Vec::new(),
            Some(other) => panic!("{other:?}"),
            // The other worker has nothing to do again, and the first does not go on.
            None => {
                desk.now = desk.machine.deadline().expect("there is more to give away");
                desk.tell(Event::TimeUp)
            }
        };
        orders.extend(more);
    }
    sent.sort_unstable();
    assert_eq!(sent, jobs[1..]);
}

#[test]
fn worker_that_has_had_its_jobs_is_replaced() {
    let mut desk = Desk::new(Settings {
        tasks_per_worker: Some(1),
        ..settings(1)
    });
    desk.submit(|_| {});
    desk.submit(|_| {});
    assert_eq!(sends(&desk.up(0)), 1);
    assert!(desk.answered(0, 0, SHORT).contains(&Action::Stop(0)));
    assert_eq!(desk.died(0, None), [Action::StartWorker(0)]);
}

#[test]
fn worker_that_is_idle_for_long_ends() {
    let mut desk = Desk::with_pace(
        Settings {
            idle_limit: Some(LONG),
            ..settings(1)
        },
        SHORT,
    );
    assert_eq!(desk.machine.deadline(), Some(desk.now + LONG));
    desk.now = desk.now + LONG;
    assert_eq!(desk.tell(Event::TimeUp), [Action::Stop(0)]);
}

#[test]
fn cancelled_job_that_does_not_let_go_is_killed_after_the_grace() {
    let mut desk = Desk::new(settings(1));
    desk.submit(|_| {});
    desk.up(0);
    let (worker, number, was_sent) = (0, 0, false);
    assert_eq!(
        desk.tell(Event::CancelAsked(0)),
        [Action::TakeBack { worker, number }]
    );
    let orders = desk.tell(Event::TakenBack {
        worker,
        number,
        was_sent,
    });
    assert_eq!(orders, [Action::Drop { worker, number }]);
    desk.now = desk.machine.deadline().unwrap();
    assert_eq!(desk.tell(Event::TimeUp), [Action::AskBack(0)]);
    assert_eq!(desk.tell(Event::AskedBack(0)), [Action::Kill(0)]);
    let fate = Fate::Cancelled;
    assert!(
        desk.died(0, Some(0))
            .contains(&Action::Finish { job: 0, fate })
    );
}

#[test]
fn shutdown_waits_cancels_or_kills_as_it_is_told() {
    let cancelled = |job| Action::Finish {
        job,
        fate: Fate::Cancelled,
    };
    let (worker, number) = (0, 0);
    for (how, expected) in [
        (Shutdown::Wait, vec![]),
        (
            Shutdown::CancelPending,
            vec![Action::TakeBack { worker, number }, cancelled(1)],
        ),
        (
            Shutdown::Now,
            vec![cancelled(0), cancelled(1), Action::Kill(0)],
        ),
    ] {
        let mut desk = Desk::new(settings(1));
        desk.submit(|_| {});
        desk.submit(|_| {});
        desk.up(0);
        assert_eq!(desk.tell(Event::Shutdown(how)), expected, "{how:?}");
        let (_, refused) = desk.submit(|_| {});
        assert!(
            matches!(refused[..], [Action::Finish { .. }]),
            "{refused:?}"
        );
    }
}
