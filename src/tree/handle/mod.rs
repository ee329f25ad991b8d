//! What can be asked of a tree while it runs.

mod actor;
mod supervisor;
mod tree;

pub use actor::SupervisedActor;
pub use supervisor::SupervisorHandle;
pub use tree::TreeHandle;
