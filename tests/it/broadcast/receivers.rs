//! Many receivers of one stream: who gets what, who lags, and who takes over.

use std::pin::pin;

use futures_lite::StreamExt;
use futures_lite::future::poll_once;
use treewright::{
    BroadcastReceiver, Context, Error, ErrorKind, Lag, Result, StreamSender, open_nursery,
};

use super::support::{count, rest, take, with_actor};
use crate::guard::guarded;

/// tractor: test_stream_fan_out_to_local_subscriptions
#[test]
fn subscribers_and_the_stream_itself_each_get_every_message() {
    guarded(|| {
        with_actor(async |n, portal| {
            let (ctx, ()) = portal.open_context(count()).await?;
            let mut stream = ctx.open_stream().await?;
            let mut tasks = Vec::new();
            for _ in 0..10 {
                // Few are kept: it is the turns that let everybody follow.
                let mut receiver = stream.subscribe(8)?;
                tasks.push(n.spawn(async move { Ok(take!(receiver, 1000)) }));
            }
            stream.send(1000).await?;
            let expected: Vec<u32> = (0..1000).collect();
            assert_eq!(take!(stream, 1000), expected);
            for task in tasks {
                assert_eq!(task.result().await?, expected);
            }
            stream.close().await?;
            ctx.result().await
        })
    });
}

/// tractor: test_consumer_and_parent_maybe_lag
#[test]
fn slower_side_lags_and_the_faster_one_does_not() {
    guarded(|| {
        with_actor(async |_, portal| {
            let (ctx, ()) = portal.open_context(count()).await?;
            let mut stream = ctx.open_stream().await?;
            let mut subscriber = stream.subscribe(4)?;
            stream.send(10).await?;
            assert_eq!(take!(stream, 10), (0..10).collect::<Vec<_>>());
            let lagged = subscriber.try_next().await.unwrap_err();
            assert_eq!(lagged.lagged(), Some(6));
            assert_eq!(take!(subscriber, 4), [6, 7, 8, 9]);
            // And the other way round.
            stream.send(9).await?;
            assert_eq!(take!(subscriber, 9), (0..9).collect::<Vec<_>>());
            let lagged = stream.try_next().await.unwrap_err();
            assert_eq!(lagged.lagged(), Some(5));
            assert_eq!(take!(stream, 4), [5, 6, 7, 8]);
            Ok(())
        })
    });
}

/// tractor: test_faster_task_to_recv_is_cancelled_by_slower
#[test]
fn faster_task_that_is_cancelled_leaves_the_rest_to_the_slower() {
    guarded(|| {
        with_actor(async |n, portal| {
            let (ctx, ()) = portal.open_context(count()).await?;
            let mut stream = ctx.open_stream().await?;
            let mut slow = stream.subscribe(100)?;
            let mut fast = slow.subscribe()?;
            let (has_read, news) = smol::channel::bounded(1);
            let faster = n.spawn(async move {
                let read = take!(fast, 50);
                has_read.send(read).await.unwrap();
                // Nothing comes until it is cancelled.
                fast.try_next().await
            });
            stream.send(50).await?;
            let first = take!(slow, 1);
            assert_eq!(news.recv().await.unwrap().len(), 50);
            faster.cancel("too fast");
            faster.finished().await;
            stream.send(5).await?;
            let others: Vec<u32> = (1..50).chain(0..5).collect();
            assert_eq!((first, take!(slow, 54)), (vec![0], others));
            Ok(())
        })
    });
}

/// tractor: test_first_recver_is_cancelled
#[test]
fn first_to_wait_that_is_cancelled_leaves_the_next_waiting_one_to_be_woken() {
    guarded(|| {
        with_actor(async |n, portal| {
            let (ctx, ()) = portal.open_context(count()).await?;
            let mut stream = ctx.open_stream().await?;
            let (mut first, mut second) = (stream.subscribe(4)?, stream.subscribe(4)?);
            {
                let mut waits = pin!(first.next());
                assert!(poll_once(&mut waits).await.is_none());
            }
            let next = n.spawn(async move { Ok(take!(second, 2)) });
            futures_lite::future::yield_now().await;
            stream.send(2).await?;
            assert_eq!(next.result().await?, [0, 1]);
            // Its wait was given up, and it lost nothing by that.
            assert_eq!(take!(first, 2), [0, 1]);
            Ok(())
        })
    });
}

