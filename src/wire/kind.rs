//! What a frame is about, and its flags.

/// What a frame is about. The numbers are on the wire and never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(crate) enum Kind {
    /// Who speaks, and what it understands: the first frame both ways.
    Hello = 1,
    /// What a new actor is to be: parent to child, once.
    Boot = 2,
    /// The actor is up: child to parent, once.
    Ready = 3,
    /// Begins a context: which function, and its arguments.
    Start = 4,
    /// The function runs, with its first value.
    Started = 5,
    /// A message of a stream, in the link's codec.
    Data = 6,
    /// A message of a stream, as the bytes it is.
    Raw = 7,
    /// The reader has room for more of a stream.
    Credit = 8,
    /// No more messages of a stream from this side.
    EndOfStream = 9,
    /// What the function returned: the end of a context.
    Result = 10,
    /// How the function failed: the end of a context.
    Error = 11,
    /// A request to end a context, or with context 0 the whole actor.
    Cancel = 12,
    /// A cancel has been seen.
    CancelAck = 13,
    /// Asks for a pong.
    Ping = 14,
    /// The answer to a ping.
    Pong = 15,
    /// A log record on its way to the root.
    Log = 16,
    /// Asks for actors by name, or says which are there: towards the root.
    Find = 17,
    /// Brings two actors together: a link of their own goes with it.
    Introduce = 18,
    /// The sender will close, and why.
    Goodbye = 19,
    /// The answer to a find.
    Found = 20,
}

impl Kind {
    /// Every kind, in the order of their numbers.
    pub(crate) const ALL: [Self; 20] = [
        Self::Hello,
        Self::Boot,
        Self::Ready,
        Self::Start,
        Self::Started,
        Self::Data,
        Self::Raw,
        Self::Credit,
        Self::EndOfStream,
        Self::Result,
        Self::Error,
        Self::Cancel,
        Self::CancelAck,
        Self::Ping,
        Self::Pong,
        Self::Log,
        Self::Find,
        Self::Introduce,
        Self::Goodbye,
        Self::Found,
    ];

    /// Its number on the wire.
    pub(crate) const fn number(self) -> u8 {
        self as u8
    }

    /// The kind of this number on the wire.
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number).checked_sub(1)?).copied()
    }

    /// Whether a frame of this kind may arrive before those that were sent before it for
    /// the same context. What says how a conversation is to go on may; what is a part of
    /// the conversation may not, and no kind overtakes the start of its own context.
    pub(crate) const fn may_overtake(self) -> bool {
        !matches!(
            self,
            Self::Started | Self::Data | Self::Raw | Self::EndOfStream | Self::Result | Self::Log
        )
    }

    /// Whether frames of this kind always queue with the data, of which there can be much.
    pub(crate) const fn is_data(self) -> bool {
        matches!(self, Self::Data | Self::Raw | Self::Log)
    }

    /// Whether a frame of this kind answers one of the peer's, which could so make us
    /// queue without end.
    pub(crate) const fn is_answer(self) -> bool {
        matches!(self, Self::Pong | Self::CancelAck | Self::Credit)
    }
}

/// The flags of a frame. Bits that this build does not know are dropped when a header is
/// read, so that a later version can add some that may be ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Flags(u8);

impl Flags {
    /// None.
    pub(crate) const NONE: Self = Self(0);
    /// The body goes on in the next frame of the same kind and context.
    pub(crate) const MORE: Self = Self(1);
    /// A file descriptor comes with the frame.
    pub(crate) const DESCRIPTOR: Self = Self(2);

    /// The bits on the wire.
    pub(crate) const fn bits(self) -> u8 {
        self.0
    }

    /// The flags among `bits` that this build knows.
    pub(crate) const fn from_bits(bits: u8) -> Self {
        Self(bits & (Self::MORE.0 | Self::DESCRIPTOR.0))
    }

    /// Whether the body goes on in another frame.
    pub(crate) const fn has_more(self) -> bool {
        self.0 & Self::MORE.0 != 0
    }

    /// Whether a file descriptor comes with the frame.
    pub(crate) const fn has_descriptor(self) -> bool {
        self.0 & Self::DESCRIPTOR.0 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_the_numbers_from_one_without_a_gap() {
        for (index, kind) in Kind::ALL.iter().enumerate() {
            assert_eq!(usize::from(kind.number()), index + 1);
            assert_eq!(Kind::from_number(kind.number()), Some(*kind));
        }
        assert_eq!(Kind::from_number(0), None);
        assert_eq!(Kind::from_number(Kind::ALL.len() as u8 + 1), None);
        assert_eq!(Kind::from_number(u8::MAX), None);
    }

    #[test]
    fn flags_that_are_not_known_are_dropped() {
        assert_eq!(Flags::from_bits(0xfd), Flags::MORE);
        assert_eq!(Flags::from_bits(0xfe), Flags::DESCRIPTOR);
        assert_eq!(Flags::from_bits(0xfc), Flags::NONE);
    }
}
