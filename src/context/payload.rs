//! Messages of a stream as frames: values in the link's codec, and bytes as they are.

use std::any::{Any, TypeId};

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, ErrorContext, ErrorKind, Result};
use crate::id::ContextId;
use crate::wire::{Codec, Encoded, Frame, Kind};

/// The frame for a message of a stream, which will probably have `length` bytes.
pub(super) fn pack<T: Serialize + 'static>(
    codec: Codec,
    context: ContextId,
    message: &T,
    length: usize,
) -> Result<Encoded> {
    let packed = match (message as &dyn Any).downcast_ref::<Bytes>() {
        Some(bytes) => Encoded::raw(Kind::Raw, context, bytes.clone()),
        None => Encoded::of_length(length, codec, Kind::Data, context, message),
    };
    packed.context("cannot encode a message of a stream")
}

/// The message in a frame of a stream.
pub(super) fn unpack<T: DeserializeOwned + 'static>(codec: Codec, frame: &Frame) -> Result<T> {
    let wants_bytes = TypeId::of::<T>() == TypeId::of::<Bytes>();
    match (frame.kind, wants_bytes) {
        (Kind::Raw, true) => {
            let mut message = None::<T>;
            if let Some(slot) = (&mut message as &mut dyn Any).downcast_mut() {
                *slot = Some(frame.body.clone());
            }
            Ok(message.expect("invariant: the type was looked at"))
        }
        (Kind::Raw, false) => Err(unfit("bytes as they are, and not a value")),
        (_, true) => Err(unfit("a value, and not bytes as they are")),
        (_, false) => frame
            .decode(codec)
            .context("cannot read a message of a stream"),
    }
}

fn unfit(what: &str) -> Error {
    let message = format!("the other side of a stream sent {what}");
    Error::new(ErrorKind::Broken, message)
        .with_hint("let both sides of the context have the same types of messages")
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTEXT: ContextId = ContextId::new(3);

    fn frame<T: Serialize + 'static>(message: &T) -> Frame {
        let encoded = pack(Codec::Cbor, CONTEXT, message, 0).unwrap();
        let mut decoder = crate::wire::Decoder::new();
        for slice in encoded.slices() {
            decoder.push(slice);
        }
        decoder.next().unwrap().unwrap()
    }

    #[test]
    fn bytes_travel_as_they_are_and_values_in_the_codec() {
        let bytes = frame(&Bytes::from_static(b"abc"));
        assert_eq!((bytes.kind, &*bytes.body), (Kind::Raw, &b"abc"[..]));
        assert_eq!(unpack::<Bytes>(Codec::Cbor, &bytes).unwrap(), "abc");
        let value = frame(&"abc");
        assert_eq!((value.kind, &*value.body), (Kind::Data, &b"\x63abc"[..]));
        assert_eq!(unpack::<String>(Codec::Cbor, &value).unwrap(), "abc");
    }

    #[test]
    fn message_of_the_other_sort_is_an_error() {
        let bytes = frame(&Bytes::from_static(b"\x63abc"));
        assert!(unpack::<String>(Codec::Cbor, &bytes).is_err());
        assert!(unpack::<Bytes>(Codec::Cbor, &frame(&"abc")).is_err());
        assert!(unpack::<u8>(Codec::Cbor, &frame(&"abc")).is_err());
    }
}
