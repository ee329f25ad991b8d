//! What actors log comes to the logger of the root, with the name of the actor.
//!
//! A program that uses `tracing` gets the same with that crate's feature `log`.

use treewright::{LevelFilter, Result, Runtime, open_nursery};

/// Logs, here and in an actor below that says more.
#[treewright::task]
async fn work() -> Result<()> {
    log::info!("work begins");
    log::debug!("nobody asked for this");
    open_nursery(async |n| {
        let helper = n.actor("helper").log_level(LevelFilter::Debug);
        helper.run(help()).await?.result().await
    })
    .await?;
    log::info!("work ends");
    Ok(())
}

/// Logs from another thread, too.
#[treewright::task]
async fn help() {
    log::debug!("step by step");
    let thread = std::thread::spawn(|| log::warn!("a thread helps"));
    if thread.join().is_err() {
        log::error!("and has panicked");
    }
}

fn main() -> Result<()> {
    treewright::bootstrap();
    // A program that has a logger (`env_logger::init()`) need not say a level.
    let runtime = Runtime::builder().log_level(LevelFilter::Info);
    runtime.run(async || {
        open_nursery(async |n| n.actor("worker").run(work()).await?.result().await).await
    })
}
