//! The driver that runs a tree, and what it runs beside the children: output and probes.

pub mod log;
pub mod probe;
mod source;

pub use source::{OsSource, load};
