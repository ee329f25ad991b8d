//! Slow readers, floods, and many contexts at once: memory, fairness, and room for a cancel.

use std::cell::Cell;
use std::fs;
use std::future::pending;

use bytes::Bytes;
use futures_lite::future::{or, yield_now};
use treewright::{Context, Error, OpenContext, Portal, Result, open_nursery};

use super::support::with_actor;
use crate::actor::support::process_id;
use crate::guard::guarded;

/// What a reader gives its sender: so many messages and so many bytes, until it keeps up.
const WINDOW: (u64, u64) = (1024, 256 * 1024);

/// How many bytes it gives at most.
const LARGEST: u64 = 4 * 1024 * 1024;

thread_local! {
    /// How many messages functions of this actor have sent, or read.
    static PROGRESS: Cell<u64> = const { Cell::new(0) };
}

fn step() {
    PROGRESS.set(PROGRESS.get() + 1);
}

#[treewright::task]
async fn progress() -> u64 {
    PROGRESS.get()
}

/// Memory of this process's own, in KiB: what it has of files comes and goes with the code that
/// runs.
fn resident() -> i64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon:"));
    let number = line.unwrap().split_whitespace().nth(1).unwrap();
    number.parse().unwrap()
}

/// Descriptors, threads and memory of a process.
fn in_use() -> (usize, usize, i64) {
    let count = |folder| fs::read_dir(folder).unwrap().count();
    (count("/proc/self/fd"), count("/proc/self/task"), resident())
}

#[treewright::task]
async fn in_use_there() -> (usize, usize, i64) {
    in_use()
}

/// Message number `number`, told by its first bytes.
fn message(number: u64, length: usize) -> Bytes {
    let mut bytes = number.to_le_bytes().to_vec();
    bytes.resize(length, 0);
    bytes.into()
}

fn number(message: &Bytes) -> u64 {
    u64::from_le_bytes(message[..8].try_into().unwrap())
}

/// Sends messages of this length as fast as it may.
#[treewright::context]
async fn floods(ctx: Context<(), (), Bytes>, length: usize, upto: u64) -> Result<()> {
    let ctx = ctx.started(()).await?;
    let mut stream = ctx.open_stream().await?;
    PROGRESS.set(0);
    for number in 0..upto {
        stream.send(message(number, length)).await?;
        step();
    }
    Ok(())
}

/// Reads one message while others take a thousand steps.
#[treewright::context]
async fn dawdles(ctx: Context<(), Bytes, ()>, pause: u32) -> Result<u64> {
    let ctx = ctx.started(()).await?;
    let mut stream = ctx.open_stream().await?;
    PROGRESS.set(0);
    while let Some(message) = stream.try_next().await? {
        assert_eq!(number(&message), PROGRESS.get());
        step();
        dawdle(pause).await;
    }
    Ok(PROGRESS.get())
}

async fn dawdle(turns: u32) {
    for _ in 0..turns {
        yield_now().await;
    }
}

/// Whether so many messages of this length may be sent that are not read.
fn is_within_the_window(ahead: u64, length: u64) -> bool {
    let bytes = match length > WINDOW.1 {
        // Whoever has read the only one there is has kept up.
        true => LARGEST,
        false => WINDOW.1,
    };
    // One may go into debt.
    ahead <= WINDOW.0 && ahead * length <= bytes + length
}

#[test]
fn sender_is_never_further_ahead_of_a_slow_reader_than_its_window() {
    guarded(|| {
        with_actor(async |portal| {
            let cases = [(8, 5_000), (1_000, 1_500), (100_000, 60), (1_000_000, 8)];
            for (length, upto) in cases {
                let (ctx, ()) = portal.open_context(floods(length, upto)).await?;
                let mut stream = ctx.open_stream().await?;
                let mut furthest = 0;
                for read in 0..upto {
                    // Between any two messages the sender has had its turn, and more.
                    let sent = portal.run(progress()).await?;
                    let ahead = sent - read;
                    furthest = furthest.max(ahead);
                    let length = length as u64;
                    assert!(is_within_the_window(ahead, length), "{ahead} of {length}");
                    let message = stream.try_next().await?.unwrap();
                    assert_eq!(number(&message), read);
                }
                assert!(stream.next().await.is_none());
                ctx.result().await?;
                // It was held up by its reader and by nothing else.
                assert!(furthest * 2 * length as u64 > WINDOW.1 || furthest * 2 > WINDOW.0);
            }
            Ok(())
        });
    });
}

