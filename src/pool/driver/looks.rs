//! When the rings of answers are looked into.
//!
//! A worker that has answered rings, once; then it does not until the pool waits for that
//! again. Where more answers are to be expected the pool does not wait, but looks again soon:
//! so many short jobs cost few rings, and a long one holds up no answer of those before it.

use std::rc::Rc;
use std::time::Duration;

use super::core::Core;
use super::thread::Driver;
use crate::error::Error;
use crate::pool::machine::WorkerKey;
use crate::rt;

/// How soon.
const SOON: Duration = Duration::from_micros(100);

impl Core {
    /// Takes the answers of a worker that has rung. `true` if it is to be looked at again.
    pub(super) fn look(&mut self, worker: WorkerKey) -> Result<bool, Error> {
        self.drain(worker)?;
        if self.machine.sent_to(worker).nth(1).is_some() {
            let was_watched = std::mem::replace(&mut self.workers[worker].is_watched, true);
            return Ok(!was_watched);
        }
        self.listen(worker)?;
        Ok(false)
    }

    /// Takes all answers from now on when the worker rings.
    fn listen(&mut self, worker: WorkerKey) -> Result<(), Error> {
        if let Some(data) = self.workers.get_mut(worker) {
            data.is_watched = false;
            if let Some(ledger) = &data.ledger {
                ledger.listen();
            }
            // One that came just before did not ring.
            self.drain(worker)?;
        }
        Ok(())
    }

    /// Looks again at those that do not ring, and says which of them talk nonsense. `true` if
    /// some are to be looked at again.
    pub(super) fn look_again(&mut self) -> (bool, Vec<WorkerKey>) {
        let watched = self.workers.iter().filter(|(_, data)| data.is_watched);
        let watched: Vec<WorkerKey> = watched.map(|(key, _)| key).collect();
        let (mut is_more, mut mad) = (false, Vec::new());
        for key in watched {
            match self.drain(key) {
                Ok(true) => is_more = true,
                Ok(false) => mad.extend(self.listen(key).err().map(|_| key)),
                Err(_) => mad.push(key),
            }
        }
        (is_more, mad)
    }

    /// Takes the answers of all workers.
    pub(super) fn look_everywhere(&mut self) {
        let keys: Vec<WorkerKey> = self.workers.iter().map(|(key, _)| key).collect();
        for key in keys {
            if self.drain(key).is_err() {
                self.workers[key].wishes.kill.set();
            }
        }
    }
}

/// Looks again, for as long as there is something to see.
pub(super) async fn keep_looking(driver: Rc<Driver>) {
    loop {
        driver.look_soon.listen().await;
        let mut is_more = true;
        while is_more {
            rt::sleep(SOON).await;
            is_more = driver.happen(|core| {
                let (is_more, mad) = core.look_again();
                for key in mad {
                    core.workers[key].wishes.kill.set();
                }
                is_more
            });
        }
    }
}
