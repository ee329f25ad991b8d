//! How values become bytes: one codec for a link, chosen when it is opened.

mod cbor;
mod choice;
mod error;

pub(crate) use choice::Codec;
pub(crate) use error::CodecError;
