//! What a link costs, beside the floors of the same work without one.
//!
//! `cargo bench --features internals --bench link [-- ROUNDS]`. Two threads are the two ends of
//! a socket pair. `raw` writes and reads the same number of bytes and does nothing else;
//! `plain` is smol with CBOR, a length in front, a reader task, a writer task and replies by
//! number: the least that a multiplexed call can do. Ours and the floors take turns, the
//! medians of the rounds are printed.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement that cannot go on fails, prints what it found, and knows the real clock"
)]

mod ours;
mod plain;
mod raw;

use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use treewright::internals::block_on;

const CALLS: usize = 20_000;
const PARALLEL_CALLS: usize = 200_000;
const PARALLEL: usize = 64;

/// How many messages of a stream may be under way; half of them are told as read at once.
const fn window(size: usize) -> usize {
    match (4 << 20) / size {
        few @ 0..4 => few + 4,
        many if many > 1024 => 1024,
        some => some,
    }
}

/// About 64 bytes, as a small call is.
#[derive(Serialize, Deserialize)]
struct Request {
    id: u64,
    verb: u64,
    #[serde(with = "serde_bytes")]
    body: Vec<u8>,
}

impl Request {
    fn new(id: u64) -> Self {
        Self {
            id,
            verb: 7,
            body: vec![5; 48],
        }
    }
}

#[derive(Serialize)]
struct Item<'a> {
    seq: u64,
    #[serde(with = "serde_bytes")]
    data: &'a [u8],
}

#[derive(Deserialize)]
struct Read64<'a> {
    seq: u64,
    #[serde(with = "serde_bytes", borrow)]
    data: &'a [u8],
}

fn main() {
    let rounds = std::env::args()
        .skip(1)
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(5);
    println!(
        "{:<34} {:>12} {:>12} {:>12} {:>9} {:>9}",
        "", "ours", "raw", "plain", "to raw", "to plain"
    );
    compare(
        "round trip, one in flight, us",
        rounds,
        [
            &|| with_peer(ours::serve, |socket| block_on(ours::one(socket))),
            &|| with_peer(raw::echo, |socket| raw::one(&socket)),
            &|| with_peer(plain::serve, |socket| smol::block_on(plain::one(socket))),
        ],
    );
    compare(
        "calls per second, 64 in flight",
        rounds,
        [
            &|| with_peer(ours::serve, |socket| block_on(ours::many(socket))),
            &|| with_peer(raw::echo, |socket| raw::many(&socket)),
            &|| with_peer(plain::serve, |socket| smol::block_on(plain::many(socket))),
        ],
    );
    for (name, size, count) in [
        ("stream of 64 B, thousands/s", 64, 1_000_000),
        ("stream of 4 KiB, MB/s", 4096, 200_000),
        ("stream of 64 KiB, MB/s", 65_536, 20_000),
        ("stream of 1 MiB, MB/s", 1 << 20, 1_000),
    ] {
        let unit = if size == 64 { 1e3 } else { 1e6 / size as f64 };
        let rate = |time: Duration| count as f64 / time.as_secs_f64() / unit;
        compare(
            name,
            rounds,
            [
                &|| {
                    rate(with_peer(ours::sink, |socket| {
                        block_on(ours::stream(socket, size, count))
                    }))
                },
                &|| {
                    rate(with_peer(raw::sink, |socket| {
                        raw::stream(&socket, size, count)
                    }))
                },
                &|| {
                    rate(with_peer(plain::sink, |socket| {
                        smol::block_on(plain::stream(socket, size, count))
                    }))
                },
            ],
        );
    }
}

fn compare(name: &str, rounds: usize, ways: [&dyn Fn() -> f64; 3]) {
    let mut found = [const { Vec::new() }; 3];
    for _ in 0..rounds {
        for (way, found) in ways.iter().zip(&mut found) {
            found.push(way());
        }
    }
    let [ours, raw, plain] = found.map(median);
    println!(
        "{name:<34} {ours:>12.1} {raw:>12.1} {plain:>12.1} {:>8.2}x {:>8.2}x",
        ours / raw,
        ours / plain
    );
}

fn median(mut found: Vec<f64>) -> f64 {
    found.sort_by(f64::total_cmp);
    found[found.len() / 2]
}

/// Runs `near` with one end of a socket pair, and `far` with the other on a thread.
fn with_peer<T>(far: impl FnOnce(UnixStream) + Send, near: impl FnOnce(UnixStream) -> T) -> T {
    let (one, other) = UnixStream::pair().unwrap();
    thread::scope(|scope| {
        let peer = scope.spawn(|| far(other));
        let result = near(one);
        peer.join().unwrap();
        result
    })
}

/// The median of the times of one call each, in microseconds.
struct Times(Vec<f64>);

impl Times {
    fn new() -> Self {
        Self(Vec::with_capacity(CALLS))
    }

    fn push(&mut self, began: Instant) {
        self.0.push(began.elapsed().as_secs_f64() * 1e6);
    }
}

fn per_second(count: usize, began: Instant) -> f64 {
    count as f64 / began.elapsed().as_secs_f64()
}
