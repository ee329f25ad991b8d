//! Workers that write into the memory that they share with their pool where they have no
//! business to, as a task does whose pointers have gone wild.

use std::fs::{self, OpenOptions};
use std::ops::Range;
use std::os::unix::fs::FileExt;

use treewright::Shutdown;

use crate::pool::support::{double, pool};

/// Where the memory of pools is in this process.
fn shared() -> Vec<Range<u64>> {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let shared = maps
        .lines()
        .filter(|line| line.contains("/memfd:treewright"));
    let range = |line: &str| {
        let (start, rest) = line.split_once('-').unwrap();
        let (end, _) = rest.split_once(' ').unwrap();
        let address = |text| u64::from_str_radix(text, 16).unwrap();
        address(start)..address(end)
    };
    shared.map(range).collect()
}

/// Writes words over all that is shared, so many bytes of it at most, and dies of it.
#[treewright::task]
async fn scribble(words: Vec<u64>, most: u64) {
    let memory = OpenOptions::new().write(true).open("/proc/self/mem");
    let (memory, shared) = (memory.unwrap(), shared());
    assert!(!shared.is_empty(), "nothing is shared");
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    for range in shared {
        let length = most.min(range.end - range.start);
        let bytes: Vec<u8> = bytes
            .iter()
            .copied()
            .cycle()
            .take(length as usize)
            .collect();
        memory.write_all_at(&bytes, range.start).unwrap();
    }
    std::process::abort();
}

/// The positions in the ring, which come first, at the end of what a number can be.
fn wild_positions() -> Vec<u64> {
    let mut words = vec![0; 16];
    (words[0], words[8]) = (u64::MAX - 1, u64::MAX);
    words
}

#[treewright::test]
async fn worker_that_overwrites_the_shared_memory_costs_its_job_and_not_the_pool() {
    let pool = pool(1);
    let (all, few) = (u64::MAX, 16 * 8);
    let wild = [
        (wild_positions(), few),
        (vec![u64::MAX], all),
        (vec![0], all),
        (vec![0x0001_0203_0405_8607], all),
        // More answers than there can be, and one more than there are.
        ((0..16).map(|n| n << 20).collect(), few),
        ((0..16).map(|n| n / 8).collect(), few),
    ];
    for (words, most) in wild {
        let before: Vec<_> = (0..20).map(|n| pool.submit(double(n))).collect();
        let lost = pool.submit(scribble(words, most));
        let after: Vec<_> = (0..20).map(|n| pool.submit(double(n))).collect();
        for (n, job) in (0..20).zip(before).chain((0..20).zip(after)) {
            assert_eq!(job.await.unwrap(), 2 * n);
        }
        let error = lost.await.unwrap_err();
        assert!(error.worker_lost().is_some(), "{error:?}");
    }
    assert_eq!(pool.statistics().lost, 6);
    pool.shutdown(Shutdown::Wait).await;
}
