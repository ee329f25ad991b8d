//! Pools of worker processes, all of them real.

mod deaths;
mod executor;
mod jobs;
mod many;
pub(crate) mod support;
