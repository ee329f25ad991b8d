//! What the benches and the fuzz targets of this repository see of a link. No part of the
//! public interface: it changes without notice.

use std::future::Future;
use std::io;
use std::os::unix::net::UnixStream;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::id::ContextId;
use crate::link;
use crate::time::Clock;
use crate::wire::{
    Assembler, Codec, CreditBody, Decoder, Encoded, Hello, Kind, Limits, LogRecord, StartHead,
    negotiate,
};

/// Reads `stream` as frames, in pieces of these lengths over and over; gives how many
/// messages there were before the end or the first fault.
pub fn read_frames(stream: &[u8], pieces: &[u8]) -> usize {
    let mut decoder = Decoder::new();
    decoder.set_max_frame(1024 * 1024);
    let mut assembler = Assembler::new(&Limits {
        max_message: 2 * 1024 * 1024,
        max_incomplete: 4 * 1024 * 1024,
        ..Limits::default()
    });
    let (mut messages, mut rest, mut pieces) = (0, stream, pieces.iter().cycle());
    while !rest.is_empty() {
        let wanted = pieces
            .next()
            .map_or(usize::MAX, |piece| usize::from(*piece) + 1);
        let room = decoder.room();
        let length = wanted.min(room.len()).min(rest.len());
        room[..length].copy_from_slice(&rest[..length]);
        decoder.advance(length);
        rest = &rest[length..];
        loop {
            match decoder.next() {
                Ok(Some(frame)) => match assembler.take(frame) {
                    Ok(message) => messages += usize::from(message.is_some()),
                    Err(_) => return messages,
                },
                Ok(None) => break,
                Err(_) => return messages,
            }
        }
        decoder.rest();
    }
    messages
}

/// Reads a peer's hello and looks for what there is in common, from both sides.
pub fn read_hello(body: &[u8]) -> bool {
    let ours = Hello::new("program", &Limits::default());
    let Ok(theirs) = Codec::Cbor.decode::<Hello>(body) else {
        return false;
    };
    let agreed = negotiate(&ours, &theirs);
    let seen_from_there = negotiate(&theirs, &ours);
    assert_eq!(agreed.as_ref().ok(), seen_from_there.as_ref().ok());
    if let Err(error) = &agreed {
        assert!(!error.to_string().is_empty());
    }
    agreed.is_ok()
}

/// Reads the same bytes as each body there is; gives how many of them they can be.
pub fn read_bodies(body: &[u8]) -> usize {
    let is_start = StartHead::split(Codec::Cbor, body).is_ok();
    [
        is_start,
        comes_back::<Hello>(body),
        comes_back::<CreditBody>(body),
        Codec::Cbor.decode::<LogRecord<'_>>(body).is_ok(),
        comes_back::<crate::error::CancelReason>(body),
        comes_back::<(u64, Option<String>, Vec<i32>, bool)>(body),
        comes_back::<std::collections::BTreeMap<String, Vec<Option<i64>>>>(body),
        comes_back::<serde_bytes::ByteBuf>(body),
        Codec::Cbor.decode::<serde::de::IgnoredAny>(body).is_ok(),
    ]
    .into_iter()
    .map(usize::from)
    .sum()
}

/// Whether `body` is a `T`; if it is, it comes back the same when it is written and read.
fn comes_back<T: Serialize + DeserializeOwned + PartialEq>(body: &[u8]) -> bool {
    let Ok(value) = Codec::Cbor.decode::<T>(body) else {
        return false;
    };
    let mut written = Vec::new();
    Codec::Cbor
        .encode(&value, &mut written)
        .expect("invariant: what was decoded can be encoded");
    let again = Codec::Cbor.decode::<T>(&written);
    assert!(again == Ok(value), "what was written is read the same");
    true
}

/// Runs `future` as a runtime would.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    crate::rt::block_on(&Clock::Monotonic, future)
}

#[derive(Clone)]
pub struct Link(link::Link);
pub struct Incoming(link::Incoming);
pub struct Cork(#[expect(dead_code, reason = "it is there to be dropped")] link::Cork);

/// A message that was received.
pub struct Message {
    pub context: u64,
    pub body: Bytes,
}

/// A link over a connected socket, and its writer.
pub fn open(socket: UnixStream) -> io::Result<(Link, Incoming, impl Future<Output = ()>)> {
    let transport = Box::new(link::Socket::new(socket.into())?);
    let (link, incoming, writer) = link::open(transport, Limits::default());
    let hello = Hello::new("bench", &Limits::default());
    link.set_agreed(negotiate(&hello, &hello).map_err(io::Error::other)?);
    Ok((Link(link), Incoming(incoming), writer.run()))
}

impl Link {
    /// Sends a control frame, as a call and its result are when they are short.
    pub fn call(&self, context: u64, body: &impl Serialize) -> Result<(), String> {
        self.encode(Kind::Start, context, body)
    }

    /// Sends a message of a stream.
    pub fn data(&self, context: u64, body: &impl Serialize) -> Result<(), String> {
        self.encode(Kind::Data, context, body)
    }

    /// Sends bytes as they are.
    pub fn raw(&self, context: u64, body: Bytes) -> Result<(), String> {
        let frame = Encoded::raw(Kind::Raw, ContextId::new(context), body).map_err(text)?;
        self.0.send(frame).map_err(text)
    }

    fn encode(&self, kind: Kind, context: u64, body: &impl Serialize) -> Result<(), String> {
        let frame = Encoded::new(self.0.codec(), kind, ContextId::new(context), body);
        self.0.send(frame.map_err(text)?).map_err(text)
    }

    pub fn cork(&self) -> Cork {
        Cork(self.0.cork())
    }

    pub fn pending_bytes(&self) -> usize {
        self.0.pending_bytes()
    }

    pub fn close(&self) {
        self.0.close();
    }
}

impl Incoming {
    pub async fn next(&mut self) -> Option<Message> {
        message(self.0.next().await)
    }

    pub fn try_next(&mut self) -> Option<Message> {
        message(self.0.try_next())
    }
}

impl Message {
    pub fn decode<'a, T: Deserialize<'a>>(&'a self) -> Result<T, String> {
        Codec::Cbor.decode(&self.body).map_err(text)
    }
}

fn message(next: Option<Result<crate::wire::Frame, link::LinkError>>) -> Option<Message> {
    let frame = next?.ok()?;
    Some(Message {
        context: frame.context.number(),
        body: frame.body,
    })
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