#[test]
fn opener_is_never_further_ahead_of_a_slow_function_than_its_window() {
    guarded(|| {
        with_actor(async |portal| {
            for (length, upto) in [(8, 4_000), (10_000, 200)] {
                let (ctx, ()) = portal.open_context(dawdles(50)).await?;
                let mut stream = ctx.open_stream().await?;
                for sent in 0..upto {
                    stream.send(message(sent, length)).await?;
                    if sent % 50 == 0 {
                        let ahead = (sent + 1).saturating_sub(portal.run(progress()).await?);
                        let length = length as u64;
                        assert!(is_within_the_window(ahead, length), "{ahead} of {length}");
                    }
                }
                stream.close_sending();
                assert_eq!(ctx.result().await?, upto);
            }
            Ok(())
        });
    });
}

#[test]
fn reader_a_thousand_times_slower_than_its_writer_loses_nothing_in_bounded_memory() {
    guarded(|| {
        with_actor(async |portal| {
            const LENGTH: usize = 64 * 1024;
            const COUNT: u64 = 400;
            // Of the size of what follows, so that what is kept for later is there already.
            let (first, ()) = portal.open_context(floods(LENGTH, 20)).await?;
            let mut stream = first.open_stream().await?;
            while stream.try_next().await?.is_some() {}
            first.result().await?;

            let (here, there) = (resident(), portal.run(in_use_there()).await?.2);
            let (mut grown_here, mut grown_there) = (0, 0);
            let (ctx, ()) = portal.open_context(floods(LENGTH, COUNT)).await?;
            let mut stream = ctx.open_stream().await?;
            let mut count = 0;
            while let Some(message) = stream.try_next().await? {
                assert_eq!(number(&message), count);
                count += 1;
                dawdle(1_000).await;
                if count % 100 == 0 {
                    grown_here = grown_here.max(resident() - here);
                    let now = portal.run(in_use_there()).await?.2;
                    grown_there = grown_there.max(now - there);
                }
            }
            assert_eq!(count, COUNT);
            ctx.result().await?;
            // All of it would be 25 MiB.
            assert!(grown_here < 4096, "{grown_here} KiB more here");
            assert!(grown_there < 4096, "{grown_there} KiB more there");
            Ok(())
        });
    });
}

type Flood = OpenContext<floods>;

async fn flood(portal: &Portal) -> Result<Flood> {
    let (ctx, ()) = portal.open_context(floods(16 * 1024, u64::MAX)).await?;
    Ok(ctx)
}

#[test]
fn cancel_comes_through_a_flood_within_a_few_round_trips() {
    guarded(|| {
        with_actor(async |portal| {
            for is_read in [false, true] {
                let mut beside = Vec::new();
                for _ in 0..4 {
                    let ctx = flood(&portal).await?;
                    let stream = ctx.open_stream().await?;
                    beside.push((ctx, stream));
                }
                let ctx = flood(&portal).await?;
                let mut stream = ctx.open_stream().await?;
                // In full flow: by now a reader that keeps up has a window of megabytes.
                for _ in 0..1_000 {
                    stream.try_next().await?;
                }
                let mut trips = 0;
                let reading = async {
                    while is_read && let Some(Ok(_)) = stream.next().await {
                        yield_now().await;
                    }
                    pending().await
                };
                let calling = async {
                    loop {
                        portal.run(process_id()).await?;
                        trips += 1;
                    }
                };
                let cancelled = or(ctx.cancel(), or(reading, calling)).await?;
                assert!(cancelled.is_cancelled());
                assert!(trips <= 8, "{trips} calls were answered before the cancel");
                for (ctx, _) in &beside {
                    assert!(ctx.cancel().await?.is_cancelled());
                }
            }
            Ok(())
        });
    });
}

