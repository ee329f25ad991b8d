//! Follows the output of a child as it comes, as `logs -f` does.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::SystemTime;

use event_listener::Event;

use super::format::Loss;
use super::line::{OutputStream, Run};
use super::ring::Record;

/// Bytes a follower may lag behind before it loses lines.
const LAG: usize = 256 * 1024;

/// What a follower is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogItem {
    /// Output, in order.
    Output(Record),
    /// The follower was too slow: so much is missing here.
    Lost(Loss),
}

/// The queue between a child's log and one follower.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    state: RefCell<State>,
    changed: Event,
}

#[derive(Debug, Default)]
struct State {
    items: VecDeque<LogItem>,
    held: usize,
    is_ended: bool,
}

impl Queue {
    /// Never waits: a follower that lags is told what it missed.
    pub(crate) fn push(&self, run: &Run<'_>, stream: OutputStream, time: SystemTime) {
        let mut state = self.state.borrow_mut();
        if state.held > 0 && state.held + run.bytes.len() > LAG {
            match state.items.back_mut() {
                Some(LogItem::Lost(loss)) => loss.add(run),
                _ => {
                    let mut loss = Loss::default();
                    loss.add(run);
                    state.items.push_back(LogItem::Lost(loss));
                }
            }
        } else {
            state.held += run.bytes.len();
            state.items.push_back(LogItem::Output(Record {
                stream,
                time,
                bytes: run.bytes.to_vec(),
                ending: run.ending,
            }));
        }
        drop(state);
        self.changed.notify(1);
    }

    /// No more will come.
    pub(crate) fn end(&self) {
        self.state.borrow_mut().is_ended = true;
        self.changed.notify(usize::MAX);
    }
}

/// Follows the output of a child; see [`ChildLog::subscribe`](super::ChildLog::subscribe).
#[derive(Debug)]
pub struct Subscription(pub(crate) Rc<Queue>);

impl Subscription {
    /// The next output; none when the child was removed from the tree and all was told.
    ///
    /// # Cancel safety
    ///
    /// Safe: an item is taken only when it is returned.
    pub async fn next(&mut self) -> Option<LogItem> {
        loop {
            {
                let mut state = self.0.state.borrow_mut();
                if let Some(item) = state.items.pop_front() {
                    if let LogItem::Output(record) = &item {
                        state.held -= record.bytes.len();
                    }
                    return Some(item);
                }
                if state.is_ended {
                    return None;
                }
            }
            // One thread only: nothing changes between the look and the listening.
            self.0.changed.listen().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::line::Ending;
    use super::*;
    use crate::rt::block_on;
    use crate::time::Clock;

    #[test]
    fn slow_follower_is_told_what_it_missed_where_it_missed_it() {
        let queue = Rc::new(Queue::default());
        let mut follower = Subscription(Rc::clone(&queue));
        let push = |bytes: &[u8]| {
            let run = Run {
                bytes,
                ending: Ending::Whole,
            };
            queue.push(&run, OutputStream::Stdout, SystemTime::UNIX_EPOCH);
        };
        let big = [b'x'; LAG];
        push(&big);
        push(b"a\n");
        push(b"b\nc\n");
        block_on(&Clock::Monotonic, async {
            let first = follower.next().await;
            assert!(matches!(first, Some(LogItem::Output(record)) if record.bytes == big));
            push(b"d\n");
            queue.end();
            let lost = Loss { lines: 3, bytes: 6 };
            assert_eq!(follower.next().await, Some(LogItem::Lost(lost)));
            assert!(
                matches!(follower.next().await, Some(LogItem::Output(record)) if record.bytes == b"d\n")
            );
            assert_eq!(follower.next().await, None);
        });
    }
}
