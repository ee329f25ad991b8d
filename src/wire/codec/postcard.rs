//! Postcard: fields and variants by their place. No other file names that package.
//!
//! It is offered by programs that were built with the feature `postcard`, and agreed upon
//! only if both ends were. It does not describe itself: serde's `flatten`, `untagged` and
//! `skip_serializing_if` do not work with it, and it bounds no nesting.

use serde::{Deserialize, Serialize};

use super::CodecError;

/// What it is called on the wire.
pub(super) const ID: &str = "postcard";

/// Appends `value`.
pub(super) fn encode<T: Serialize + ?Sized>(
    value: &T,
    buffer: &mut Vec<u8>,
) -> Result<(), CodecError> {
    let begun = std::mem::take(buffer);
    *buffer = ::postcard::to_extend(value, begun).map_err(|error| CodecError::Encode {
        codec: ID,
        reason: error.to_string(),
    })?;
    Ok(())
}

/// Reads one value that takes up all of `bytes`.
pub(super) fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, CodecError> {
    match ::postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        Ok(_) => Err(CodecError::Trailing { codec: ID }),
        Err(error) => Err(CodecError::Decode {
            codec: ID,
            reason: error.to_string(),
        }),
    }
}
