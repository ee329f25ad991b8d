//! The log records that wait to leave a process: so many and no more.

use std::collections::VecDeque;

use super::record::cost;
use crate::wire::LogRecord;

/// How many records may wait.
const MAX_RECORDS: usize = 4096;

/// How many bytes they may have.
const MAX_BYTES: usize = 1024 * 1024;

/// What comes out of the queue.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A record.
    Record(LogRecord<'static>),
    /// In this place so many were dropped.
    Dropped(u64),
}

/// Records in their order. When it is full, what comes is dropped until half of it has
/// left, and a count stands in the place of what was.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<Next>,
    bytes: usize,
    /// What has been dropped since the last record in `waiting`.
    dropped: u64,
}

impl Queue {
    /// Takes in a record, or drops it.
    pub(super) fn push(&mut self, record: LogRecord<'static>) {
        if !self.has_room() {
            // One that counts what was dropped further down passes its count on.
            self.dropped += record.dropped.max(1);
            return;
        }
        if self.dropped > 0 {
            let dropped = std::mem::take(&mut self.dropped);
            self.waiting.push_back(Next::Dropped(dropped));
        }
        self.bytes += cost(&record);
        self.waiting.push_back(Next::Record(record));
    }

    fn has_room(&self) -> bool {
        let parts = if self.dropped > 0 { 2 } else { 1 };
        self.waiting.len() < MAX_RECORDS / parts && self.bytes < MAX_BYTES / parts
    }

    /// The next one.
    pub(super) fn pop(&mut self) -> Option<Next> {
        let next = self.waiting.pop_front();
        if let Some(Next::Record(record)) = &next {
            self.bytes -= cost(record);
        }
        next.or_else(|| match std::mem::take(&mut self.dropped) {
            0 => None,
            dropped => Some(Next::Dropped(dropped)),
        })
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.dropped == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::ActorId;
    use crate::wire::LogLevel;

    fn record(actor: &ActorId, message: String) -> LogRecord<'static> {
        LogRecord {
            level: LogLevel::Info,
            target: "t".into(),
            message: message.into(),
            time: 0,
            actor: actor.clone(),
            file: None,
            line: None,
            dropped: 0,
        }
    }

    fn numbered(numbers: std::ops::Range<usize>) -> Vec<LogRecord<'static>> {
        let actor = ActorId::new("a");
        numbers.map(|n| record(&actor, n.to_string())).collect()
    }

    #[test]
    fn records_leave_in_their_order() {
        let mut queue = Queue::default();
        let records = numbered(0..3);
        records.iter().cloned().for_each(|r| queue.push(r));
        for record in records {
            assert_eq!(queue.pop(), Some(Next::Record(record)));
        }
        assert!(queue.is_empty());
        assert_eq!(queue.pop(), None);
    }

    #[test]
    fn full_queue_drops_what_comes_and_counts_it_in_its_place() {
        let mut queue = Queue::default();
        let records = numbered(0..MAX_RECORDS + 7);
        records.into_iter().for_each(|r| queue.push(r));
        // One that has room again, but not yet half of it, drops on.
        assert!(matches!(queue.pop(), Some(Next::Record(_))));
        queue.push(numbered(0..1).remove(0));
        for _ in 1..=MAX_RECORDS / 2 {
            assert!(matches!(queue.pop(), Some(Next::Record(_))));
        }
        let last = numbered(9..10).remove(0);
        queue.push(last.clone());
        let rest: Vec<Next> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(rest[rest.len() - 2], Next::Dropped(8));
        assert_eq!(rest[rest.len() - 1], Next::Record(last));
        assert!(queue.is_empty());
    }

    #[test]
    fn what_was_dropped_last_is_counted_at_the_end() {
        let mut queue = Queue::default();
        let records = numbered(0..MAX_RECORDS + 2);
        records.into_iter().for_each(|r| queue.push(r));
        assert_eq!(
            std::iter::from_fn(|| queue.pop()).last(),
            Some(Next::Dropped(2))
        );
    }

    #[test]
    fn count_that_is_dropped_itself_is_counted_in() {
        let mut queue = Queue::default();
        let records = numbered(0..MAX_RECORDS + 2);
        records.into_iter().for_each(|r| queue.push(r));
        let mut count = numbered(0..1).remove(0);
        count.dropped = 40;
        queue.push(count);
        assert_eq!(queue.dropped, 42);
    }

    #[test]
    fn long_records_fill_the_queue_by_their_bytes() {
        let mut queue = Queue::default();
        let actor = ActorId::new("a");
        for _ in 0..100 {
            queue.push(record(&actor, "x".repeat(MAX_BYTES / 10)));
        }
        assert!(queue.bytes < 2 * MAX_BYTES);
        assert!(queue.dropped > 80);
    }
}
