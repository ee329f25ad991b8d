//! Streams: their ends, and how much of them is on its way.

use futures_lite::future::zip;
use treewright::{Context, Error, MsgStream, Result, TrySendError, open_nursery};

use super::support::{Then, converse, read_all, with_actor};
use crate::actor::support::{Gate, Post, pass, process_id, say};
use crate::guard::guarded;

/// Sends this many numbers and goes, one way or the other.
#[treewright::context]
async fn counts(ctx: Context<(), u64, u64>, upto: u64, fails: bool) -> Result<u64> {
    let ctx = ctx.started(()).await?;
    let mut stream = ctx.open_stream().await?;
    for number in 0..upto {
        stream.send(number).await?;
    }
    match fails {
        true => Err(Error::other("out of numbers")),
        false => Ok(upto),
    }
}

#[test]
fn messages_that_were_sent_before_the_end_can_be_read_after_it() {
    guarded(|| {
        with_actor(async |portal| {
            for opens_before in [false, true] {
                let (ctx, ()) = portal.open_context(counts(60, false)).await?;
                let before = match opens_before {
                    true => Some(ctx.open_stream().await?),
                    false => None,
                };
                assert_eq!(ctx.result().await?, 60);
                let mut stream = match before {
                    Some(stream) => stream,
                    None => ctx.open_stream().await?,
                };
                assert_eq!(read_all(&mut stream).await?, (0..60).collect::<Vec<_>>());
                assert!(stream.next().await.is_none());
                // Nobody is there to read it.
                let error = stream.send(1).await.unwrap_err();
                assert!(error.is_closed(), "{error:?}");
            }
            Ok(())
        });
    });
}

#[test]
fn error_of_the_function_is_told_on_the_stream_once_and_then_it_is_over() {
    guarded(|| {
        with_actor(async |portal| {
            let (ctx, ()) = portal.open_context(counts(10, true)).await?;
            let mut stream = ctx.open_stream().await?;
            let error = loop {
                match stream.next().await.unwrap() {
                    Ok(_) => {}
                    Err(error) => break error,
                }
            };
            assert!(error.to_string().contains("out of numbers"), "{error:?}");
            assert!(stream.next().await.is_none());
            let error = stream.send(1).await.unwrap_err();
            assert!(error.to_string().contains("out of numbers"), "{error:?}");
            let error = ctx.result().await.unwrap_err();
            assert!(error.to_string().contains("out of numbers"), "{error:?}");
            Ok(())
        });
    });
}

/// Closes its stream when it was told something, if it waits for that, and stays.
#[treewright::context]
async fn closes_first(ctx: Context<(), u64, u64>, waits: bool, gate: String) -> Result<bool> {
    let ctx = ctx.started(()).await?;
    let mut stream = ctx.open_stream().await?;
    if waits {
        stream.try_next().await?;
    }
    stream.send(5).await?;
    stream.close().await?;
    let sent = stream.send(6).await;
    let again = ctx.open_stream().await;
    pass(&gate).await;
    Ok(sent.is_err_and(|error| error.is_closed()) && again.is_err_and(|error| error.is_closed()))
}

/// tractor: test_child_exits_ctx_after_stream_open
#[test]
fn stream_that_the_function_closes_ends_at_the_opener_and_is_not_opened_again() {
    guarded(|| {
        with_actor(async |portal| {
            for waits in [false, true] {
                let gate = Gate::new();
                let call = closes_first(waits, gate.address());
                let (ctx, ()) = portal.open_context(call).await?;
                let mut stream = ctx.open_stream().await?;
                stream.send(1).await?;
                assert_eq!(stream.next().await.unwrap()?, 5);
                assert!(stream.next().await.is_none());
                assert!(stream.next().await.is_none());
                // It is not read any more, and nobody is told off for that.
                for number in 0..5_000 {
                    stream.send(number).await?;
                }
                assert!(ctx.open_stream().await.unwrap_err().is_closed());
                gate.open();
                assert!(ctx.result().await?);
            }
            Ok(())
        });
    });
}

/// Adds up what comes until no more comes, and then says what it has made of it, in many words.
#[treewright::context]
async fn adds_then_tells(ctx: Context<(), u64, u64>) -> Result<()> {
    let ctx = ctx.started(()).await?;
    let mut stream = ctx.open_stream().await?;
    let mut sum = 0;
    while let Some(number) = stream.try_next().await? {
        sum += number;
    }
    for _ in 0..3_000 {
        stream.send(sum).await?;
    }
    Ok(())
}

#[test]
fn half_that_is_closed_leaves_the_other_half_open() {
    guarded(|| {
        with_actor(async |portal| {
            let (ctx, ()) = portal.open_context(adds_then_tells()).await?;
            let mut stream = ctx.open_stream().await?;
            for number in 1..=2_000 {
                stream.send(number).await?;
            }
            stream.close_sending();
            assert!(stream.send(1).await.unwrap_err().is_closed());
            let all = read_all(&mut stream).await?;
            assert_eq!(all, vec![2_001_000; 3_000]);
            ctx.result().await
        });
    });
}

