//! Loads a tree from TOML, says what is wrong with it or what it would run.
//!
//! `cargo run --example 01_check_a_tree -- trees/shop.toml`

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example shows what it does"
)]

use std::path::PathBuf;
use std::process::ExitCode;

use treewright::spec::{ChildKind, SupervisorSpec};
use treewright::supervisors::load;
use treewright::tree::OsSource;

fn main() -> ExitCode {
    let file = std::env::args_os().nth(1);
    let file = file.map_or_else(|| PathBuf::from("trees/shop.toml"), PathBuf::from);
    match load(&file, &[], &OsSource) {
        Ok(loaded) => {
            // Warnings: legal, and surely not meant.
            eprint!("{}", loaded.warnings);
            print_starts(&loaded.spec.root, 0);
            ExitCode::SUCCESS
        }
        // Every fault of the file, with the line it is on.
        Err(report) => {
            eprint!("{report}");
            ExitCode::FAILURE
        }
    }
}

/// Children in start order, which need not be the order of the file.
fn print_starts(supervisor: &SupervisorSpec, depth: usize) {
    for child in &supervisor.children {
        println!("{}{} ({:?})", "  ".repeat(depth), child.name, child.restart);
        if let ChildKind::Supervisor(nested) = &child.kind {
            print_starts(nested, depth + 1);
        }
    }
}
