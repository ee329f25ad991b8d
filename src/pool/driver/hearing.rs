//! What workers say, in the ring and over the link, and what follows from it for their jobs.

use std::time::Duration;

use bytes::Bytes;

use super::core::Core;
use crate::error::{Error, ErrorKind};
use crate::pool::answers::Answers;
use crate::pool::ledger::{Nonsense, unpack_time};
use crate::pool::machine::{Event, WorkerKey};
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
        let drained = ledger.drain(&mut scratch, |answer, body| {
            let word = Word {
                worker,
                number: answer.number,
                subject: answer.subject,
                took: Duration::from_nanos(unpack_time(answer.time)),
            };
            self.take_word(word, |answers| answers.push(answer.subject, body))
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
            let taken = self.take_word(word, |answers| {
                answers.push_bytes(item.subject, item.body.clone());
            });
            taken.map_err(broken)?;
        }
        Ok(())
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

    fn take_word(&mut self, word: Word, push: impl FnOnce(&mut Answers)) -> Result<(), Nonsense> {
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
                push(&mut data.answers);
                data.answered += 1;
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
