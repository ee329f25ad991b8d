//! Pools of worker processes, all of them real.

mod deaths;
mod jobs;
pub(crate) mod support;