/// tractor: test_subscribe_errors_after_close
#[test]
fn stream_that_has_ended_or_is_closed_takes_no_subscribers() {
    guarded(|| {
        with_actor(async |_, portal| {
            let (ctx, ()) = portal.open_context(count()).await?;
            let mut closed = ctx.open_stream().await?;
            let subscriber = closed.subscribe(4)?;
            closed.close().await?;
            assert!(closed.subscribe(4).unwrap_err().is_closed());
            assert!(closed.try_next().await?.is_none());
            // The function sees the end of what this side sends, and ends; so do the others.
            assert_eq!(rest(subscriber.clone()).await?, Vec::<u32>::new());
            assert!(subscriber.subscribe().unwrap_err().is_closed());
            ctx.result().await?;

            let (ctx, ()) = portal.open_context(count()).await?;
            let mut ended = ctx.open_stream().await?;
            ended.close_sending();
            assert!(ended.try_next().await?.is_none());
            assert!(ended.subscribe(4).unwrap_err().is_closed());
            ctx.result().await
        })
    });
}

/// tractor: test_ensure_slow_consumers_lag_out
#[test]
fn slow_receivers_lag_again_and_again_and_the_fastest_never() {
    guarded(|| {
        with_actor(async |_, portal| {
            let (ctx, ()) = portal.open_context(count()).await?;
            let mut stream = ctx.open_stream().await?;
            const ALL: u32 = 1000;
            // How many messages pass while they read one.
            let mut slow: Vec<(u32, BroadcastReceiver<u32>, Slow)> = Vec::new();
            for pace in [1, 2, 5, 10] {
                slow.push((pace, stream.subscribe(3)?, Slow::default()));
            }
            stream.send(ALL).await?;
            for number in 0..ALL {
                assert_eq!(take!(stream, 1), [number]);
                for (pace, receiver, seen) in &mut slow {
                    if number % *pace == *pace - 1 {
                        seen.read(receiver).await?;
                    }
                }
            }
            stream.close().await?;
            ctx.result().await?;
            for (pace, mut receiver, mut seen) in slow {
                let lags = seen.lags;
                assert_eq!(lags == 0, pace == 1, "{lags} times at pace {pace}");
                assert!(pace == 1 || lags > 10, "{lags} times at pace {pace}");
                // What is kept can be read after the end: it has just read one of three.
                let before = seen.read;
                while seen.read(&mut receiver).await? {}
                assert_eq!(seen.read - before, if pace == 1 { 0 } else { 2 });
                assert_eq!(seen.read + seen.lost, u64::from(ALL), "at pace {pace}");
            }
            Ok(())
        })
    });
}

/// What a slow receiver has seen.
#[derive(Default)]
struct Slow {
    read: u64,
    lost: u64,
    lags: u64,
}

impl Slow {
    /// Reads one message, whatever was lost before it. Says false at the end.
    async fn read(&mut self, receiver: &mut BroadcastReceiver<u32>) -> Result<bool> {
        loop {
            match receiver.try_next().await {
                Ok(None) => return Ok(false),
                Ok(Some(number)) => {
                    assert_eq!(u64::from(number), self.read + self.lost);
                    self.read += 1;
                    return Ok(true);
                }
                Err(error) => {
                    self.lost += error.lagged().ok_or(error)?;
                    self.lags += 1;
                }
            }
        }
    }
}

/// tractor: test_no_raise_on_lag
#[test]
fn receiver_that_may_skip_is_told_of_no_loss() {
    guarded(|| {
        with_actor(async |_, portal| {
            let (ctx, ()) = portal.open_context(count()).await?;
            let mut stream = ctx.open_stream().await?;
            let mut skips = stream.subscribe(4)?.on_lag(Lag::Skip);
            // Who is subscribed through it may skip as well.
            let mut another = skips.subscribe()?;
            stream.send(10).await?;
            take!(stream, 10);
            assert_eq!(take!(skips, 4), [6, 7, 8, 9]);
            assert_eq!(take!(another, 4), [6, 7, 8, 9]);
            Ok(())
        })
    });
}

#[test]
fn receiver_that_blocks_slows_the_others_and_the_other_side_and_nothing_is_lost() {
    guarded(|| {
        with_actor(async |n, portal| {
            let (ctx, ()) = portal.open_context(count()).await?;
            let mut stream = ctx.open_stream().await?;
            let mut slow = stream.subscribe(4)?.on_lag(Lag::Block);
            let mut fast = stream.subscribe(4)?;
            // More than may be on its way, so the function has to wait for its reader.
            const ALL: u32 = 10_000;
            stream.send(ALL).await?;
            let expected: Vec<u32> = (0..ALL).collect();
            assert_eq!(take!(fast, 4), expected[..4]);
            assert!(poll_once(pin!(fast.next())).await.is_none());
            assert_eq!(take!(slow, 1), expected[..1]);
            assert_eq!(take!(fast, 1), expected[4..5]);
            let rest = ALL - 5;
            let faster = n.spawn(async move { Ok(take!(fast, rest)) });
            assert_eq!(take!(slow, ALL - 1), expected[1..]);
            assert_eq!(faster.result().await?, expected[5..]);
            Ok(())
        })
    });
}

