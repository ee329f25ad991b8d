//! A daemon that keeps something for as long as it lives, and whose functions are called.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::cell::RefCell;
use std::collections::BTreeMap;

use treewright::{Error, Result, open_nursery};

thread_local! {
    /// An actor has one thread, so its state needs no lock.
    static STOCK: RefCell<BTreeMap<String, u32>> = RefCell::default();
}

/// Adds to the stock, and gives what is there now.
#[treewright::task]
async fn add(item: String, count: u32) -> u32 {
    STOCK.with_borrow_mut(|stock| {
        let there = stock.entry(item).or_default();
        *there += count;
        *there
    })
}

/// Takes from the stock, which must be there.
#[treewright::task]
async fn take(item: String, count: u32) -> Result<u32> {
    STOCK.with_borrow_mut(|stock| {
        let there = stock.entry(item.clone()).or_default();
        let rest = there.checked_sub(count);
        *there = rest.ok_or_else(|| Error::other(format!("too few of `{item}`")))?;
        Ok(*there)
    })
}

#[treewright::main]
async fn main() -> Result<()> {
    open_nursery(async |n| {
        let portal = n.start_actor("warehouse").await?;
        println!("nails: {}", portal.run(add("nails".to_owned(), 100)).await?);
        println!("nails: {}", portal.run(take("nails".to_owned(), 30)).await?);
        // What goes wrong in a call is for its caller. The daemon runs on.
        let refused = portal.run(take("screws".to_owned(), 1)).await;
        if let Err(error) = refused {
            println!("{error}");
        }
        println!("nails: {}", portal.run(add("nails".to_owned(), 5)).await?);
        // A daemon runs until it is told to end; it is reaped when this returns.
        let exit = portal.cancel_actor().await?;
        println!("warehouse {exit}");
        Ok(())
    })
    .await
}
