//! What all threads of the program and the thread of a pool share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::{self, ThreadId};
use std::time::Duration;

use bytes::Bytes;
use event_listener::Event;

use super::machine::Shutdown;
use super::slot::Slot;
use super::statistics::PoolStatistics;

/// A job on its way to the thread of its pool.
#[derive(Debug)]
pub(super) struct Submission {
    pub(super) slot: Arc<Slot>,
    pub(super) path: &'static str,
    pub(super) signature: u64,
    /// Encoded; framed if it is more than one call.
    pub(super) args: Bytes,
    /// How many calls, or 0 for a bare one.
    pub(super) calls: u32,
    pub(super) timeout: Option<Duration>,
    pub(super) retries: u32,
}

/// What the thread of a pool is asked.
#[derive(Debug)]
pub(super) enum Request {
    Submit(Submission),
    Cancel(Arc<Slot>),
    Shutdown(Shutdown),
}

/// Why a job was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// There are as many as there may be.
    Full,
    /// The pool was shut down.
    Closed,
}

#[derive(Debug)]
struct State {
    requests: Vec<Request>,
    /// Of the pool's thread, when it waits.
    waker: Option<Waker>,
    /// Jobs that have not ended.
    unfinished: usize,
    is_closed: bool,
    /// The pool's thread takes nothing any more.
    is_over: bool,
    statistics: PoolStatistics,
}

/// What all threads of the program and the thread of a pool share.
#[derive(Debug)]
pub(super) struct Inbox {
    state: Mutex<State>,
    bound: usize,
    /// The thread without which nothing goes on here; none if that is the pool's own.
    home: Option<ThreadId>,
    /// A job has ended, so there is room.
    room: Event,
    /// The last process was reaped.
    over: Event,
}

impl Inbox {
    pub(super) fn new(bound: usize) -> Self {
        let state = State {
            requests: Vec::new(),
            waker: None,
            unfinished: 0,
            is_closed: false,
            is_over: false,
            statistics: PoolStatistics::default(),
        };
        Self {
            state: Mutex::new(state),
            bound,
            home: None,
            room: Event::new(),
            over: Event::new(),
        }
    }

    /// One whose requests are seen to on this thread, beside other work.
    pub(super) fn of_this_thread(bound: usize) -> Self {
        Self {
            home: Some(thread::current().id()),
            ..Self::new(bound)
        }
    }

    /// Whether nothing would go on here if this thread waited.
    pub(super) fn is_at_home(&self) -> bool {
        self.home == Some(thread::current().id())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a job in, if there is room.
    pub(super) fn submit(&self, submission: Submission) -> Result<(), (Refused, Submission)> {
        let mut state = self.state();
        if state.is_closed {
            return Err((Refused::Closed, submission));
        }
        if state.unfinished >= self.bound {
            return Err((Refused::Full, submission));
        }
        state.unfinished += 1;
        state.requests.push(Request::Submit(submission));
        wake(state);
        Ok(())
    }

    /// Whether there is room for a job, or never will be.
    pub(super) fn has_room(&self) -> bool {
        let state = self.state();
        state.is_closed || state.unfinished < self.bound
    }

    /// Waits until there is room for a job, or never will be.
    pub(super) async fn wait_for_room(&self) {
        loop {
            let listener = self.room.listen();
            if self.has_room() {
                return;
            }
            listener.await;
        }
    }

    /// Asks for something else. Where nobody listens any more, there is nothing to do.
    pub(super) fn ask(&self, request: Request) {
        let mut state = self.state();
        if matches!(request, Request::Shutdown(_)) {
            state.is_closed = true;
        }
        if !state.is_over {
            state.requests.push(request);
            wake(state);
        }
        self.room.notify(usize::MAX);
    }

    /// Waits for requests, and swaps them for `taken`, which is empty.
    pub(super) fn poll_take(&self, cx: &mut Context<'_>, taken: &mut Vec<Request>) -> Poll<()> {
        let mut state = self.state();
        if state.requests.is_empty() {
            state.waker = Some(cx.waker().clone());
            return Poll::Pending;
        }
        std::mem::swap(&mut state.requests, taken);
        Poll::Ready(())
    }

    /// So many jobs have ended; the pool stands like this now.
    pub(super) fn note(&self, ended: usize, statistics: PoolStatistics) {
        let mut state = self.state();
        state.unfinished = state.unfinished.saturating_sub(ended);
        state.statistics = statistics;
        drop(state);
        if ended > 0 {
            self.room.notify(ended);
        }
    }

    pub(super) fn statistics(&self) -> PoolStatistics {
        self.state().statistics
    }

    /// Nothing is taken any more. Gives what was not taken.
    pub(super) fn close(&self) -> Vec<Request> {
        let mut state = self.state();
        state.is_closed = true;
        state.is_over = true;
        let left = std::mem::take(&mut state.requests);
        drop(state);
        self.room.notify(usize::MAX);
        self.over.notify(usize::MAX);
        left
    }

    fn is_over(&self) -> bool {
        self.state().is_over
    }

    /// Waits until nothing is left of the pool.
    pub(super) async fn wait_until_over(&self) {
        loop {
            let listener = self.over.listen();
            if self.is_over() {
                return;
            }
            listener.await;
        }
    }
}

/// Wakes the pool's thread if it waits, when it can have the lock.
fn wake(mut state: MutexGuard<'_, State>) {
    let waker = state.waker.take();
    drop(state);
    if let Some(waker) = waker {
        waker.wake();
    }
}
