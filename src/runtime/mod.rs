//! Entering a runtime, and leaving it only when everything begun in it has ended.

mod builder;
mod signals;

pub use builder::{Runtime, RuntimeBuilder, run};
