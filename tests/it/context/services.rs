//! Contexts that stay open while others use what they have opened.

use std::cell::RefCell;
use std::future::pending;

use futures_lite::future::zip;
use smol::channel::{Receiver, Sender, bounded};
use treewright::{
    Context, Error, MsgStream, Nursery, Result, open_actor_cluster, open_nursery, run,
};

use super::support::with_actor;
use crate::actor::support::{Post, process_id, remote, say};
use crate::guard::guarded;

thread_local! {
    /// The nursery that one context of this actor has open for the others.
    static SERVICES: RefCell<Option<Nursery<'static>>> = const { RefCell::new(None) };
}

/// Opens a nursery for others, and keeps it open.
#[treewright::context]
async fn keeps_services(ctx: Context) -> Result<()> {
    open_nursery(async |n: Nursery<'static>| {
        SERVICES.set(Some(n.clone()));
        ctx.started(()).await?;
        pending().await
    })
    .await
}

/// Starts a task in the nursery of the other context, and returns while it runs.
#[treewright::context]
async fn starts_service(ctx: Context, post: String, fails: bool) -> Result<()> {
    let services = SERVICES.with_borrow(Clone::clone).unwrap();
    services.spawn(async move {
        say(&post, "service up");
        match fails {
            true => Err(Error::other("no such name")),
            false => pending::<Result<()>>().await,
        }
    });
    ctx.started(()).await?;
    Ok(())
}

/// tractor: test_child_manages_service_nursery
#[test]
fn task_that_one_context_starts_for_another_fails_the_owner_of_its_nursery() {
    guarded(|| {
        with_actor(async |portal| {
            let mut post = Post::new();
            let (keeper, ()) = portal.open_context(keeps_services()).await?;
            for fails in [false, true] {
                let call = starts_service(post.address(), fails);
                let (ctx, ()) = portal.open_context(call).await?;
                // It has done its own part, whatever becomes of what it has started.
                ctx.result().await?;
                post.expect("service up").await;
            }
            let error = keeper.result().await.unwrap_err();
            assert_eq!(remote(&error).message(), "no such name");
            assert_eq!(remote(&error).origin(), portal.id());
            // The nursery has ended, and says so to who comes late.
            let late = starts_service(post.address(), false);
            let (ctx, ()) = portal.open_context(late).await?;
            ctx.result().await?;
            portal.run(process_id()).await?;
            Ok(())
        });
    });
}

/// Doubles what comes.
#[treewright::context]
async fn doubles(ctx: Context<(), u64, u64>) -> Result<u64> {
    let ctx = ctx.started(()).await?;
    let mut stream = ctx.open_stream().await?;
    let mut count = 0;
    while let Some(number) = stream.try_next().await? {
        stream.send(number * 2).await?;
        count += 1;
    }
    Ok(count)
}

/// tractor: test_streaming_to_actor_cluster
#[test]
fn every_member_of_a_cluster_is_streamed_to_at_once() {
    guarded(|| {
        run(async || {
            open_actor_cluster(3, async |portals| {
                let mut open = Vec::new();
                for portal in &portals {
                    let (ctx, ()) = portal.open_context(doubles()).await?;
                    let stream = ctx.open_stream().await?;
                    open.push((ctx, stream));
                }
                for number in 0..200 {
                    for (_, stream) in &mut open {
                        stream.send(number).await?;
                    }
                    for (_, stream) in &mut open {
                        assert_eq!(stream.try_next().await?, Some(number * 2));
                    }
                }
                for (ctx, stream) in open {
                    drop(stream);
                    assert_eq!(ctx.result().await?, 200);
                }
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

type Question = (u64, Sender<u64>);

/// Puts the questions of many tasks on one stream, and gives each its answer.
async fn share(mut stream: MsgStream<u64, u64>, questions: Receiver<Question>) -> Result<()> {
    while let Ok((number, answer)) = questions.recv().await {
        stream.send(number).await?;
        let back = stream.try_next().await?.unwrap();
        answer.send(back).await.unwrap();
    }
    Ok(())
}

/// tractor: test_open_local_sub_to_stream (of test_resource_cache)
#[test]
fn tasks_that_share_one_stream_each_get_their_answers() {
    guarded(|| {
        with_actor(async |portal| {
            let (ctx, ()) = portal.open_context(doubles()).await?;
            let stream = ctx.open_stream().await?;
            let (ask, asked) = bounded::<Question>(1);
            open_nursery(async |n| {
                n.spawn(share(stream, asked));
                for task in 0..10 {
                    let ask = ask.clone();
                    n.spawn(async move {
                        let (answer, answered) = bounded(1);
                        for round in 0..20 {
                            let number = task * 1_000 + round;
                            let question = ask.send((number, answer.clone()));
                            let (sent, back) = zip(question, answered.recv()).await;
                            sent.unwrap();
                            assert_eq!(back.unwrap(), number * 2);
                        }
                        Ok::<_, Error>(())
                    });
                }
                // The last task to leave ends the stream.
                drop(ask);
                Ok(())
            })
            .await?;
            assert_eq!(ctx.result().await?, 200);
            Ok(())
        });
    });
}
