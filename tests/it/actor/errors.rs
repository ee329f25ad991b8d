//! Errors that come from actors: whole, from where they were, and several at once.

use std::collections::BTreeSet;
use std::fmt;
use std::future::pending;

use serde::{Deserialize, Serialize};
use treewright::{Error, ErrorContext, ErrorKind, RemoteKind, Result, open_nursery, run, shielded};

use super::support::{Gate, Post, fail, fail_at, process_id, relay, remote};
use crate::guard::guarded;

/// An error that travels as the value it is.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct OutOfInk {
    colour: String,
    missing: f32,
}

impl fmt::Display for OutOfInk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "out of {} ink", self.colour)
    }
}

impl std::error::Error for OutOfInk {}

#[treewright::task]
async fn print_page() -> Result<(), OutOfInk> {
    let colour = "cyan".into();
    Err(OutOfInk {
        colour,
        missing: 2.5,
    })
}

#[treewright::task]
async fn passed_on() -> Result<()> {
    open_nursery(async |n| n.run_in_actor(print_page()).await?.result().await).await
}

#[treewright::task]
async fn passed_on_twice() -> Result<()> {
    open_nursery(async |n| n.run_in_actor(passed_on()).await?.result().await).await
}

/// tractor: test_registered_custom_err_relayed, test_registered_another_err_relayed,
/// test_unregistered_err_still_relayed
#[test]
fn error_that_can_travel_comes_back_as_the_value_it_was_over_any_number_of_links() {
    guarded(|| {
        let of_each = [
            run(async || {
                open_nursery(async |n| n.run_in_actor(print_page()).await?.result().await).await
            }),
            run(async || {
                open_nursery(async |n| n.run_in_actor(passed_on()).await?.result().await).await
            }),
            run(async || {
                open_nursery(async |n| n.run_in_actor(passed_on_twice()).await?.result().await)
                    .await
            }),
        ];
        let path = ["passed_on", "passed_on_twice"];
        for (links, outcome) in of_each.into_iter().enumerate() {
            let error = outcome.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Remote);
            assert_eq!(
                error.to_string(),
                "actor `print_page` failed: out of cyan ink"
            );
            let remote = remote(&error);
            assert_eq!(remote.origin().name(), "print_page");
            assert_eq!(relay(remote), path[..links]);
            let payload = remote.payload().unwrap();
            assert!(
                payload.type_name.ends_with("errors::OutOfInk"),
                "{payload:?}"
            );
            let value: OutOfInk = serde_cbor::from_slice(&payload.bytes).unwrap();
            assert_eq!((value.colour.as_str(), value.missing), ("cyan", 2.5));
        }
    });
}

#[treewright::task]
async fn save() -> Result<()> {
    let refused = std::io::Error::other("disk full");
    let error = Error::from(refused).context("cannot write `page`");
    Err(error.context("cannot save").with_hint("delete something"))
}

#[treewright::task]
async fn save_elsewhere() -> Result<()> {
    open_nursery(async |n| n.run_in_actor(save()).await?.result().await).await
}

#[test]
fn error_over_two_links_keeps_its_causes_place_and_hint() {
    guarded(|| {
        let outcome = run(async || {
            open_nursery(async |n| n.run_in_actor(save_elsewhere()).await?.result().await).await
        });
        let error = outcome.unwrap_err();
        assert_eq!(
            format!("{error:?}"),
            "actor `save` failed: cannot save\n\
             caused by: cannot write `page`\n\
             caused by: disk full\n\
             hint: delete something"
        );
        let remote = remote(&error);
        assert_eq!(remote.kind(), RemoteKind::Error);
        let causes: Vec<_> = remote.causes().collect();
        assert_eq!(causes, ["cannot write `page`", "disk full"]);
        assert!(
            error.location().starts_with(file!()),
            "{}",
            error.location()
        );
        assert_eq!(remote.location(), Some(error.location().as_str()));
    });
}

#[treewright::task]
async fn save_with_context() -> Result<()> {
    let saved = open_nursery(async |n| n.run_in_actor(save()).await?.result().await).await;
    saved.context("cannot publish")
}

#[test]
fn context_that_is_added_on_the_way_stands_above_what_came() {
    guarded(|| {
        let outcome = run(async || {
            open_nursery(async |n| n.run_in_actor(save_with_context()).await?.result().await).await
        });
        let error = outcome.unwrap_err();
        let text = format!("{error:?}");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "actor `save` failed: cannot publish");
        assert_eq!(lines[1], "caused by: actor `save` failed: cannot save");
        assert_eq!(lines[3], "caused by: disk full");
        assert_eq!(relay(remote(&error)), ["save_with_context"]);
    });
}

#[treewright::task]
async fn panic_below() -> Result<()> {
    open_nursery(async |n| n.run_in_actor(panic_here()).await?.result().await).await
}

#[treewright::task]
async fn panic_here() {
    panic!("there is something");
}

#[test]
fn panic_over_two_links_is_a_panic_with_its_place() {
    guarded(|| {
        let outcome = run(async || {
            open_nursery(async |n| n.run_in_actor(panic_below()).await?.result().await).await
        });
        let error = outcome.unwrap_err();
        assert!(error.is_panic(), "{error:?}");
        let remote = remote(&error);
        assert_eq!(
            (remote.kind(), remote.origin().name()),
            (RemoteKind::Panic, "panic_here")
        );
        assert_eq!(relay(remote), ["panic_below"]);
        assert!(
            error.location().starts_with(file!()),
            "{}",
            error.location()
        );
        assert!(error.to_string().ends_with("there is something"), "{error}");
    });
}

