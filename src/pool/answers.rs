//! What came of the calls of a job, as bytes until somebody reads them.

use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::message::Subject;
use crate::error::{Error, ErrorContext, RemoteError, Result};
use crate::wire::Codec;

/// Longer ones are not copied.
const LONG: usize = 16 * 1024;

/// What came of the calls of one job, in order.
///
/// All in one buffer: a head for each, with its bytes behind it unless they are long, and filled
/// up to whole words.
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

impl Head {
    fn short(is_value: bool) -> Self {
        match is_value {
            true => Self::Value,
            false => Self::Failure,
        }
    }

    fn pack(self, length: usize) -> [u8; HEAD] {
        let length = u32::try_from(length).unwrap_or(0);
        (length << 3 | self as u32).to_le_bytes()
    }

    /// The head that comes first, as a number, and the length of what is behind it.
    fn unpack(buffer: &[u8]) -> Option<(u32, usize)> {
        let head = u32::from_le_bytes(*buffer.first_chunk()?);
        Some((head & 0b111, (head >> 3) as usize))
    }
}

/// The bytes of a head.
const HEAD: usize = 4;

/// What an answer of this length takes: whole words of eight.
fn size(length: usize) -> usize {
    (HEAD + length).next_multiple_of(8)
}

fn pad(buffer: &mut Vec<u8>, begin: usize) {
    let length = (buffer.len() - begin).next_multiple_of(8);
    buffer.resize(begin + length, 0);
}

/// Makes room in a buffer for the head of an answer, of which the body comes behind it.
pub(super) fn begin_packing(buffer: &mut Vec<u8>) {
    buffer.clear();
    buffer.extend_from_slice(&[0; HEAD]);
}

/// The body that was put behind the room for a head.
pub(super) fn body(buffer: &[u8]) -> &[u8] {
    buffer.get(HEAD..).unwrap_or_default()
}

/// Makes an answer of it, as it stands in a block.
pub(super) fn pack(buffer: &mut Vec<u8>, is_value: bool) {
    let head = Head::short(is_value).pack(body(buffer).len());
    buffer[..HEAD].copy_from_slice(&head);
    pad(buffer, 0);
}

impl Answers {
    fn put(&mut self, head: Head, body: &[u8]) {
        let begin = self.buffer.len();
        self.buffer.extend_from_slice(&head.pack(body.len()));
        self.buffer.extend_from_slice(body);
        pad(&mut self.buffer, begin);
    }

    /// The next call gave this.
    pub(super) fn push(&mut self, subject: Subject, body: &[u8]) {
        let is_value = subject == Subject::Value;
        self.has_failure |= !is_value;
        if body.len() > LONG {
            return self.push_long(is_value, Bytes::copy_from_slice(body));
        }
        self.put(Head::short(is_value), body);
    }

    /// The next calls gave what is in this block, in which each answer was [packed](pack).
    /// `None`, and nothing was taken, if that is none or of more calls than `most`.
    pub(super) fn push_block(&mut self, block: &[u8], most: u32) -> Option<u32> {
        let (mut rest, mut calls, mut has_failure) = (block, 0, false);
        while !rest.is_empty() {
            let (head, length) = Head::unpack(rest)?;
            has_failure |= head == Head::Failure as u32;
            if head > Head::Failure as u32 || calls == most {
                return None;
            }
            calls += 1;
            rest = rest.get(size(length)..)?;
        }
        self.buffer.extend_from_slice(block);
        self.has_failure |= has_failure;
        Some(calls)
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
        self.put(
            if is_value {
                Head::LongValue
            } else {
                Head::LongFailure
            },
            &[],
        );
        self.long.push(body);
    }

    /// The next call came to nothing, for this reason.
    pub(super) fn push_fault(&mut self, error: Error) {
        self.has_failure = true;
        self.put(Head::Fault, &[]);
        self.faults.push(error);
    }

    /// Gives them as they are, one by one: to be sent on.
    pub(super) fn hand_on(self, mut put: impl FnMut(Part<'_>)) {
        let (mut long, mut faults) = (self.long.into_iter(), self.faults.into_iter());
        let mut rest = &self.buffer[..];
        while let Some((head, length)) = Head::unpack(rest) {
            let (answer, behind) = rest.split_at(size(length).min(rest.len()));
            let body = answer.get(HEAD..HEAD + length).unwrap_or_default();
            rest = behind;
            let part = match head {
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
        let rest = self.buffer.get(self.at..)?;
        let (head, length) = Head::unpack(rest)?;
        let body = rest.get(HEAD..HEAD + length)?;
        self.at += size(length);
        Some(match head {
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

    #[test]
    fn block_is_read_as_the_answers_it_is_made_of() {
        let (mut block, mut one) = (Vec::new(), Vec::new());
        for text in ["", "short", "twelve bytes", "somewhat longer"] {
            begin_packing(&mut one);
            Codec::Cbor.encode(text, &mut one).unwrap();
            pack(&mut one, true);
            block.extend_from_slice(&one);
        }
        let mut answers = Answers::default();
        assert_eq!(answers.push_block(&block, 3), None);
        assert_eq!(answers.push_block(&block[..block.len() - 8], 4), None);
        assert_eq!(answers.push_block(&[4, 0, 0, 0, 0, 0, 0, 0], 4), None);
        assert_eq!(answers.push_block(&block, 4), Some(4));
        assert!(!answers.has_failure);
        let mut reader = answers.into_reader();
        for text in ["", "short", "twelve bytes", "somewhat longer"] {
            assert_eq!(reader.next::<String>("t").unwrap().unwrap(), text);
        }
        assert!(reader.next::<String>("t").is_none());
    }
}
