//! Messages on an open stream, beside the plainest program that sends the same over a socket:
//! one way in four sizes, there and back, and from four processes at once.

use std::time::Instant;

use bytes::Bytes;
use futures_lite::StreamExt;
use serde::{Deserialize, Serialize};
use treewright::{Context, MsgStream, Portal, Result, StreamSender, open_nursery};

use crate::{floor, median, print_line};

const ROUNDS: usize = 5;
const TRIPS: usize = 20_000;
const SOURCES: usize = 4;
const ITEMS_OF_A_SOURCE: u64 = 200_000;

/// The name of a size, its bytes, how many messages, and whether several may gather.
const SIZES: [(&str, usize, u64); 4] = [
    ("64 B", 64, 2_000_000),
    ("4 KiB", 4096, 400_000),
    ("64 KiB", 65_536, 40_000),
    ("1 MiB", 1 << 20, 2_500),
];

/// What the floor sends.
#[derive(Serialize, Deserialize)]
pub(crate) struct Item {
    pub(crate) seq: u64,
    pub(crate) data: Bytes,
}

#[treewright::context]
async fn sink(ctx: Context<(), Item, ()>) -> Result<u64> {
    let mut stream = ctx.started(()).await?.open_stream().await?;
    let mut count = 0;
    while let Some(item) = stream.try_next().await? {
        assert_eq!(item.seq, count);
        count += 1;
    }
    Ok(count)
}

#[treewright::context]
async fn sink_of_bytes(ctx: Context<(), Bytes, Bytes>) -> Result<u64> {
    let mut stream = ctx.started(()).await?.open_stream().await?;
    let mut count = 0;
    while stream.try_next().await?.is_some() {
        count += 1;
    }
    Ok(count)
}

#[treewright::context]
async fn echo(ctx: Context<(), Item, Item>) -> Result<()> {
    let mut stream = ctx.started(()).await?.open_stream().await?;
    while let Some(item) = stream.try_next().await? {
        stream.send(item).await?;
    }
    Ok(())
}

#[treewright::stream]
async fn source(mut out: StreamSender<Item>, count: u64) -> Result<()> {
    for seq in 0..count {
        let data = Bytes::from_static(&[5; 64]);
        out.send(Item { seq, data }).await?;
    }
    Ok(())
}

pub(crate) fn measure() {
    for (name, size, count) in SIZES {
        one_way(name, size, count);
    }
    there_and_back();
    fan_in();
}

/// Messages of `size` bytes one way, for who looks with a profiler.
pub(crate) fn profile(size: usize) {
    let count = (1 << 28) / size as u64;
    let seconds = in_actor(async |portal| send_values(portal, size, count).await);
    println!(
        "{count} messages of {size} bytes: {:.0} /s",
        count as f64 / seconds
    );
}

fn one_way(name: &str, size: usize, count: u64) {
    let (mut floors, mut raws, mut values, mut bytes) = (vec![], vec![], vec![], vec![]);
    for _ in 0..ROUNDS {
        floors.push(floor::stream(size, count));
        raws.push(floor::raw_stream(size, count));
        values.push(in_actor(async |portal| {
            send_values(portal, size, count).await
        }));
        bytes.push(in_actor(async |portal| {
            send_bytes(portal, size, count).await
        }));
    }
    let per_second = |seconds: f64| count as f64 / seconds;
    let (floor, raw) = (median(&mut floors), median(&mut raws));
    let (values, bytes) = (median(&mut values), median(&mut bytes));
    println!("\nmessages of {name} a second, one way; medians of {ROUNDS} times {count}");
    let base = per_second(if size < 65_536 { floor } else { raw });
    print_line(
        "floor: CBOR, gathered to 32 KiB",
        per_second(floor),
        "/s",
        base,
    );
    print_line("floor: a socket, nothing else", per_second(raw), "/s", base);
    print_line("ours: MsgStream of values", per_second(values), "/s", base);
    print_line("ours: MsgStream of bytes", per_second(bytes), "/s", base);
    let megabytes = per_second(values) * size as f64 / 1e6;
    println!("ours in megabytes a second: {megabytes:.0}");
}

