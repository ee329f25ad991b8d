//! Finding actors by name.

use futures_lite::future::{poll_once, zip};
use rustix::process::Signal;
use treewright::{
    Error, ErrorKind, Portal, Result, SpawnMethod, actor_names, current_actor, find_actor,
    find_actors, move_on_after, open_nursery, run, wait_for_actor,
};

use super::super::support::{MOMENT, Post, Watch, process_id, say, say_pid};
use crate::guard::guarded;

/// Gives the names of all actors.
#[treewright::task]
async fn names() -> Result<Vec<String>> {
    actor_names().await
}

/// Says which actor it is, to anybody.
#[treewright::task(public)]
pub(super) async fn who() -> String {
    current_actor().unwrap().id().to_string()
}

/// Waits for an actor and calls it.
#[treewright::task]
async fn meet(name: String) -> Result<String> {
    wait_for_actor(&name).await?.run(who()).await
}

/// Starts an actor below itself, and waits until it has been told to end.
#[treewright::task]
async fn keep_another(post: String, name: String) -> Result<()> {
    open_nursery(async |n| {
        let kept = n.start_actor(name).await?;
        say(&post, &format!("pid {}", kept.run(process_id()).await?));
        say_pid(&post);
        std::future::pending().await
    })
    .await
}

async fn is_there(name: &str) -> bool {
    actor_names().await.unwrap().iter().any(|one| one == name)
}

#[test]
#[expect(clippy::disallowed_methods, reason = "no runtime is what is tried")]
fn lookup_without_a_runtime_is_an_error() {
    let error = smol::block_on(find_actor("anybody")).unwrap_err();
    assert!(error.is_closed(), "{error:?}");
    assert!(error.hint().is_some());
    assert!(smol::block_on(actor_names()).is_err());
    assert!(smol::block_on(treewright::join("anything")).is_err());
}

#[test]
fn root_finds_itself_at_once() {
    guarded(|| {
        run(async || {
            let me = current_actor()?;
            let found = wait_for_actor("root").await?;
            assert_eq!(found.id(), me.id());
            assert_eq!(found.run(who()).await?, me.id().to_string());
            let refused = found.cancel_actor().await.unwrap_err();
            assert!(refused.to_string().contains("`root`"), "{refused}");
            assert!(find_actor("nobody").await?.is_none());
            assert!(find_actors("nobody").await?.is_empty());
            Ok(())
        })
        .unwrap();
    });
}

