//! A program that runs a tree file of its own, trees/market.toml, whose actors are its functions.
//!
//! The till crashes in the middle of the day. What it knew is lost with it, but for what it gave
//! to the ledger, which gives it back to the next life: handing state over is the program's
//! business, and an actor beside the one that may crash is a place for it.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]
#![expect(clippy::print_stderr, reason = "reports are no output")]

use std::cell::Cell;
use std::future::pending;
use std::process::ExitCode;

use serde::{Deserialize, Serialize};
use treewright::{Result, Runtime, Tree, wait_for_actor};

/// What a till must know to go on where the one before it was.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
struct Day {
    tills: u32,
    served: u32,
}

thread_local! {
    /// The state of the ledger. An actor has one thread, so it needs no lock.
    static DAY: Cell<Day> = Cell::default();
}

/// The ledger: there for as long as the market is, and for those that ask it.
#[treewright::task]
async fn ledger() {
    pending::<()>().await;
}

/// A till begins or goes on: the state is its own from now on.
#[treewright::task(public)]
async fn open_till() -> Day {
    let before = DAY.get();
    let day = Day {
        tills: before.tills + 1,
        ..before
    };
    DAY.set(day);
    day
}

/// Keeps what has changed.
#[treewright::task(public)]
async fn keep(day: Day) {
    DAY.set(day);
}

/// One of the pool.
#[treewright::task]
async fn packer() {
    pending::<()>().await;
}

#[treewright::task(public)]
async fn pack(customer: u32) -> String {
    format!("the bag of customer {customer}")
}

/// Serves so many customers, and crashes once.
#[treewright::task]
async fn till(customers: u32) -> Result<()> {
    // A name leads to whichever life is up.
    let ledger = wait_for_actor("ledger").await?;
    let mut day = ledger.run(open_till()).await?;
    println!("till {} begins after {}", day.tills, day.served);
    while day.served < customers {
        let packer = wait_for_actor(&format!("packers@{}", day.served % 2)).await?;
        println!("{}", packer.run(pack(day.served + 1)).await?);
        day.served += 1;
        ledger.run(keep(day)).await?;
        if day.tills == 1 && day.served == 3 {
            std::process::exit(70);
        }
    }
    println!("{} customers, {} tills", day.served, day.tills);
    Ok(())
}

fn main() -> Result<ExitCode> {
    treewright::bootstrap();
    let tree = Tree::load(concat!(env!("CARGO_MANIFEST_DIR"), "/trees/market.toml"))?
        .on_report(|report| eprintln!("{report}"));
    // Ctrl-C stops the tree in order, a second one kills it.
    let runtime = Runtime::builder().handle_signals(false);
    let outcome = runtime.run(async || tree.run_in_foreground(None, |_| {}).await)?;
    Ok(ExitCode::from(outcome.exit_code()))
}
