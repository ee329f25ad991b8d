//! What travels on a link: frames, their kinds, their bodies and the codecs. Bytes in,
//! bytes out, no I/O. docs/protocol.md is the same for other languages.
#![expect(unused_imports, reason = "the layers above take these up one by one")]

mod body;
mod codec;
mod decoder;
mod discovery;
mod encoded;
mod fragments;
mod frame;
mod header;
mod hello;
mod kind;
mod limits;
mod long;
mod negotiate;
mod spare;
mod start;

#[cfg(test)]
mod decoder_tests;
#[cfg(test)]
mod fragments_tests;

pub(crate) use body::{CreditBody, LogLevel, LogRecord};
pub(crate) use codec::{Codec, CodecError};
pub(crate) use decoder::Decoder;
pub(crate) use discovery::{Answer, Find, Found, Gone, Introduce, Question};
pub(crate) use encoded::Encoded;
pub(crate) use fragments::{Assembler, AssemblyError, Fragments, fragments};
pub(crate) use frame::Frame;
pub(crate) use header::{FrameError, HEADER_LENGTH, Header, VERSION};
pub(crate) use hello::Hello;
pub(crate) use kind::{Flags, Kind};
pub(crate) use limits::Limits;
pub(crate) use long::keep_buffer;
pub(crate) use negotiate::{Agreed, HandshakeError, negotiate};
pub(crate) use start::{StartError, StartHead, start};