/// tractor: test_remote_error (the failure also comes out where it was matched)
#[test]
fn one_shot_whose_failure_is_matched_fails_its_nursery_all_the_same() {
    guarded(|| {
        run(async || {
            let outcome = open_nursery(async |n| {
                let task = n.run_in_actor(fail("no".into())).await?;
                assert!(shielded(task.result()).await.is_err());
                Ok(())
            });
            let error = outcome.await.unwrap_err();
            assert_eq!(error.to_string(), "actor `fail` failed: no");
            // Who wants to handle it opens a nursery of its own.
            open_nursery(async |n| {
                let inner = open_nursery(async |n| {
                    n.run_in_actor(fail("no".into())).await?;
                    Ok(())
                });
                assert!(inner.await.is_err());
                n.run_in_actor(process_id()).await?.result().await
            })
            .await
        })
        .unwrap();
    });
}

/// Runs this many actors that fail at the same moment and are all heard out; gives what
/// comes of it.
fn all_at_once(count: usize) -> Error {
    let outcome = run(async || {
        let (mut post, gate) = (Post::new(), Gate::new());
        open_nursery(async |n| {
            for number in 0..count {
                let portal = n.start_actor(format!("worker_{number}")).await?;
                let call = fail_at(gate.address(), post.address(), format!("failure {number}"));
                // A task that is cancelled hears nothing more of what it called, unless it
                // takes its grace.
                n.spawn(shielded(async move { portal.run(call).await }));
            }
            for _ in 0..count {
                post.expect("ready").await;
            }
            gate.open();
            pending::<Result<()>>().await
        })
        .await
    });
    outcome.unwrap_err()
}

/// tractor: test_multierror, test_multierror_fast_nursery (delay 0)
#[test]
fn actors_that_fail_at_once_are_all_in_the_group_with_the_cause_first() {
    guarded(|| {
        for count in [2, 25] {
            let error = all_at_once(count);
            assert!(error.is_group());
            assert_eq!(
                error.to_string(),
                format!("{count} tasks of one scope failed")
            );
            let failed: BTreeSet<_> = error
                .failures()
                .map(|one| {
                    let remote = remote(one);
                    let number = remote.origin().name().strip_prefix("worker_").unwrap();
                    assert_eq!(remote.message(), format!("failure {number}"));
                    number.parse::<usize>().unwrap()
                })
                .collect();
            assert_eq!(failed, (0..count).collect());
            assert_eq!(error.failures().count(), count);
            let first = error.failures().next().unwrap().to_string();
            let cause = std::error::Error::source(&error).unwrap().to_string();
            assert_eq!(cause, first);
        }
    });
}

/// tractor: test_multierror_fast_nursery (delay 0.5: while others are still being started)
#[test]
fn actors_that_fail_while_others_are_started_end_the_starting() {
    guarded(|| {
        let outcome = run(async || {
            open_nursery(async |n| {
                for number in 0..25 {
                    n.run_in_actor(fail(format!("failure {number}"))).await?;
                }
                pending::<Result<()>>().await
            })
            .await
        });
        let error = outcome.unwrap_err();
        let texts: BTreeSet<_> = error.failures().map(Error::to_string).collect();
        // Each tells of itself, and nobody of having been cancelled.
        assert_eq!(texts.len(), error.failures().count(), "{error:?}");
        assert!(
            texts.iter().all(|text| text.contains("failure ")),
            "{error:?}"
        );
    });
}

#[test]
fn actors_that_fail_at_once_and_are_not_heard_out_tell_of_themselves_only() {
    guarded(|| {
        let outcome = run(async || {
            let (mut post, gate) = (Post::new(), Gate::new());
            open_nursery(async |n| {
                for number in 0..25 {
                    let text = format!("failure {number}");
                    n.run_in_actor(fail_at(gate.address(), post.address(), text))
                        .await?;
                }
                for _ in 0..25 {
                    post.expect("ready").await;
                }
                gate.open();
                pending::<Result<()>>().await
            })
            .await
        });
        let error = outcome.unwrap_err();
        let failures = error.failures().count();
        assert!((1..=25).contains(&failures), "{error:?}");
        let texts: BTreeSet<_> = error.failures().map(|one| remote(one).message()).collect();
        assert_eq!(texts.len(), failures, "{error:?}");
    });
}

#[test]
fn failure_beside_the_death_of_another_actor_comes_first() {
    guarded(|| {
        run(async || {
            let mut post = Post::new();
            let address = post.address();
            let outcome = open_nursery(async |n| {
                let portal = n.start_actor("victim").await?;
                let call = portal.clone();
                n.spawn(async move { call.run(super::support::hang(address)).await });
                let process = post.process().await;
                n.spawn(async { Err::<(), _>(Error::other("first")) });
                shielded(async {
                    n.cancelled().await;
                    process.signal(rustix::process::Signal::KILL);
                    portal.wait().await;
                })
                .await;
                Ok(())
            });
            let error = outcome.await.unwrap_err();
            assert_eq!(error.failures().next().unwrap().to_string(), "first");
            Ok(())
        })
        .unwrap();
    });
}
