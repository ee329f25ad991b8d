//! Long messages in several frames, and back.

use std::collections::HashMap;

use bytes::{Bytes, BytesMut};

use crate::id::ContextId;

use super::{Encoded, Flags, Frame, Kind, Limits, long};

/// The frames that `message` leaves in: itself, unless its body is longer than `longest`.
/// All but the last say that there is more.
pub(crate) fn fragments(message: Encoded, longest: usize) -> Fragments {
    let longest = longest.max(1);
    if message.body_length() <= longest {
        return Fragments {
            whole: Some(message),
            rest: Bytes::new(),
            kind: Kind::Data,
            context: ContextId::new(0),
            longest,
        };
    }
    Fragments {
        kind: message.kind(),
        context: message.context(),
        rest: message.into_body(),
        whole: None,
        longest,
    }
}

/// The frames of one message; see [`fragments`].
#[derive(Debug)]
pub(crate) struct Fragments {
    whole: Option<Encoded>,
    rest: Bytes,
    kind: Kind,
    context: ContextId,
    longest: usize,
}

impl Iterator for Fragments {
    type Item = Encoded;

    fn next(&mut self) -> Option<Encoded> {
        if self.rest.is_empty() {
            return self.whole.take();
        }
        let length = self.rest.len().min(self.longest);
        let body = self.rest.split_to(length);
        let flags = if self.rest.is_empty() {
            Flags::NONE
        } else {
            Flags::MORE
        };
        Some(Encoded::fragment(self.kind, flags, self.context, body))
    }
}

/// Why fragments are not a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AssemblyError {
    /// Another kind of frame came for a context whose message was not complete.
    #[error("frame of kind {found:?} within a message of kind {expected:?} of context {context}")]
    Kind {
        /// Of which context.
        context: ContextId,
        /// What the message began as.
        expected: Kind,
        /// What came.
        found: Kind,
    },
    /// The message is longer than was agreed upon.
    #[error("message of context {context} of more than {limit} bytes")]
    TooLong {
        /// Of which context.
        context: ContextId,
        /// What was agreed upon.
        limit: usize,
    },
    /// Too much has begun and is not complete.
    #[error("more than {limit} bytes of messages that are not complete")]
    TooMuch {
        /// What was allowed.
        limit: usize,
    },
}

/// What a message that has begun costs apart from its bytes, roughly: the peer could
/// begin many and send nothing for them.
const BEGUN: usize = 128;

/// Puts the fragments of messages together, each context for itself.
#[derive(Debug)]
pub(crate) struct Assembler {
    begun: HashMap<ContextId, Begun>,
    length: usize,
    /// How long the last message was: the next one is often as long.
    last: usize,
    max_message: usize,
    max_incomplete: usize,
}

#[derive(Debug)]
struct Begun {
    kind: Kind,
    body: BytesMut,
}

impl Assembler {
    /// An assembler within these limits.
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            begun: HashMap::new(),
            length: 0,
            last: 0,
            max_message: limits.max_message,
            max_incomplete: limits.max_incomplete,
        }
    }

    /// Takes messages of up to `length` bytes from now on.
    pub(crate) fn set_max_message(&mut self, length: usize) {
        self.max_message = length;
    }

    /// Whether a message has begun and is not complete.
    pub(crate) fn is_mid_message(&self) -> bool {
        !self.begun.is_empty()
    }

    /// Takes a frame in; gives the message that is complete with it.
    ///
    /// Frames that may overtake a long message, such as a cancel, pass through.
    ///
    /// # Errors
    ///
    /// If the frame does not fit what came before, or there is too much of it.
    pub(crate) fn take(&mut self, frame: Frame) -> Result<Option<Frame>, AssemblyError> {
        if !frame.flags.has_more() && self.begun.is_empty() {
            return Ok(Some(frame));
        }
        let expected = self.begun.get(&frame.context).map(|begun| begun.kind);
        match expected {
            None if !frame.flags.has_more() => Ok(Some(frame)),
            Some(expected) if expected != frame.kind => {
                if frame.kind.may_overtake() && !frame.flags.has_more() {
                    return Ok(Some(frame));
                }
                Err(AssemblyError::Kind {
                    context: frame.context,
                    expected,
                    found: frame.kind,
                })
            }
            _ => self.append(frame),
        }
    }

    fn append(&mut self, frame: Frame) -> Result<Option<Frame>, AssemblyError> {
        let begun = self.begun.entry(frame.context).or_insert_with(|| {
            self.length += BEGUN;
            Begun {
                kind: frame.kind,
                body: long::take(self.last),
            }
        });
        if begun.body.len() + frame.body.len() > self.max_message {
            return Err(AssemblyError::TooLong {
                context: frame.context,
                limit: self.max_message,
            });
        }
        self.length += frame.body.len();
        if self.length > self.max_incomplete {
            return Err(AssemblyError::TooMuch {
                limit: self.max_incomplete,
            });
        }
        begun.body.extend_from_slice(&frame.body);
        if frame.flags.has_more() {
            return Ok(None);
        }
        let body = std::mem::take(&mut begun.body).freeze();
        self.begun.remove(&frame.context);
        self.length -= body.len() + BEGUN;
        // What is kept free for what the peer may send next has a bound of ours.
        self.last = body.len().min(long::LONGEST);
        long::keep(&body);
        Ok(Some(Frame { body, ..frame }))
    }
}
