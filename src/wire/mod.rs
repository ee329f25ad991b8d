//! What travels on a link: frames, their kinds, their bodies and the codecs. Bytes in,
//! bytes out, no I/O. docs/protocol.md is the same for other languages.
#![expect(unused_imports, reason = "the layers above take these up one by one")]

mod codec;
mod encoded;
mod frame;
mod header;
mod kind;

pub(crate) use codec::{Codec, CodecError};
pub(crate) use encoded::Encoded;
pub(crate) use frame::Frame;
pub(crate) use header::{FrameError, HEADER_LENGTH, Header, VERSION};
pub(crate) use kind::{Flags, Kind};
