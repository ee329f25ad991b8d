//! What streams carry: bytes as they are, values, and what can be neither said nor read.

use std::fmt;
use std::future::pending;

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use treewright::{Context, ErrorKind, Result, open_nursery, shielded};

use super::support::{Then, converse, with_actor};
use crate::actor::support::Post;
use crate::guard::guarded;

#[treewright::context]
async fn mirrors_bytes(ctx: Context<(), Bytes, Bytes>) -> Result<u64> {
    let ctx = ctx.started(()).await?;
    let mut stream = ctx.open_stream().await?;
    let mut total = 0;
    while let Some(bytes) = stream.try_next().await? {
        total += bytes.len() as u64;
        stream.send(bytes).await?;
    }
    Ok(total)
}

#[test]
fn bytes_of_every_length_come_back_as_they_were() {
    guarded(|| {
        with_actor(async |portal| {
            let (ctx, ()) = portal.open_context(mirrors_bytes()).await?;
            let mut stream = ctx.open_stream().await?;
            // Nothing; a frame and one more; more than the first credit, the window, and a socket.
            let lengths = [
                0,
                1,
                16 * 1024,
                69_632,
                69_633,
                256 * 1024 + 1,
                5_000_000,
                0,
            ];
            let mut total = 0;
            for length in lengths {
                let sent: Vec<u8> = (0..length).map(|place| (place % 251) as u8).collect();
                let sent = Bytes::from(sent);
                stream.send(sent.clone()).await?;
                let back = stream.try_next().await?.unwrap();
                assert!(back == sent, "{length} bytes come back changed");
                total += length as u64;
            }
            // Several that are each longer than all the credit, one after the other.
            for _ in 0..3 {
                stream.send(Bytes::from(vec![3; 2_000_000])).await?;
                assert_eq!(stream.try_next().await?.unwrap().len(), 2_000_000);
                total += 2_000_000;
            }
            stream.close_sending();
            assert_eq!(ctx.result().await?, total);
            Ok(())
        });
    });
}

/// A number that says of itself what its reader does not take.
#[derive(Debug)]
struct Odd(u64);

impl Serialize for Odd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            13 => serializer.serialize_str("thirteen"),
            14 => Err(serde::ser::Error::custom("fourteen is not said")),
            number => serializer.serialize_u64(number),
        }
    }
}

impl<'de> Deserialize<'de> for Odd {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u64::deserialize(deserializer).map(Self)
    }
}

impl fmt::Display for Odd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Mirrors, and starts with whatever it is told to.
#[treewright::context]
async fn mirrors_oddly(ctx: Context<Odd, Odd, Odd>, first: u64, last: u64) -> Result<()> {
    let ctx = ctx.started(Odd(first)).await?;
    let mut stream = ctx.open_stream().await?;
    while let Some(Odd(number)) = stream.try_next().await? {
        stream.send(Odd(number + last)).await?;
    }
    Ok(())
}

/// tractor: the typed-messaging part of test_started_misuse
#[test]
fn message_that_cannot_be_read_ends_its_context_and_no_other() {
    guarded(|| {
        with_actor(async |portal| {
            let (beside, _) = portal.open_context(mirrors_oddly(0, 0)).await?;
            let mut other = beside.open_stream().await?;

            // What the function cannot read fails the function.
            let (ctx, _) = portal.open_context(mirrors_oddly(0, 0)).await?;
            let mut stream = ctx.open_stream().await?;
            stream.send(Odd(13)).await?;
            let error = stream.next().await.unwrap().unwrap_err();
            let text = format!("{error:?}");
            assert!(text.contains("cannot read a message"), "{text}");
            assert_eq!(error.kind(), ErrorKind::Remote, "{text}");
            ctx.result().await.unwrap_err();

            // What the opener cannot read cancels the function.
            let (ctx, _) = portal.open_context(mirrors_oddly(0, 1)).await?;
            let mut stream = ctx.open_stream().await?;
            stream.send(Odd(12)).await?;
            let error = stream.next().await.unwrap().unwrap_err();
            let text = format!("{error:?}");
            assert!(text.contains("cannot read a message"), "{text}");
            assert!(stream.next().await.is_none());
            assert!(ctx.outcome().await?.is_cancelled());

            // Nor a first value.
            let error = portal.open_context(mirrors_oddly(13, 0)).await.unwrap_err();
            let text = format!("{error:?}");
            assert!(text.contains("cannot read the first value"), "{text}");

            other.send(Odd(1)).await?;
            assert_eq!(other.try_next().await?.unwrap().0, 1);
            drop(other);
            beside.result().await
        });
    });
}

/// What a value that is not said gives as its reason, as far as the codec passes it on: postcard
/// has no place for it.
const WHY_NOT: &str = match cfg!(feature = "postcard") {
    true => "cannot encode a value as postcard",
    false => "fourteen is not said",
};

/// tractor: test_do_not_swallow_error_before_started_by_remote_contextcancelled
#[test]
fn message_that_cannot_be_said_fails_its_sender_and_the_stream_goes_on() {
    guarded(|| {
        with_actor(async |portal| {
            let (ctx, _) = portal.open_context(mirrors_oddly(0, 0)).await?;
            let mut stream = ctx.open_stream().await?;
            let error = stream.send(Odd(14)).await.unwrap_err();
            assert!(format!("{error:?}").contains(WHY_NOT), "{error:?}");
            stream.send(Odd(1)).await?;
            assert_eq!(stream.try_next().await?.unwrap().0, 1);
            drop(stream);
            ctx.result().await?;

            // A first value is said, or the function fails with why not, also in a nursery that
            // is being torn down meanwhile.
            let opened = portal.open_context(mirrors_oddly(14, 0));
            let error = opened.await.unwrap_err();
            let text = format!("{error:?}");
            assert!(text.contains(WHY_NOT), "{text}");
            let outcome: Result<()> = open_nursery(async |n| {
                let mut post = Post::new();
                let call = converse(post.address(), 1, Then::Hang);
                let (_held, _) = portal.open_context(call).await?;
                post.expect("started").await;
                n.cancel("enough");
                drop(shielded(portal.open_context(mirrors_oddly(14, 0))).await?);
                pending().await
            })
            .await;
            let text = format!("{:?}", outcome.unwrap_err());
            assert!(text.contains(WHY_NOT), "{text}");
            Ok(())
        });
    });
}

#[test]
fn message_that_is_too_long_fails_its_sender_and_the_stream_goes_on() {
    guarded(|| {
        with_actor(async |portal| {
            let (ctx, ()) = portal.open_context(mirrors_bytes()).await?;
            let mut stream = ctx.open_stream().await?;
            let long = Bytes::from(vec![0; 65 << 20]);
            let error = stream.send(long).await.unwrap_err();
            assert!(!error.is_closed(), "{error:?}");
            stream.send(Bytes::from_static(b"short")).await?;
            assert_eq!(stream.try_next().await?.unwrap(), "short");
            Ok(())
        });
    });
}
