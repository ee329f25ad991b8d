//! What a link does when its transport fails, its peer is hostile, or nobody answers.

use std::cell::Cell;
use std::io;
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use futures_lite::future::{poll_once, zip};
use proptest::prelude::*;

use super::test_support::{End, end, memory, run};
use super::transport::{Fault, Faulty, Plan};
use super::*;
use crate::id::ContextId;
use crate::rt::{LocalExecutor, block_on};
use crate::time::{Clock, VirtualClock};
use crate::wire::{
    AssemblyError, Codec, Encoded, Flags, FrameError, HandshakeError, Header, Hello, Kind, Limits,
};

fn ping() -> Encoded {
    Encoded::empty(Kind::Ping, ContextId::new(0))
}

/// Runs `test` with an end whose transport has these faults, and a peer without any.
fn with_faults(plan: impl FnOnce(&mut Faulty), test: impl AsyncFnOnce(End, End, Rc<Cell<usize>>)) {
    let (near, far) = memory(1024);
    let mut faulty = Faulty::new(near);
    plan(&mut faulty);
    let shutdowns = Rc::clone(&faulty.shutdowns);
    run(async |executor| {
        let near = end(executor, Box::new(faulty));
        let far = end(executor, far);
        test(near, far, shutdowns).await;
    });
}

fn is_io(error: &LinkError, kind: io::ErrorKind) -> bool {
    matches!(error, LinkError::Io { source, .. } if source.kind() == kind)
}

#[test]
fn read_that_fails_ends_the_link_once_what_came_before_is_read() {
    let fail = |faulty: &mut Faulty| {
        faulty.reads = Plan::once([Fault::Pass, Fault::Fail(io::ErrorKind::ConnectionReset)]);
    };
    with_faults(fail, async |mut near, mut far, shutdowns| {
        far.send(Kind::Data, 1, b"before");
        assert_eq!(near.next().await.body, "before");
        let error = near.incoming.next().await.unwrap().unwrap_err();
        assert!(is_io(&error, io::ErrorKind::ConnectionReset), "{error}");
        assert!(near.incoming.next().await.is_none());
        assert!(is_io(
            &near.link.send(ping()).unwrap_err(),
            io::ErrorKind::ConnectionReset
        ));
        assert!(far.incoming.next().await.is_none());
        assert_eq!(shutdowns.get(), 1);
    });
}

#[test]
fn end_within_a_frame_is_told_from_an_end_between_frames() {
    let cut = |faulty: &mut Faulty| {
        faulty.reads = Plan::once([Fault::Short(20), Fault::End]);
    };
    with_faults(cut, async |mut near, far, _| {
        far.send(Kind::Data, 1, b"never whole");
        let error = near.incoming.next().await.unwrap().unwrap_err();
        assert!(matches!(error, LinkError::EndedMidMessage), "{error}");
    });
}

#[test]
fn end_between_the_frames_of_a_message_is_told() {
    run(async |executor| {
        let (near, far) = memory(1024);
        let mut near = end(executor, near);
        let header = Header {
            length: 0,
            kind: Kind::Data,
            flags: Flags::MORE,
            context: ContextId::new(1),
        };
        far.try_write(&[io::IoSlice::new(&header.to_bytes())])
            .unwrap();
        far.shutdown();
        let error = near.incoming.next().await.unwrap().unwrap_err();
        assert!(matches!(error, LinkError::EndedMidMessage), "{error}");
    });
}

#[test]
fn write_at_once_that_fails_is_told_to_the_sender() {
    let fail = |faulty: &mut Faulty| {
        faulty.tries = Plan::once([Fault::Fail(io::ErrorKind::BrokenPipe)]);
    };
    with_faults(fail, async |near, mut far, shutdowns| {
        let error = near.link.send(ping()).unwrap_err();
        assert!(is_io(&error, io::ErrorKind::BrokenPipe), "{error}");
        let why = near.link.closed().await;
        assert!(is_io(&why, io::ErrorKind::BrokenPipe), "{why}");
        assert!(far.incoming.next().await.is_none());
        assert_eq!(shutdowns.get(), 1);
    });
}

#[test]
fn writer_that_fails_ends_the_link_for_the_next_sender() {
    let fail = |faulty: &mut Faulty| {
        faulty.tries = Plan::once([Fault::Delay]);
        faulty.writes = Plan::once([Fault::Short(3), Fault::Fail(io::ErrorKind::BrokenPipe)]);
    };
    with_faults(fail, async |near, mut far, _| {
        near.link.send(ping()).unwrap();
        let why = near.link.closed().await;
        assert!(is_io(&why, io::ErrorKind::BrokenPipe), "{why}");
        assert!(near.link.send(ping()).is_err());
        assert_eq!(near.link.pending_bytes(), 0);
        let error = far.incoming.next().await.unwrap().unwrap_err();
        assert!(matches!(error, LinkError::EndedMidMessage), "{error}");
    });
}

