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

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use smol::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use smol::{Async, LocalExecutor};
use treewright::internals::{Incoming, Link, block_on, open};

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
            &|| with_peer(serve, |socket| block_on(ours_one(socket))),
            &|| with_peer(raw_echo, |socket| raw_one(&socket)),
            &|| with_peer(plain_serve, |socket| smol::block_on(plain_one(socket))),
        ],
    );
    compare(
        "calls per second, 64 in flight",
        rounds,
        [
            &|| with_peer(serve, |socket| block_on(ours_many(socket))),
            &|| with_peer(raw_echo, |socket| raw_many(&socket)),
            &|| with_peer(plain_serve, |socket| smol::block_on(plain_many(socket))),
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
                    rate(with_peer(sink, |socket| {
                        block_on(ours_stream(socket, size, count))
                    }))
                },
                &|| {
                    rate(with_peer(raw_sink, |socket| {
                        raw_stream(&socket, size, count)
                    }))
                },
                &|| {
                    rate(with_peer(plain_sink, |socket| {
                        smol::block_on(plain_stream(socket, size, count))
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

// Ours.

/// Opens a link and runs `work` beside its writer.
async fn linked<T>(socket: UnixStream, work: impl AsyncFnOnce(&Link, &mut Incoming) -> T) -> T {
    let executor = LocalExecutor::new();
    let (link, mut incoming, writer) = open(socket).unwrap();
    let writer = executor.spawn(writer);
    executor
        .run(async {
            let result = work(&link, &mut incoming).await;
            link.close();
            writer.await;
            result
        })
        .await
}

/// Answers calls until the caller ends.
fn serve(socket: UnixStream) {
    block_on(linked(socket, async |link, incoming| {
        while let Some(first) = incoming.next().await {
            let _cork = link.cork();
            let mut next = Some(first);
            while let Some(message) = next {
                let request: Request = message.decode().unwrap();
                let answer = Request {
                    verb: request.verb + 1,
                    ..request
                };
                link.call(message.context, &answer).unwrap();
                next = incoming.try_next();
            }
        }
    }));
}

async fn ours_one(socket: UnixStream) -> f64 {
    linked(socket, async |link, incoming| {
        let mut times = Times::new();
        for id in 0..CALLS as u64 {
            let began = Instant::now();
            link.call(id, &Request::new(id)).unwrap();
            let message = incoming.next().await.unwrap();
            let answer: Request = message.decode().unwrap();
            assert_eq!(answer.id, id);
            times.push(began);
        }
        median(times.0)
    })
    .await
}

async fn ours_many(socket: UnixStream) -> f64 {
    linked(socket, async |link, incoming| {
        let began = Instant::now();
        let mut sent = 0;
        let mut send = |link: &Link| {
            link.call(sent as u64, &Request::new(sent as u64)).unwrap();
            sent += 1;
        };
        for _ in 0..PARALLEL {
            send(link);
        }
        let mut answered = 0;
        while answered < PARALLEL_CALLS {
            let mut next = Some(incoming.next().await.unwrap());
            let _cork = link.cork();
            while let Some(message) = next {
                let answer: Request = message.decode().unwrap();
                assert_eq!(answer.id, message.context);
                answered += 1;
                if answered + PARALLEL <= PARALLEL_CALLS {
                    send(link);
                }
                next = incoming.try_next();
            }
        }
        per_second(PARALLEL_CALLS, began)
    })
    .await
}

/// Reads a stream and tells of every so many messages that they are read.
fn sink(socket: UnixStream) {
    block_on(linked(socket, async |link, incoming| {
        let mut read = 0u64;
        while let Some(message) = incoming.next().await {
            let item: Read64<'_> = message.decode().unwrap();
            assert_eq!((item.seq, item.data[0]), (read, 5));
            read += 1;
            if read.is_multiple_of(window(item.data.len()) as u64 / 2) {
                link.call(0, &read).unwrap();
            }
        }
    }));
}

async fn ours_stream(socket: UnixStream, size: usize, count: usize) -> Duration {
    linked(socket, async |link, incoming| {
        let data = vec![5; size];
        let (window, credit) = (window(size), window(size) / 2);
        let began = Instant::now();
        let (mut sent, mut read) = (0, 0);
        while read < count - count % credit {
            while sent < count && sent - read < window {
                let seq = sent as u64;
                link.data(1, &Item { seq, data: &data }).unwrap();
                sent += 1;
                if link.pending_bytes() > 1 << 20 {
                    smol::future::yield_now().await;
                }
            }
            read = incoming.next().await.unwrap().decode::<u64>().unwrap() as usize;
        }
        began.elapsed()
    })
    .await
}

// Raw: as many bytes, and nothing else.

fn raw_echo(mut socket: UnixStream) {
    let mut buffer = [0; 65_536];
    loop {
        match socket.read(&mut buffer).unwrap() {
            0 => return,
            length => socket.write_all(&buffer[..length]).unwrap(),
        }
    }
}

fn raw_one(mut socket: &UnixStream) -> f64 {
    let mut buffer = [7; 64];
    let mut times = Times::new();
    for _ in 0..CALLS {
        let began = Instant::now();
        socket.write_all(&buffer).unwrap();
        socket.read_exact(&mut buffer).unwrap();
        times.push(began);
    }
    median(times.0)
}

fn raw_many(mut socket: &UnixStream) -> f64 {
    let mut buffer = [7; 64 * PARALLEL];
    let (began, mut done, mut free) = (Instant::now(), 0, buffer.len());
    while done < PARALLEL_CALLS * 64 {
        socket.write_all(&buffer[..free]).unwrap();
        free = socket.read(&mut buffer).unwrap();
        done += free;
    }
    per_second(PARALLEL_CALLS, began)
}

fn raw_sink(mut socket: UnixStream) {
    let mut buffer = vec![0; 256 * 1024];
    while socket.read(&mut buffer).unwrap() > 0 {}
}

/// Short messages are written together, as any fast program would.
fn raw_stream(mut socket: &UnixStream, size: usize, count: usize) -> Duration {
    let buffer = vec![5; size.max(64 * 1024)];
    let began = Instant::now();
    let mut left = size * count;
    while left > 0 {
        let length = left.min(buffer.len());
        socket.write_all(&buffer[..length]).unwrap();
        left -= length;
    }
    began.elapsed()
}

// Plain: smol, CBOR, a length in front.

fn append(out: &mut Vec<u8>, message: &impl Serialize) {
    let at = out.len();
    out.extend([0; 4]);
    serde_cbor::to_writer(&mut *out, message).unwrap();
    let length = (out.len() - at - 4) as u32;
    out[at..at + 4].copy_from_slice(&length.to_le_bytes());
}

async fn read_into(reader: &mut (impl AsyncReadExt + Unpin), buffer: &mut Vec<u8>) -> bool {
    let mut length = [0; 4];
    if reader.read_exact(&mut length).await.is_err() {
        return false;
    }
    buffer.resize(u32::from_le_bytes(length) as usize, 0);
    reader.read_exact(buffer).await.is_ok()
}

fn plain_serve(socket: UnixStream) {
    let socket = Async::new(socket).unwrap();
    smol::block_on(async {
        let (mut reader, mut writer) = (BufReader::with_capacity(65_536, &socket), &socket);
        let (mut buffer, mut out) = (Vec::new(), Vec::new());
        while read_into(&mut reader, &mut buffer).await {
            let request: Request = serde_cbor::from_slice(&buffer).unwrap();
            let answer = Request {
                verb: request.verb + 1,
                ..request
            };
            append(&mut out, &answer);
            if reader.buffer().len() < 4 {
                writer.write_all(&out).await.unwrap();
                out.clear();
            }
        }
    });
}

/// Callers that share a connection: what waits to be written, and who waits for what.
struct Shared {
    socket: Async<UnixStream>,
    outbox: RefCell<Vec<u8>>,
    kick: smol::channel::Sender<()>,
    waiting: RefCell<HashMap<u64, smol::channel::Sender<Request>>>,
}

impl Shared {
    async fn call(&self, id: u64) -> Request {
        let (answer, answered) = smol::channel::bounded(1);
        self.waiting.borrow_mut().insert(id, answer);
        append(&mut self.outbox.borrow_mut(), &Request::new(id));
        self.kick.try_send(()).ok();
        answered.recv().await.unwrap()
    }

    async fn read(&self) {
        let mut reader = BufReader::with_capacity(65_536, &self.socket);
        let mut buffer = Vec::new();
        while read_into(&mut reader, &mut buffer).await {
            let answer: Request = serde_cbor::from_slice(&buffer).unwrap();
            let waiting = self.waiting.borrow_mut().remove(&answer.id).unwrap();
            waiting.try_send(answer).ok();
        }
    }

    async fn write(&self, kicked: smol::channel::Receiver<()>) {
        while kicked.recv().await.is_ok() {
            let out = self.outbox.take();
            (&self.socket).write_all(&out).await.unwrap();
        }
    }
}

async fn plain_shared<T>(
    socket: UnixStream,
    work: impl AsyncFnOnce(Rc<Shared>, Rc<LocalExecutor<'static>>) -> T,
) -> T {
    let (kick, kicked) = smol::channel::bounded(1);
    let shared = Rc::new(Shared {
        socket: Async::new(socket).unwrap(),
        outbox: RefCell::default(),
        kick,
        waiting: RefCell::default(),
    });
    let executor = Rc::new(LocalExecutor::new());
    let (reading, writing) = (Rc::clone(&shared), Rc::clone(&shared));
    let reader = executor.spawn(async move { reading.read().await });
    let writer = executor.spawn(async move { writing.write(kicked).await });
    let result = executor
        .run(work(Rc::clone(&shared), Rc::clone(&executor)))
        .await;
    executor
        .run(async { (reader.cancel().await, writer.cancel().await) })
        .await;
    result
}

async fn plain_one(socket: UnixStream) -> f64 {
    plain_shared(socket, async |shared, _| {
        let mut times = Times::new();
        for id in 0..CALLS as u64 {
            let began = Instant::now();
            assert_eq!(shared.call(id).await.id, id);
            times.push(began);
        }
        median(times.0)
    })
    .await
}

async fn plain_many(socket: UnixStream) -> f64 {
    plain_shared(socket, async |shared, executor| {
        let began = Instant::now();
        let callers: Vec<_> = (0..PARALLEL as u64)
            .map(|caller| {
                let shared = Rc::clone(&shared);
                executor.spawn(async move {
                    for turn in 0..(PARALLEL_CALLS / PARALLEL) as u64 {
                        let id = turn * PARALLEL as u64 + caller;
                        assert_eq!(shared.call(id).await.id, id);
                    }
                })
            })
            .collect();
        for caller in callers {
            caller.await;
        }
        per_second(PARALLEL_CALLS, began)
    })
    .await
}

fn plain_sink(socket: UnixStream) {
    let socket = Async::new(socket).unwrap();
    smol::block_on(async {
        let mut reader = BufReader::with_capacity(1 << 17, &socket);
        let (mut buffer, mut read) = (Vec::new(), 0);
        while read_into(&mut reader, &mut buffer).await {
            let item: Read64<'_> = serde_cbor::from_slice(&buffer).unwrap();
            assert_eq!((item.seq, item.data[0]), (read, 5));
            read += 1;
        }
    });
}

async fn plain_stream(socket: UnixStream, size: usize, count: usize) -> Duration {
    let socket = Async::new(socket).unwrap();
    let (data, mut out, mut writer) = (vec![5; size], Vec::new(), &socket);
    let began = Instant::now();
    for seq in 0..count as u64 {
        append(&mut out, &Item { seq, data: &data });
        if out.len() >= 64 * 1024 || seq + 1 == count as u64 {
            writer.write_all(&out).await.unwrap();
            out.clear();
        }
    }
    began.elapsed()
}
