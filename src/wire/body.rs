//! Bodies of the frames that are about a link or a stream. Those of a cancel and of a
//! goodbye are a [`CancelReason`](crate::error::CancelReason), that of an error is a
//! [`RemoteError`](crate::error::RemoteError).

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::id::ActorId;

/// The reader of a stream has room for so much more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct CreditBody {
    /// How many messages more.
    pub(crate) messages: u32,
    /// How many bytes of bodies more.
    pub(crate) bytes: u32,
}

/// How much a log record matters, the most important first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum LogLevel {
    /// Something failed.
    Error,
    /// Something may be wrong.
    Warn,
    /// What goes on.
    Info,
    /// What goes on, for who looks for a fault.
    Debug,
    /// Every step.
    Trace,
}

/// A log record on its way to the root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogRecord<'a> {
    /// How much it matters.
    pub(crate) level: LogLevel,
    /// What part of the program it is from, as `crate::module`.
    #[serde(borrow)]
    pub(crate) target: Cow<'a, str>,
    /// What it says.
    #[serde(borrow)]
    pub(crate) message: Cow<'a, str>,
    /// When it was made, in microseconds since 1970.
    pub(crate) time: u64,
    /// Which actor made it.
    pub(crate) actor: ActorId,
    /// In which file of its source.
    #[serde(borrow, default)]
    pub(crate) file: Option<Cow<'a, str>>,
    /// In which line of it.
    #[serde(default)]
    pub(crate) line: Option<u32>,
    /// It stands in the place of so many that were dropped on the way.
    #[serde(default)]
    pub(crate) dropped: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{CancelOrigin, CancelReason};
    use crate::wire::Codec;

    fn comes_back<'a, T>(codec: Codec, value: &T, buffer: &'a mut Vec<u8>)
    where
        T: Serialize + Deserialize<'a> + PartialEq + std::fmt::Debug,
    {
        codec.encode(value, buffer).unwrap();
        assert_eq!(&codec.decode::<T>(buffer).unwrap(), value, "{codec}");
    }

    #[test]
    fn bodies_come_back_in_every_codec() {
        for codec in Codec::ALL.iter().copied() {
            let credit = CreditBody {
                messages: 512,
                bytes: u32::MAX,
            };
            comes_back(codec, &credit, &mut Vec::new());
            let record = LogRecord {
                level: LogLevel::Warn,
                target: "treewright::link".into(),
                message: "slow".into(),
                time: 1_700_000_000_000_000,
                actor: ActorId::new("worker"),
                file: Some("src/main.rs".into()),
                line: None,
                dropped: 0,
            };
            comes_back(codec, &record, &mut Vec::new());
        }
    }

    #[test]
    fn every_reason_of_a_cancel_comes_back_in_every_codec() {
        let origins = [
            CancelOrigin::Request,
            CancelOrigin::Failure,
            CancelOrigin::Enclosing,
            CancelOrigin::Deadline(std::time::Duration::from_millis(1500)),
            CancelOrigin::Signal(15),
            CancelOrigin::Actor(ActorId::new("boss")),
            CancelOrigin::Dropped,
        ];
        for codec in Codec::ALL.iter().copied() {
            for origin in origins.clone() {
                let reason = CancelReason::new(origin).with_message("enough");
                comes_back(codec, &reason, &mut Vec::new());
            }
        }
    }

    #[test]
    fn text_of_a_record_is_borrowed_from_its_frame() {
        let record = LogRecord {
            level: LogLevel::Info,
            target: "t".into(),
            message: "hello".into(),
            time: 1,
            actor: ActorId::new("a"),
            file: None,
            line: Some(3),
            dropped: 0,
        };
        let mut buffer = Vec::new();
        Codec::Cbor.encode(&record, &mut buffer).unwrap();
        let back: LogRecord<'_> = Codec::Cbor.decode(&buffer).unwrap();
        assert!(matches!(back.message, Cow::Borrowed("hello")));
    }
}
