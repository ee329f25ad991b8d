//! Tasks in a nursery: they borrow, they fail together, and none outlives the block.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "an example shows what it does, and fails when it does something else"
)]

use std::cell::RefCell;
use std::time::Duration;

use treewright::{Error, Result, move_on_after, open_nursery, shielded, sleep, timeout};

fn main() -> Result<()> {
    treewright::bootstrap();
    treewright::run(async || {
        borrow().await?;
        fail().await;
        limit().await;
        clean_up().await
    })
}

/// Tasks may use what is on the stack of whoever opened the nursery.
async fn borrow() -> Result<()> {
    let words = ["one", "two", "three"];
    let lengths = RefCell::new(Vec::new());
    open_nursery(async |n| {
        for word in &words {
            n.spawn(async { lengths.borrow_mut().push(word.len()) });
        }
        Ok(())
    })
    .await?;
    println!("lengths: {:?}", lengths.into_inner());
    Ok(())
}

/// The first failure ends all the others, and is what comes out.
async fn fail() {
    let outcome: Result<()> = open_nursery(async |n| {
        n.spawn(sleep(Duration::from_secs(3600)));
        n.spawn(async {
            sleep(Duration::from_millis(10)).await;
            Err::<(), _>(Error::other("out of ink"))
        });
        sleep(Duration::from_secs(3600)).await;
        Ok(())
    })
    .await;
    println!("failed: {}", outcome.unwrap_err());
}

/// Time limits are for any future; a nursery inside is cancelled in order.
async fn limit() {
    let slow = || sleep(Duration::from_secs(3600));
    let late = timeout(Duration::from_millis(10), slow()).await;
    println!("limited: {}", late.unwrap_err());
    let missed = move_on_after(Duration::from_millis(10), slow()).await;
    println!("moved on: {}", missed.is_none());
}

/// A cancelled task is dropped at its next await; what is shielded gets a grace.
async fn clean_up() -> Result<()> {
    open_nursery(async |n| {
        let n2 = n.clone();
        n.spawn(shielded(async move {
            let reason = n2.cancelled().await;
            sleep(Duration::from_millis(10)).await;
            println!("cleaned up; {}", reason.message().unwrap_or_default());
        }));
        sleep(Duration::from_millis(10)).await;
        n.cancel("that was all");
        Ok(())
    })
    .await
}