#[test]
fn subscribers_go_on_when_the_stream_is_dropped() {
    guarded(|| {
        with_actor(async |_, portal| {
            let (ctx, ()) = portal.open_context(count()).await?;
            let mut stream = ctx.open_stream().await?;
            let subscribers = [stream.subscribe(100)?, stream.subscribe(100)?];
            stream.send(100).await?;
            // That ends what this side sends, so the function ends when it has counted.
            drop(stream);
            for subscriber in subscribers {
                assert_eq!(rest(subscriber).await?, (0..100).collect::<Vec<_>>());
            }
            ctx.result().await
        })
    });
}

#[test]
fn half_of_a_stream_that_is_split_takes_subscribers() {
    guarded(|| {
        with_actor(async |_, portal| {
            let (ctx, ()) = portal.open_context(count()).await?;
            let (mut sender, mut receiver) = ctx.open_stream().await?.split();
            let subscriber = receiver.subscribe(10)?;
            drop(receiver);
            sender.send(10).await?;
            drop(sender);
            assert_eq!(rest(subscriber).await?, (0..10).collect::<Vec<_>>());
            ctx.result().await
        })
    });
}

#[test]
fn largest_capacity_that_was_asked_for_holds_and_none_is_refused() {
    guarded(|| {
        with_actor(async |_, portal| {
            let (ctx, ()) = portal.open_context(count()).await?;
            let mut stream = ctx.open_stream().await?;
            assert_eq!(stream.subscribe(0).unwrap_err().kind(), ErrorKind::Other);
            let mut first = stream.subscribe(2)?;
            let mut second = stream.subscribe(5)?;
            let mut third = stream.subscribe(1)?;
            assert_eq!(stream.subscribe(0).unwrap_err().kind(), ErrorKind::Other);
            stream.send(5).await?;
            for receiver in [&mut first, &mut second, &mut third] {
                assert_eq!(take!(receiver, 5), [0, 1, 2, 3, 4]);
            }
            assert_eq!(take!(stream, 5), [0, 1, 2, 3, 4]);
            Ok(())
        })
    });
}

/// Opens its stream and fails.
#[treewright::context]
async fn break_down(ctx: Context<(), (), u32>) -> Result<()> {
    let _stream = ctx.started(()).await?.open_stream().await?;
    Err(Error::other("out of numbers"))
}

#[test]
fn failure_of_the_function_reaches_the_stream_and_every_subscriber_once() {
    guarded(|| {
        with_actor(async |_, portal| {
            let (ctx, ()) = portal.open_context(break_down()).await?;
            let mut stream = ctx.open_stream().await?;
            let mut subscribers = [stream.subscribe(3)?, stream.subscribe(3)?];
            // It has failed before anything is read.
            ctx.result().await.unwrap_err();
            let text = stream.try_next().await.unwrap_err().to_string();
            assert!(text.contains("out of numbers"), "{text}");
            assert_eq!(stream.try_next().await?, None);
            for subscriber in &mut subscribers {
                let error = subscriber.try_next().await.unwrap_err();
                assert_eq!(error.to_string(), text);
                assert_eq!(subscriber.try_next().await?, None);
            }
            Ok(())
        })
    });
}

#[treewright::stream]
async fn yields(mut out: StreamSender<u32>, upto: u32) -> Result<()> {
    for number in 0..upto {
        out.send(number).await?;
    }
    Ok(())
}

#[test]
fn what_a_function_yields_can_be_broadcast_and_so_can_any_stream() {
    guarded(|| {
        with_actor(async |_, portal| {
            let numbers = portal.open_stream_from(yields(100)).await?;
            let doubled = numbers.map(|number| number.map(|number| 2 * number));
            let first = BroadcastReceiver::new(doubled, 100)?;
            let second = first.subscribe()?;
            let expected: Vec<u32> = (0..100).map(|number| 2 * number).collect();
            assert_eq!(rest(first).await?, expected);
            assert_eq!(rest(second).await?, expected);
            Ok(())
        })
    });
}

#[test]
fn function_is_asked_to_end_when_the_last_receiver_of_what_it_yields_is_gone() {
    guarded(|| {
        with_actor(async |_, portal| {
            let started = open_nursery(async |_| {
                let numbers = portal.open_stream_from(yields(u32::MAX)).await?;
                let mut first = BroadcastReceiver::new(numbers, 1)?;
                let mut second = first.subscribe()?;
                assert_eq!(take!(first, 1), [0]);
                drop(first);
                Ok(take!(second, 2))
            });
            // The nursery returns when the function has ended, which it would not by itself.
            assert_eq!(started.await?, [0, 1]);
            Ok(())
        })
    });
}
