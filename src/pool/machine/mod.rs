//! What a pool decides: which job goes to which worker and when, what the end of a worker
//! means for its jobs, when workers are started and stopped.
//!
//! [`Machine::step`] takes in what has happened and says what is to be done. It does nothing
//! itself, and knows no clock but the time it is told.

mod dispatch;
mod event;
mod job;
#[cfg(test)]
mod model_tests;
mod shutdown;
mod staff;
mod state;
#[cfg(test)]
mod tests;
mod worker;

pub(super) use event::{Action, Begun, Ending, Event, Fate, JobKey, NewJob, WorkerKey};
pub use shutdown::Shutdown;
pub(super) use state::{Machine, Settings};
#[cfg(test)]
pub(super) use tests::settings;
