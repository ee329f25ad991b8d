//! The machine against a world in which anything may happen at any time: no job is lost, none
//! is run twice unless it may be, each ends once, and shutting down always ends.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use proptest::prelude::*;

use super::tests::settings;
use super::{Action, Begun, Ending, Event, Fate, Machine, NewJob, Shutdown};
use crate::time::Time;

/// A job of the world.
#[derive(Debug, Clone, Copy, Default)]
struct Job {
    retries: u32,
    /// How many times its one call was begun.
    begun: u32,
}

#[derive(Debug, Default)]
struct Worker {
    is_up: bool,
    knows_begun: bool,
    is_doomed: bool,
    is_stopped: bool,
    /// What was sent and not begun: `false` when it was taken back.
    sent: VecDeque<(u32, usize, bool)>,
    running: Option<(u32, usize)>,
    is_dropping: bool,
}

#[derive(Debug)]
struct World {
    machine: Machine,
    now: Time,
    jobs: BTreeMap<usize, Job>,
    workers: BTreeMap<usize, Worker>,
    ended: u32,
    submitted: u32,
    is_over: bool,
}

impl World {
    fn new(workers: usize, tasks_per_worker: Option<u64>) -> Self {
        let mut settings = settings(workers);
        settings.tasks_per_worker = tasks_per_worker;
        Self {
            machine: Machine::new(settings),
            now: Time::ORIGIN,
            jobs: BTreeMap::new(),
            workers: BTreeMap::new(),
            ended: 0,
            submitted: 0,
            is_over: false,
        }
    }

    fn tell(&mut self, event: Event) {
        let mut actions = Vec::new();
        self.machine.step(event, self.now, &mut actions);
        self.act(actions);
        for _ in 0..2 {
            let mut actions = Vec::new();
            self.machine.settle(self.now, &mut actions);
            self.act(actions);
        }
    }

    fn act(&mut self, actions: Vec<Action>) {
        let mut queue = VecDeque::from(actions);
        while let Some(action) = queue.pop_front() {
            let mut more = Vec::new();
            if let Some(event) = self.execute(action) {
                self.machine.step(event, self.now, &mut more);
            }
            queue.extend(more);
        }
    }

    fn execute(&mut self, action: Action) -> Option<Event> {
        assert!(!self.is_over, "{action:?} after the end");
        match action {
            Action::StartWorker(key) => {
                assert!(self.workers.insert(key, Worker::default()).is_none());
            }
            Action::Send {
                worker,
                number,
                job,
            } => {
                assert!(self.jobs.contains_key(&job));
                let worker = self.workers.get_mut(&worker).unwrap();
                let has_any = worker.running.is_some() || !worker.sent.is_empty();
                assert!(worker.is_up && !worker.is_stopped && (worker.knows_begun || !has_any));
                worker.sent.push_back((number, job, true));
            }
            Action::TakeBack { worker, number } => {
                let data = self.workers.get_mut(&worker).unwrap();
                let sent = data.sent.iter_mut().find(|sent| sent.0 == number);
                let was_sent =
                    sent.is_some_and(|sent| data.knows_begun && std::mem::take(&mut sent.2));
                return Some(Event::TakenBack {
                    worker,
                    number,
                    was_sent,
                });
            }
            Action::AskBack(worker) => return Some(Event::AskedBack(worker)),
            Action::Drop { worker, number } => {
                let worker = self.workers.get_mut(&worker).unwrap();
                worker.is_dropping |= worker.running.is_some_and(|running| running.0 == number);
            }
            Action::Stop(worker) => self.workers.get_mut(&worker).unwrap().is_stopped = true,
            Action::Kill(worker) => self.workers.get_mut(&worker).unwrap().is_doomed = true,
            Action::FinishCalls { .. } => unreachable!("jobs have one call each"),
            Action::Finish { job, fate } => {
                let job = self.jobs.remove(&job).expect("it ends once");
                if fate == Fate::Answered {
                    assert!(job.begun > 0);
                }
                self.ended += 1;
            }
            Action::End => {
                assert!(self.workers.is_empty() && self.jobs.is_empty());
                self.is_over = true;
            }
        }
        None
    }

    fn submit(&mut self, retries: u32, timeout: Option<Duration>) {
        let key = self.machine.next_key();
        assert!(self.jobs.insert(key, Job { retries, begun: 0 }).is_none());
        self.submitted += 1;
        self.tell(Event::Submitted(NewJob {
            key,
            function: key as u32 % 2,
            calls: 1,
            bytes: 0,
            timeout,
            retries,
        }));
    }

