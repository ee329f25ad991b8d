//! Acting on what the machine decides: a thread with a runtime, on which each worker has
//! somebody who attends to it.

mod attendant;
mod core;
mod hearing;
#[cfg(test)]
mod hearing_tests;
mod looks;
mod thread;
mod workers;

pub(super) use thread::{is_pool_thread, start};
