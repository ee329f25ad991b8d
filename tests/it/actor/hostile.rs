//! Actors and parents that do not keep to the protocol, or are not what they should be.

use std::future::pending;
use std::io::Read;

use futures_lite::future::{or, yield_now};
use treewright::process::Rung;
use treewright::{
    ActorBuilder, Error, ErrorKind, Function, Nursery, Result, SpawnMethod, open_nursery, run,
    shielded,
};

use super::frames::{self, boot, frame, header, hello, kinds, noise, start};
use super::raised::Raised;
use super::support::{MOMENT, Post, Watch, hang, process_id, remote, shut_all_sockets};
use crate::guard::guarded;
use crate::process::helper;

/// An actor that is the rude program.
fn rude<'env>(n: &Nursery<'env>, kind: &str) -> ActorBuilder<'env> {
    let actor = n.actor("rude").exe(helper::program("rude"));
    actor.env("TREEWRIGHT_RUDE", kind).grace(MOMENT)
}

#[test]
fn child_that_says_nonsense_instead_of_hello_is_refused_and_ended() {
    guarded(|| {
        for (kind, cause) in [
            ("noise", "protocol version"),
            ("huge-length", "4294967295 bytes"),
            ("another-version", "protocol version 9"),
            ("later-versions-only", "speaks protocol versions 7 to 9"),
            ("boot", "sent Boot instead of Ready"),
            ("half-a-hello", "in the middle of a message"),
            ("nonsense-in-a-hello", "cannot read the Hello"),
        ] {
            let error = run(async || {
                open_nursery(async |n| Ok(rude(&n, kind).start().await.unwrap_err())).await
            });
            let error = error.unwrap();
            assert_eq!(error.kind(), ErrorKind::Spawn, "{kind}: {error:?}");
            assert!(format!("{error:?}").contains(cause), "{kind}: {error:?}");
        }
    });
}

/// What comes of a nursery whose body waits for an answer of the rude program.
fn answer(kind: &str) -> Error {
    let outcome: Result<()> = run(async || {
        open_nursery(async |n| {
            let portal = rude(&n, kind).start().await?;
            let error = shielded(portal.run(process_id())).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Broken, "{kind}: {error:?}");
            pending().await
        })
        .await
    });
    outcome.unwrap_err()
}

#[test]
fn child_that_breaks_the_protocol_fails_its_nursery_and_is_ended() {
    guarded(|| {
        for (rudeness, cause) in [
            ("noise-when-up", "protocol version"),
            ("huge-length-when-up", "4294967295 bytes"),
            ("end-of-nothing", "an end of a context that was not opened"),
            ("end-of-our-own", "an end of a context that was not opened"),
            ("end-of-the-parent", "a request to end from who may not ask"),
            ("replay", "a context that was opened before"),
            ("start-as-the-parent", "a context that was opened before"),
            ("hello-again", "a frame that has no place here"),
        ] {
            let error = answer(rudeness);
            assert_eq!(remote(&error).origin().name(), "rude", "{rudeness}");
            assert!(!error.is_group(), "{rudeness}: {error:?}");
            assert!(
                format!("{error:?}").contains(cause),
                "{rudeness}: {error:?}"
            );
        }
    });
}

#[test]
fn child_that_asks_and_does_not_read_is_cut_off() {
    guarded(|| {
        let error = answer("pings");
        assert!(
            format!("{error:?}").contains("asks and does not read"),
            "{error:?}"
        );
    });
}

#[treewright::task]
async fn weigh(text: String) -> usize {
    text.len()
}

#[test]
fn child_that_stops_reading_holds_up_nobody_else_and_is_killed_when_cancelled() {
    guarded(|| {
        run(async || {
            open_nursery(async |n| {
                let deaf = rude(&n, "deaf").start().await?;
                let call = deaf.clone();
                n.spawn(async move { drop(call.run(weigh("x".repeat(1 << 19))).await) });
                let call = deaf.run(weigh("x".repeat(1 << 19)));
                or(async { drop(call.await) }, yield_now()).await;
                n.run_in_actor(process_id()).await?.result().await?;
                let exit = deaf.cancel_actor().await?;
                assert!(exit.stopped >= Some(Rung::Asked), "{exit}");
                Ok(())
            })
            .await
        })
        .unwrap();
    });
}

#[test]
fn program_that_only_echoes_is_no_actor() {
    guarded(|| {
        let error = run(async || {
            open_nursery(async |n| {
                let actor = n.actor("echo").spawn_method(SpawnMethod::launcher(["env"]));
                Ok(actor.exe("/bin/cat").start().await.unwrap_err())
            })
            .await
        });
        let error = error.unwrap();
        let text = format!("{error:?}");
        assert!(text.contains("sent Boot instead of Ready"), "{text}");
    });
}

/// How an actor ends that could not become one.
const NOT_BOOTED: Option<i32> = Some(70);

#[test]
fn actor_whose_parent_says_nonsense_instead_of_hello_ends_and_says_why() {
    guarded(|| {
        for (said, cause) in [
            (noise(4, 4096), "protocol version"),
            (header(u32::MAX, kinds::HELLO, 1, 0), "4294967295 bytes"),
            (hello(7, 9), "speaks protocol versions 7 to 9"),
            (boot(1), "sent Boot instead of Hello"),
            (
                [hello(1, 1), frame(kinds::BOOT, 0, &[0x80])].concat(),
                "cannot read the Boot",
            ),
        ] {
            let mut raised = Raised::start();
            raised.say(&said);
            let (code, words) = raised.end();
            assert_eq!(code, NOT_BOOTED, "{cause}: {words}");
            assert!(words.contains(cause), "{cause}: {words}");
        }
    });
}