    fn pick(&self, which: u8) -> Option<usize> {
        let count = self.workers.len();
        (count > 0).then(|| *self.workers.keys().nth(usize::from(which) % count).unwrap())
    }

    /// The worker takes one step of its own.
    fn go_on(&mut self, key: usize) {
        let worker = self.workers.get_mut(&key).unwrap();
        if worker.is_doomed {
            return self.die(key);
        }
        if !worker.is_up {
            worker.is_up = true;
            worker.knows_begun = key.is_multiple_of(2);
            let knows_begun = worker.knows_begun;
            return self.tell(Event::WorkerUp {
                worker: key,
                knows_begun,
            });
        }
        if let Some((number, _)) = worker.running.take() {
            let took = Duration::from_micros(u64::from(number) % 700);
            let is_dropped = std::mem::take(&mut worker.is_dropping);
            return self.tell(match is_dropped {
                true => Event::Dropped {
                    worker: key,
                    number,
                },
                false => Event::Answered {
                    worker: key,
                    number,
                    took,
                },
            });
        }
        match worker.sent.pop_front() {
            Some((number, job, true)) => {
                worker.running = Some((number, job));
                let job = self.jobs.get_mut(&job);
                // One that was cancelled at the end of the pool may be gone.
                if let Some(job) = job {
                    job.begun += 1;
                    assert!(job.begun <= 1 + job.retries, "it is run too often");
                }
            }
            Some((number, _, false)) => self.tell(Event::Skipped {
                worker: key,
                number,
            }),
            None if worker.is_stopped => self.die(key),
            None => {}
        }
    }

    fn die(&mut self, key: usize) {
        let worker = self.workers.remove(&key).unwrap();
        let ending = match worker.is_up {
            false => Ending::NeverUp { is_final: false },
            true => {
                let first = match worker.knows_begun {
                    true => worker.running,
                    // Nobody can say whether it had begun.
                    false => worker
                        .running
                        .or(worker.sent.front().map(|sent| (sent.0, sent.1))),
                };
                Ending::Up(first.map(|(number, _)| Begun {
                    number,
                    calls_lost: 1,
                    calls_left: 0,
                }))
            }
        };
        self.tell(Event::WorkerEnded {
            worker: key,
            ending,
        });
    }

    fn pass_time(&mut self, time: Duration) {
        self.now = self.now + time;
        self.tell(Event::TimeUp);
    }

    /// From now on nothing goes wrong; everything comes to its end.
    fn come_to_the_end(&mut self, how: Shutdown) {
        self.tell(Event::Shutdown(how));
        for _ in 0..20_000 {
            if self.is_over {
                return;
            }
            for key in self.workers.keys().copied().collect::<Vec<_>>() {
                if self.workers.contains_key(&key) {
                    self.go_on(key);
                }
            }
            if let Some(deadline) = self.machine.deadline() {
                self.now = self.now.max(deadline);
            }
            self.tell(Event::TimeUp);
        }
        panic!("it never ends: {self:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_job_ends_once_and_shutting_down_ends(
        workers in 1..5_usize,
        tasks_per_worker in proptest::option::of(1..4_u64),
        steps in proptest::collection::vec((0..14_u8, any::<u8>()), 0..300),
        how in prop_oneof![Just(Shutdown::Wait), Just(Shutdown::CancelPending), Just(Shutdown::Now)],
    ) {
        let mut world = World::new(workers, tasks_per_worker);
        for (step, which) in steps {
            match step {
                0..3 => world.submit(u32::from(which) % 3, None),
                3 => world.submit(0, Some(Duration::from_micros(which.into()))),
                4 => world.tell(Event::CancelAsked(usize::from(which) % 20)),
                5 => if let Some(key) = world.pick(which) { world.die(key) },
                6 => world.pass_time(Duration::from_micros(10 * u64::from(which))),
                7 => if which == 0 { world.tell(Event::Shutdown(Shutdown::Wait)) },
                _ => if let Some(key) = world.pick(which) { world.go_on(key) },
            }
            if world.is_over { break }
        }
        if !world.is_over {
            world.come_to_the_end(how);
        }
        prop_assert_eq!(world.ended, world.submitted);
    }
}
