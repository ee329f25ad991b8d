//! The command `treewright`.

mod args;
mod commands;
mod failure;
mod format;
mod print;
mod replace;
mod schema;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    // Set only where this program was started again to be an actor: an isolated supervisor.
    if std::env::var_os("TREEWRIGHT_ROLE").is_some() {
        treewright::bootstrap();
    }
    let args = args::Args::parse();
    match args.command.run() {
        Ok(code) => code,
        Err(failure) => failure.show(),
    }
}
