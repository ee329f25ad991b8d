//! A program whose tree others join: `joining NAME`. It runs until a signal ends it.

#![expect(clippy::print_stdout, reason = "a helper of tests says what it does")]

use std::future::pending;
use std::process::ExitCode;

use treewright::{Result, Runtime, current_actor, open_nursery};

/// Which actor runs it, for everybody.
#[treewright::task(public, name = "joining/who")]
async fn who() -> String {
    current_actor().map_or_else(|error| error.to_string(), |actor| actor.id().to_string())
}

/// Exposed where it is said.
#[treewright::task(name = "joining/secret")]
async fn secret() -> u32 {
    42
}

/// Never returns.
#[treewright::task(public, name = "joining/linger")]
async fn linger() {
    println!("lingers");
    pending().await
}

async fn keep_shop() -> Result<()> {
    open_nursery(async |n| {
        n.actor("till").expose::<secret>().start().await?;
        n.start_actor("safe").await?;
        println!("up");
        pending().await
    })
    .await
}

fn main() -> ExitCode {
    treewright::bootstrap();
    let name = std::env::args().nth(1).unwrap_or_default();
    match Runtime::builder().name("shop").listen(name).run(keep_shop) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error:?}");
            ExitCode::FAILURE
        }
    }
}