#[test]
fn cork_whose_write_fails_ends_the_link() {
    let fail = |faulty: &mut Faulty| {
        faulty.tries = Plan::once([Fault::Fail(io::ErrorKind::BrokenPipe)]);
    };
    with_faults(fail, async |near, _far, _| {
        let cork = near.link.cork();
        near.link.send(ping()).unwrap();
        drop(cork);
        assert!(near.link.is_closed());
    });
}

#[test]
fn last_words_are_read_although_nothing_can_be_written() {
    let fail = |faulty: &mut Faulty| {
        faulty.tries = Plan::once([Fault::Fail(io::ErrorKind::BrokenPipe)]);
    };
    with_faults(fail, async |mut near, far, _| {
        far.send(Kind::Error, 1, b"out of luck");
        near.link.send(ping()).unwrap_err();
        assert_eq!(near.next().await.body, "out of luck");
        drop(far);
        assert!(near.incoming.next().await.is_none());
    });
}

#[test]
fn peer_that_asks_and_does_not_read_is_cut_off() {
    run(async |executor| {
        let (near, far) = memory(4096);
        let near = end(executor, near);
        let pong = || Encoded::empty(Kind::Pong, ContextId::new(0));
        let flooded = (0..1_000_000).find_map(|_| near.link.send(pong()).err());
        assert!(matches!(flooded, Some(LinkError::Flooded(_))));
        assert!(near.link.is_closed());
        drop(far);
    });
}

#[test]
fn peer_that_stops_reading_does_not_stop_reading_from_it() {
    run(async |executor| {
        let (near, far) = memory(4096);
        let mut near = end(executor, near);
        near.send(Kind::Data, 1, &[0; 500_000]);
        near.send(Kind::Cancel, 1, b"");
        let ping = ping();
        far.try_write(&[io::IoSlice::new(ping.slices()[0])])
            .unwrap();
        assert_eq!(near.next().await.kind, Kind::Ping);
        assert!(near.link.pending_bytes() > 400_000);
    });
}

#[test]
fn message_longer_than_the_peer_takes_is_refused_and_the_link_goes_on() {
    run(async |executor| {
        let (near, far) = memory(1024);
        let limits = Limits {
            max_message: 100,
            ..Limits::default()
        };
        let (link, _incoming, writer) = open(near, limits);
        executor.spawn(writer.run()).detach();
        let mut far = end(executor, far);
        let long = Encoded::raw(Kind::Raw, ContextId::new(1), Bytes::from(vec![0; 101])).unwrap();
        let refused = link.send(long).unwrap_err();
        assert!(matches!(
            refused,
            LinkError::TooLong {
                length: 101,
                limit: 100
            }
        ));
        link.send(ping()).unwrap();
        assert_eq!(far.next().await.kind, Kind::Ping);
    });
}

/// What `near` makes of these bytes of a peer.
fn read_hostile(bytes: &[u8]) -> LinkError {
    let (near, far) = memory(bytes.len().max(1));
    let result = Cell::new(None);
    run(async |executor| {
        let mut near = end(executor, near);
        far.try_write(&[io::IoSlice::new(bytes)]).unwrap();
        let mut error = None;
        while error.is_none() {
            match poll_once(near.incoming.next()).await {
                Some(Some(Ok(_))) => {}
                Some(Some(Err(found))) => error = Some(found),
                Some(None) => error = Some(LinkError::Ended),
                None => far.shutdown(),
            }
        }
        assert!(near.link.is_closed());
        assert!(near.incoming.next().await.is_none());
        assert!(near.incoming.try_next().is_none());
        result.set(error);
    });
    result.take().unwrap()
}

#[test]
fn hostile_headers_end_the_link() {
    let header = Header {
        length: 0,
        kind: Kind::Data,
        flags: Flags::NONE,
        context: ContextId::new(1),
    };
    let with = |change: fn(&mut [u8; 16])| {
        let mut bytes = header.to_bytes();
        change(&mut bytes);
        read_hostile(&bytes)
    };
    let error = with(|bytes| bytes[..4].fill(0xff));
    assert!(matches!(
        error,
        LinkError::Frame(FrameError::TooLong { .. })
    ));
    let error = with(|bytes| bytes[4] = 200);
    assert!(matches!(error, LinkError::Frame(FrameError::Kind(200))));
    let error = with(|bytes| bytes[6] = 2);
    assert!(matches!(
        error,
        LinkError::Frame(FrameError::Version { found: 2 })
    ));
    // Unknown flags mean nothing.
    let error = with(|bytes| bytes[5] = 0xfc);
    assert!(matches!(error, LinkError::Ended));
}

