//! The sixteen bytes in front of every body.

use crate::id::ContextId;

use super::{Flags, Kind};

/// How long a header is.
pub(crate) const HEADER_LENGTH: usize = 16;

/// The version of the protocol that this build speaks, and the lowest it understands.
pub(crate) const VERSION: u16 = 1;

/// What is said in front of a body: `len u32 | kind u8 | flags u8 | version u16 |
/// context u64`, little-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    /// How long the body is.
    pub(crate) length: u32,
    /// What the frame is about.
    pub(crate) kind: Kind,
    /// Its flags.
    pub(crate) flags: Flags,
    /// Which context it belongs to; 0 is the link itself.
    pub(crate) context: ContextId,
}

/// Why bytes are not a frame. The link they came over is of no more use: where the next
/// frame begins is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FrameError {
    /// No kind has this number.
    #[error("frame of unknown kind {0}")]
    Kind(u8),
    /// The frame is of a version that was not agreed upon.
    #[error("frame of protocol version {found}, where {VERSION} is spoken")]
    Version {
        /// What its header says.
        found: u16,
    },
    /// The body is longer than was agreed upon.
    #[error("frame of {length} bytes, where {limit} are the most")]
    TooLong {
        /// What its header says.
        length: u32,
        /// What was agreed upon.
        limit: u32,
    },
}

impl Header {
    /// Where the flags are.
    pub(crate) const FLAGS_AT: usize = 5;

    /// The bytes on the wire.
    pub(crate) fn to_bytes(self) -> [u8; HEADER_LENGTH] {
        let mut bytes = [0; HEADER_LENGTH];
        bytes[0..4].copy_from_slice(&self.length.to_le_bytes());
        bytes[4] = self.kind.number();
        bytes[Self::FLAGS_AT] = self.flags.bits();
        bytes[6..8].copy_from_slice(&VERSION.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.context.number().to_le_bytes());
        bytes
    }

    /// Reads a header; the length is held against a limit by whoever knows it.
    ///
    /// # Errors
    ///
    /// If the version is another, or the kind is not known.
    pub(crate) fn from_bytes(bytes: &[u8; HEADER_LENGTH]) -> Result<Self, FrameError> {
        let [l0, l1, l2, l3, kind, flags, v0, v1, context @ ..] = *bytes;
        // The version comes first: in another one the kinds may be others, too.
        let found = u16::from_le_bytes([v0, v1]);
        if found != VERSION {
            return Err(FrameError::Version { found });
        }
        Ok(Self {
            length: u32::from_le_bytes([l0, l1, l2, l3]),
            kind: Kind::from_number(kind).ok_or(FrameError::Kind(kind))?,
            flags: Flags::from_bits(flags),
            context: ContextId::new(u64::from_le_bytes(context)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES: [u8; HEADER_LENGTH] = [
        0x04, 0x03, 0x02, 0x01, 6, 1, 1, 0, 0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11,
    ];

    fn header() -> Header {
        Header {
            length: 0x0102_0304,
            kind: Kind::Data,
            flags: Flags::MORE,
            context: ContextId::new(0x1112_1314_1516_1718),
        }
    }

    #[test]
    fn header_is_sixteen_little_endian_bytes() {
        assert_eq!(header().to_bytes(), BYTES);
        assert_eq!(Header::from_bytes(&BYTES), Ok(header()));
    }

    #[test]
    fn header_with_unknown_flags_is_read_without_them() {
        let mut bytes = BYTES;
        bytes[5] = 0xfd;
        assert_eq!(Header::from_bytes(&bytes), Ok(header()));
    }

    #[test]
    fn header_of_another_version_is_refused_before_its_kind() {
        let mut bytes = BYTES;
        (bytes[4], bytes[6]) = (0, 9);
        let refused = Err(FrameError::Version { found: 9 });
        assert_eq!(Header::from_bytes(&bytes), refused);
    }

    #[test]
    fn header_of_an_unknown_kind_is_refused() {
        for kind in [0, 21, 255] {
            let mut bytes = BYTES;
            bytes[4] = kind;
            assert_eq!(Header::from_bytes(&bytes), Err(FrameError::Kind(kind)));
        }
    }
}
