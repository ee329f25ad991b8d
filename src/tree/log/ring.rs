//! The last output of a child, kept in memory for whoever asks for it later.

use std::collections::VecDeque;
use std::time::SystemTime;

use super::line::{Ending, OutputStream, Run};

/// Output of one stream of a child, read at one time: whole lines, or a piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The stream it is from.
    pub stream: OutputStream,
    /// When it was read.
    pub time: SystemTime,
    /// The bytes as the child wrote them.
    pub bytes: Vec<u8>,
    /// How they end.
    pub ending: Ending,
}

impl Record {
    /// The record as a run of lines.
    #[must_use]
    pub fn run(&self) -> Run<'_> {
        Run {
            bytes: &self.bytes,
            ending: self.ending,
        }
    }
}

/// The last records of a child, of bounded size in all.
#[derive(Debug)]
pub(crate) struct Ring {
    records: VecDeque<Record>,
    held: usize,
    capacity: usize,
}

impl Ring {
    /// A ring of at most `capacity` bytes; it takes memory only as output comes.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            records: VecDeque::new(),
            held: 0,
            capacity,
        }
    }

    /// Keeps the run, and forgets the oldest records there is no room for beside it.
    pub(crate) fn push(&mut self, run: &Run<'_>, stream: OutputStream, time: SystemTime) {
        let kept = newest_lines(run.bytes, self.capacity);
        if kept.is_empty() {
            return;
        }
        // Older records go before any of this run does: what is held has no holes.
        let room = if kept.len() < run.bytes.len() {
            0
        } else {
            self.capacity - kept.len()
        };
        let mut bytes = Vec::new();
        while self.held > room {
            let Some(oldest) = self.records.pop_front() else {
                break;
            };
            self.held -= oldest.bytes.len();
            // A flood then runs in the memory it already has.
            bytes = oldest.bytes;
        }
        bytes.clear();
        bytes.extend_from_slice(kept);
        self.held += bytes.len();
        self.records.push_back(Record {
            stream,
            time,
            bytes,
            ending: run.ending,
        });
    }

    /// The records, oldest first.
    pub(crate) fn records(&self) -> impl Iterator<Item = &Record> {
        self.records.iter()
    }
}

/// The last lines of `bytes` that fit into `room`.
fn newest_lines(bytes: &[u8], room: usize) -> &[u8] {
    let Some(over) = bytes.len().checked_sub(room).filter(|over| *over > 0) else {
        return bytes;
    };
    // The line that straddles the edge goes too, unless the edge is a line end.
    let first_whole = memchr::memchr(b'\n', &bytes[over - 1..]).map(|end| over + end);
    match first_whole.filter(|start| *start < bytes.len()) {
        Some(start) => &bytes[start..],
        None => &bytes[over..],
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;

    fn held(ring: &Ring) -> Vec<u8> {
        ring.records()
            .flat_map(|record| record.bytes.clone())
            .collect()
    }

    fn push(ring: &mut Ring, text: &[u8]) {
        let run = Run {
            bytes: text,
            ending: Ending::Whole,
        };
        ring.push(&run, OutputStream::Stdout, NOW);
    }

    #[test]
    fn oldest_records_make_room_for_new_ones() {
        let mut ring = Ring::new(8);
        for text in ["ab\n", "cd\n", "ef\n"] {
            push(&mut ring, text.as_bytes());
        }
        assert_eq!(held(&ring), b"cd\nef\n");
    }

    #[test]
    fn run_larger_than_the_ring_leaves_its_last_lines() {
        let mut ring = Ring::new(6);
        push(&mut ring, b"ab\n");
        push(&mut ring, b"cd\nef\ngh\n");
        assert_eq!(held(&ring), b"ef\ngh\n");
        push(&mut ring, b"cd\nefg\nhi\n");
        assert_eq!(held(&ring), b"hi\n");
    }

    proptest! {
        #[test]
        fn ring_is_a_bounded_tail_of_whole_lines(
            runs in prop::collection::vec("([a-z]{0,5}\n){1,4}", 0..20),
            capacity in 6_usize..30,
        ) {
            let mut ring = Ring::new(capacity);
            for run in &runs {
                push(&mut ring, run.as_bytes());
                prop_assert!(ring.held <= capacity);
                prop_assert_eq!(ring.held, held(&ring).len());
            }
            let (all, held) = (runs.concat().into_bytes(), held(&ring));
            prop_assert!(all.ends_with(&held));
            let before = &all[..all.len() - held.len()];
            prop_assert!(before.is_empty() || before.ends_with(b"\n"));
            prop_assert!(runs.is_empty() || !held.is_empty());
        }
    }
}
