//! Why a link is of no more use.

use std::io;
use std::sync::Arc;

use crate::error::RemoteError;
use crate::rt::Elapsed;
use crate::wire::{AssemblyError, CodecError, FrameError, HandshakeError, Kind};

/// Why a link is of no more use, or why it did not take a message.
///
/// The text names no peer: whoever owns the link knows what it is called.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum LinkError {
    /// This side closed it.
    #[error("the link was closed by this side")]
    Closed,
    /// The peer closed it, between two frames.
    #[error("the link was closed by the peer")]
    Ended,
    /// The peer closed it in the middle of a message, which is lost.
    #[error("the link ended in the middle of a message")]
    EndedMidMessage,
    /// The operating system refused to read or to write.
    #[error("cannot {operation} the link")]
    Io {
        /// What was tried: `read from`, `write to`.
        operation: &'static str,
        /// What it said.
        #[source]
        source: Arc<io::Error>,
    },
    /// What the peer sent is no frame.
    #[error("the peer broke the protocol")]
    Frame(#[from] FrameError),
    /// What the peer sent is no message.
    #[error("the peer broke the protocol")]
    Assembly(#[from] AssemblyError),
    /// Both sides have nothing in common.
    #[error("the two ends of the link do not understand each other")]
    Handshake(#[from] HandshakeError),
    /// The peer's hello cannot be read.
    #[error("the peer's hello cannot be read")]
    Hello(#[source] CodecError),
    /// The peer began with something else.
    #[error("the peer began with a frame of kind {0:?}, not with a hello")]
    NoHello(Kind),
    /// The peer says why there will be no link.
    #[error("{0}")]
    Refused(Box<RemoteError>),
    /// The peer did not say hello in time.
    #[error("no hello from the peer")]
    Silent(#[from] Elapsed),
    /// The peer asks for answers and does not read them.
    #[error("the peer asks and does not read: {0} bytes of answers wait for it")]
    Flooded(usize),
    /// A frame announced a descriptor, and none came with it.
    #[error("the peer announced a descriptor that did not come")]
    NoDescriptor,
    /// The message is longer than the peer takes. The link is as good as before.
    #[error("message of {length} bytes, where the peer takes {limit} at most")]
    TooLong {
        /// How long its body is.
        length: usize,
        /// What was agreed upon.
        limit: usize,
    },
}

impl LinkError {
    /// The link could not be read from or written to.
    pub(super) fn io(operation: &'static str, source: io::Error) -> Self {
        Self::Io {
            operation,
            source: Arc::new(source),
        }
    }
}
