//! Actors that start actors, nurseries in nurseries, and clusters.

use std::collections::BTreeSet;
use std::future::pending;

use treewright::{
    Error, RemoteError, Result, current_actor, open_actor_cluster, open_nursery, run, shielded,
};

use super::support::{
    Gate, Post, SayWhenDropped, fail, hang, pass, process_id, relay, remote, say, say_pid,
};
use crate::guard::guarded;

/// How many actors each actor of a tree starts.
const BREADTH: usize = 2;

/// A tree of actors of which each waits for those below; the lowest ones fail all at once.
/// Nobody is cut off while it fails.
#[treewright::task]
async fn fail_below(depth: u32, gate: String, post: String) -> Result<()> {
    let me = current_actor()?.name().to_owned();
    if depth == 0 {
        say(&post, "ready");
        shielded(pass(&gate)).await;
        return Err(Error::other(format!("{me} has failed")));
    }
    shielded(start_those_below(depth - 1, &me, &gate, &post)).await
}

async fn start_those_below(depth: u32, me: &str, gate: &str, post: &str) -> Result<()> {
    open_nursery(async |n| {
        for number in 0..BREADTH {
            let portal = n.start_actor(format!("{me}.{number}")).await?;
            let call = fail_below(depth, gate.to_owned(), post.to_owned());
            n.spawn(shielded(async move { portal.run(call).await }));
        }
        pending().await
    })
    .await
}

/// Holds a failure against what it must be: a group of two at each level, each failure from
/// the actor it happened in and by the way of those above it.
fn check(error: &RemoteError, name: &str, above: &[&str], depth: u32) {
    assert_eq!(error.origin().name(), name);
    assert_eq!(relay(error), above);
    if depth == 0 {
        assert_eq!(error.message(), format!("{name} has failed"));
        assert!(error.failures().is_empty());
        return;
    }
    assert_eq!(error.message(), "2 tasks of one scope failed");
    assert_eq!(error.failures().len(), BREADTH);
    let mut failures: Vec<_> = error.failures().iter().collect();
    failures.sort_by_key(|failure| failure.origin().name());
    for (number, failure) in failures.into_iter().enumerate() {
        let path: Vec<&str> = std::iter::once(name).chain(above.iter().copied()).collect();
        check(failure, &format!("{name}.{number}"), &path, depth - 1);
    }
}

/// tractor: test_nested_multierrors
#[test]
fn tree_of_failures_comes_out_with_every_failure_in_its_place() {
    guarded(|| {
        for depth in [1, 3] {
            let outcome = run(async || {
                let (mut post, gate) = (Post::new(), Gate::new());
                let (gate_address, post_address) = (gate.address(), post.address());
                let tree = start_those_below(depth - 1, "tree", &gate_address, &post_address);
                let opener = async {
                    for _ in 0..BREADTH.pow(depth) {
                        post.expect("ready").await;
                    }
                    gate.open();
                };
                futures_lite::future::zip(tree, opener).await.0
            });
            let error = outcome.unwrap_err();
            let mut failures: Vec<_> = error.failures().map(remote).collect();
            assert_eq!(failures.len(), BREADTH, "{error:?}");
            failures.sort_by_key(|failure| failure.origin().name());
            for (number, failure) in failures.into_iter().enumerate() {
                check(failure, &format!("tree.{number}"), &[], depth - 1);
            }
        }
    });
}

/// A tree of actors that fails as soon as it can, without any regard for one another.
#[treewright::task]
async fn fail_somewhere_below(depth: u32) -> Result<()> {
    let Some(below) = depth.checked_sub(1) else {
        return Err(Error::other("failed"));
    };
    open_nursery(async |n| {
        for number in 0..BREADTH {
            let actor = n.actor(format!("{depth}.{number}"));
            actor.run(fail_somewhere_below(below)).await?;
        }
        pending().await
    })
    .await
}

/// tractor: test_nested_multierrors (nobody is heard out)
#[test]
fn tree_whose_actors_fail_as_they_come_ends_with_failures_of_its_leaves_only() {
    fn leaves(error: &RemoteError) -> Vec<&RemoteError> {
        match error.failures() {
            [] => vec![error],
            failures => failures.iter().flat_map(leaves).collect(),
        }
    }
    guarded(|| {
        let error = run(async || fail_somewhere_below(3).await).unwrap_err();
        let leaves: Vec<_> = error
            .failures()
            .flat_map(|one| leaves(remote(one)))
            .collect();
        assert!((1..=8).contains(&leaves.len()), "{error:?}");
        for leaf in leaves {
            assert_eq!(leaf.message(), "failed", "{error:?}");
            assert!(leaf.origin().name().starts_with("1."), "{error:?}");
            let levels: Vec<_> = relay(leaf).iter().map(|name| &name[..2]).collect();
            assert_eq!(levels, ["2.", "3."], "{error:?}");
        }
    });
}

