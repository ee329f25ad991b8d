//! Describing a tree in Rust: the same types and the same checks as a TOML file.
//!
//! [`Supervisor::builder`] begins a supervisor, [`Child`] one of its children, and
//! [`SupervisorBuilder::build`] ends in a [`TreeSpec`](crate::spec::TreeSpec), or in a report of
//! every fault. A setting stands for the key of the same name in a file, takes the same
//! values, and has the same default when it is not given.

mod child;
mod exec;
mod finish;
mod function;
mod settings;
mod supervisor;

#[cfg(test)]
mod tests;

pub use child::Child;
pub use function::ActorFunction;
pub use supervisor::{Supervisor, SupervisorBuilder};
