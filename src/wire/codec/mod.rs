//! How values become bytes: one codec for a link, chosen when it is opened.

mod cbor;
mod choice;
mod error;
#[cfg(feature = "postcard")]
mod postcard;

#[cfg(test)]
mod conformance_tests;
#[cfg(test)]
mod golden_tests;

pub(crate) use choice::Codec;
pub(crate) use error::CodecError;