/// What `body` gives with an actor that is up.
fn in_actor<R>(body: impl AsyncFnOnce(&Portal) -> Result<R>) -> R {
    treewright::run(async || {
        open_nursery(async |n| {
            let portal = n.start_actor("sink").await?;
            let value = body(&portal).await?;
            portal.cancel_actor().await?;
            Ok(value)
        })
        .await
    })
    .unwrap()
}

async fn send_values(portal: &Portal, size: usize, count: u64) -> Result<f64> {
    let (ctx, ()) = portal.open_context(sink()).await?;
    let mut stream = ctx.open_stream().await?;
    let data = Bytes::from(vec![5; size]);
    let begin = Instant::now();
    for seq in 0..count {
        let data = data.clone();
        stream.send(Item { seq, data }).await?;
    }
    stream.close().await?;
    assert_eq!(ctx.result().await?, count);
    Ok(begin.elapsed().as_secs_f64())
}

async fn send_bytes(portal: &Portal, size: usize, count: u64) -> Result<f64> {
    let (ctx, ()) = portal.open_context(sink_of_bytes()).await?;
    let mut stream = ctx.open_stream().await?;
    let data = Bytes::from(vec![5; size]);
    let begin = Instant::now();
    for _ in 0..count {
        stream.send(data.clone()).await?;
    }
    stream.close().await?;
    assert_eq!(ctx.result().await?, count);
    Ok(begin.elapsed().as_secs_f64())
}

fn there_and_back() {
    let (mut floors, mut ours) = (vec![], vec![]);
    for _ in 0..ROUNDS {
        floors.push(median(&mut floor::calls(1, TRIPS).0));
        ours.push(in_actor(round_trips));
    }
    let floor = median(&mut floors);
    println!(
        "\na message and its answer on an open stream, all cores; medians of {ROUNDS} times {TRIPS}"
    );
    print_line("floor: smol, CBOR, answers by id", floor, "µs", floor);
    print_line("ours: MsgStream", median(&mut ours), "µs", floor);
}

async fn round_trips(portal: &Portal) -> Result<f64> {
    let (ctx, ()) = portal.open_context(echo()).await?;
    let mut stream: MsgStream<Item, Item> = ctx.open_stream().await?;
    let mut times = Vec::with_capacity(TRIPS);
    for seq in 0..TRIPS as u64 {
        let data = Bytes::from_static(&[5; 48]);
        let begin = Instant::now();
        stream.send(Item { seq, data }).await?;
        let item = stream.next().await.unwrap()?;
        times.push(begin.elapsed().as_secs_f64() * 1e6);
        assert_eq!(item.seq, seq);
    }
    stream.close().await?;
    ctx.result().await?;
    Ok(median(&mut times))
}

fn fan_in() {
    let (mut floors, mut ours) = (vec![], vec![]);
    for _ in 0..ROUNDS {
        floors.push(floor::fan_in(SOURCES, ITEMS_OF_A_SOURCE));
        ours.push(sources());
    }
    let per_second = |seconds: f64| (SOURCES as u64 * ITEMS_OF_A_SOURCE) as f64 / seconds;
    let floor = per_second(median(&mut floors));
    println!("\nitems of 64 B a second from {SOURCES} processes; medians of {ROUNDS}");
    print_line("floor: smol, CBOR, gathered", floor, "/s", floor);
    print_line(
        "ours: one-way streams",
        per_second(median(&mut ours)),
        "/s",
        floor,
    );
}

fn sources() -> f64 {
    treewright::run(async || {
        open_nursery(async |n| {
            let mut portals = Vec::new();
            for number in 0..SOURCES {
                portals.push(n.start_actor(format!("source {number}")).await?);
            }
            let begin = Instant::now();
            open_nursery(async |readers| {
                for portal in &portals {
                    readers.spawn(async move {
                        let call = source(ITEMS_OF_A_SOURCE);
                        let items = portal.open_stream_from(call).await?;
                        let count = items.map(|item| item.map_or(0, |_| 1_u64));
                        assert_eq!(count.fold(0, |sum, one| sum + one).await, ITEMS_OF_A_SOURCE);
                        Ok::<_, treewright::Error>(())
                    });
                }
                Ok(())
            })
            .await?;
            let seconds = begin.elapsed().as_secs_f64();
            for portal in &portals {
                portal.cancel_actor().await?;
            }
            Ok(seconds)
        })
        .await
    })
    .unwrap()
}
