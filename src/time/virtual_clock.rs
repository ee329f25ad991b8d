//! A clock that a test moves.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::Time;

/// A clock that stands still until it is moved, for tests of timeouts that take no time.
///
/// A runtime on a virtual clock jumps to its next timer by itself whenever nothing else
/// can run, so a test needs no hand on it. Clones show the same time. Do not start
/// processes under one: they live in real time, and waiting for one looks to the clock
/// like having nothing to do.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use treewright::time::{Time, VirtualClock};
///
/// let clock = VirtualClock::new();
/// clock.advance(Duration::from_secs(3600));
/// assert_eq!(clock.now() - Time::ORIGIN, Duration::from_secs(3600));
/// ```
#[derive(Clone, Default)]
pub struct VirtualClock(Rc<RefCell<State>>);

#[derive(Default)]
struct State {
    now: Time,
    next_number: u64,
    /// By deadline, then in the order of arming.
    timers: BTreeMap<(Time, u64), Waker>,
}

impl VirtualClock {
    /// A clock at [`Time::ORIGIN`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The time it shows.
    #[must_use]
    pub fn now(&self) -> Time {
        self.0.borrow().now
    }

    /// Moves it `duration` ahead and wakes whoever's time has come.
    pub fn advance(&self, duration: Duration) {
        let now = self.now() + duration;
        self.move_to(now);
    }

    /// Moves it to the earliest timer; `false` if there is none.
    pub(crate) fn jump_to_next_timer(&self) -> bool {
        let next = self.0.borrow().timers.keys().next().copied();
        let Some((deadline, _)) = next else {
            return false;
        };
        self.move_to(deadline);
        true
    }

    fn move_to(&self, now: Time) {
        let mut state = self.0.borrow_mut();
        state.now = state.now.max(now);
        let later = state.timers.split_off(&(now + Duration::from_nanos(1), 0));
        let due = std::mem::replace(&mut state.timers, later);
        // A waker may run anything, also code that looks at this clock.
        drop(state);
        due.into_values().for_each(Waker::wake);
    }

    pub(crate) fn sleep(&self, duration: Duration) -> VirtualSleep {
        VirtualSleep {
            clock: self.clone(),
            deadline: self.now() + duration,
            armed: None,
        }
    }
}

impl fmt::Debug for VirtualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("VirtualClock").field(&self.now()).finish()
    }
}

/// A timer on a virtual clock.
#[derive(Debug)]
pub(crate) struct VirtualSleep {
    clock: VirtualClock,
    deadline: Time,
    armed: Option<(Time, u64)>,
}

impl VirtualSleep {
    fn disarm(&mut self) {
        if let Some(key) = self.armed.take() {
            self.clock.0.borrow_mut().timers.remove(&key);
        }
    }
}

impl Future for VirtualSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.clock.now() >= self.deadline {
            self.disarm();
            return Poll::Ready(());
        }
        // The end of the line is never reached; arming it would let the clock jump there.
        if self.deadline < Time::MAX {
            let clock = self.clock.clone();
            let mut state = clock.0.borrow_mut();
            let key = self.armed.unwrap_or_else(|| {
                state.next_number += 1;
                (self.deadline, state.next_number)
            });
            self.armed = Some(key);
            state.timers.insert(key, cx.waker().clone());
        }
        Poll::Pending
    }
}

impl Drop for VirtualSleep {
    fn drop(&mut self) {
        self.disarm();
    }
}