/// A chain of actors with one that hangs at its end.
#[treewright::task]
async fn chain(depth: u32, post: String) -> Result<()> {
    let _told = SayWhenDropped(post.clone(), "dropped");
    say_pid(&post);
    match depth.checked_sub(1) {
        None => pending().await,
        Some(below) => {
            open_nursery(async |n| n.run_in_actor(chain(below, post)).await?.result().await).await
        }
    }
}

#[test]
fn chain_of_actors_is_cancelled_in_order_from_its_end_on() {
    guarded(|| {
        run(async || {
            let mut post = Post::new();
            open_nursery(async |n| {
                let task = n.run_in_actor(chain(3, post.address())).await?;
                let mut processes = Vec::new();
                for _ in 0..4 {
                    processes.push(post.process().await);
                }
                let exit = task.portal().cancel_actor().await?;
                assert!(
                    exit.reason.is_zero() && exit.left_behind.is_none(),
                    "{exit}"
                );
                assert_eq!(post.sorted(4).await, ["dropped"; 4]);
                for process in processes {
                    process.gone().await;
                }
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

/// tractor: test_peer_spawns_and_cancels_service_subactor (an error of the lowest one comes
/// up the tree by way of its parent)
#[test]
fn failure_at_the_end_of_a_chain_comes_out_at_its_beginning() {
    #[treewright::task]
    async fn fail_at_the_end(depth: u32) -> Result<()> {
        match depth.checked_sub(1) {
            None => Err(Error::other("no further")),
            Some(below) => {
                let actor = format!("link_{below}");
                open_nursery(async |n| {
                    n.actor(actor)
                        .run(fail_at_the_end(below))
                        .await?
                        .result()
                        .await
                })
                .await
            }
        }
    }
    guarded(|| {
        let error = run(async || fail_at_the_end(3).await).unwrap_err();
        assert_eq!(error.to_string(), "actor `link_0` failed: no further");
        assert_eq!(relay(remote(&error)), ["link_1", "link_2"]);
    });
}

#[test]
fn nursery_in_a_nursery_ends_its_own_actors_and_no_others() {
    guarded(|| {
        run(async || {
            let mut post = Post::new();
            let address = post.address();
            open_nursery(async |outer| {
                let portal = outer.start_actor("outer").await?;
                let inner = open_nursery(async |inner| {
                    inner.run_in_actor(hang(address)).await?;
                    post.process().await;
                    inner.run_in_actor(fail("inner".into())).await?;
                    pending::<Result<()>>().await
                });
                let error = inner.await.unwrap_err();
                assert_eq!(remote(&error).message(), "inner");
                post.expect("dropped").await;
                portal.run(process_id()).await?;
                portal.cancel_actor().await?;
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

/// tractor: test_example (a self-destructing tree)
#[test]
fn body_that_fails_takes_its_tree_with_it() {
    guarded(|| {
        run(async || {
            let mut post = Post::new();
            let address = post.address();
            let mut processes = Vec::new();
            let outcome = open_nursery(async |n| {
                for number in 0..4 {
                    n.actor(format!("worker_{number}"))
                        .run(chain(1, address.clone()))
                        .await?;
                }
                for _ in 0..8 {
                    processes.push(post.process().await);
                }
                Err::<(), _>(Error::other("self-destructed"))
            });
            assert_eq!(outcome.await.unwrap_err().to_string(), "self-destructed");
            for process in processes {
                process.gone().await;
            }
            Ok(())
        })
        .unwrap();
    });
}

/// tractor: test_empty_mngrs_input_raises, test_streaming_to_actor_cluster (its calls)
#[test]
fn cluster_has_as_many_actors_as_asked_for_each_a_process_of_its_own() {
    guarded(|| {
        run(async || {
            for (count, expected) in [
                (Some(0), 0),
                (Some(3), 3),
                (None, std::thread::available_parallelism()?.get()),
            ] {
                let (names, processes) = open_actor_cluster(count, async |portals| {
                    let mut processes = BTreeSet::new();
                    for portal in &portals {
                        processes.insert(portal.run(process_id()).await?);
                    }
                    let names: Vec<_> = portals.iter().map(|p| p.id().name().to_owned()).collect();
                    Ok((names, processes))
                })
                .await?;
                assert_eq!(processes.len(), expected);
                let named: Vec<_> = (0..expected).map(|i| format!("root.worker_{i}")).collect();
                assert_eq!(names, named);
            }
            Ok(())
        })
        .unwrap();
    });
}

#[test]
fn cluster_of_which_one_call_fails_ends_all() {
    guarded(|| {
        let outcome = run(async || {
            open_actor_cluster(3, async |portals| portals[1].run(fail("no".into())).await).await
        });
        let error = outcome.unwrap_err();
        assert_eq!(error.to_string(), "actor `root.worker_1` failed: no");
        assert!(!error.is_group());
    });
}
