//! A nursery: a scope with tasks, and processes, in it.

mod actor;
mod capture;
mod command;
mod handle;
mod process;
mod running;

pub use actor::{ActorBuilder, ActorTask, SpawnMethod, open_actor_cluster};
pub(crate) use actor::{ActorEnd, Attendant, SupervisedActor, Supervision};
pub use capture::CommandOutput;
pub use command::CommandBuilder;
pub use handle::{Nursery, open_nursery};
pub use process::{ProcessFailure, ProcessHandle};
