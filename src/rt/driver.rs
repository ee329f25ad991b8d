//! The loop under everything that runs on a thread: poll, look again for a moment, sleep.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use super::watch::{self, Keeping};
use crate::time::{Clock, Time};

/// How long the kernel's other events, timers among them, wait at most while there is
/// always something to do.
const TURN: Duration = Duration::from_micros(500);

pin_project_lite::pin_project! {
    /// Polls `main` whenever it was woken, and lets the reactor have the thread when nothing
    /// can run, or when a turn is over.
    ///
    /// A turn of the reactor is six system calls. Left alone it takes one after each poll, and
    /// so several for each message.
    #[derive(Debug)]
    pub(super) struct Driver<F> {
        #[pin]
        main: F,
        bell: Arc<Bell>,
        waker: Waker,
        // When the thread was given to the reactor to sleep.
        asleep_since: Option<Time>,
        keeping: Keeping,
    }
}

/// What wakes `main`, at the cost of two atomic exchanges, unless the thread sleeps.
#[derive(Debug, Default)]
struct Bell {
    is_rung: AtomicBool,
    /// The thread is with the reactor, or on its way there.
    is_asleep: AtomicBool,
    /// What gets it out of there.
    sleeper: OnceLock<Waker>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Here the ring comes before the look at the sleeper, and there the sleeper before
        // its last look at the ring: so one of them sees the other.
        self.is_rung.store(true, Ordering::SeqCst);
        if self.is_asleep.swap(false, Ordering::SeqCst)
            && let Some(sleeper) = self.sleeper.get()
        {
            sleeper.wake_by_ref();
        }
    }
}

impl Bell {
    fn is_rung(&self) -> bool {
        self.is_rung.load(Ordering::SeqCst)
    }

    fn take_ring(&self) -> bool {
        self.is_rung.swap(false, Ordering::SeqCst)
    }

    /// Whether the thread may sleep now.
    fn fall_asleep(&self) -> bool {
        self.is_asleep.store(true, Ordering::SeqCst);
        let may_sleep = !self.is_rung();
        if !may_sleep {
            self.is_asleep.store(false, Ordering::SeqCst);
        }
        may_sleep
    }
}

impl<F> Driver<F> {
    pub(super) fn new(main: F) -> Self {
        let bell = Arc::new(Bell::default());
        // It has never been polled, so it waits for nothing that would ring.
        bell.is_rung.store(true, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(&bell));
        Self {
            main,
            bell,
            waker,
            asleep_since: None,
            keeping: Keeping::set(true),
        }
    }
}

impl<F: Future> Future for Driver<F> {
    type Output = F::Output;

    /// One turn. Pending gives the thread to the reactor: until the bell rings, or for one
    /// look at the kernel's events where the reactor was woken beforehand.
    fn poll(self: Pin<&mut Self>, reactor: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        this.bell.sleeper.get_or_init(|| reactor.waker().clone());
        this.bell.is_asleep.store(false, Ordering::SeqCst);
        let begun = Clock::Monotonic.now();
        if let Some(since) = this.asleep_since.take() {
            watch::note_sleep(begun - since);
        }
        loop {
            if this.bell.take_ring() {
                let polled = this
                    .main
                    .as_mut()
                    .poll(&mut Context::from_waker(this.waker));
                if let Poll::Ready(value) = polled {
                    return Poll::Ready(value);
                }
            } else if !watch::look_for_a_moment(|| this.bell.is_rung()) {
                let is_anybody_waiting = watch::hand_over();
                if this.bell.fall_asleep() {
                    *this.asleep_since = is_anybody_waiting.then(|| Clock::Monotonic.now());
                    return Poll::Pending;
                }
            }
            if Clock::Monotonic.now() - begun >= TURN {
                watch::look_at_all();
                reactor.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::thread;

    use futures_lite::future::{or, yield_now};

    use super::super::{block_on, sleep};
    use super::*;

    fn on_real_time<T>(future: impl Future<Output = T>) -> T {
        block_on(&Clock::Monotonic, future)
    }

    async fn always_busy<T>() -> T {
        loop {
            yield_now().await;
        }
    }

    #[test]
    fn timer_goes_off_while_there_is_always_something_to_do() {
        on_real_time(or(sleep(Duration::from_millis(1)), always_busy()));
    }

    #[test]
    fn ring_from_another_thread_wakes_the_thread_however_fast_it_falls_asleep() {
        let (ask, asked) = std::sync::mpsc::channel::<Waker>();
        let ringer = thread::spawn(move || asked.iter().for_each(Waker::wake));
        on_real_time(async move {
            for _ in 0..2000 {
                let mut is_asked = false;
                poll_fn(|cx| match std::mem::replace(&mut is_asked, true) {
                    true => Poll::Ready(()),
                    false => {
                        ask.send(cx.waker().clone()).unwrap();
                        Poll::Pending
                    }
                })
                .await;
            }
        });
        ringer.join().unwrap();
    }
}
