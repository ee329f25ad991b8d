//! Which of many futures are to be polled again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

#[derive(Debug, Default)]
struct State {
    ready: Vec<usize>,
    /// Of who waits for any.
    waker: Option<Waker>,
}

/// The numbers of those that were woken, in that order.
#[derive(Debug, Default)]
pub(super) struct Ready(Arc<Mutex<State>>);

/// Wakes for one of them.
struct One {
    number: usize,
    all: Arc<Mutex<State>>,
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Wake for One {
    fn wake(self: Arc<Self>) {
        let mut all = lock(&self.all);
        all.ready.push(self.number);
        let waker = all.waker.take();
        drop(all);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Ready {
    /// What wakes for the future of this number.
    pub(super) fn waker(&self, number: usize) -> Waker {
        let all = Arc::clone(&self.0);
        Waker::from(Arc::new(One { number, all }))
    }

    /// Waits until some were woken, and gives their numbers.
    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<Vec<usize>> {
        let mut state = lock(&self.0);
        if state.ready.is_empty() {
            state.waker = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(std::mem::take(&mut state.ready))
    }
}
