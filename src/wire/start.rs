//! The body of a start: which function, and apart from that its arguments.

use serde::{Deserialize, Serialize};

use crate::id::ContextId;

use super::{Codec, CodecError, Encoded, Kind};

/// How long the length of the head is, which comes first.
const LENGTH: usize = 4;

/// Which function is to run. Its arguments come after it and are decoded by whoever knows
/// their types, which is only known once the function has been found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StartHead<'a> {
    /// The path of the function.
    pub(crate) task: &'a str,
    /// A number for the types of its arguments and of its result: two programs that
    /// differ in it mean different functions.
    pub(crate) signature: u64,
    /// How long the caller has left for it, in microseconds.
    #[serde(default)]
    pub(crate) limit: Option<u64>,
    /// The arguments are those of a file: a text in TOML, which may hold the key `args`.
    #[serde(default)]
    pub(crate) from_file: bool,
}

/// Why a start cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StartError {
    /// The head is not there to its end.
    #[error("a start of {length} bytes is shorter than it says")]
    CutShort {
        /// How long the body is.
        length: usize,
    },
    /// The head is no head.
    #[error("the head of a start cannot be read")]
    Head(#[source] CodecError),
}

/// The frame that begins a context: `length of the head u32 | head | arguments`, the
/// length little-endian.
pub(crate) fn start(
    codec: Codec,
    context: ContextId,
    head: &StartHead<'_>,
    arguments: &(impl Serialize + ?Sized),
) -> Result<Encoded, CodecError> {
    Encoded::with(Kind::Start, context, |buffer| {
        let at = buffer.len();
        buffer.extend([0; LENGTH]);
        codec.encode(head, buffer)?;
        let length = buffer.len() - at - LENGTH;
        let length = u32::try_from(length).map_err(|_| CodecError::TooLong { length })?;
        buffer[at..at + LENGTH].copy_from_slice(&length.to_le_bytes());
        codec.encode(arguments, buffer)
    })
}

impl<'a> StartHead<'a> {
    /// The head of a start's body, and its arguments, which are not looked at.
    pub(crate) fn split(codec: Codec, body: &'a [u8]) -> Result<(Self, &'a [u8]), StartError> {
        let cut_short = StartError::CutShort { length: body.len() };
        let Some((length, rest)) = body.split_first_chunk::<LENGTH>() else {
            return Err(cut_short);
        };
        let length = u32::from_le_bytes(*length) as usize;
        let (head, arguments) = rest.split_at_checked(length).ok_or(cut_short)?;
        let head = codec.decode(head).map_err(StartError::Head)?;
        Ok((head, arguments))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::wire::Decoder;

    const HEAD: StartHead<'_> = StartHead {
        task: "work::is_prime",
        signature: u64::MAX,
        limit: Some(1_500_000),
        from_file: false,
    };

    fn body(codec: Codec) -> Bytes {
        let frame = start(codec, ContextId::new(1), &HEAD, &(7, "seven")).unwrap();
        let mut decoder = Decoder::new();
        for slice in frame.slices() {
            decoder.push(slice);
        }
        decoder.next().unwrap().unwrap().body
    }

    #[test]
    fn start_comes_apart_into_head_and_arguments() {
        for codec in Codec::ALL.iter().copied() {
            let body = body(codec);
            let (head, arguments) = StartHead::split(codec, &body).unwrap();
            assert_eq!(head, HEAD);
            let arguments: (i32, &str) = codec.decode(arguments).unwrap();
            assert_eq!(arguments, (7, "seven"));
        }
    }

    #[test]
    fn start_that_is_cut_short_is_refused() {
        let body = body(Codec::Cbor);
        let length = u32::from_le_bytes(body[..4].try_into().unwrap()) as usize;
        for end in 0..4 + length {
            let cut = StartHead::split(Codec::Cbor, &body.slice(..end)).unwrap_err();
            assert_eq!(cut, StartError::CutShort { length: end });
        }
        assert!(StartHead::split(Codec::Cbor, &body.slice(..4 + length)).is_ok());
    }

    #[test]
    fn head_that_is_no_head_is_refused() {
        let body = [1, 0, 0, 0, 0xf6, 1];
        let refused = StartHead::split(Codec::Cbor, &body).unwrap_err();
        assert!(matches!(refused, StartError::Head(_)), "{refused}");
    }
}
