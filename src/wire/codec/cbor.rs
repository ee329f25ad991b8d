//! CBOR (RFC 8949), by serde_cbor. No other file names that package.

use serde::{Deserialize, Serialize};

use super::CodecError;

const ID: &str = "cbor";

/// How deep serde_cbor follows nested values; it cannot be told otherwise.
const DEPTH_LIMIT: usize = 128;

/// Appends `value`. Structs become maps by field name, so that two builds whose fields
/// are in another order, or where one has a field more with a default, understand each
/// other.
pub(super) fn encode<T: Serialize + ?Sized>(
    value: &T,
    buffer: &mut Vec<u8>,
) -> Result<(), CodecError> {
    let mut serializer = serde_cbor::Serializer::new(serde_cbor::ser::IoWrite::new(buffer));
    value
        .serialize(&mut serializer)
        .map_err(|error| CodecError::Encode {
            codec: ID,
            reason: error.to_string(),
        })
}

/// Reads one value that takes up all of `bytes`.
pub(super) fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, CodecError> {
    serde_cbor::from_slice(bytes).map_err(|error| refused(&error))
}

fn refused(error: &serde_cbor::Error) -> CodecError {
    let reason = error.to_string();
    // The package keeps its codes to itself. It is pinned, and a test holds these words.
    if error.is_syntax() && reason.starts_with("recursion limit exceeded") {
        return CodecError::TooDeep {
            codec: ID,
            limit: DEPTH_LIMIT,
        };
    }
    if error.is_syntax() && reason.starts_with("trailing data") {
        return CodecError::Trailing { codec: ID };
    }
    CodecError::Decode { codec: ID, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Message<'a> {
        number: u32,
        text: &'a str,
    }

    #[test]
    fn value_is_appended_and_comes_back_borrowed() {
        let mut buffer = vec![0xff; 3];
        let message = Message {
            number: 500,
            text: "hi",
        };
        encode(&message, &mut buffer).unwrap();
        assert_eq!(buffer[..3], [0xff; 3]);
        assert_eq!(decode::<Message<'_>>(&buffer[3..]).unwrap(), message);
    }

    #[test]
    fn bytes_after_the_value_are_an_error() {
        assert_eq!(
            decode::<u8>(&[1, 1]),
            Err(CodecError::Trailing { codec: ID })
        );
    }

    #[test]
    fn value_cut_short_is_an_error() {
        let mut buffer = Vec::new();
        encode("some text", &mut buffer).unwrap();
        for end in 0..buffer.len() {
            let error = decode::<String>(&buffer[..end]).unwrap_err();
            assert!(matches!(error, CodecError::Decode { .. }), "{error}");
        }
    }

    #[test]
    fn value_nested_too_deep_is_refused_by_name() {
        // Each 0x81 is an array of one.
        let mut bytes = vec![0x81; 100_000];
        bytes.push(0);
        assert_eq!(
            decode::<serde::de::IgnoredAny>(&bytes).unwrap_err(),
            CodecError::TooDeep {
                codec: ID,
                limit: DEPTH_LIMIT
            }
        );
    }

    #[test]
    fn integer_of_more_than_64_bits_is_refused() {
        let error = encode(&u128::MAX, &mut Vec::new()).unwrap_err();
        assert!(matches!(error, CodecError::Encode { .. }), "{error}");
    }
}
