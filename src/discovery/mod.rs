//! Finding actors by name, and links between any two of a tree.
//!
//! [`directory`] decides; [`membership`] is one actor's part in a tree: its lines to others, what
//! they say and ask. [`introduction`] takes one end of a new link from hop to hop, [`relay`] its
//! bytes where a hop cannot. [`direct`] is such a link at either end, [`usage`] decides when it has
//! served, and [`lifeline`] is what the handles of actors found can do. [`ends`] and [`graves`] are
//! about how actors ended.
//! [`door`] and [`join`] are the two sides of a program that comes from outside, at a socket
//! whose [`address`] has a name. [`find`] is what users call.

mod address;
mod direct;
mod directory;
mod door;
mod ends;
mod find;
mod graves;
mod here;
mod introduction;
mod join;
mod lifeline;
mod membership;
mod pump;
mod relay;
mod usage;

#[cfg(test)]
mod directory_tests;

pub(crate) use door::Door;
pub use find::{actor_names, find_actor, find_actors, wait_for_actor};
pub(crate) use here::{child_gone, child_up, close, enter, hear, parent_is};
pub use join::join;
