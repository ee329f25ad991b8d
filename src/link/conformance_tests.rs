//! What a link does, over every way there is for its bytes to go.

use std::time::Duration;

use bytes::Bytes;
use futures_lite::future::zip;
use rustix::pipe::pipe;

use super::*;
use crate::id::ContextId;
use crate::rt::{LocalExecutor, block_on, within};
use crate::time::Clock;
use crate::wire::{Codec, Encoded, Frame, Hello, Kind, Limits};

const LONG_ENOUGH: Duration = Duration::from_secs(20);

type Ends = (Box<dyn Transport>, Box<dyn Transport>);

/// One pair of connected ends of each kind, with a name for the message of a failure.
fn all_transports() -> Vec<(&'static str, Ends)> {
    vec![
        ("memory", memory(64 * 1024)),
        ("memory of a few bytes", memory(1021)),
        ("socket pair", socket_pair()),
        ("pipes", pipes()),
    ]
}

fn memory(capacity: usize) -> Ends {
    let (near, far) = memory_pair(capacity);
    (Box::new(near), Box::new(far))
}

fn socket_pair() -> Ends {
    let (near, far) = Socket::pair().unwrap();
    (Box::new(near), Box::new(Socket::new(far).unwrap()))
}

fn pipes() -> Ends {
    let (near_reads, far_writes) = pipe().unwrap();
    let (far_reads, near_writes) = pipe().unwrap();
    (
        Box::new(Pipes::new(near_reads, near_writes).unwrap()),
        Box::new(Pipes::new(far_reads, far_writes).unwrap()),
    )
}

/// An end of a link with its writer running.
struct End {
    link: Link,
    incoming: Incoming,
}

impl End {
    fn send(&self, kind: Kind, context: u64, body: &[u8]) {
        let body = Bytes::copy_from_slice(body);
        let frame = Encoded::raw(kind, ContextId::new(context), body).unwrap();
        self.link.send(frame).unwrap();
    }

    async fn next(&mut self) -> Frame {
        self.incoming.next().await.expect("a frame").unwrap()
    }
}

/// Runs `test` with two ends over each kind of transport.
fn over_all(test: impl AsyncFn(End, End)) {
    for (name, (near, far)) in all_transports() {
        let finished = block_on(&Clock::Monotonic, async {
            let executor = LocalExecutor::new();
            let near = end(&executor, near);
            let far = end(&executor, far);
            within(LONG_ENOUGH, executor.run(test(near, far))).await
        });
        assert!(finished.is_ok(), "over {name}: it hangs");
    }
}

fn end<'env>(executor: &LocalExecutor<'env>, transport: Box<dyn Transport>) -> End {
    let (link, incoming, writer) = open(transport, Limits::default());
    executor.spawn(writer.run()).detach();
    End { link, incoming }
}

#[test]
fn frames_arrive_as_they_were_sent_both_ways() {
    over_all(async |mut near, mut far| {
        for number in 0..100u8 {
            near.send(Kind::Data, 1, &[number; 3]);
            far.send(Kind::Raw, 2, &[number; 300]);
        }
        for number in 0..100u8 {
            let frame = far.next().await;
            assert_eq!((frame.kind, frame.context.number()), (Kind::Data, 1));
            assert_eq!(frame.body, vec![number; 3]);
            let frame = near.next().await;
            assert_eq!((frame.kind, frame.context.number()), (Kind::Raw, 2));
            assert_eq!(frame.body, vec![number; 300]);
        }
    });
}

#[test]
fn bodies_of_every_length_around_the_limits_arrive_whole() {
    let mut lengths = vec![0, 1, 15, 16, 17];
    for around in [
        4 * 1024,
        16 * 1024,
        64 * 1024,
        68 * 1024,
        72 * 1024,
        300 * 1024,
    ] {
        lengths.extend([around - 17, around - 16, around - 1, around, around + 1]);
    }
    over_all(async |near, mut far| {
        let patterned =
            |length: usize| -> Vec<u8> { (0..length).map(|at| (at * 31 + length) as u8).collect() };
        let sent = async {
            for length in &lengths {
                near.send(Kind::Data, 1, &patterned(*length));
            }
        };
        let received = async {
            for length in &lengths {
                let frame = far.next().await;
                assert!(frame.body == patterned(*length), "{length} bytes");
            }
        };
        zip(sent, received).await;
    });
}

