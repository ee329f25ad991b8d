//! A virtual driver of supervisors: time, children and their scripts, and no operating system.

mod checks;
mod driver;
mod lives;
mod query;
mod reload;
mod script;
mod specs;

pub(crate) use driver::Simulation;
pub(crate) use query::started;
pub(crate) use script::{Starts, Stops};
pub(crate) use specs::*;
