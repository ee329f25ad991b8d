//! Pools of worker processes, all of them real.

mod chaos;
mod deaths;
mod executor;
mod jobs;
mod many;
mod memory;
mod owner;
mod runtimes;
pub(crate) mod support;
