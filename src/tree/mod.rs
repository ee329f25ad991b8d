//! The driver that runs a tree, and what it runs beside the children: output and probes.

mod driver;
mod foreground;
mod front;
mod handle;
pub mod log;
pub mod probe;
mod runnable;
mod source;

pub use driver::TreeOutcome;
pub use foreground::{Notice, StopCause};
pub use front::Tree;
pub use handle::TreeHandle;
pub use runnable::NotRunnable;
pub use source::{OsSource, load};
