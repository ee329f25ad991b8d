//! From tables to the types of a spec, with every fault on the way.

mod child;
mod command;
mod context;
mod environment;
mod exec;
mod layers;
mod limits;
mod number;
mod probe;
mod restart;
mod supervisor;
mod table;
mod value;

pub(super) use context::Lower;
pub(super) use layers::Layers;
