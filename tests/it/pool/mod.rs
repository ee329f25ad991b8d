//! Pools of worker processes, all of them real.

mod chaos;
mod deaths;
mod executor;
mod jobs;
mod many;
mod memory;
mod nonsense;
mod owner;
mod runtimes;
mod stealing;
pub(crate) mod support;
