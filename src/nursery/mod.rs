//! A nursery: a scope with tasks, and processes, in it.

mod handle;

pub use handle::{Nursery, open_nursery};
