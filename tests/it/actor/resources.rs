//! What actors cost is given back.

use std::fs;

use treewright::{Result, open_nursery, run};

use super::support::process_id;
use crate::guard::guarded;

/// Memory of this process, in KiB.
fn resident() -> i64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn count(folder: &str) -> usize {
    fs::read_dir(folder).unwrap().count()
}

async fn start_one_after_the_other(times: usize) -> Result<()> {
    for _ in 0..times {
        open_nursery(async |n| n.run_in_actor(process_id()).await?.result().await).await?;
    }
    Ok(())
}

async fn start_in_one_nursery(times: usize) -> Result<()> {
    open_nursery(async |n| {
        for _ in 0..times {
            n.run_in_actor(process_id()).await?.result().await?;
        }
        Ok(())
    })
    .await
}

fn start(times: usize) {
    run(async || {
        start_one_after_the_other(times / 2).await?;
        start_in_one_nursery(times / 2).await
    })
    .unwrap();
}

/// Starts actors after a first few, and holds what is in use against what was then.
fn grows_by_nothing(first: usize, times: usize) {
    start(first);
    let in_use = || (count("/proc/self/fd"), count("/proc/self/task"));
    let (before, memory) = (in_use(), resident());
    start(times);
    assert_eq!(in_use(), before);
    let grown = resident() - memory;
    // A KiB each would be a leak, and what the allocator keeps is not.
    assert!(grown < 1024, "{grown} KiB more after {times} actors");
}

/// tractor: none
#[test]
fn thousand_actors_leave_nothing_in_use() {
    guarded(|| grows_by_nothing(50, 1000));
}
