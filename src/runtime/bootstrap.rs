//! The first thing a program does.

use crate::{actor, process};

/// Lets this program be started again for a part of its own, and notes the world it was
/// started in. Call it first thing in `main`.
///
/// An actor is this same executable, started again, and so is the keeper: a small process
/// that sweeps up commands if the program is killed. Both are recognised here, and the call
/// does not return in them. A program that does not call this is refused its first actor,
/// and its commands run without a keeper.
///
/// Call it before anything starts a thread.
///
/// # Examples
///
/// ```no_run
/// fn main() -> treewright::Result<()> {
///     treewright::bootstrap();
///     treewright::run(async || Ok(()))
/// }
/// ```
pub fn bootstrap() {
    process::play_role();
    actor::play_actor();
    // Last: who plays a part has no child yet, and sees to it when it has.
    process::prepare();
}
