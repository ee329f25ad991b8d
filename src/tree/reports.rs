//! The reports of a tree, for whoever wants to follow them.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use treewright_supervisors::supervisor::SupervisorReport;

use crate::error::{Error, Result};

/// Reports that are kept for one who does not read them.
const KEPT: usize = 1024;

/// Gives each report to everybody who follows.
#[derive(Debug, Default)]
pub(super) struct ReportFan {
    followers: RefCell<Vec<Weak<Queue>>>,
    has_ended: Cell<bool>,
}

#[derive(Debug, Default)]
struct Queue(RefCell<State>);

#[derive(Debug, Default)]
struct State {
    reports: VecDeque<SupervisorReport>,
    /// How many were lost before the first of these.
    lost: u64,
    has_ended: bool,
    waker: Option<Waker>,
}

impl ReportFan {
    /// Never waits: one who does not read loses the oldest.
    pub(super) fn tell(&self, report: &SupervisorReport) {
        self.each(|state| {
            if state.reports.len() == KEPT {
                state.reports.pop_front();
                state.lost += 1;
            }
            state.reports.push_back(report.clone());
        });
    }

    /// No more will come.
    pub(super) fn end(&self) {
        self.has_ended.set(true);
        self.each(|state| state.has_ended = true);
    }

    fn each(&self, mut change: impl FnMut(&mut State)) {
        let mut wakers = Vec::new();
        self.followers.borrow_mut().retain(|follower| {
            let Some(queue) = follower.upgrade() else {
                return false;
            };
            let mut state = queue.0.borrow_mut();
            change(&mut state);
            wakers.extend(state.waker.take());
            true
        });
        // Nothing is borrowed any more: what a waker does may come back here.
        for waker in wakers {
            waker.wake();
        }
    }

    pub(super) fn follow(&self) -> Reports {
        let queue = Rc::new(Queue::default());
        queue.0.borrow_mut().has_ended = self.has_ended.get();
        self.followers.borrow_mut().push(Rc::downgrade(&queue));
        Reports(queue)
    }
}

/// The reports of a tree from now on, in order; ends when the tree has ended. See
/// [`TreeHandle::reports`](super::TreeHandle::reports).
///
/// It never holds the tree up: one who does not read loses all but the last 1024, and is
/// told so by an error for which [`Error::lagged`] holds. Then it goes on with the oldest that
/// is kept.
#[derive(Debug)]
pub struct Reports(Rc<Queue>);

impl Reports {
    /// The next report; none when the tree has ended and all was told.
    ///
    /// # Errors
    ///
    /// One for which [`Error::lagged`] holds when reports were lost, after which it goes on.
    ///
    /// # Cancel safety
    ///
    /// Safe: a report is taken only when it is returned.
    pub async fn next(&mut self) -> Option<Result<SupervisorReport>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl Stream for Reports {
    type Item = Result<SupervisorReport>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut state = self.0.0.borrow_mut();
        if state.lost > 0 {
            let lost = std::mem::take(&mut state.lost);
            return Poll::Ready(Some(Err(Error::of_lag(lost))));
        }
        if let Some(report) = state.reports.pop_front() {
            return Poll::Ready(Some(Ok(report)));
        }
        if state.has_ended {
            return Poll::Ready(None);
        }
        let former = state.waker.replace(cx.waker().clone());
        drop(state);
        drop(former);
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use treewright_supervisors::supervisor::ReportContext;

    use super::*;
    use crate::rt::block_on;
    use crate::time::Clock;

    fn report(name: String) -> SupervisorReport {
        SupervisorReport {
            supervisor: name.into(),
            context: ReportContext::Progress,
            reason: None,
            offender: None,
            restart: None,
        }
    }

    #[test]
    fn follower_that_lags_is_told_how_much_it_lost_and_goes_on() {
        let fan = ReportFan::default();
        fan.tell(&report("before".to_owned()));
        let (mut slow, mut quick) = (fan.follow(), fan.follow());
        block_on(&Clock::Monotonic, async {
            for number in 0..KEPT + 3 {
                fan.tell(&report(number.to_string()));
                let told = quick.next().await.unwrap().unwrap();
                assert_eq!(told.supervisor, number.to_string().as_str());
            }
            fan.end();
            assert!(quick.next().await.is_none());
            let lost = slow.next().await.unwrap().unwrap_err();
            assert_eq!(lost.lagged(), Some(3));
            assert_eq!(slow.next().await.unwrap().unwrap().supervisor, "3");
            let mut rest = 1;
            while let Some(told) = slow.next().await {
                told.unwrap();
                rest += 1;
            }
            assert_eq!(rest, KEPT);
            assert!(fan.follow().next().await.is_none());
        });
    }
}
