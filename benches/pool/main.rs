//! A pool beside the plainest one that does the same, in the same run: jobs a second, chunks,
//! the first result, the primes of the standard example, a megabyte there and back.
//!
//! Rounds take turns. `cargo bench --bench pool`.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a bench measures real time, prints it, and stops where it cannot go on"
)]

mod floor;

use std::time::Instant;

use floor::Floor;
use serde_bytes::ByteBuf;
use treewright::{ProcessPool, Shutdown};

/// Those of the example in the documentation of Python's executor.
const PRIMES: [u64; 6] = [
    112_272_535_095_293,
    112_582_705_942_171,
    112_272_535_095_293,
    115_280_095_190_773,
    115_797_848_077_099,
    1_099_726_899_285_419,
];
const WORKERS: usize = 2;
const JOBS: u64 = 20_000;
const ROUNDS: usize = 7;

#[treewright::task]
async fn nothing(n: u64) -> u64 {
    n
}

#[treewright::task]
async fn echo(bytes: ByteBuf) -> ByteBuf {
    bytes
}

#[treewright::task]
async fn is_prime(n: u64) -> bool {
    is_prime_here(n)
}

pub(crate) fn is_prime_here(n: u64) -> bool {
    if n < 2 || n.is_multiple_of(2) {
        return n == 2;
    }
    let root = (n as f64).sqrt() as u64;
    (3..=root)
        .step_by(2)
        .all(|divisor| !n.is_multiple_of(divisor))
}

fn main() {
    // The floor knows nothing of us, so this comes first.
    if std::env::args().any(|arg| arg == "floor=worker") {
        return floor::play();
    }
    treewright::bootstrap();
    println!("medians of {ROUNDS} rounds that take turns, {WORKERS} workers");
    first_result();
    let floor = Floor::start(WORKERS);
    let pool = new_pool();
    pool.map((0..1000).map(nothing))
        .chunksize(1)
        .blocking()
        .for_each(drop);
    let one: Vec<Vec<u64>> = (0..JOBS).map(|n| vec![n]).collect();
    let many: Vec<Vec<u64>> = one.chunks(100).map(<[_]>::concat).collect();
    print(
        "D1 jobs/s, 8 ahead",
        rate(
            || drop(floor.map(0, &one, 8)),
            || {
                let jobs: Vec<_> = (0..JOBS).map(|n| pool.submit(nothing(n))).collect();
                for job in jobs {
                    job.result_blocking().unwrap();
                }
            },
        ),
    );
    print(
        "D2 calls/s, chunks of 100",
        rate(
            || drop(floor.map(0, &many, 1)),
            || {
                let results = pool.map((0..JOBS).map(nothing)).chunksize(100);
                assert_eq!(results.blocking().map(Result::unwrap).count() as u64, JOBS);
            },
        ),
    );
    let primes: Vec<Vec<u64>> = PRIMES.iter().map(|n| vec![*n]).collect();
    print(
        "D4 primes, ms",
        times(
            || drop(floor.map(1, &primes, 1)),
            || {
                let results = pool.map(PRIMES.map(is_prime)).chunksize(1);
                assert_eq!(
                    results.blocking().filter(|r| *r.as_ref().unwrap()).count(),
                    5
                );
            },
        ),
    );
    let megabyte = vec![7_u8; 1 << 20];
    print(
        "1 MiB there and back, ms",
        times(
            || drop(floor.echo(&megabyte)),
            || {
                let job = pool.submit(echo(ByteBuf::from(megabyte.clone())));
                drop(job.result_blocking().unwrap());
            },
        ),
    );
    pool.shutdown_blocking(Shutdown::Wait).unwrap();
}

fn new_pool() -> ProcessPool {
    ProcessPool::builder().workers(WORKERS).build().unwrap()
}

fn first_result() {
    let cold = || {
        let pool = new_pool();
        pool.submit(nothing(1)).result_blocking().unwrap();
        pool
    };
    let (mut floors, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let floor = Floor::start(WORKERS);
        floor.map(0, &[vec![1]], 1);
        floors.push(begun.elapsed().as_secs_f64() * 1e3);
        drop(floor);
        let begun = Instant::now();
        let pool = cold();
        ours.push(begun.elapsed().as_secs_f64() * 1e3);
        pool.shutdown_blocking(Shutdown::Wait).unwrap();
    }
    print(
        "D3 cold start to first result, ms",
        (median(floors), median(ours)),
    );
}

/// The milliseconds of both.
fn times(floor: impl Fn(), ours: impl Fn()) -> (f64, f64) {
    let (mut floors, mut all_ours) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        for (run, times) in [(&floor as &dyn Fn(), &mut floors), (&ours, &mut all_ours)] {
            let begun = Instant::now();
            run();
            times.push(begun.elapsed().as_secs_f64() * 1e3);
        }
    }
    (median(floors), median(all_ours))
}

/// The jobs a second of both.
fn rate(floor: impl Fn(), ours: impl Fn()) -> (f64, f64) {
    let (floor, ours) = times(floor, ours);
    let rate = |ms: f64| JOBS as f64 / ms * 1e3;
    (rate(floor), rate(ours))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn print(name: &str, (floor, ours): (f64, f64)) {
    let ratio = ours / floor;
    println!("{name:36} {ours:14.2}   floor {floor:14.2}   {ratio:6.2} x floor");
}
