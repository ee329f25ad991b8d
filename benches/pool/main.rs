//! A pool beside the plainest one that does the same, in the same run: jobs a second, chunks,
//! the first result, the primes of the standard example, a megabyte there and back.
//!
//! Rounds take turns. `cargo bench --bench pool [-- D1] [D2] [D3] [D4] [bytes]`.

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
const ROUNDS: usize = 15;

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
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    let is_wanted = |row: &str| wanted.is_empty() || wanted.iter().any(|one| one == row);
    println!(
        "medians of {ROUNDS} rounds that take turns, least and most in brackets, {WORKERS} workers"
    );
    if is_wanted("D3") {
        first_result();
    }
    let (floor, pool) = (Floor::start(WORKERS), new_pool());
    pool.map((0..1000).map(nothing))
        .chunksize(1)
        .blocking()
        .for_each(drop);
    let rows: [(&str, Row); 4] = [
        ("D1", short_jobs),
        ("D2", chunks),
        ("D4", primes),
        ("bytes", bytes),
    ];
    for (_, measure) in rows.iter().filter(|(name, _)| is_wanted(name)) {
        measure(&floor, &pool);
    }
    pool.shutdown_blocking(Shutdown::Wait).unwrap();
}

type Row = fn(&Floor, &ProcessPool);

fn new_pool() -> ProcessPool {
    ProcessPool::builder().workers(WORKERS).build().unwrap()
}

fn one_each() -> Vec<Vec<u64>> {
    (0..JOBS).map(|n| vec![n]).collect()
}

fn first_result() {
    compare(
        "D3 cold start to first result",
        Unit::Milliseconds,
        &mut || {
            let floor = Floor::start(WORKERS);
            floor.map(0, &[vec![1]], 1);
            floor
        },
        &mut || {
            let pool = new_pool();
            pool.submit(nothing(1)).result_blocking().unwrap();
            Ending(pool)
        },
    );
}

/// Ends a pool when its time was taken.
struct Ending(ProcessPool);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.shutdown_blocking(Shutdown::Wait).unwrap();
    }
}

fn short_jobs(floor: &Floor, pool: &ProcessPool) {
    let tasks = one_each();
    let submit = || {
        let jobs: Vec<_> = (0..JOBS).map(|n| pool.submit(nothing(n))).collect();
        for job in jobs {
            job.result_blocking().unwrap();
        }
    };
    compare(
        "D1 submit, floor 8 ahead",
        Unit::PerSecond,
        &mut || drop(floor.map(0, &tasks, 8)),
        &mut || submit(),
    );
    compare(
        "D1 submit, floor 1 ahead",
        Unit::PerSecond,
        &mut || drop(floor.map(0, &tasks, 1)),
        &mut || submit(),
    );
    compare(
        "D1 map by 1, floor 8 ahead",
        Unit::PerSecond,
        &mut || drop(floor.map(0, &tasks, 8)),
        &mut || map(pool, 1),
    );
}

fn chunks(floor: &Floor, pool: &ProcessPool) {
    let tasks: Vec<Vec<u64>> = one_each().chunks(100).map(<[_]>::concat).collect();
    compare(
        "D2 map by 100",
        Unit::PerSecond,
        &mut || drop(floor.map(0, &tasks, 1)),
        &mut || map(pool, 100),
    );
}

fn map(pool: &ProcessPool, chunksize: usize) {
    let results = pool.map((0..JOBS).map(nothing)).chunksize(chunksize);
    assert_eq!(results.blocking().map(Result::unwrap).count() as u64, JOBS);
}

fn primes(floor: &Floor, pool: &ProcessPool) {
    let tasks: Vec<Vec<u64>> = PRIMES.iter().map(|n| vec![*n]).collect();
    compare(
        "D4 primes",
        Unit::Milliseconds,
        &mut || drop(floor.map(1, &tasks, 1)),
        &mut || {
            let results = pool.map(PRIMES.map(is_prime)).chunksize(1).blocking();
            assert_eq!(results.filter(|r| *r.as_ref().unwrap()).count(), 5);
        },
    );
}

fn bytes(floor: &Floor, pool: &ProcessPool) {
    let megabyte = vec![7_u8; 1 << 20];
    compare(
        "1 MiB there and back",
        Unit::Milliseconds,
        &mut || drop(floor.echo(&megabyte)),
        &mut || {
            let job = pool.submit(echo(ByteBuf::from(megabyte.clone())));
            drop(job.result_blocking().unwrap());
        },
    );
}

#[derive(Debug, Clone, Copy)]
enum Unit {
    Milliseconds,
    /// Jobs a second, of a round of [`JOBS`].
    PerSecond,
}

impl Unit {
    fn of(self, milliseconds: f64) -> f64 {
        match self {
            Self::Milliseconds => milliseconds,
            Self::PerSecond => JOBS as f64 / milliseconds * 1e3,
        }
    }
}

/// Measures both in turns, and prints them. What a round gives is dropped after its time
/// was taken.
fn compare<A, B>(
    name: &str,
    unit: Unit,
    floor: &mut dyn FnMut() -> A,
    ours: &mut dyn FnMut() -> B,
) {
    let (mut floors, mut all_ours) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        floors.push(unit.of(timed(floor)));
        all_ours.push(unit.of(timed(ours)));
    }
    let (floor, ours) = (Spread::of(floors), Spread::of(all_ours));
    let ratio = ours.median / floor.median;
    let (ours, floor) = (ours.print(unit), floor.print(unit));
    println!("{name:30} ours {ours}   floor {floor}   {ratio:5.2} x");
}

/// In milliseconds.
fn timed<R>(run: &mut dyn FnMut() -> R) -> f64 {
    let begun = Instant::now();
    let result = run();
    let milliseconds = begun.elapsed().as_secs_f64() * 1e3;
    drop(result);
    milliseconds
}

struct Spread {
    least: f64,
    median: f64,
    most: f64,
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Self {
            least: values[0],
            median: values[values.len() / 2],
            most: values[values.len() - 1],
        }
    }

    fn print(&self, unit: Unit) -> String {
        let Self {
            least,
            median,
            most,
        } = self;
        match unit {
            Unit::Milliseconds => format!("{median:8.2} ms ({least:.2} to {most:.2})"),
            Unit::PerSecond => format!("{median:8.0} /s ({least:.0} to {most:.0})"),
        }
    }
}