#[test]
fn halves_in_two_tasks_lose_nothing_and_keep_the_order() {
    guarded(|| {
        with_actor(async |portal| {
            let mut post = Post::new();
            let call = converse(post.address(), 0, Then::Echo);
            let (ctx, _) = portal.open_context(call).await?;
            let (mut sender, mut receiver) = ctx.open_stream().await?.split();
            open_nursery(async |n| {
                n.spawn(async move {
                    for number in 0..20_000 {
                        sender.send(number).await?;
                    }
                    Ok(())
                });
                let mut expected = 0;
                while let Some(number) = receiver.try_next().await? {
                    assert_eq!(number, expected);
                    expected += 1;
                }
                assert_eq!(expected, 20_000);
                Ok(())
            })
            .await?;
            assert_eq!(ctx.result().await?, "yo");
            assert_eq!(post.sorted(2).await, ["started", "torn down"]);
            Ok(())
        });
    });
}

/// Waits until it may, opens its stream or not, and says how many came.
#[treewright::context]
async fn looks_late(ctx: Context<(), u64, u64>, gate: String, opens: bool) -> Result<u64> {
    let ctx = ctx.started(()).await?;
    pass(&gate).await;
    let mut count = 0;
    if opens {
        let mut stream = ctx.open_stream().await?;
        while let Some(number) = stream.try_next().await? {
            assert_eq!(number, count);
            count += 1;
        }
    }
    Ok(count)
}

/// How many a stream takes before it says that it is full.
fn fill(stream: &mut MsgStream<u64, u64>) -> u64 {
    for count in 0.. {
        match stream.try_send(count) {
            Ok(()) => {}
            Err(TrySendError::Full(back)) => {
                assert_eq!(back, count);
                return count;
            }
            Err(TrySendError::Failed(error)) => panic!("{error:?}"),
        }
    }
    0
}

/// tractor: test_one_end_stream_not_opened (from the opener; nothing is overrun here)
#[test]
fn sender_to_a_function_that_has_not_opened_its_stream_is_made_to_wait() {
    guarded(|| {
        with_actor(async |portal| {
            for opens in [true, false] {
                let gate = Gate::new();
                let (ctx, ()) = portal
                    .open_context(looks_late(gate.address(), opens))
                    .await?;
                let mut stream = ctx.open_stream().await?;
                assert_eq!(fill(&mut stream), 64);
                // A round trip brings nothing new: nobody has opened it.
                portal.run(process_id()).await?;
                assert_eq!(fill(&mut stream), 0);
                gate.open();
                match opens {
                    true => {
                        stream.send(64).await?;
                        drop(stream);
                        assert_eq!(ctx.result().await?, 65);
                    }
                    false => {
                        // It waits until the function has ended, and hears of that.
                        let error = stream.send(64).await.unwrap_err();
                        assert!(error.is_closed(), "{error:?}");
                        assert_eq!(ctx.result().await?, 0);
                    }
                }
            }
            Ok(())
        });
    });
}

/// Sends until it is full, and says how many that were.
#[treewright::context]
async fn fills(ctx: Context<(), u64, u64>, post: String) -> Result<u64> {
    let ctx = ctx.started(()).await?;
    let mut stream = ctx.open_stream().await?;
    let count = fill(&mut stream);
    say(&post, &format!("full after {count}"));
    stream.send(count).await?;
    Ok(count + 1)
}

/// tractor: test_one_end_stream_not_opened (from the function), test_maybe_allow_overruns_stream
#[test]
fn function_that_sends_to_an_opener_without_a_stream_is_made_to_wait() {
    guarded(|| {
        with_actor(async |portal| {
            let mut post = Post::new();
            let (ctx, ()) = portal.open_context(fills(post.address())).await?;
            post.expect("full after 64").await;
            portal.run(process_id()).await?;
            let mut stream = ctx.open_stream().await?;
            assert_eq!(read_all(&mut stream).await?, (0..=64).collect::<Vec<_>>());
            assert_eq!(ctx.result().await?, 65);
            // One that never looks may leave; the function is not stuck for ever.
            let (ctx, ()) = portal.open_context(fills(post.address())).await?;
            post.expect("full after 64").await;
            assert!(ctx.cancel().await?.is_cancelled());
            Ok(())
        });
    });
}

/// tractor: test_respawn_consumer_task
#[test]
fn reader_that_is_cancelled_and_replaced_again_and_again_loses_no_message() {
    guarded(|| {
        with_actor(async |portal| {
            let (ctx, ()) = portal.open_context(counts(500, false)).await?;
            let mut stream = ctx.open_stream().await?;
            let mut all = Vec::new();
            while all.len() < 500 {
                let (stream, all) = (&mut stream, &mut all);
                open_nursery(async |n| {
                    // Each is stopped while it waits or reads, wherever it may be.
                    let reader = n.spawn(async move {
                        let upto = all.len() + 7;
                        while all.len() < upto {
                            let Some(number) = stream.try_next().await? else {
                                break;
                            };
                            all.push(number);
                            futures_lite::future::yield_now().await;
                        }
                        Ok::<_, Error>(())
                    });
                    for _ in 0..3 {
                        futures_lite::future::yield_now().await;
                    }
                    reader.cancel("the next one, please");
                    Ok(())
                })
                .await?;
            }
            assert_eq!(all, (0..500).collect::<Vec<_>>());
            assert_eq!(ctx.result().await?, 500);
            let (last, none) = zip(stream.next(), async {}).await;
            assert!(last.is_none());
            Ok(none)
        });
    });
}
