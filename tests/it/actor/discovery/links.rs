//! Links between two actors of which neither is the other's parent: what goes over them, what
//! may be called and ended, and what is left of them.

use std::fs;

use rustix::process::Signal;
use treewright::{
    Context, Error, ErrorKind, Result, SpawnMethod, current_actor, find_actor, open_nursery, run,
    wait_for_actor,
};

use super::super::support::{Post, Watch, kind, process_id, relay, remote, say};
use super::find::who;
use crate::guard::guarded;

/// Not for everybody.
#[treewright::task]
async fn secret() -> u32 {
    42
}

/// Calls what the actor of this name may have exposed, and gives the value or the error.
#[treewright::task]
async fn pry(name: String) -> Result<std::result::Result<u32, (String, String)>> {
    let found = wait_for_actor(&name).await?;
    assert_eq!(found.run(who()).await?, found.id().to_string());
    Ok(found.run(secret()).await.map_err(|error| {
        let hint = error.hint().unwrap_or_default().to_owned();
        (error.to_string(), hint)
    }))
}

#[test]
fn peer_may_call_what_is_public_or_exposed_and_nothing_else() {
    guarded(|| {
        run(async || {
            open_nursery(async |n| {
                let open = n.actor("open").expose::<secret>().start().await?;
                let closed = n.start_actor("closed").await?;
                // Their parent may call both.
                assert_eq!(open.run(secret()).await?, 42);
                assert_eq!(closed.run(secret()).await?, 42);
                let prier = n.start_actor("prier").await?;
                assert_eq!(prier.run(pry("open".to_owned())).await?, Ok(42));
                let (error, hint) = prier.run(pry("closed".to_owned())).await?.unwrap_err();
                assert!(
                    error.contains("`closed` may be called by its parent only"),
                    "{error}"
                );
                assert!(hint.contains("expose"), "{hint}");
                n.cancel("all was tried");
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

/// Calls what its parent has exposed, and what it has not.
#[treewright::task]
async fn pry_above() -> Result<(String, String)> {
    let parent = current_actor()?.parent_portal().unwrap();
    let refused = parent.run(secret()).await.unwrap_err();
    assert!(refused.to_string().contains("parent only"), "{refused}");
    let ended = parent.cancel_actor().await.unwrap_err();
    assert_eq!(ended.kind(), ErrorKind::Refused);
    let found = find_actor(parent.id().name()).await?.unwrap();
    assert_eq!(found.id(), parent.id());
    Ok((parent.run(who()).await?, found.run(who()).await?))
}

#[test]
fn parent_may_be_called_and_not_be_ended() {
    guarded(|| {
        run(async || {
            open_nursery(async |n| {
                let child = n.start_actor("child").await?;
                let me = current_actor()?.id().to_string();
                assert_eq!(child.run(pry_above()).await?, (me.clone(), me));
                child.cancel_actor().await?;
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Finds an actor this often; all handles go over one link.
#[treewright::task]
async fn find_often(name: String, times: u32) -> Result<usize> {
    let mut found = vec![wait_for_actor(&name).await?];
    let before = descriptors();
    for _ in 0..times {
        let portal = find_actor(&name).await?.unwrap();
        portal.run(who()).await?;
        found.push(portal);
    }
    Ok(descriptors() - before)
}

#[test]
fn two_actors_have_one_link_however_often_they_meet() {
    guarded(|| {
        run(async || {
            open_nursery(async |n| {
                n.start_actor("met").await?;
                let finder = n.start_actor("finder").await?;
                assert_eq!(finder.run(find_often("met".to_owned(), 100)).await?, 0);
                n.cancel("enough");
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

/// Meets whoever comes by these names, one after the other, and says so. Gives how many
/// descriptors are open after some of them, and in the end.
#[treewright::task]
async fn meet_all(post: String, count: u32) -> Result<(usize, usize)> {
    let mut first = 0;
    for number in 0..count {
        if number == 10 {
            first = descriptors();
        }
        let met = wait_for_actor(&format!("visitor-{number}")).await?;
        met.run(who()).await?;
        say(&post, "met");
        // Its link ends with it.
        met.wait().await;
    }
    Ok((first, descriptors()))
}

#[test]
fn two_hundred_introductions_leave_no_descriptor_behind() {
    guarded(|| {
        run(async || {
            let mut post = Post::new();
            let mut after_some = 0;
            open_nursery(async |n| {
                let host = n.actor("host").run(meet_all(post.address(), 200)).await?;
                for number in 0..200 {
                    let visitor = n.actor(format!("visitor-{number}"));
                    let visitor = visitor.spawn_method(SpawnMethod::Thread).start().await?;
                    post.expect("met").await;
                    visitor.cancel_actor().await?;
                    if number == 10 {
                        after_some = descriptors();
                    }
                }
                // A timer, or a thread that ends, may have one at any moment.
                let last = descriptors();
                assert!(
                    last <= after_some + 2,
                    "{after_some}, and {last} in the end"
                );
                let (first, last) = host.result().await?;
                assert!(
                    last <= first + 2,
                    "{first} descriptors, and {last} in the end"
                );
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

/// Has a call open at the actor of this name, and gives how it ended.
#[treewright::task]
async fn wait_there(post: String, name: String) -> Result<String> {
    let found = wait_for_actor(&name).await?;
    let error = found.run(linger(post)).await.unwrap_err();
    assert_eq!(kind(&error), treewright::RemoteKind::LinkLost);
    let exit = found.wait().await;
    assert_eq!(exit.reason.shell_code(), Some(128 + 9));
    assert_eq!(found.try_wait(), Some(exit));
    assert!(found.run(who()).await.is_err());
    Ok(error.to_string())
}

#[treewright::task(public)]
async fn linger(post: String) {
    say(&post, "lingers");
    std::future::pending().await
}

#[test]
fn call_of_a_peer_that_is_killed_ends_with_an_error() {
    guarded(|| {
        run(async || {
            let mut post = Post::new();
            open_nursery(async |n| {
                let call = wait_there(post.address(), "doomed".to_owned());
                let caller = n.start_actor("caller").await?;
                let waits = n.spawn(async move { caller.run(call).await });
                let lost = open_nursery(async |m| {
                    let doomed = m.start_actor("doomed").await?;
                    let doomed = Watch::of(doomed.run(process_id()).await?);
                    post.expect("lingers").await;
                    doomed.signal(Signal::KILL);
                    m.cancelled().await;
                    Ok(())
                });
                assert!(lost.await.is_err());
                let error = waits.result().await?;
                assert!(error.contains("`doomed`"), "{error}");
                n.cancel("seen");
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

/// Answers each number with its double.
#[treewright::context(public)]
async fn doubling(ctx: Context<u32, u32, u32>) -> Result<()> {
    let ctx = ctx.started(7).await?;
    let mut stream = ctx.open_stream().await?;
    while let Some(number) = stream.try_next().await? {
        stream.send(2 * number).await?;
    }
    Ok(())
}

/// Has a conversation with the actor of this name.
#[treewright::task]
async fn converse(name: String) -> Result<Vec<u32>> {
    let found = wait_for_actor(&name).await?;
    let (ctx, first) = found.open_context(doubling()).await?;
    let mut stream = ctx.open_stream().await?;
    let mut numbers = vec![first];
    for number in 1..4 {
        stream.send(number).await?;
        numbers.extend(stream.next().await.transpose()?);
    }
    stream.close().await?;
    ctx.result().await?;
    Ok(numbers)
}

#[test]
fn peers_have_conversations_over_their_link() {
    guarded(|| {
        run(async || {
            open_nursery(async |n| {
                n.start_actor("doubler").await?;
                let caller = n.start_actor("caller").await?;
                let numbers = caller.run(converse("doubler".to_owned())).await?;
                assert_eq!(numbers, [7, 2, 4, 6]);
                n.cancel("enough");
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

/// Has an actor below itself for whoever has opened this.
#[treewright::context(public)]
async fn host_service(ctx: Context<(), (), ()>, name: String) -> Result<()> {
    open_nursery(async |n| {
        n.start_actor(name).await?;
        let _started = ctx.started(()).await?;
        std::future::pending().await
    })
    .await
}

#[treewright::task(public)]
async fn break_down() -> Result<()> {
    Err(Error::other("broken down"))
}

/// Has another actor start one, and calls that one; it may break down.
#[treewright::task]
async fn use_service(breaks_down: bool) -> Result<()> {
    let server = wait_for_actor("server").await?;
    let (ctx, ()) = server
        .open_context(host_service("service".to_owned()))
        .await?;
    let service = find_actor("service").await?.unwrap();
    service.run(who()).await?;
    if breaks_down {
        service.run(break_down()).await?;
    }
    assert!(ctx.cancel().await?.is_cancelled());
    assert!(find_actor("service").await?.is_none());
    Ok(())
}

#[test]
fn actor_that_a_peer_has_started_for_another_one_fails_to_that_one_and_ends_with_its_context() {
    guarded(|| {
        run(async || {
            open_nursery(async |n| {
                let server = n.start_actor("server").await?;
                let client = n.start_actor("client").await?;
                client.run(use_service(false)).await?;
                assert!(find_actor("service").await?.is_none());
                let error = client.run(use_service(true)).await.unwrap_err();
                let remote = remote(&error);
                assert_eq!(remote.origin().name(), "service");
                assert_eq!(relay(remote), ["client"]);
                assert!(remote.to_string().ends_with("broken down"), "{remote}");
                // The server lives on, and has ended what it had started.
                assert!(server.run(who()).await.is_ok());
                server.cancel_actor().await?;
                assert!(find_actor("service").await?.is_none());
                client.cancel_actor().await?;
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}
