//! A frame that is to be sent.

use bytes::{Buf, Bytes};
use serde::Serialize;

use crate::id::ContextId;

use super::{Codec, CodecError, Flags, HEADER_LENGTH, Header, Kind, long};

/// A frame that is to be sent: one buffer with the header in front, and maybe bytes that
/// the caller had already and that nobody needs to copy.
#[derive(Debug, Clone)]
pub(crate) struct Encoded {
    head: Vec<u8>,
    tail: Bytes,
    kind: Kind,
    context: ContextId,
    keeps_its_turn: bool,
}

impl Encoded {
    /// A frame with `body` in `codec`, encoded straight behind its header.
    pub(crate) fn new(
        codec: Codec,
        kind: Kind,
        context: ContextId,
        body: &(impl Serialize + ?Sized),
    ) -> Result<Self, CodecError> {
        Self::with(kind, context, |buffer| codec.encode(body, buffer))
    }

    /// The same for a body that will probably have `length` bytes.
    pub(crate) fn of_length(
        length: usize,
        codec: Codec,
        kind: Kind,
        context: ContextId,
        body: &(impl Serialize + ?Sized),
    ) -> Result<Self, CodecError> {
        let mut head = long::take_vec(HEADER_LENGTH + length);
        head.resize(HEADER_LENGTH, 0);
        codec.encode(body, &mut head)?;
        Self::finish(head, Bytes::new(), kind, Flags::NONE, context)
    }

    /// A frame whose body `encode` appends to the buffer it is given. What is in the
    /// buffer already is room for the header, and stays as it is.
    pub(crate) fn with(
        kind: Kind,
        context: ContextId,
        encode: impl FnOnce(&mut Vec<u8>) -> Result<(), CodecError>,
    ) -> Result<Self, CodecError> {
        let mut head = Vec::with_capacity(128);
        head.resize(HEADER_LENGTH, 0);
        encode(&mut head)?;
        Self::finish(head, Bytes::new(), kind, Flags::NONE, context)
    }

    /// A frame without a body.
    pub(crate) fn empty(kind: Kind, context: ContextId) -> Self {
        Self::finish(
            vec![0; HEADER_LENGTH],
            Bytes::new(),
            kind,
            Flags::NONE,
            context,
        )
        .expect("invariant: no body is never too long")
    }

    /// A frame with the caller's bytes as its body, which are not copied.
    pub(crate) fn raw(kind: Kind, context: ContextId, body: Bytes) -> Result<Self, CodecError> {
        Self::finish(vec![0; HEADER_LENGTH], body, kind, Flags::NONE, context)
    }

    /// One frame of a message whose length has been found good.
    pub(super) fn fragment(kind: Kind, flags: Flags, context: ContextId, body: Bytes) -> Self {
        Self::finish(vec![0; HEADER_LENGTH], body, kind, flags, context)
            .expect("invariant: a part is not longer than the whole")
    }

    /// Writes the header over the room that was kept for it.
    fn finish(
        mut head: Vec<u8>,
        tail: Bytes,
        kind: Kind,
        flags: Flags,
        context: ContextId,
    ) -> Result<Self, CodecError> {
        let length = head.len() - HEADER_LENGTH + tail.len();
        let header = Header {
            length: u32::try_from(length).map_err(|_| CodecError::TooLong { length })?,
            kind,
            flags,
            context,
        };
        head[..HEADER_LENGTH].copy_from_slice(&header.to_bytes());
        Ok(Self {
            head,
            tail,
            kind,
            context,
            keeps_its_turn: false,
        })
    }

    /// The same frame, which leaves after what is sent before it in its context even if its
    /// kind may overtake that.
    #[must_use]
    pub(crate) fn in_turn(mut self) -> Self {
        self.keeps_its_turn = true;
        self
    }

    /// Whether it may leave before what was sent before it in its context.
    pub(crate) fn may_overtake(&self) -> bool {
        self.kind.may_overtake() && !self.keeps_its_turn
    }

    /// Says in its header that a file descriptor comes with it.
    pub(crate) fn announce_descriptor(&mut self) {
        self.head[Header::FLAGS_AT] |= Flags::DESCRIPTOR.bits();
    }

    /// What it is about.
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// Which context it belongs to.
    pub(crate) fn context(&self) -> ContextId {
        self.context
    }

    /// How many bytes it is on the wire, header and body.
    pub(crate) fn length(&self) -> usize {
        self.head.len() + self.tail.len()
    }

    /// How many bytes its body is.
    pub(crate) fn body_length(&self) -> usize {
        self.length() - HEADER_LENGTH
    }

    /// The body, copied only if a part was encoded and another was the caller's.
    pub(super) fn into_body(self) -> Bytes {
        let mut encoded = Bytes::from(self.head);
        long::keep(&encoded);
        encoded.advance(HEADER_LENGTH);
        match (encoded.is_empty(), self.tail.is_empty()) {
            (_, true) => encoded,
            (true, false) => self.tail,
            (false, false) => [encoded, self.tail].concat().into(),
        }
    }

    /// The same in two parts.
    pub(crate) fn into_parts(self) -> (Vec<u8>, Bytes) {
        (self.head, self.tail)
    }

    /// The bytes for the wire, in order: the header with what was encoded, and the
    /// caller's own.
    pub(crate) fn slices(&self) -> [&[u8]; 2] {
        [&self.head, &self.tail]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTEXT: ContextId = ContextId::new(7);

    fn header(frame: &Encoded) -> Header {
        Header::from_bytes(frame.slices()[0][..HEADER_LENGTH].try_into().unwrap()).unwrap()
    }

    #[test]
    fn frame_has_its_header_in_front_of_its_body() {
        let frame = Encoded::new(Codec::Cbor, Kind::Data, CONTEXT, "hello").unwrap();
        let [head, tail] = frame.slices();
        assert_eq!(head[HEADER_LENGTH..], *b"\x65hello");
        assert!(tail.is_empty());
        let expected = Header {
            length: 6,
            kind: Kind::Data,
            flags: Flags::NONE,
            context: CONTEXT,
        };
        assert_eq!(header(&frame), expected);
        assert_eq!((frame.length(), frame.body_length()), (22, 6));
    }

    #[test]
    fn raw_bytes_are_not_copied() {
        let body = Bytes::from(vec![5; 1000]);
        let frame = Encoded::raw(Kind::Raw, CONTEXT, body.clone()).unwrap();
        assert_eq!(header(&frame).length, 1000);
        assert_eq!(frame.slices()[1].as_ptr(), body.as_ptr());
    }

    #[test]
    fn frame_without_a_body_is_a_header() {
        let frame = Encoded::empty(Kind::Ping, CONTEXT);
        assert_eq!((frame.length(), header(&frame).length), (HEADER_LENGTH, 0));
    }

    #[test]
    fn value_that_cannot_be_encoded_makes_no_frame() {
        assert!(Encoded::new(Codec::Cbor, Kind::Data, CONTEXT, &i128::MIN).is_err());
    }
}
