//! What a pool and a worker send each other, as bytes.
//!
//! A message is a row of heads, each with its bytes behind it. Bytes that are many come in
//! messages of their own, after the one that ends with their head. An empty message is a ring
//! at the door: there are answers in the shared memory.

use std::collections::VecDeque;

use bytes::{Buf, BufMut, Bytes};

use crate::error::{Error, ErrorKind};

/// So many bytes still stand behind their head.
const INLINE: usize = 16 * 1024;
/// A message is not filled further when it has so many bytes.
const FULL: usize = 128 * 1024;
/// So many bytes of a long body go in one message.
const PIECE: usize = 8 * 1024 * 1024;
/// The bytes of a head.
const HEAD: usize = 1 + 4 + 4 + 4 + 8;

/// What a head is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Subject {
    /// `number` stands for the function with this signature (in `length` digits) and path.
    Function = 1,
    /// A job: the number of its function, and of its calls, or 0 for a bare one.
    Job = 2,
    /// The running job is to end.
    Cancel = 3,
    /// The value of a call.
    Value = 4,
    /// How a call failed.
    Failure = 5,
    /// The job was taken back before it began.
    Skipped = 6,
    /// The job was dropped, as was asked for.
    Dropped = 7,
    /// How the jobs that follow are to be run; said to a pool of another process.
    Terms = 8,
    /// The pool's own error about a call; said by a pool of another process.
    Fault = 9,
    /// How the pool stands; said by a pool of another process.
    Statistics = 10,
}

impl Subject {
    const ALL: [Self; 10] = [
        Self::Function,
        Self::Job,
        Self::Cancel,
        Self::Value,
        Self::Failure,
        Self::Skipped,
        Self::Dropped,
        Self::Terms,
        Self::Fault,
        Self::Statistics,
    ];

    pub(super) fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|one| *one as u8 == number)
    }
}

/// One thing that is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) subject: Subject,
    /// The job it is about, by its number with this worker; of a function its number.
    pub(super) number: u32,
    /// Of a job, its function.
    pub(super) function: u32,
    /// Of a job, how many calls it has, or 0; of an answer, how long it took.
    pub(super) detail: u32,
    pub(super) body: Bytes,
}

/// What is to be sent.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    buffer: Vec<u8>,
    messages: VecDeque<Bytes>,
}

impl Outgoing {
    pub(super) fn is_empty(&self) -> bool {
        self.buffer.is_empty() && self.messages.is_empty()
    }

    /// Adds what has no long body.
    pub(super) fn put(&mut self, head: (Subject, u32, u32, u32), body: &[u8]) {
        match body.len() > INLINE {
            true => self.put_long(head, Bytes::copy_from_slice(body)),
            false => {
                self.head(head, body.len());
                self.buffer.extend_from_slice(body);
                self.seal_if(self.buffer.len() >= FULL);
            }
        }
    }

    /// Adds what has a body that may be long; it is not copied then.
    pub(super) fn put_bytes(&mut self, head: (Subject, u32, u32, u32), body: &Bytes) {
        match body.len() > INLINE {
            true => self.put_long(head, body.clone()),
            false => self.put(head, body),
        }
    }

    fn put_long(&mut self, head: (Subject, u32, u32, u32), mut body: Bytes) {
        self.head(head, body.len());
        self.seal_if(true);
        while !body.is_empty() {
            let piece = body.split_to(body.len().min(PIECE));
            self.messages.push_back(piece);
        }
    }

    fn head(
        &mut self,
        (subject, number, function, detail): (Subject, u32, u32, u32),
        length: usize,
    ) {
        let mut head = [0; HEAD];
        let mut room = &mut head[..];
        room.put_u8(subject as u8);
        room.put_u32_le(number);
        room.put_u32_le(function);
        room.put_u32_le(detail);
        room.put_u64_le(length as u64);
        self.buffer.extend_from_slice(&head);
    }

    fn seal_if(&mut self, is_full: bool) {
        if is_full && !self.buffer.is_empty() {
            let message = Bytes::from(std::mem::take(&mut self.buffer));
            self.messages.push_back(message);
        }
    }

