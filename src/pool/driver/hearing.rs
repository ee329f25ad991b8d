//! What workers say, in the ring and over the link, and what follows from it for their jobs.

use std::time::Duration;

use bytes::Bytes;

use super::core::Core;
use crate::error::{Error, ErrorKind};
use crate::pool::answers::Answers;
use crate::pool::ledger::{Nonsense, unpack_time};
use crate::pool::machine::{Event, JobKey, WorkerKey};
use crate::pool::message::Subject;

/// What is said of a job.
#[derive(Debug, Clone, Copy)]
struct Word {
    worker: WorkerKey,
    number: u32,
    subject: Subject,
    took: Duration,
}

impl Core {
    /// What a worker has answered, in the ring. `true` if there was something.
    ///
    /// # Errors
    ///
    /// If it makes no sense. Nothing more of that worker is believed then.
    pub(super) fn drain(&mut self, worker: WorkerKey) -> Result<bool, Error> {
        let data = self.workers.get(worker).filter(|data| data.is_believed);
        let Some(ledger) = data.and_then(|data| data.ledger.clone()) else {
            return Ok(false);
        };
        let mut scratch = std::mem::take(&mut self.scratch);
        let drained = ledger.drain(&mut scratch, |entry, body| {
            let word = Word {
                worker,
                number: entry.number,
                subject: entry.subject,
                took: Duration::from_nanos(unpack_time(entry.time)),
            };
            self.take_word(word, |answers, most| answers.push_block(body, most))
        });
        self.scratch = scratch;
        self.believe(worker, drained.map_err(broken))
    }

    /// A message of a worker: answers that had no room in the ring.
    ///
    /// # Errors
    ///
    /// As [`drain`](Self::drain).
    pub(super) fn hear(&mut self, worker: WorkerKey, message: Bytes) -> Result<(), Error> {
        // What was put into the ring before is older.
        self.drain(worker)?;
        if !self.workers[worker].is_believed {
            return Ok(());
        }
        let heard = self.take_message(worker, message);
        self.believe(worker, heard)
    }

    fn take_message(&mut self, worker: WorkerKey, message: Bytes) -> Result<(), Error> {
        self.workers[worker].incoming.push(message);
        while let Some(item) = self.workers[worker].incoming.next()? {
            let word = Word {
                worker,
                number: item.number,
                subject: item.subject,
                took: Duration::from_nanos(unpack_time(item.detail as u16)),
            };
            let taken = self.take_word(word, |answers, _| {
                answers.push_bytes(item.subject, item.body.clone());
                Some(1)
            });
            taken.map_err(broken)?;
        }
        Ok(())
    }

    /// Takes the answers that a worker has given of the job at which it has died.
    pub(super) fn take_unfinished(&mut self, worker: WorkerKey, number: u32, job: JobKey) {
        let data = &self.workers[worker];
        let Some(ledger) = data.ledger.clone().filter(|_| data.is_believed) else {
            return;
        };
        let mut scratch = std::mem::take(&mut self.scratch);
        if ledger.unfinished(number, &mut scratch) {
            let data = &mut self.jobs[job];
            let most = data.calls_left();
            data.answered += data.answers.push_block(&scratch, most).unwrap_or(0);
        }
        self.scratch = scratch;
    }

    /// A worker that talks nonsense is not listened to while it is killed.
    fn believe<T>(&mut self, worker: WorkerKey, heard: Result<T, Error>) -> Result<T, Error> {
        if heard.is_err()
            && let Some(data) = self.workers.get_mut(worker)
        {
            data.is_believed = false;
        }
        heard
    }

    /// `push` has some answers taken, but no more than it is told, and says how many.
    fn take_word(
        &mut self,
        word: Word,
        push: impl FnOnce(&mut Answers, u32) -> Option<u32>,
    ) -> Result<(), Nonsense> {
        let Word {
            worker,
            number,
            subject,
            took,
        } = word;
        let job = self.machine.job_at(worker, number);
        match (subject, job) {
            (Subject::Value | Subject::Failure, Some(job)) => {
                let data = &mut self.jobs[job];
                let most = data.calls_left();
                data.answered += push(&mut data.answers, most).ok_or(Nonsense)?;
                if data.calls_left() == 0 {
                    data.answers.took = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
                    self.step(Event::Answered {
                        worker,
                        number,
                        took,
                    });
                }
            }
            // Nobody waits for it any more.
            (Subject::Value | Subject::Failure, None) => {}
            // It says so only of one that was taken back, else the job would never end.
            (Subject::Skipped, Some(_)) => return Err(Nonsense),
            (Subject::Skipped, None) => self.step(Event::Skipped { worker, number }),
            (Subject::Dropped, _) => self.step(Event::Dropped { worker, number }),
            // Nothing that a worker says.
            (
                Subject::Function
                | Subject::Job
                | Subject::Cancel
                | Subject::Terms
                | Subject::Fault
                | Subject::Statistics,
                _,
            ) => return Err(Nonsense),
        }
        Ok(())
    }
}

fn broken(error: Nonsense) -> Error {
    Error::wrap(ErrorKind::Broken, error)
}
