//! The codec of a link.

use std::fmt;

use serde::{Deserialize, Serialize};

#[cfg(feature = "postcard")]
use super::postcard;
use super::{CodecError, cbor};

/// The codec of a link. Both ends say which they have, in the order they like them; every
/// end has CBOR.
///
/// An enum and not a trait object, because the methods are generic over what is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Codec {
    /// RFC 8949, with struct fields and variants by name.
    #[default]
    Cbor,
    /// Fields and variants by their place, for two ends of the same build.
    #[cfg(feature = "postcard")]
    Postcard,
}

impl Codec {
    /// Every codec this build has, best first.
    pub(crate) const ALL: &'static [Self] = &[
        #[cfg(feature = "postcard")]
        Self::Postcard,
        Self::Cbor,
    ];

    /// What it is called on the wire.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Cbor => "cbor",
            #[cfg(feature = "postcard")]
            Self::Postcard => postcard::ID,
        }
    }

    /// The codec that is called `id`, if this build has it.
    pub(crate) fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|codec| codec.id() == id)
    }

    /// Appends `value` to `buffer`. After an error the buffer may hold a part of it.
    pub(crate) fn encode<T: Serialize + ?Sized>(
        self,
        value: &T,
        buffer: &mut Vec<u8>,
    ) -> Result<(), CodecError> {
        match self {
            Self::Cbor => cbor::encode(value, buffer),
            #[cfg(feature = "postcard")]
            Self::Postcard => postcard::encode(value, buffer),
        }
    }

    /// Reads one value that takes up all of `bytes`, borrowing from them what it can.
    pub(crate) fn decode<'a, T: Deserialize<'a>>(self, bytes: &'a [u8]) -> Result<T, CodecError> {
        match self {
            Self::Cbor => cbor::decode(bytes),
            #[cfg(feature = "postcard")]
            Self::Postcard => postcard::decode(bytes),
        }
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codec_is_found_by_its_id() {
        for codec in Codec::ALL {
            assert_eq!(Codec::from_id(codec.id()), Some(*codec));
        }
        assert_eq!(Codec::from_id("morse"), None);
    }
}