#[test]
fn data_within_a_message_of_another_kind_ends_the_link() {
    let part = |kind, flags| {
        Header {
            length: 0,
            kind,
            flags,
            context: ContextId::new(1),
        }
        .to_bytes()
    };
    let bytes = [part(Kind::Data, Flags::MORE), part(Kind::Raw, Flags::NONE)].concat();
    let error = read_hostile(&bytes);
    assert!(matches!(
        error,
        LinkError::Assembly(AssemblyError::Kind { .. })
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_bytes_end_the_link_without_a_panic(
        bytes in prop::collection::vec(any::<u8>(), 1..3000),
        version: bool,
    ) {
        let mut bytes = bytes;
        if version && bytes.len() >= 16 {
            // Further in than the version of the first header.
            bytes[2..8].copy_from_slice(&[0, 0, 6, 0, 1, 0]);
        }
        read_hostile(&bytes);
    }
}

fn hello() -> Hello {
    Hello::new("program", &Limits::default())
}

/// What comes of a greeting to a peer that writes `bytes` and then says no more.
fn greet_with(bytes: &[u8], is_shut: bool) -> (LinkError, Duration) {
    let time = VirtualClock::new();
    let (near, far) = memory_pair(200_000);
    let refused = block_on(&Clock::Virtual(time.clone()), async {
        let executor = LocalExecutor::new();
        let mut near = end(&executor, Box::new(near));
        far.try_write(&[io::IoSlice::new(bytes)]).ok();
        if is_shut {
            far.shutdown();
        }
        let ours = hello();
        let greeted = greet(
            &near.link,
            &mut near.incoming,
            &ours,
            Duration::from_secs(10),
        );
        let refused = executor.run(greeted).await.unwrap_err();
        assert!(near.link.is_closed());
        refused
    });
    (refused, time.now() - crate::time::Time::ORIGIN)
}

fn bytes_of(frame: &Encoded) -> Vec<u8> {
    frame.slices().concat()
}

fn hello_frame(hello: &Hello) -> Encoded {
    Encoded::new(Codec::Cbor, Kind::Hello, ContextId::new(0), hello).unwrap()
}

#[test]
fn peer_that_says_nothing_is_given_up_at_the_deadline() {
    let begun = bytes_of(&hello_frame(&hello()));
    for said in [&[][..], &begun[..7], &begun[..begun.len() - 1]] {
        let (error, waited) = greet_with(said, false);
        assert!(matches!(error, LinkError::Silent(_)), "{error}");
        assert_eq!(waited, Duration::from_secs(10));
    }
}

#[test]
fn peer_that_ends_instead_of_saying_hello_is_told_at_once() {
    let (error, waited) = greet_with(&[], true);
    assert!(matches!(error, LinkError::Ended), "{error}");
    assert_eq!(waited, Duration::ZERO);
    let begun = bytes_of(&hello_frame(&hello()));
    let (error, _) = greet_with(&begun[..20], true);
    assert!(matches!(error, LinkError::EndedMidMessage), "{error}");
}

#[test]
fn peer_that_begins_with_something_else_is_refused() {
    let (error, _) = greet_with(&bytes_of(&ping()), false);
    assert!(matches!(error, LinkError::NoHello(Kind::Ping)), "{error}");
}

#[test]
fn hello_that_cannot_be_read_is_refused() {
    let frame = Encoded::new(Codec::Cbor, Kind::Hello, ContextId::new(0), "hi").unwrap();
    let (error, _) = greet_with(&bytes_of(&frame), false);
    assert!(matches!(error, LinkError::Hello(_)), "{error}");
}

#[test]
fn hello_without_anything_in_common_is_refused() {
    let later = Hello {
        lowest_version: 7,
        highest_version: 9,
        ..hello()
    };
    let (error, _) = greet_with(&bytes_of(&hello_frame(&later)), false);
    assert!(matches!(
        error,
        LinkError::Handshake(HandshakeError::Version { .. })
    ));
}

#[test]
fn hello_that_is_too_long_is_refused_by_its_header() {
    let long = Hello {
        agent: "x".repeat(70_000),
        ..hello()
    };
    let (error, _) = greet_with(&bytes_of(&hello_frame(&long)), false);
    assert!(matches!(
        error,
        LinkError::Frame(FrameError::TooLong { .. })
    ));
}

/// A launcher's standard streams are two pipes to a process; `cat` is the shortest one
/// that answers.
#[test]
fn frames_come_back_through_the_pipes_of_a_process() {
    let mut cat = Command::new("cat")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let pipes = Pipes::new(
        cat.stdout.take().unwrap().into(),
        cat.stdin.take().unwrap().into(),
    );
    run(async |executor| {
        let End { link, mut incoming } = end(executor, Box::new(pipes.unwrap()));
        let sent = async {
            for number in 0..20u8 {
                let body = Bytes::from(vec![number; 50_000]);
                link.send(Encoded::raw(Kind::Raw, ContextId::new(1), body).unwrap())
                    .unwrap();
            }
            link.close();
        };
        let received = async {
            for number in 0..20u8 {
                let frame = incoming.next().await.unwrap().unwrap();
                assert!(frame.body == vec![number; 50_000]);
            }
            assert!(incoming.next().await.is_none());
        };
        zip(sent, received).await;
    });
    assert!(cat.wait().unwrap().success());
}

#[test]
fn wait_that_is_dropped_loses_nothing() {
    run(async |executor| {
        let (near, far) = memory(1024);
        let mut near = end(executor, near);
        let far = end(executor, far);
        for _ in 0..10 {
            assert!(poll_once(near.incoming.next()).await.is_none());
            assert!(poll_once(near.link.closed()).await.is_none());
        }
        far.send(Kind::Data, 1, b"still here");
        assert_eq!(near.next().await.body, "still here");
    });
}
