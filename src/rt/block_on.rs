//! Entering the runtime from a plain thread.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use super::driver::Driver;
use super::timer::with_clock;
use super::watch::Keeping;
use crate::time::{Clock, VirtualClock};

/// Runs `future` to its end on this thread, with timers on `clock`.
///
/// On the real clock this thread also waits for the kernel's events, so a wake-up costs
/// no other thread. On a virtual clock time stands still while anything can run, and
/// jumps to the next timer when nothing can.
pub(crate) fn block_on<T>(on: &Clock, future: impl Future<Output = T>) -> T {
    match on {
        #[expect(clippy::disallowed_methods, reason = "this is the one entry")]
        Clock::Monotonic => with_clock(on, || smol::block_on(Driver::new(future))),
        Clock::Virtual(time) => with_clock(on, || block_on_virtual(time, future)),
    }
}

/// Wakes the thread that polls, and remembers that it did.
struct Unpark {
    thread: Thread,
    is_woken: AtomicBool,
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

fn block_on_virtual<T>(time: &VirtualClock, future: impl Future<Output = T>) -> T {
    // Nobody looks here: it is the kernel that tells.
    let _unwatched = Keeping::set(false);
    let unpark = Arc::new(Unpark {
        thread: thread::current(),
        is_woken: AtomicBool::new(true),
    });
    let waker = Waker::from(Arc::clone(&unpark));
    let mut future = pin!(future);
    loop {
        while unpark.is_woken.swap(false, Ordering::Acquire) {
            if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return value;
            }
        }
        if !time.jump_to_next_timer() {
            // Only the kernel can wake us now: its events are seen by the reactor's own
            // thread, which then unparks this one.
            thread::park();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::{clock, sleep};
    use super::*;

    #[test]
    fn virtual_clock_when_nothing_can_run_jumps_to_the_next_timer() {
        let time = VirtualClock::new();
        let hour = Duration::from_secs(3600);
        block_on(&Clock::Virtual(time.clone()), async {
            sleep(hour).await;
            sleep(hour).await;
        });
        assert_eq!(time.now().as_nanos(), 2 * hour.as_nanos() as u64);
    }

    #[test]
    fn clock_of_a_thread_is_restored_when_block_on_returns() {
        let time = Clock::Virtual(VirtualClock::new());
        block_on(&time, async {
            assert!(matches!(clock(), Clock::Virtual(_)))
        });
        assert!(matches!(clock(), Clock::Monotonic));
    }
}
