//! Describes a tree in Rust, with the settings and the checks of a file, and writes it as TOML.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example shows what it does"
)]

use std::time::Duration;

use treewright::spec::{Condition, Probe, ReadySpec, RestartType, Strategy};
use treewright::{Child, Supervisor};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let ready = ReadySpec {
        timeout: Duration::from_secs(30),
        ..Probe::tcp("127.0.0.1:5432").into()
    };
    let tree = Supervisor::builder("shop")
        .strategy(Strategy::RestForOne)
        // Listed first, and started second: it waits for the database.
        .child(
            Child::process("workers", ["worker", "--id", "{index}"])
                .restart(RestartType::Transient)
                .depends_on("database", Condition::Ready)
                .pool(4),
        )
        .child(Child::process("database", ["postgres", "-D", "data"]).ready(ready))
        .build()?;
    print!("{}", tree.to_toml()?);

    // What is wrong is told at once, all of it, with the name it would have in a file.
    let report = Supervisor::builder("shop")
        .child(Child::process("web", ["web"]).significant())
        .child(
            Child::local("metrics")
                .user("nobody")
                .depends_on("database", Condition::Ready),
        )
        .build();
    if let Err(report) = report {
        eprintln!("{report}");
    }
    Ok(())
}