#[test]
fn actor_is_found_from_when_it_is_up_until_it_has_ended() {
    guarded(|| {
        run(async || {
            open_nursery(async |n| {
                assert!(find_actor("worker").await?.is_none());
                let worker = n.start_actor("worker").await?;
                let found = find_actor("worker").await?.unwrap();
                assert_eq!(found.id(), worker.id());
                assert_eq!(worker.run(names()).await?, ["root", "worker"]);
                // The handle of a child is the one of its nursery, and may call all.
                found.run(names()).await?;
                assert!(found.cancel_actor().await?.reason.is_zero());
                assert!(find_actor("worker").await?.is_none());
                assert_eq!(actor_names().await?, ["root"]);
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

#[test]
fn two_actors_wait_for_each_other_and_call_each_other() {
    guarded(|| {
        run(async || {
            open_nursery(async |n| {
                // Both stay when they have met: one may still be called by the other.
                let gretel = n.start_actor("gretel").await?;
                let waits = gretel.run(meet("donny".to_owned()));
                let comes = async {
                    let donny = n.start_actor("donny").await?;
                    let met = donny.run(meet("gretel".to_owned())).await?;
                    Ok::<_, Error>((donny.id().to_string(), met))
                };
                let (met, donny) = zip(waits, comes).await;
                assert_eq!((met?, gretel.id().to_string()), donny?);
                n.cancel("they have met");
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

#[test]
fn actors_of_a_nursery_that_ends_badly_are_not_there_any_more() {
    guarded(|| {
        run(async || {
            let failed = open_nursery(async |n| {
                for name in ["one", "two", "three"] {
                    n.start_actor(name).await?;
                }
                assert_eq!(actor_names().await?, ["root", "one", "two", "three"]);
                Err::<(), _>(Error::other("enough"))
            })
            .await;
            assert!(failed.is_err());
            assert_eq!(actor_names().await?, ["root"]);
            let moved_on = move_on_after(MOMENT, async {
                open_nursery(async |n| {
                    n.start_actor("four").await?.wait().await;
                    Ok(())
                })
                .await
            });
            assert!(moved_on.await.is_none());
            assert_eq!(actor_names().await?, ["root"]);
            Ok(())
        })
        .unwrap();
    });
}

#[test]
fn entries_vanish_when_an_actor_with_others_below_it_is_killed() {
    guarded(|| {
        run(async || {
            let mut post = Post::new();
            let ended = open_nursery(async |n| {
                let call = keep_another(post.address(), "kept".to_owned());
                let keeper = n.actor("keeper").run(call).await?;
                let (kept, pid) = (post.process().await, post.process().await);
                assert_eq!(wait_for_actor("kept").await?.id().name(), "kept");
                let id = keeper.portal().id().clone();
                pid.signal(Signal::KILL);
                keeper.portal().wait().await;
                assert!(!is_there("keeper").await && !is_there("kept").await);
                kept.gone().await;
                Ok(id)
            })
            .await;
            assert_eq!(
                ended.unwrap_err().remote().unwrap().origin().name(),
                "keeper"
            );
            assert_eq!(actor_names().await?, ["root"]);
            Ok(())
        })
        .unwrap();
    });
}

#[test]
fn of_two_actors_of_one_name_the_one_that_is_up_longest_is_found() {
    guarded(|| {
        run(async || {
            open_nursery(async |n| {
                let first = n.start_actor("twin").await?;
                let second = n.start_actor("twin").await?;
                let found: Vec<_> = find_actors("twin").await?;
                let ids: Vec<_> = found.iter().map(Portal::id).collect();
                assert_eq!(ids, [first.id(), second.id()]);
                assert_eq!(find_actor("twin").await?.unwrap().id(), first.id());
                first.cancel_actor().await?;
                assert_eq!(find_actor("twin").await?.unwrap().id(), second.id());
                second.cancel_actor().await?;
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

/// Looks up and calls this many actors at once.
#[treewright::task]
async fn call_all(count: usize) -> Result<Vec<String>> {
    open_nursery(async |n| {
        let calls: Vec<_> = (0..count)
            .map(|number| n.spawn(meet(format!("worker-{number}")).into_future()))
            .collect();
        let mut ids = Vec::new();
        for call in calls {
            ids.push(call.result().await?);
        }
        Ok(ids)
    })
    .await
}

#[test]
fn hundred_actors_are_looked_up_at_once() {
    guarded(|| {
        run(async || {
            open_nursery(async |n| {
                let caller = n.actor("caller").run(call_all(100)).await?;
                let mut ids = Vec::new();
                for number in 0..100 {
                    let worker = n.actor(format!("worker-{number}"));
                    let worker = worker.spawn_method(SpawnMethod::Thread);
                    ids.push(worker.start().await?.id().to_string());
                }
                assert_eq!(caller.result().await?, ids);
                n.cancel("all were called");
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

/// Waits for an actor that never comes, and gives up, this many times.
#[treewright::task]
async fn give_up(times: u32) -> Result<()> {
    for _ in 0..times {
        assert!(poll_once(wait_for_actor("nobody")).await.is_none());
    }
    // More questions than may be open at once have been asked.
    assert!(find_actor("nobody").await?.is_none());
    Ok(())
}

#[test]
fn waiting_that_is_given_up_leaves_no_question_behind() {
    guarded(|| {
        run(async || {
            open_nursery(async |n| n.run_in_actor(give_up(6000)).await?.result().await).await
        })
        .unwrap();
    });
}

/// Finds an actor and calls it, until it is gone. Says when it begins, and gives the last error.
#[treewright::task]
async fn call_until_gone(post: String, name: String) -> Result<u32> {
    let mut calls = 0;
    let mut next = Some(wait_for_actor(&name).await?);
    while let Some(found) = next {
        match found.run(who()).await {
            Ok(_) if calls == 0 => {
                say(&post, "found");
                calls = 1;
            }
            Ok(_) => calls += 1,
            Err(error) => {
                let is_lost = error.remote().is_some() || error.kind() == ErrorKind::Broken;
                assert!(is_lost, "{error:?}");
            }
        }
        next = find_actor(&name).await?;
    }
    Ok(calls)
}

#[test]
fn actor_that_is_looked_up_while_it_dies_is_gone_or_its_calls_fail() {
    guarded(|| {
        run(async || {
            let mut post = Post::new();
            for _ in 0..5 {
                let is_lost = open_nursery(async |n| {
                    let caller = n.start_actor("caller").await?;
                    let call = call_until_gone(post.address(), "target".to_owned());
                    let calls = n.spawn(async move { caller.run(call).await });
                    let lost = open_nursery(async |m| {
                        let target = m.start_actor("target").await?;
                        let target = Watch::of(target.run(process_id()).await?);
                        post.expect("found").await;
                        target.signal(Signal::KILL);
                        m.cancelled().await;
                        Ok(())
                    });
                    let is_lost = lost.await.is_err();
                    calls.result().await?;
                    n.cancel("the target is gone");
                    Ok(is_lost)
                })
                .await?;
                assert!(is_lost);
            }
            Ok(())
        })
        .unwrap();
    });
}
