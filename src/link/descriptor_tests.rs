//! Descriptors that go with messages, over every kind of transport.

use std::io::{IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::net::{
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType, sendmsg,
    socketpair,
};

use super::test_support::{all_transports, end, memory, over_all, run, socket_pair};
use super::*;
use crate::id::ContextId;
use crate::rt::{self, Async};
use crate::wire::{Codec, Encoded, Flags, Kind, Limits};

fn introduce(number: u32) -> Encoded {
    Encoded::new(Codec::Cbor, Kind::Introduce, ContextId::LINK, &number).unwrap()
}

/// The bytes of a frame of this kind that has announced a descriptor.
fn announced(body: u8) -> Vec<u8> {
    let mut bytes = vec![
        1,
        0,
        0,
        0,
        Kind::Introduce.number(),
        Flags::DESCRIPTOR.bits(),
        1,
        0,
    ];
    bytes.extend([0; 8]);
    bytes.push(body);
    bytes
}

/// Sends bytes and descriptors as somebody who does not go by the rules may.
fn send_raw(socket: &OwnedFd, bytes: &[u8], descriptors: &[&OwnedFd]) {
    let descriptors: Vec<_> = descriptors.iter().map(|one| one.as_fd()).collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(64))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    assert!(control.push(SendAncillaryMessage::ScmRights(&descriptors)));
    let sent = sendmsg(
        socket,
        &[IoSlice::new(bytes)],
        &mut control,
        SendFlags::empty(),
    );
    assert_eq!(sent.unwrap(), bytes.len());
}

/// Waits until the other end is closed, wherever it has gone.
async fn is_closed(end: UnixStream) {
    let end = Async::new(end).unwrap();
    rt::readable(&end).await.unwrap();
    assert_eq!(end.get_ref().read(&mut [0]).unwrap(), 0);
}

fn raw_end() -> (OwnedFd, Box<dyn Transport>) {
    let (raw, ours) = UnixStream::pair().unwrap();
    (raw.into(), Box::new(Socket::new(ours.into()).unwrap()))
}

#[test]
fn descriptor_comes_with_its_own_frame_among_others() {
    run(async |executor| {
        for (name, (near, far)) in all_transports() {
            let passes = near.passes_descriptors();
            let (near, mut far) = (end(executor, near), end(executor, far));
            let mut kept = Vec::new();
            let cork = near.link.cork();
            for number in 0..20_u32 {
                near.send(Kind::Data, 1, &[7; 700]);
                let (ours, theirs) = UnixStream::pair().unwrap();
                near.link
                    .send_with(introduce(number), theirs.into())
                    .unwrap();
                near.send(Kind::Ping, 0, b"");
                kept.push(ours);
            }
            drop(cork);
            let mut next = 0;
            for _ in 0..60 {
                let frame = far.next().await;
                if frame.kind != Kind::Introduce {
                    assert!(!frame.flags.has_descriptor());
                    continue;
                }
                let number: u32 = frame.decode(Codec::Cbor).unwrap();
                assert_eq!(number, next);
                next += 1;
                let came = far.link.take_descriptor();
                assert_eq!(came.is_some(), passes, "{name}");
                assert_eq!(frame.flags.has_descriptor(), passes, "{name}");
                let Some(came) = came else { continue };
                UnixStream::from(came).write_all(&[number as u8]).unwrap();
                let mut byte = [0];
                kept[number as usize].read_exact(&mut byte).unwrap();
                assert_eq!(u32::from(byte[0]), number, "{name}");
            }
            assert_eq!(next, 20, "{name}");
        }
    });
}

#[test]
fn descriptor_that_nobody_takes_is_closed() {
    over_all(async |near, mut far| {
        let (ours, theirs) = UnixStream::pair().unwrap();
        near.link.send_with(introduce(1), theirs.into()).unwrap();
        far.next().await;
        drop(far);
        is_closed(ours).await;
    });
}

#[test]
fn descriptor_that_waits_to_leave_is_closed_with_its_link() {
    run(async |_| {
        let (near, _far) = memory(16);
        let (link, _incoming, _writer) = open(near, Limits::default());
        let (ours, theirs) = UnixStream::pair().unwrap();
        link.send_with(introduce(1), theirs.into()).unwrap();
        link.abort();
        is_closed(ours).await;
    });
}

#[test]
fn announced_descriptor_that_does_not_come_ends_the_link() {
    run(async |executor| {
        let (raw, ours) = raw_end();
        let mut ours = end(executor, ours);
        UnixStream::from(raw).write_all(&announced(1)).unwrap();
        let error = ours.incoming.next().await.unwrap().unwrap_err();
        assert!(matches!(error, LinkError::NoDescriptor), "{error}");
    });
}

#[test]
fn flood_of_descriptors_ends_the_link_and_all_are_closed() {
    run(async |executor| {
        let (raw, ours) = raw_end();
        let mut ours = end(executor, ours);
        let (near, far) = UnixStream::pair().unwrap();
        let far = OwnedFd::from(far);
        // The first part of a frame, and descriptors with each byte of it.
        for byte in &announced(1)[..6] {
            send_raw(&raw, &[*byte], &[&far; 60]);
        }
        drop(far);
        let error = ours.incoming.next().await.unwrap().unwrap_err();
        assert!(matches!(error, LinkError::Io { .. }), "{error}");
        drop((ours, raw));
        is_closed(near).await;
    });
}

#[test]
fn descriptors_of_one_write_beyond_what_is_taken_are_closed() {
    run(async |executor| {
        let (raw, ours) = raw_end();
        let mut ours = end(executor, ours);
        let (_near, far) = UnixStream::pair().unwrap();
        let far = OwnedFd::from(far);
        send_raw(&raw, &announced(1), &[&far; 60]);
        let frame = ours.next().await;
        assert!(frame.flags.has_descriptor());
        assert!(ours.link.take_descriptor().is_some());
    });
}

#[test]
fn only_sockets_of_the_unix_family_pass_descriptors() {
    let (near, _far) = socket_pair();
    assert!(near.passes_descriptors());
    let (near, _far) = memory(16);
    assert!(!near.passes_descriptors());
    let (near, _far) = socketpair(
        rustix::net::AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    )
    .unwrap();
    assert!(Socket::new(near).unwrap().passes_descriptors());
}
