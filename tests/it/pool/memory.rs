//! Memory while more calls run than fit into it. How many is said by
//! `TREEWRIGHT_POOL_CALLS`; see tests/README.md.

use treewright::{Shutdown, run};

use super::support::{builder, pool};
use crate::guard::guarded;

/// The argument of each call has so many bytes: all together they are many times the bound.
const LENGTH: usize = 1000;

/// The process may grow by so many bytes.
const BOUND: u64 = 24_000_000;

#[treewright::task]
async fn length_of(bytes: serde_bytes::ByteBuf) -> usize {
    bytes.len()
}

fn calls() -> u64 {
    let usual = if cfg!(debug_assertions) {
        150_000
    } else {
        1_000_000
    };
    std::env::var("TREEWRIGHT_POOL_CALLS").map_or(usual, |count| count.parse().unwrap())
}

fn argument() -> serde_bytes::ByteBuf {
    serde_bytes::ByteBuf::from(vec![7; LENGTH])
}

/// The memory that this process has in use.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let size = line.unwrap().split_whitespace().nth(1).unwrap();
    size.parse::<u64>().unwrap() * 1024
}

/// Looks at the memory now and then.
struct Watched {
    before: u64,
    seen: u64,
}

impl Watched {
    fn new() -> Self {
        Self {
            before: resident(),
            seen: 0,
        }
    }

    fn see(&mut self) {
        self.seen += 1;
        if self.seen.is_multiple_of(1000) {
            let grown = resident().saturating_sub(self.before);
            assert!(grown < BOUND, "{grown} bytes after {} calls", self.seen);
        }
    }
}

#[test]
fn map_of_more_calls_than_fit_into_memory_keeps_it_bounded() {
    guarded(|| {
        run(async || {
            let pool = pool(2);
            // The workers are up, and what is kept for later is there.
            for _ in 0..2 {
                let mut few = pool.map((0..20_000).map(|_| length_of(argument())));
                while few.try_next().await?.is_some() {}
            }
            let mut memory = Watched::new();
            let mut map = pool.map((0..calls()).map(|_| length_of(argument())));
            while let Some(length) = map.try_next().await? {
                assert_eq!(length, LENGTH);
                memory.see();
            }
            assert_eq!(memory.seen, calls());
            pool.shutdown(Shutdown::Wait).await;
            Ok(())
        })
        .unwrap();
    });
}

#[test]
fn jobs_that_wait_for_room_keep_memory_bounded() {
    guarded(|| {
        run(async || {
            let pool = builder(2).queue_bound(1000).build()?;
            let mut memory = Watched::new();
            for _ in 0..calls() / 2 {
                pool.submit_wait(length_of(argument())).await.detach();
                memory.see();
            }
            pool.shutdown(Shutdown::Wait).await;
            assert_eq!(pool.statistics().done, calls() / 2);
            Ok(())
        })
        .unwrap();
    });
}
