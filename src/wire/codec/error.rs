//! Why a value did not become bytes, or bytes no value.

/// Why a value did not become bytes, or bytes no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CodecError {
    /// The value cannot be said in this codec.
    #[error("cannot encode a value as {codec}: {reason}")]
    Encode {
        /// Which codec.
        codec: &'static str,
        /// What the codec's package says.
        reason: String,
    },
    /// The bytes are not a value of the type that is wanted.
    #[error("cannot decode a value from {codec}: {reason}")]
    Decode {
        /// Which codec.
        codec: &'static str,
        /// What the codec's package says.
        reason: String,
    },
    /// The value nests deeper than a codec follows, so that hostile bytes cannot use up
    /// the stack.
    #[error("cannot decode a value from {codec}: it nests deeper than {limit} levels")]
    TooDeep {
        /// Which codec.
        codec: &'static str,
        /// How deep it follows.
        limit: usize,
    },
    /// Bytes were left when the value was complete.
    #[error("cannot decode a value from {codec}: bytes are left after its end")]
    Trailing {
        /// Which codec.
        codec: &'static str,
    },
    /// The body would be longer than a header can say.
    #[error("cannot put {length} bytes into one message")]
    TooLong {
        /// How long it is.
        length: usize,
    },
}
