//! What one life is ordered to do: to stop, and perhaps to stop more strictly.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use event_listener::Event;
use treewright_supervisors::spec::{Shutdown, ShutdownMode};

use crate::rt;
use crate::time::Time;

/// The orders for one life, for those who give them and the one who takes them.
///
/// Each child that runs has one, and most are never used: so it is no channel, which would
/// take more memory than all else that is known of the child here. The queue has no bound of its own: a
/// supervisor orders a life to stop a handful of times at most.
#[derive(Clone, Debug, Default)]
pub(super) struct Orders(Rc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    queue: RefCell<VecDeque<Shutdown>>,
    given: Event,
}

impl Orders {
    /// Orders the life to stop in this way.
    pub(super) fn give(&self, how: Shutdown) {
        self.0.queue.borrow_mut().push_back(how);
        self.0.given.notify(1);
    }

    /// The next order. Dropping the future loses none.
    pub(super) async fn next(&self) -> Shutdown {
        loop {
            let next = self.0.queue.borrow_mut().pop_front();
            if let Some(how) = next {
                return how;
            }
            // One thread only: nothing is given between the look and the listening.
            self.0.given.listen().await;
        }
    }
}

/// When whoever is stopped in this way is killed.
pub(super) fn deadline(how: &Shutdown) -> Time {
    match how.mode {
        ShutdownMode::BrutalKill => rt::now(),
        ShutdownMode::Timeout(time) => rt::now() + time,
        ShutdownMode::Infinity => Time::MAX,
    }
}

#[cfg(test)]
mod tests {
    use futures_lite::future;
    use treewright_supervisors::spec::ShutdownMode;

    use super::*;
    use crate::rt::block_on;
    use crate::time::{Clock, VirtualClock};

    #[test]
    fn orders_come_one_after_the_other_also_when_a_wait_was_dropped() {
        let orders = Orders::default();
        let killing = Shutdown {
            mode: ShutdownMode::BrutalKill,
            ..Shutdown::default()
        };
        let taken = block_on(&Clock::Virtual(VirtualClock::new()), async {
            let dropped = async { Some(orders.next().await) };
            assert_eq!(future::or(dropped, future::ready(None)).await, None);
            orders.give(Shutdown::default());
            orders.give(killing.clone());
            [orders.next().await, orders.next().await]
        });
        assert_eq!(taken, [Shutdown::default(), killing]);
    }
}
