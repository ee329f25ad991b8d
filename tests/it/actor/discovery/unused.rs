//! Links that somebody uses, and those that nobody does any more.

use std::cell::RefCell;
use std::fs;

use futures_lite::future::{yield_now, zip};
use treewright::{Context, Portal, Result, find_actor, open_nursery, run, wait_for_actor};

use super::find::who;
use crate::guard::guarded;

fn sockets() -> usize {
    let entries = fs::read_dir("/proc/self/fd").unwrap();
    let is_socket = |target: &std::path::PathBuf| target.to_string_lossy().starts_with("socket:");
    let targets = entries.filter_map(|entry| fs::read_link(entry.unwrap().path()).ok());
    targets.filter(is_socket).count()
}

/// Waits until so many sockets are open, which nobody tells of.
async fn until_open(count: usize) {
    while sockets() != count {
        yield_now().await;
    }
}

#[treewright::task(public)]
async fn count_sockets() -> usize {
    sockets()
}

#[treewright::task(public)]
async fn wait_for_sockets(count: usize) {
    until_open(count).await;
}

/// Says each number back.
#[treewright::context(public)]
async fn say_back(ctx: Context<(), u32, u32>) -> Result<()> {
    let mut stream = ctx.started(()).await?.open_stream().await?;
    while let Some(number) = stream.try_next().await? {
        stream.send(number).await?;
    }
    Ok(())
}

#[treewright::task]
async fn use_and_drop(name: String) -> Result<()> {
    let before = sockets();
    for _ in 0..20 {
        let found = wait_for_actor(&name).await?;
        found.run(who()).await?;
        assert_eq!(sockets(), before + 1);
        let clone = found.clone();
        drop(found);
        clone.run(who()).await?;
        drop(clone);
        until_open(before).await;
    }
    // A context needs the link as a handle does.
    let found = find_actor(&name).await?.unwrap();
    let (ctx, ()) = found.open_context(say_back()).await?;
    drop(found);
    let mut stream = ctx.open_stream().await?;
    for number in 0..100 {
        stream.send(number).await?;
        assert_eq!(stream.try_next().await?, Some(number));
    }
    assert_eq!(sockets(), before + 1);
    stream.close().await?;
    ctx.result().await?;
    drop((ctx, stream));
    until_open(before).await;
    Ok(())
}

#[test]
fn link_ends_at_both_sides_with_the_last_that_uses_it_and_is_made_again() {
    guarded(|| {
        run(async || {
            open_nursery(async |n| {
                let used = n.start_actor("used").await?;
                let before = used.run(count_sockets()).await?;
                let user = n.start_actor("user").await?;
                user.run(use_and_drop("used".to_owned())).await?;
                used.run(wait_for_sockets(before)).await?;
                n.cancel("both are as before");
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

thread_local! {
    static HANDLE: RefCell<Option<Portal>> = const { RefCell::new(None) };
}

/// Finds this actor and keeps its handle.
#[treewright::task]
async fn keep_handle(name: String) -> Result<()> {
    let found = wait_for_actor(&name).await?;
    HANDLE.set(Some(found));
    Ok(())
}

#[treewright::task]
async fn use_handle() -> Result<()> {
    let kept = HANDLE.with_borrow(Clone::clone).unwrap();
    assert_eq!(kept.run(who()).await?, kept.id().to_string());
    Ok(())
}

#[treewright::task]
async fn drop_handle() {
    HANDLE.take();
}

#[test]
fn link_that_one_side_has_left_serves_the_other_until_that_leaves_too() {
    guarded(|| {
        run(async || {
            open_nursery(async |n| {
                let one = n.start_actor("one").await?;
                let other = n.start_actor("other").await?;
                // So that whatever else they need is open by then.
                let before = [&one, &other].map(|actor| actor.run(count_sockets()));
                let [before_one, before_other] = before;
                let (at_one, at_other) = (before_one.await?, before_other.await?);
                one.run(keep_handle("other".to_owned())).await?;
                other.run(keep_handle("one".to_owned())).await?;
                for who_leaves_first in [&one, &other] {
                    // They share the link that there is.
                    assert_eq!(one.run(count_sockets()).await?, at_one + 1);
                    assert_eq!(other.run(count_sockets()).await?, at_other + 1);
                    let stays = match who_leaves_first.id() == one.id() {
                        true => &other,
                        false => &one,
                    };
                    who_leaves_first.run(drop_handle()).await?;
                    for _ in 0..50 {
                        stays.run(use_handle()).await?;
                    }
                    assert_eq!(one.run(count_sockets()).await?, at_one + 1);
                    stays.run(drop_handle()).await?;
                    one.run(wait_for_sockets(at_one)).await?;
                    other.run(wait_for_sockets(at_other)).await?;
                    // And from the other side once more.
                    other.run(keep_handle("one".to_owned())).await?;
                    one.run(keep_handle("other".to_owned())).await?;
                }
                n.cancel("both have left");
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

#[treewright::task]
async fn look_up_twice_at_once(name: String) -> Result<()> {
    wait_for_actor("other").await?;
    let before = sockets();
    let (one, other) = zip(find_actor(&name), wait_for_actor(&name)).await;
    let (one, other) = (one?.unwrap(), other?);
    assert_eq!(one.id(), other.id());
    assert!(sockets() <= before + 1);
    one.run(who()).await?;
    drop(one);
    other.run(who()).await?;
    Ok(())
}

#[test]
fn two_who_look_for_one_name_at_once_share_a_link() {
    guarded(|| {
        run(async || {
            open_nursery(async |n| {
                n.start_actor("other").await?;
                n.start_actor("wanted").await?;
                let finder = n.start_actor("finder").await?;
                finder
                    .run(look_up_twice_at_once("wanted".to_owned()))
                    .await?;
                n.cancel("shared");
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

/// Waits for the end of an actor, or asks how it was when it has long been over.
#[treewright::task]
async fn how_it_ended(name: String, post: String) -> Result<Vec<Option<i32>>> {
    let found = wait_for_actor(&name).await?;
    assert_eq!(found.try_wait(), None);
    super::super::support::say(&post, "found");
    let (one, clone) = (found.clone(), found.clone());
    let (first, second) = zip(one.wait(), clone.wait()).await;
    let late = found.wait().await;
    let codes = [first, second, late].map(|exit| exit.reason.shell_code());
    Ok(codes.to_vec())
}

/// Ends this process with this code.
#[treewright::task]
async fn exit_with(code: i32) {
    std::process::exit(code);
}

#[test]
fn who_has_found_an_actor_learns_how_it_ended() {
    guarded(|| {
        run(async || {
            let mut post = super::super::support::Post::new();
            open_nursery(async |n| {
                let finder = n.start_actor("finder").await?;
                let call = how_it_ended("doomed".to_owned(), post.address());
                let learns = n.spawn(async move { finder.run(call).await });
                let ended = open_nursery(async |m| {
                    let doomed = m.start_actor("doomed").await?;
                    post.expect("found").await;
                    doomed.run(exit_with(7)).await
                });
                assert!(ended.await.is_err());
                assert_eq!(learns.result().await?, [Some(7); 3]);
                n.cancel("learned");
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}