/// Answers each message, until there are no more.
#[treewright::context]
async fn answers(ctx: Context<(), u64, u64>) -> Result<u64> {
    let ctx = ctx.started(()).await?;
    let mut stream = ctx.open_stream().await?;
    let mut count = 0;
    while let Some(number) = stream.try_next().await? {
        stream.send(number + 1).await?;
        count += 1;
    }
    Ok(count)
}

/// Leaves contexts behind in every way there is.
async fn open_and_close(portal: &Portal, times: usize) -> Result<()> {
    for time in 0..times {
        let (ctx, ()) = portal.open_context(answers()).await?;
        match time % 4 {
            0 => drop(ctx),
            1 => assert!(ctx.cancel().await?.is_cancelled()),
            _ => {
                let mut stream = ctx.open_stream().await?;
                stream.send(1).await?;
                assert_eq!(stream.try_next().await?, Some(2));
                drop(stream);
                assert_eq!(ctx.result().await?, 1);
            }
        }
    }
    Ok(())
}

#[test]
fn ten_thousand_contexts_leave_nothing_in_use() {
    guarded(|| {
        with_actor(async |portal| {
            open_and_close(&portal, 10_000).await?;
            let (fds, tasks, memory) = in_use();
            let there = portal.run(in_use_there()).await?;
            open_and_close(&portal, 10_000).await?;
            let (fds_now, tasks_now, memory_now) = in_use();
            let there_now = portal.run(in_use_there()).await?;
            assert_eq!((fds_now, tasks_now), (fds, tasks));
            assert_eq!((there_now.0, there_now.1), (there.0, there.1));
            // A side of a context that stayed would be 400 bytes or more; what the allocator keeps
            // is not a matter of how many there were.
            let (here, there) = (memory_now - memory, there_now.2 - there.2);
            assert!(here < 2048, "{here} KiB more here");
            assert!(there < 2048, "{there} KiB more there");
            Ok(())
        });
    });
}

#[test]
fn thousand_contexts_at_once_each_have_their_share() {
    const CONTEXTS: usize = 1_000;
    const SHARE: u64 = 10;
    guarded(|| {
        with_actor(async |portal| {
            let mut open = Vec::new();
            for _ in 0..CONTEXTS {
                let (ctx, ()) = portal.open_context(answers()).await?;
                let stream = ctx.open_stream().await?;
                open.push((ctx, stream));
            }
            // One that takes all it can get is among them.
            let loud = flood(&portal).await?;
            let mut flooding = loud.open_stream().await?;
            let rounds: Vec<Cell<u64>> = vec![Cell::new(0); CONTEXTS];
            let rounds = &rounds;
            let outcome = open_nursery(async |n| {
                n.spawn(async move {
                    while flooding.try_next().await?.is_some() {}
                    Ok::<_, Error>(())
                });
                for ((ctx, mut stream), rounds) in open.drain(..).zip(rounds) {
                    let n_inner = n.clone();
                    n.spawn(async move {
                        // It is there as long as its task.
                        let _ctx = ctx;
                        loop {
                            let round = rounds.get();
                            stream.send(round).await?;
                            assert_eq!(stream.try_next().await?, Some(round + 1));
                            rounds.set(round + 1);
                            if round + 1 == 2 * SHARE {
                                n_inner.cancel("one has twice its share");
                                return pending::<Result<()>>().await;
                            }
                        }
                    });
                }
                pending::<Result<()>>().await
            });
            let error = outcome.await.unwrap_err();
            assert!(error.is_cancelled(), "{error:?}");
            let least = rounds.iter().map(Cell::get).min();
            let text = "while one had twice its share, another had";
            assert!(least >= Some(SHARE), "{text} {least:?}");
            assert!(loud.cancel().await?.is_cancelled());
            Ok(())
        });
    });
}
