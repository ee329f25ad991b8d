//! The driver that runs a tree, and what it runs beside the children: output and probes.

mod actors;
mod admission;
mod attached;
mod beginning;
mod calls;
mod driver;
mod foreground;
mod front;
mod handle;
mod hangup;
mod isolated;
pub mod log;
mod place;
pub mod probe;
mod reload;
mod reports;
mod roster;
mod runnable;
mod shared;
mod source;
mod supervise;

pub use attached::LocalChild;
pub use beginning::StartProgress;
pub use driver::TreeOutcome;
pub use foreground::{Notice, StopCause};
pub use front::Tree;
pub use handle::{SupervisedActor, SupervisorHandle, TreeHandle};
pub use reload::ReloadError;
pub use reports::Reports;
pub use runnable::program_faults;
pub use source::{OsSource, load};
