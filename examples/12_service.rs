//! A service of two programs that runs until it is told to end: Ctrl-C stops both in order.
//! If it is killed itself, its keeper kills them.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use treewright::process::Command;
use treewright::{CancelOrigin, Error, ProcessHandle, Result, open_nursery};

fn main() -> Result<()> {
    treewright::bootstrap();
    let mut programs: Vec<ProcessHandle> = Vec::new();
    let outcome: Result<()> = treewright::run(async || {
        open_nursery(async |n| {
            for name in ["database", "web"] {
                let mut command = Command::new("sleep");
                command.arg("3600");
                programs.push(n.command(command).name(name).start().await?);
            }
            for program in &programs {
                println!("{} runs as {}", program.name(), program.id());
            }
            // The nursery stays open for as long as the programs run.
            Ok(())
        })
        .await
    });
    for program in &programs {
        if let Some(exit) = program.try_exited() {
            println!("{} {exit}", program.name());
        }
    }
    match outcome {
        Err(error) if is_by_signal(&error) => Ok(()),
        outcome => outcome,
    }
}

/// To be told to end is how a service ends well.
fn is_by_signal(error: &Error) -> bool {
    let reason = error.cancel_reason();
    reason.is_some_and(|reason| matches!(reason.origin(), CancelOrigin::Signal(_)))
}
