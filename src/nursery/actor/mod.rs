//! Starting actors in a nursery, and looking after them until they have ended.
//!
//! [`life`] and [`verdict`] decide; [`owner`] is the loop around them; [`spawner`] brings
//! a process about, and [`talk`] is the parent's half of the conversation with it.

mod body;
mod builder;
mod cluster;
mod life;
mod owner;
mod spawner;
mod stderr;
mod supervised;
mod talk;
mod task;
mod verdict;

pub use builder::ActorBuilder;
pub use cluster::open_actor_cluster;
pub use spawner::SpawnMethod;
pub(crate) use supervised::{ActorEnd, Attendant, SupervisedActor, Supervision};
pub use task::ActorTask;