#[test]
fn actor_whose_parent_breaks_the_protocol_ends() {
    guarded(|| {
        let replay = [start(5, "a", 1), start(5, "a", 1)].concat();
        for said in [
            noise(5, 4096),
            header(u32::MAX, kinds::START, 1, 1),
            header(0, kinds::PING, 2, 0),
            frame(kinds::RESULT, 9, &[]),
            frame(kinds::START, frames::BY_STARTED | 1, &[]),
            replay,
            hello(1, 1),
        ] {
            let mut raised = Raised::up();
            raised.say(&said);
            // It has ended what it did for a parent that cannot be understood.
            assert_eq!(raised.end().0, Some(0));
        }
    });
}

#[test]
fn actor_whose_parent_is_gone_before_a_word_or_in_the_middle_of_one_ends() {
    guarded(|| {
        for said in [Vec::new(), hello(1, 1)[..10].to_vec(), hello(1, 1)] {
            let mut raised = Raised::start();
            raised.say(&said);
            raised.link.shutdown(std::net::Shutdown::Both).unwrap();
            assert_eq!(raised.end().0, NOT_BOOTED);
        }
        let raised = Raised::up();
        raised.link.shutdown(std::net::Shutdown::Both).unwrap();
        assert_eq!(raised.end().0, Some(0));
    });
}

/// tractor: test_rpc_errors
#[test]
fn caller_of_a_function_that_is_not_there_is_told_what_was_meant() {
    guarded(|| {
        let mut raised = Raised::up();
        let slip = process_id::PATH.replace("support", "suport");
        let meant = format!("did you mean `{}`?", process_id::PATH);
        let cases = [
            (slip.as_str(), 1, meant.as_str()),
            (
                process_id::PATH,
                process_id::SIGNATURE ^ 4,
                "has another signature",
            ),
            (
                process_id::PATH,
                process_id::SIGNATURE & !0b11 | 2,
                "is a task here, and a context in the program that calls it",
            ),
            (hang::PATH, hang::SIGNATURE, "cannot read the arguments"),
        ];
        for (context, (task, signature, cause)) in (1..).zip(cases) {
            raised.say(&start(context, task, signature));
            let (kind, answered, body) = raised.hear();
            assert_eq!((kind, answered), (11, context), "{cause}");
            let text = String::from_utf8_lossy(&body);
            assert!(text.contains(cause), "{text}");
        }
        // A call that is in order is answered all the same.
        raised.say(&start(9, process_id::PATH, process_id::SIGNATURE));
        let (kind, _, body) = raised.hear();
        assert_eq!(kind, kinds::RESULT);
        let pid: u32 = serde_cbor::from_slice(&body).unwrap();
        assert_eq!(pid, raised.child.id());
        raised.link.shutdown(std::net::Shutdown::Both).unwrap();
        assert_eq!(raised.end().0, Some(0));
    });
}

#[treewright::task]
async fn much() -> String {
    "x".repeat(1 << 19)
}

/// tractor: test_error_shipment_ignores_closed_response_channel
#[test]
fn actor_whose_parent_stops_reading_and_then_goes_ends() {
    guarded(|| {
        let mut raised = Raised::up();
        for context in 1..=20 {
            raised.say(&start(context, much::PATH, much::SIGNATURE));
        }
        // It is at it: the first answer has begun to come.
        raised.link.read_exact(&mut [0; 16]).unwrap();
        raised.link.shutdown(std::net::Shutdown::Both).unwrap();
        assert_eq!(raised.end().0, Some(0));
    });
}

#[test]
fn actor_whose_parent_stops_reading_ends_by_a_signal() {
    guarded(|| {
        let mut raised = Raised::up();
        for context in 1..=20 {
            raised.say(&start(context, much::PATH, much::SIGNATURE));
        }
        raised.link.read_exact(&mut [0; 16]).unwrap();
        let watch = Watch::of(raised.child.id());
        watch.signal(rustix::process::Signal::TERM);
        crate::process::run(watch.gone());
        assert_eq!(raised.end().0, Some(128 + 15));
    });
}

#[test]
fn actor_whose_link_ends_cancels_what_it_runs() {
    guarded(|| {
        run(async || {
            let mut post = Post::new();
            let address = post.address();
            let outcome = open_nursery(async |n| {
                let portal = n.start_actor("cut_off").await?;
                let call = portal.clone();
                n.spawn(async move { call.run(hang(address)).await });
                let process = post.process().await;
                // A debugger, a firewall or a bug could do this to a link.
                portal.run(close_all()).await.unwrap_err();
                process.gone().await;
                pending::<Result<()>>().await
            });
            let error = outcome.await.unwrap_err();
            assert!(error.remote().is_some(), "{error:?}");
            post.expect("dropped").await;
            Ok(())
        })
        .unwrap();
    });
}

/// Shuts every socket of this process.
#[treewright::task]
async fn close_all() {
    shut_all_sockets();
    pending().await
}
