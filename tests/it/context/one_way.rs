//! Streams one way: functions that yield, and what becomes of them.

use std::future::pending;

use futures_lite::{StreamExt, stream};
use treewright::{
    Error, Portal, RemoteStream, Result, StreamSender, move_on_after, open_actor_cluster,
    open_nursery,
};

use super::support::with_actor;
use crate::actor::support::{MOMENT, Post, SayWhenDropped, process_id, say};
use crate::guard::guarded;

/// Yields numbers and ends well, fails, or goes on for ever.
#[treewright::stream]
async fn yields(mut out: StreamSender<u64>, post: String, upto: u64, end: String) -> Result<()> {
    let _told = SayWhenDropped(post, "over");
    for number in 0..upto {
        out.send(number).await?;
    }
    match end.as_str() {
        "well" => Ok(()),
        "bad" => Err(Error::other("the well is dry")),
        "panic" => panic!("the well is poisoned"),
        _ => pending().await,
    }
}

async fn read<T>(stream: &mut RemoteStream<T>) -> (Vec<T>, Option<Error>)
where
    T: serde::de::DeserializeOwned + 'static,
{
    let mut all = Vec::new();
    loop {
        match stream.next().await {
            Some(Ok(item)) => all.push(item),
            Some(Err(error)) => return (all, Some(error)),
            None => return (all, None),
        }
    }
}

/// tractor: test_stream_from_single_subactor
#[test]
fn function_that_yields_is_a_stream_in_order_that_ends_when_it_does() {
    guarded(|| {
        with_actor(async |portal| {
            let mut post = Post::new();
            for upto in [0, 1, 10, 5_000] {
                let call = yields(post.address(), upto, "well".into());
                let mut numbers = portal.open_stream_from(call).await?;
                assert_eq!(numbers.peer(), portal.id());
                let (all, error) = read(&mut numbers).await;
                assert_eq!(all, (0..upto).collect::<Vec<_>>());
                assert!(error.is_none(), "{error:?}");
                assert!(numbers.next().await.is_none());
                post.expect("over").await;
            }
            // As any other stream.
            let call = yields(post.address(), 10, "well".into());
            let numbers = portal.open_stream_from(call).await?;
            let even: Vec<u64> = numbers
                .map(Result::unwrap)
                .filter(|number| number % 2 == 0)
                .collect()
                .await;
            assert_eq!(even, [0, 2, 4, 6, 8]);
            post.expect("over").await;
            Ok(())
        });
    });
}

#[test]
fn failure_of_a_function_that_yields_comes_out_of_its_stream_and_fails_nobody_else() {
    guarded(|| {
        with_actor(async |portal| {
            let mut post = Post::new();
            for (end, cause) in [("bad", "dry"), ("panic", "poisoned")] {
                let call = yields(post.address(), 3, end.into());
                let mut numbers = portal.open_stream_from(call).await?;
                let (all, error) = read(&mut numbers).await;
                // What was not read when it failed is not there any more.
                assert!(all.len() <= 3, "{all:?}");
                let text = format!("{:?}", error.unwrap());
                assert!(text.contains(cause), "{text}");
                assert!(numbers.next().await.is_none());
                post.expect("over").await;
            }
            portal.run(process_id()).await?;
            Ok(())
        });
    });
}

#[test]
fn stream_that_is_dropped_ends_its_function_and_the_nursery_waits_for_it() {
    guarded(|| {
        with_actor(async |portal| {
            for upto in [3, u64::MAX] {
                let mut post = Post::new();
                let to = post.address();
                open_nursery(async |_n| {
                    let call = yields(to.clone(), upto, "never".into());
                    let mut numbers = portal.open_stream_from(call).await?;
                    for expected in 0..3 {
                        assert_eq!(numbers.try_next().await?, Some(expected));
                    }
                    Ok(())
                })
                .await?;
                say(&to, "nursery over");
                post.expect("over").await;
                post.expect("nursery over").await;
            }
            portal.run(process_id()).await?;
            Ok(())
        });
    });
}

/// Takes what another actor yields, and yields each item once.
#[treewright::stream]
async fn aggregates(mut out: StreamSender<u64>, post: String, seed: u64) -> Result<()> {
    open_nursery(async |n| {
        let mut sources = Vec::new();
        for name in ["streamer_1", "streamer_2"] {
            let portal = n.start_actor(name).await?;
            let call = yields(post.clone(), seed, "well".into());
            sources.push((portal.clone(), portal.open_stream_from(call).await?));
        }
        let (portals, streams): (Vec<Portal>, Vec<_>) = sources.into_iter().unzip();
        let [one, other]: [RemoteStream<u64>; 2] = streams.try_into().unwrap();
        let mut both = stream::or(one, other);
        let mut seen = std::collections::HashSet::new();
        while let Some(number) = both.try_next().await? {
            if seen.insert(number) {
                out.send(number).await?;
            }
        }
        for portal in portals {
            portal.cancel_actor().await?;
        }
        Ok(())
    })
    .await
}

/// tractor: test_a_quadruple_example
#[test]
fn four_processes_with_three_streams_give_each_number_once() {
    guarded(|| {
        with_actor(async |portal| {
            let mut post = Post::new();
            let call = aggregates(post.address(), 1_000);
            let mut numbers = portal.open_stream_from(call).await?;
            let (mut all, error) = read(&mut numbers).await;
            assert!(error.is_none(), "{error:?}");
            assert_eq!(all.len(), 1_000);
            all.sort_unstable();
            assert_eq!(all, (0..1_000).collect::<Vec<_>>());
            assert_eq!(post.sorted(2).await, ["over", "over"]);
            Ok(())
        });
    });
}

/// tractor: test_not_fast_enough_quad, test_cancel_infinite_streamer
#[test]
fn deadline_in_the_middle_of_it_gives_no_value_and_takes_all_down() {
    guarded(|| {
        with_actor(async |portal| {
            let post = Post::new();
            for part in 0..4 {
                let to = post.address();
                let streaming = async {
                    let call = aggregates(to.clone(), u64::MAX);
                    let mut numbers = portal.open_stream_from(call).await?;
                    say(&to, "streaming");
                    while numbers.try_next().await?.is_some() {}
                    Ok::<_, Error>(())
                };
                // At the beginning, at the first items, and in full flow.
                let value = move_on_after(MOMENT * part, open_nursery(async |_n| streaming.await));
                assert!(value.await.is_none());
                portal.run(process_id()).await?;
            }
            // Whatever has begun to yield has ended.
            Ok(())
        });
    });
}

/// Yields pairs of who it is and a number.
#[treewright::stream]
async fn shouts(mut out: StreamSender<(usize, u64)>, who: usize, times: u64) -> Result<()> {
    for number in 0..times {
        out.send((who, number)).await?;
    }
    Ok(())
}

/// tractor: test_streaming_to_actor_cluster (from each of its members)
#[test]
fn every_member_of_a_cluster_is_streamed_from_at_once() {
    guarded(|| {
        treewright::run(async || {
            open_actor_cluster(3, async |portals| {
                let mut streams = Vec::new();
                for (who, portal) in portals.iter().enumerate() {
                    streams.push(portal.open_stream_from(shouts(who, 500)).await?);
                }
                for round in 0..500 {
                    for (who, stream) in streams.iter_mut().enumerate() {
                        assert_eq!(stream.try_next().await?, Some((who, round)));
                    }
                }
                for stream in &mut streams {
                    assert_eq!(stream.try_next().await?, None);
                }
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}
