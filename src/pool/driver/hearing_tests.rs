//! What becomes of the jobs of a worker that says what cannot be.

use bytes::Bytes;

use super::core::{Core, Death};
use crate::pool::inbox::{Request, Submission};
use crate::pool::ledger::{Entry, Ledger};
use crate::pool::machine::{Event, settings};
use crate::pool::message::{Outgoing, Subject};
use crate::pool::slot::Slot;
use crate::pool::statistics::PoolStatistics;

/// A pool with one worker, and what that worker has of the shared memory.
fn pool() -> (Core, Ledger) {
    pool_with(0)
}

/// The same, with a job of so many calls.
fn pool_with(calls: u32) -> (Core, Ledger) {
    let mut core = Core::new("test".to_owned(), settings(1));
    submit(&mut core, calls);
    core.settle();
    assert_eq!(core.to_start.drain(..).collect::<Vec<_>>(), [0]);
    let (ledger, file) = Ledger::create().unwrap();
    core.workers[0].ledger = Some(std::sync::Arc::new(ledger));
    core.step(Event::WorkerUp {
        worker: 0,
        knows_begun: true,
    });
    core.settle();
    (core, Ledger::open(&file).unwrap())
}

/// A job of so many calls, or a bare one.
fn submit(core: &mut Core, calls: u32) {
    core.ask(Request::Submit(Submission {
        slot: Slot::new(),
        path: "task",
        signature: 1,
        args: vec![0; 4 * calls as usize].into(),
        calls,
        timeout: None,
        retries: 0,
    }));
}

/// An answer as it stands in a block.
const VALUE: [u8; 8] = [8, 0, 0, 0, 1, 0, 0, 0];

fn entry(subject: Subject) -> Entry {
    Entry {
        subject,
        number: 0,
        time: 0,
    }
}

const DEATH: Death = Death {
    exit: None,
    error: None,
};

#[test]
fn job_that_a_worker_says_was_taken_back_and_was_not_is_not_forgotten() {
    for subject in [Subject::Skipped, Subject::Job, Subject::Function] {
        let (mut core, worker) = pool();
        worker.push(entry(subject), &[]).unwrap();
        assert!(core.drain(0).is_err());
        core.bury(0, true, false, DEATH);
        // It had not begun it.
        let mut statistics = PoolStatistics::default();
        core.machine.count_into(&mut statistics);
        assert_eq!(statistics.queued, 1);
    }
}

#[test]
fn worker_that_has_talked_nonsense_is_believed_no_more() {
    let (mut core, worker) = pool();
    assert!(worker.begin(0));
    assert!(core.hear(0, Bytes::from_static(&[99; 50])).is_err());
    let mut outgoing = Outgoing::default();
    outgoing.put((Subject::Value, 0, 0, 0), &[1]);
    core.hear(0, outgoing.pop().unwrap()).unwrap();
    worker.push(entry(Subject::Value), &VALUE).unwrap();
    assert!(!core.drain(0).unwrap());
    assert_eq!(core.statistics.done, 0);
    core.bury(0, true, false, DEATH);
    assert_eq!((core.statistics.lost, core.statistics.failed), (1, 1));
}

/// How many calls are lost, and how many jobs wait to be run again.
fn after_death(mut core: Core) -> (u64, u64) {
    core.bury(0, true, false, DEATH);
    let mut statistics = PoolStatistics::default();
    core.machine.count_into(&mut statistics);
    (core.statistics.lost, statistics.queued as u64)
}

#[test]
fn calls_whose_answers_are_not_believed_are_not_run_again_if_a_later_one_had_begun() {
    let (mut core, worker) = pool_with(4);
    assert!(worker.begin(0));
    worker.begin_call(0, 2);
    worker.push(entry(Subject::Job), &[]).unwrap();
    worker
        .push(entry(Subject::Value), &VALUE.repeat(2))
        .unwrap();
    assert!(core.drain(0).is_err());
    assert_eq!(after_death(core), (3, 1));
}

#[test]
fn call_that_had_begun_is_the_only_one_lost_if_those_before_it_are_answered() {
    let (mut core, worker) = pool_with(4);
    assert!(worker.begin(0));
    worker
        .push(entry(Subject::Value), &VALUE.repeat(2))
        .unwrap();
    assert!(core.drain(0).unwrap());
    worker.begin_call(0, 2);
    assert_eq!(after_death(core), (1, 1));
}

#[test]
fn first_call_without_an_answer_is_lost_where_nobody_knows_which_had_begun() {
    let (mut core, _worker) = pool_with(4);
    core.workers[0].ledger = None;
    assert_eq!(after_death(core), (1, 1));
}
