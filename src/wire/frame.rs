//! A frame that was received.

use bytes::Bytes;
use serde::Deserialize;

use crate::id::ContextId;

use super::{Codec, CodecError, Flags, Kind};

/// A frame that was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    /// What it is about.
    pub(crate) kind: Kind,
    /// Its flags.
    pub(crate) flags: Flags,
    /// Which context it belongs to; 0 is the link itself.
    pub(crate) context: ContextId,
    /// Its body, a slice of the buffer it was read into. Holding it holds that buffer.
    pub(crate) body: Bytes,
}

impl Frame {
    /// Reads the body as a value.
    pub(crate) fn decode<'a, T: Deserialize<'a>>(&'a self, codec: Codec) -> Result<T, CodecError> {
        codec.decode(&self.body)
    }
}
