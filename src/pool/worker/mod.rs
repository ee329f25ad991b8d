//! The part of a pool that runs in the process of a worker.

mod bench;
mod initialize;
#[expect(unsafe_code, reason = "the linker gathers what actors run")]
mod work;

pub(super) use initialize::FirstCall;
pub(super) use work::{Setup, serve};