    /// The next message, if anything is to be sent.
    pub(super) fn pop(&mut self) -> Option<Bytes> {
        if self.messages.is_empty() {
            self.seal_if(true);
        }
        self.messages.pop_front()
    }

    /// A message that could not be sent now is the next one again.
    pub(super) fn unpop(&mut self, message: Bytes) {
        self.messages.push_front(message);
    }
}

/// What comes in, as items.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    message: Bytes,
    /// An item whose body is not complete, with the length it is to have.
    open: Option<(Item, usize, Vec<u8>)>,
}

impl Incoming {
    /// Takes in a message; the one before has been read.
    pub(super) fn push(&mut self, message: Bytes) {
        debug_assert!(self.message.is_empty(), "items were not read");
        self.message = message;
    }

    /// The next complete item.
    pub(super) fn next(&mut self) -> Result<Option<Item>, Error> {
        loop {
            if self.message.is_empty() {
                return Ok(None);
            }
            if let Some((mut item, length, mut body)) = self.open.take() {
                let missing = length - body.len();
                let piece = self.message.split_to(missing.min(self.message.len()));
                if piece.len() == length {
                    item.body = piece;
                    return Ok(Some(item));
                }
                body.extend_from_slice(&piece);
                if body.len() == length {
                    item.body = body.into();
                    return Ok(Some(item));
                }
                self.open = Some((item, length, body));
                continue;
            }
            let (item, length) = self.head()?;
            if length <= self.message.len() {
                let body = self.message.split_to(length);
                return Ok(Some(Item { body, ..item }));
            }
            self.open = Some((item, length, Vec::new()));
        }
    }

    fn head(&mut self) -> Result<(Item, usize), Error> {
        if self.message.len() < HEAD {
            return Err(broken("a message of a pool is cut short"));
        }
        let subject = Subject::from_number(self.message.get_u8());
        let item = Item {
            subject: subject.ok_or_else(|| broken("a message of a pool makes no sense"))?,
            number: self.message.get_u32_le(),
            function: self.message.get_u32_le(),
            detail: self.message.get_u32_le(),
            body: Bytes::new(),
        };
        let length = usize::try_from(self.message.get_u64_le());
        let length = length.map_err(|_| broken("a message of a pool is too long"))?;
        Ok((item, length))
    }
}

fn broken(text: &'static str) -> Error {
    Error::new(ErrorKind::Broken, text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn transfer(bodies: &[Vec<u8>]) -> Vec<Item> {
        let mut outgoing = Outgoing::default();
        for (number, body) in (0..).zip(bodies) {
            outgoing.put((Subject::Job, number, 7, 9), body);
        }
        let (mut incoming, mut items) = (Incoming::default(), Vec::new());
        while let Some(message) = outgoing.pop() {
            incoming.push(message);
            while let Some(item) = incoming.next().unwrap() {
                items.push(item);
            }
        }
        items
    }

    proptest! {
        #[test]
        fn items_of_any_length_arrive_in_order(
            lengths in proptest::collection::vec(prop_oneof![0..64_usize, 16_000..17_000_usize, 200_000..200_100_usize], 0..20)
        ) {
            let bodies: Vec<Vec<u8>> = lengths.iter().map(|length| vec![7; *length]).collect();
            let items = transfer(&bodies);
            prop_assert_eq!(items.len(), bodies.len());
            for (number, (item, body)) in (0..).zip(items.iter().zip(&bodies)) {
                prop_assert_eq!(item.number, number);
                prop_assert_eq!((item.function, item.detail), (7, 9));
                prop_assert_eq!(&item.body[..], &body[..]);
            }
        }
    }

    #[test]
    fn body_of_many_pieces_arrives_whole() {
        let body: Vec<u8> = (0..PIECE * 2 + 5).map(|n| (n % 251) as u8).collect();
        let items = transfer(&[vec![1], body.clone(), vec![2]]);
        assert_eq!(items[1].body, body);
        assert_eq!(items[2].body[..], [2]);
    }

    #[test]
    fn nonsense_is_an_error() {
        for message in [&[2_u8, 0, 0][..], &[99; HEAD], &[0; HEAD]] {
            let mut incoming = Incoming::default();
            incoming.push(Bytes::copy_from_slice(message));
            assert!(incoming.next().is_err());
        }
    }
}
