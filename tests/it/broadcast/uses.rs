//! What one stream can be used for at once, and how streams end together.

use std::future::pending;

use futures_lite::future::{or, yield_now};
use rustix::process::{Signal, getpid, kill_process};
use serde::{Deserialize, Serialize};
use treewright::{CancelOrigin, Context, Result, StreamSender, open_nursery, run};

use super::support::{count, rest, take, with_actor};
use crate::guard::guarded;

/// tractor: test_local_task_fanout_from_stream
#[test]
fn subscribers_count_the_same_and_end_together_when_the_other_side_closes() {
    guarded(|| {
        with_actor(async |n, portal| {
            let (ctx, ()) = portal.open_context(count()).await?;
            let mut stream = ctx.open_stream().await?;
            let mut tasks = Vec::new();
            for _ in 0..22 {
                let receiver = stream.subscribe(4)?;
                tasks.push(n.spawn(async move { Ok(rest(receiver).await?.len()) }));
            }
            stream.send(100).await?;
            stream.close_sending();
            for task in tasks {
                assert_eq!(task.result().await?, 100);
            }
            ctx.result().await
        })
    });
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Said {
    /// Of its own accord.
    Tick(u64),
    Answer(u64),
}

/// Says ticks without end, and answers each number with its square.
#[treewright::context]
async fn tick_and_answer(ctx: Context<(), u64, Said>) -> Result<u64> {
    let stream = ctx.started(()).await?.open_stream().await?;
    let (mut out, mut questions) = stream.split();
    let (say, said) = smol::channel::bounded(1);
    let answer = say.clone();
    let ticking = async {
        for tick in 0.. {
            // Only who has gone on listening can hear this.
            let _ = say.send(Said::Tick(tick)).await;
            yield_now().await;
        }
        pending().await
    };
    let answering = async {
        let mut answered = 0;
        while let Some(question) = questions.try_next().await? {
            let _ = answer.send(Said::Answer(question * question)).await;
            answered += 1;
        }
        Ok(answered)
    };
    let writing = async {
        while let Ok(said) = said.recv().await {
            out.send(said).await?;
        }
        pending().await
    };
    or(or(ticking, writing), answering).await
}

/// tractor: test_reqresp_ontopof_streaming
#[test]
fn requests_and_replies_share_a_stream_with_what_is_said_without_being_asked() {
    guarded(|| {
        with_actor(async |_, portal| {
            let (ctx, ()) = portal.open_context(tick_and_answer()).await?;
            let mut stream = ctx.open_stream().await?;
            let mut next_tick = 0;
            for question in 1..=20 {
                stream.send(question).await?;
                loop {
                    match stream.try_next().await?.unwrap() {
                        Said::Tick(tick) => {
                            assert_eq!(tick, next_tick, "each in its turn");
                            next_tick += 1;
                        }
                        Said::Answer(answer) => {
                            assert_eq!(answer, question * question);
                            break;
                        }
                    }
                }
            }
            assert!(next_tick > 0);
            stream.close().await?;
            assert_eq!(ctx.result().await?, 20);
            Ok(())
        })
    });
}

/// Subscribers take apart what comes over one stream, each what is its business.
#[test]
fn subscribers_take_apart_what_comes_over_one_stream() {
    guarded(|| {
        with_actor(async |n, portal| {
            let (ctx, ()) = portal.open_context(count()).await?;
            let mut stream = ctx.open_stream().await?;
            let mut halves = Vec::new();
            for parity in [0, 1] {
                let receiver = stream.subscribe(8)?;
                halves.push(n.spawn(async move {
                    let all = rest(receiver).await?;
                    let own = all.into_iter().filter(|number| number % 2 == parity);
                    Ok(own.sum::<u32>())
                }));
            }
            stream.send(10).await?;
            stream.close_sending();
            let mut sums = Vec::new();
            for half in halves {
                sums.push(half.result().await?);
            }
            assert_eq!(sums, [20, 25]);
            ctx.result().await
        })
    });
}

#[treewright::stream]
async fn yields_forever(mut out: StreamSender<u32>) -> Result<()> {
    for number in 0.. {
        out.send(number).await?;
    }
    Ok(())
}

/// tractor: test_sigint_both_stream_types
#[test]
fn signal_ends_streams_both_ways_and_one_way_that_are_open_at_once() {
    guarded(|| {
        let outcome = run(async || {
            open_nursery(async |n| {
                let portal = n.start_actor("other").await?;
                let (ctx, ()) = portal.open_context(count()).await?;
                let mut both_ways = ctx.open_stream().await?;
                let mut one_way = portal.open_stream_from(yields_forever()).await?;
                both_ways.send(1).await?;
                assert_eq!(take!(both_ways, 1), [0]);
                assert_eq!(take!(one_way, 2), [0, 1]);
                kill_process(getpid(), Signal::INT).unwrap();
                // One is read all the while, and there is always something; the other waits.
                let reading = async {
                    while one_way.try_next().await?.is_some() {}
                    Ok(None)
                };
                or(reading, both_ways.try_next()).await
            })
            .await
        });
        let error = outcome.unwrap_err();
        let origin = error.cancel_reason().unwrap().origin();
        assert_eq!(*origin, CancelOrigin::Signal(Signal::INT.as_raw()));
    });
}
