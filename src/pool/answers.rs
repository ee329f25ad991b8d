//! What came of the calls of a job, as bytes until somebody reads them.

use bytes::{Buf, Bytes};
use serde::de::DeserializeOwned;

use super::message::Subject;
use crate::error::{Error, ErrorContext, RemoteError, Result};
use crate::wire::Codec;

/// Longer ones are not copied.
const LONG: usize = 16 * 1024;

/// What came of the calls of one job, in order.
///
/// All in one buffer: a head for each, with its bytes behind it unless they are long.
#[derive(Debug, Default)]
pub(super) struct Answers {
    buffer: Vec<u8>,
    long: Vec<Bytes>,
    faults: Vec<Error>,
    /// How long the job took, in nanoseconds.
    pub(super) took: u64,
    /// One of the calls failed in some way.
    pub(super) has_failure: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Head {
    Value = 0,
    Failure = 1,
    LongValue = 2,
    LongFailure = 3,
    Fault = 4,
}

impl Answers {
    fn head(&mut self, head: Head, length: usize) {
        let length = u32::try_from(length).unwrap_or(0);
        self.buffer
            .extend_from_slice(&(length << 3 | head as u32).to_le_bytes());
    }

    /// The next call gave this.
    pub(super) fn push(&mut self, subject: Subject, body: &[u8]) {
        let is_value = subject == Subject::Value;
        self.has_failure |= !is_value;
        if body.len() > LONG {
            return self.push_long(is_value, Bytes::copy_from_slice(body));
        }
        self.head(
            if is_value { Head::Value } else { Head::Failure },
            body.len(),
        );
        self.buffer.extend_from_slice(body);
    }

    /// The same without a copy, if it is long.
    pub(super) fn push_bytes(&mut self, subject: Subject, body: Bytes) {
        let is_value = subject == Subject::Value;
        match body.len() > LONG {
            true => {
                self.has_failure |= !is_value;
                self.push_long(is_value, body);
            }
            false => self.push(subject, &body),
        }
    }

    fn push_long(&mut self, is_value: bool, body: Bytes) {
        self.head(
            if is_value {
                Head::LongValue
            } else {
                Head::LongFailure
            },
            0,
        );
        self.long.push(body);
    }

    /// The next call came to nothing, for this reason.
    pub(super) fn push_fault(&mut self, error: Error) {
        self.has_failure = true;
        self.head(Head::Fault, 0);
        self.faults.push(error);
    }

    /// Gives them as they are, one by one: to be sent on.
    pub(super) fn hand_on(self, mut put: impl FnMut(Part<'_>)) {
        let (mut long, mut faults) = (self.long.into_iter(), self.faults.into_iter());
        let mut rest = &self.buffer[..];
        while rest.len() >= 4 {
            let head = rest.get_u32_le();
            let (body, behind) = rest.split_at(((head >> 3) as usize).min(rest.len()));
            rest = behind;
            let part = match head & 0b111 {
                0 => Some(Part::Short(Subject::Value, body)),
                1 => Some(Part::Short(Subject::Failure, body)),
                2 => long.next().map(|body| Part::Long(Subject::Value, body)),
                3 => long.next().map(|body| Part::Long(Subject::Failure, body)),
                _ => faults.next().map(Part::Fault),
            };
            part.into_iter().for_each(&mut put);
        }
    }

    /// Reads them one by one.
    pub(super) fn into_reader(self) -> Reader {
        Reader {
            buffer: self.buffer,
            at: 0,
            long: self.long.into_iter(),
            faults: self.faults.into_iter(),
        }
    }
}

/// What came of one call, as it is.
#[derive(Debug)]
pub(super) enum Part<'a> {
    Short(Subject, &'a [u8]),
    Long(Subject, Bytes),
    Fault(Error),
}

/// What came of the calls of one job, to be read.
#[derive(Debug)]
pub(super) struct Reader {
    buffer: Vec<u8>,
    at: usize,
    long: std::vec::IntoIter<Bytes>,
    faults: std::vec::IntoIter<Error>,
}

impl Reader {
    /// What came of the next call.
    pub(super) fn next<T: DeserializeOwned>(&mut self, task: &'static str) -> Option<Result<T>> {
        let mut rest = self.buffer.get(self.at..).filter(|rest| rest.len() >= 4)?;
        let head = rest.get_u32_le();
        let length = (head >> 3) as usize;
        let body = rest.get(..length)?;
        self.at += 4 + length;
        Some(match head & 0b111 {
            0 => value(body, task),
            1 => Err(failure(body)),
            2 => value(&self.long.next()?, task),
            3 => Err(failure(&self.long.next()?)),
            _ => Err(self.faults.next()?),
        })
    }
}

fn value<T: DeserializeOwned>(body: &[u8], task: &'static str) -> Result<T> {
    Codec::Cbor
        .decode(body)
        .with_context(|| format!("cannot read what task `{task}` returned"))
}

fn failure(body: &[u8]) -> Error {
    match Codec::Cbor.decode::<RemoteError>(body) {
        Ok(remote) => remote.into(),
        Err(error) => Error::other(format!("cannot read how a job failed: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_in_the_order_they_came_in() {
        let mut answers = Answers::default();
        let encode = |value: &str| {
            let mut bytes = Vec::new();
            Codec::Cbor.encode(value, &mut bytes).unwrap();
            bytes
        };
        let (short, long) = (encode("short"), encode(&"long".repeat(9000)));
        answers.push(Subject::Value, &short);
        answers.push_fault(Error::other("lost"));
        answers.push_bytes(Subject::Value, long.into());
        answers.push(Subject::Value, &short);
        assert!(answers.has_failure);
        let mut reader = answers.into_reader();
        let mut next = || reader.next::<String>("t");
        assert_eq!(next().unwrap().unwrap(), "short");
        assert_eq!(next().unwrap().unwrap_err().to_string(), "lost");
        assert_eq!(next().unwrap().unwrap().len(), 36_000);
        assert_eq!(next().unwrap().unwrap(), "short");
        assert!(next().is_none());
    }
}
