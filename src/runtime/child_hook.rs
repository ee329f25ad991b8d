//! What lets a program be started again whose `main` is not the user's: a test program.

use super::bootstrap;
use crate::error::Result;
use crate::process;

/// What the hook does that runs before `main`: nothing, unless this process was started for a
/// part of the program.
///
/// Before `main` the own start of std has not happened: SIGPIPE still kills, the main thread
/// has no name, and an overflow of the stack is a plain SIGSEGV. An actor sees to SIGPIPE
/// itself; a keeper writes to no pipe.
pub fn child_hook() {
    process::promise_role();
    if process::is_role_given() {
        bootstrap();
    }
}

/// Lets a test pass, or fail with what its runtime came out with.
///
/// # Panics
///
/// If there is an error, with the error as text.
#[track_caller]
pub fn pass(outcome: Result<()>) {
    let Err(error) = outcome else { return };
    let text = format!("{error:?}");
    match error.is_panic() && !error.is_group() && error.remote().is_none() {
        // It was told when it happened.
        true => std::panic::resume_unwind(Box::new(text)),
        false => panic!("{text}"),
    }
}

/// Lets a program be started again for a part of its own whose `main` cannot call
/// [`bootstrap`](crate::bootstrap()): one that a test or benchmark harness writes.
///
/// It stands beside the functions of the program, once; more do no harm. It puts in place a
/// function that runs before `main`, looks at one environment variable, and does nothing else
/// unless the program was started for a part. [`#[treewright::test]`](macro@crate::test) brings it with it.
///
/// # Examples
///
/// ```
/// treewright::child_hook!();
///
/// fn main() -> treewright::Result<()> {
///     treewright::run(async || Ok(()))
/// }
/// ```
#[macro_export]
macro_rules! child_hook {
    () => {
        const _: () = {
            #[used]
            #[unsafe(link_section = ".init_array")]
            static HOOK: extern "C" fn() = {
                extern "C" fn hook() {
                    $crate::__private::child_hook();
                }
                hook
            };
        };
    };
}
