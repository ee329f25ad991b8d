//! The first thing a program does.

use crate::process;

/// Lets this program be started again for a part of its own, and notes the world it was
/// started in. Call it first thing in `main`.
///
/// A runtime that starts processes gives this program a keeper: a small process that sweeps
/// them up if the program is killed. It is this same executable, started again, and it is
/// recognised here; the call does not return in it. In a program that does not call this,
/// commands run without a keeper.
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
    process::prepare();
    process::play_role();
}
