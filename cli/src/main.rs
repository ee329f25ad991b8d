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
    let args = args::Args::parse();
    match args.command.run() {
        Ok(code) => code,
        Err(failure) => failure.show(),
    }
}
