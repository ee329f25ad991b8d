//! The first frame both ways: who speaks, and what it understands.

use serde::{Deserialize, Serialize};

use super::{Codec, Limits, VERSION};

/// The body of the first frame both ways. It is CBOR whatever will be agreed upon, and
/// fields that are not known are ignored, so that a later version can add some.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hello {
    /// The lowest version of the protocol it speaks.
    pub(crate) lowest_version: u16,
    /// The highest.
    pub(crate) highest_version: u16,
    /// The ids of the codecs it has, best first.
    pub(crate) codecs: Vec<String>,
    /// The longest body of one frame it takes.
    pub(crate) max_frame: u32,
    /// The longest body of one message it takes.
    pub(crate) max_message: u64,
    /// Which build of which program it is: what two must share to call each other's
    /// functions without a look at the signatures.
    pub(crate) program: String,
    /// What speaks the protocol, as `treewright 0.1.0`; for logs.
    pub(crate) agent: String,
}

impl Hello {
    /// What this build says of itself.
    pub(crate) fn new(program: impl Into<String>, limits: &Limits) -> Self {
        Self {
            lowest_version: VERSION,
            highest_version: VERSION,
            codecs: Codec::ALL
                .iter()
                .map(|codec| codec.id().to_owned())
                .collect(),
            max_frame: limits.max_frame,
            max_message: limits.max_message as u64,
            program: program.into(),
            agent: concat!("treewright ", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}