#[test]
fn close_writes_what_waits_and_then_the_peer_reads_an_end() {
    over_all(async |near, mut far| {
        for _ in 0..50 {
            near.send(Kind::Data, 1, &[7; 20_000]);
        }
        near.link.close();
        let refused = Encoded::empty(Kind::Ping, ContextId::new(0));
        assert!(matches!(near.link.send(refused), Err(LinkError::Closed)));
        for _ in 0..50 {
            assert_eq!(far.next().await.body.len(), 20_000);
        }
        assert!(far.incoming.next().await.is_none());
        assert!(matches!(near.link.closed().await, LinkError::Closed));
        assert!(matches!(far.link.closed().await, LinkError::Ended));
    });
}

#[test]
fn dropping_the_last_handle_closes_the_link() {
    over_all(async |near, mut far| {
        near.send(Kind::Data, 1, b"last words");
        let clone = near.link.clone();
        drop(near.link);
        assert!(!clone.is_closed());
        drop(clone);
        assert_eq!(far.next().await.body, "last words");
        assert!(far.incoming.next().await.is_none());
    });
}

#[test]
fn abort_wakes_the_reader_and_ends_the_peer() {
    over_all(async |mut near, mut far| {
        let link = near.link.clone();
        let (next, ()) = zip(near.incoming.next(), async { link.abort() }).await;
        assert!(matches!(next, Some(Err(LinkError::Closed))));
        assert!(near.incoming.next().await.is_none());
        assert!(far.incoming.next().await.is_none());
    });
}

#[test]
fn peer_that_is_gone_ends_the_link_on_this_side() {
    over_all(async |near, mut far| {
        // Its writer task holds a part of it still, until it has seen the close.
        drop(near);
        assert!(far.incoming.next().await.is_none());
        assert!(far.link.is_closed());
        let refused = Encoded::empty(Kind::Ping, ContextId::new(0));
        assert!(far.link.send(refused).is_err());
    });
}

#[test]
fn cork_holds_frames_back_until_the_last_one_is_dropped() {
    over_all(async |near, mut far| {
        let (first, second) = (near.link.cork(), near.link.cork());
        near.send(Kind::Ping, 0, b"");
        near.send(Kind::Data, 1, b"data");
        assert_eq!(near.link.pending_bytes(), 16 + 20);
        drop(first);
        assert_eq!(near.link.pending_bytes(), 16 + 20);
        drop(second);
        assert_eq!(far.next().await.kind, Kind::Ping);
        assert_eq!(far.next().await.kind, Kind::Data);
    });
}

#[test]
fn cancel_overtakes_data_that_waits() {
    over_all(async |near, mut far| {
        let cork = near.link.cork();
        for _ in 0..10 {
            near.send(Kind::Data, 5, &[1; 50_000]);
        }
        near.send(Kind::Cancel, 5, b"enough");
        drop(cork);
        assert_eq!(far.next().await.kind, Kind::Cancel);
        for _ in 0..10 {
            assert_eq!(far.next().await.kind, Kind::Data);
        }
    });
}

#[test]
fn both_ends_agree_after_saying_hello() {
    over_all(async |mut near, mut far| {
        let (ours, theirs) = (
            Hello::new("one", &Limits::default()),
            Hello::new("other", &Limits::default()),
        );
        let (one, other) = zip(
            greet(&near.link, &mut near.incoming, &ours, LONG_ENOUGH),
            greet(&far.link, &mut far.incoming, &theirs, LONG_ENOUGH),
        )
        .await;
        let ((one, seen_by_one), (other, seen_by_other)) = (one.unwrap(), other.unwrap());
        assert_eq!(one, other);
        assert_eq!((seen_by_one, seen_by_other), (theirs, ours));
        assert_eq!(near.link.codec(), one.codec);
        assert_eq!(one.codec, Codec::ALL[0]);
        // Longer than a frame may be before the hello.
        near.send(Kind::Boot, 0, &[3; 200_000]);
        near.send(Kind::Cancel, 0, b"");
        assert_eq!(far.next().await.body.len(), 200_000);
        assert_eq!(far.next().await.kind, Kind::Cancel);
    });
}
