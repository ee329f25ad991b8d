//! Writes a spec as a file that loads to the same spec.

mod child;
mod document;
mod error;
mod exec;
mod names;
mod probe;
mod tree;
mod units;
mod value;

pub use error::ToTomlError;
