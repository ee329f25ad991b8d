//! What a tree of processes is, and every decision about it.
//!
//! This package decides and never acts. It holds
//!
//! - the [`spec`]: the types a tree is described with, the same for a TOML file and for the
//!   [`builder`];
//! - the loader ([`load()`]), which turns TOML into a checked spec or into a report of *all* faults of the file;
//! - the [`supervisor`] state machine with Erlang/OTP's strategies, as a pure
//!   `step(event, now) -> actions`;
//! - the plan of a [`reload`].
//!
//! No async, no clock, no file, no process: [`Time`] comes in with each call, files and
//! environment through a trait. The package `treewright` carries the decisions out.

pub mod builder;
pub mod check;
pub mod duration;
pub mod keys;
pub mod load;
pub mod reload;
pub mod report;
pub mod spec;
#[doc(hidden)]
pub mod suggest;
pub mod supervisor;

mod time;
mod to_toml;

pub use load::{Loaded, load, load_str};
pub use time::Time;
pub use to_toml::ToTomlError;
