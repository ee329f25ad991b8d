//! What a link does, over every way there is for its bytes to go.

use futures_lite::future::zip;

use super::test_support::{End, LONG_ENOUGH, over_all};
use super::*;
use crate::id::ContextId;
use crate::wire::{Codec, Encoded, Hello, Kind, Limits};

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
