//! Integration tests of the root package: one binary, a module per subject.

#![expect(
    clippy::unwrap_used,
    reason = "what a test cannot go on without fails the test"
)]

mod actor;
mod actor_log;
mod broadcast;
mod command;
mod context;
mod dependencies;
mod entry;
mod examples;
mod functions;
mod guard;
mod layers;
mod log;
mod many;
mod nursery;
mod nursery_properties;
mod pool;
mod portable;
mod probe;
mod process;
mod python;
mod reference;
mod runtime;
mod semantics;
mod tasks;
mod tree;
