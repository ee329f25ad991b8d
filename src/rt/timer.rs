//! Timers on the clock of this thread's runtime.

use std::cell::RefCell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use crate::time::{Clock, Time, VirtualSleep};

thread_local! {
    static CLOCK: RefCell<Clock> = const { RefCell::new(Clock::Monotonic) };
}

/// Runs `f` with `clock` as this thread's clock, and puts the former one back after it,
/// also when `f` panics.
pub(crate) fn with_clock<R>(clock: &Clock, f: impl FnOnce() -> R) -> R {
    struct Restore(Clock);
    impl Drop for Restore {
        fn drop(&mut self) {
            CLOCK.set(self.0.clone());
        }
    }
    let _restore = Restore(CLOCK.replace(clock.clone()));
    f()
}

/// The clock of this thread's runtime; the real one where there is none.
pub(crate) fn clock() -> Clock {
    CLOCK.with_borrow(Clone::clone)
}

/// The time on this thread's clock.
pub(crate) fn now() -> Time {
    CLOCK.with_borrow(Clock::now)
}

/// Waits for `duration`; one too long for the clock never ends. Dropping it disarms it.
pub(crate) fn sleep(duration: Duration) -> Sleep {
    match clock() {
        Clock::Monotonic => Sleep(Kind::Real(smol::Timer::after(duration))),
        Clock::Virtual(time) => Sleep(Kind::Virtual(time.sleep(duration))),
    }
}

/// Waits until `deadline`; [`Time::MAX`] is never.
pub(crate) fn sleep_until(deadline: Time) -> Sleep {
    match deadline {
        Time::MAX => sleep(Duration::MAX),
        deadline => sleep(deadline - now()),
    }
}

/// Waits for `duration` of real time, on whichever thread.
pub(crate) fn sleep_anywhere(duration: Duration) -> impl Future<Output = ()> + Send + 'static {
    let timer = smol::Timer::after(duration);
    async move {
        timer.await;
    }
}

/// A future that is ready when its time has come.
#[derive(Debug)]
#[must_use = "a sleep that is not awaited does not wait"]
pub(crate) struct Sleep(Kind);

#[derive(Debug)]
enum Kind {
    Real(smol::Timer),
    Virtual(VirtualSleep),
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.0 {
            Kind::Real(timer) => Pin::new(timer).poll(cx).map(drop),
            Kind::Virtual(sleep) => Pin::new(sleep).poll(cx),
        }
    }
}

/// The time was up before the future was ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("timed out after {0:?}")]
pub(crate) struct Elapsed(pub(crate) Duration);

/// Runs `future` for `limit` at most, then drops it.
///
/// A future that is ready at the very moment wins over the timer.
pub(crate) async fn within<T>(
    limit: Duration,
    future: impl Future<Output = T>,
) -> Result<T, Elapsed> {
    let mut future = pin!(future);
    let mut timer = pin!(sleep(limit));
    std::future::poll_fn(|cx| {
        if let Poll::Ready(value) = future.as_mut().poll(cx) {
            return Poll::Ready(Ok(value));
        }
        timer.as_mut().poll(cx).map(|()| Err(Elapsed(limit)))
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;
    use crate::rt::block_on;
    use crate::time::VirtualClock;

    fn virtually<T>(future: impl Future<Output = T>) -> T {
        block_on(&Clock::Virtual(VirtualClock::new()), future)
    }

    #[test]
    fn within_when_the_time_is_up_drops_the_future() {
        let limit = Duration::from_secs(5);
        assert_eq!(
            virtually(within(limit, pending::<()>())),
            Err(Elapsed(limit))
        );
    }

    #[test]
    fn within_no_time_at_all_still_lets_a_ready_future_win() {
        assert_eq!(virtually(within(Duration::ZERO, ready(7))), Ok(7));
    }

    #[test]
    fn sleep_until_a_past_time_is_ready_at_once() {
        virtually(async {
            sleep(Duration::from_secs(2)).await;
            let before = now();
            sleep_until(Time::ORIGIN).await;
            assert_eq!(now(), before);
        });
    }

    #[test]
    fn real_sleep_lasts_at_least_its_duration() {
        let wait = Duration::from_millis(2);
        block_on(&Clock::Monotonic, async {
            let before = now();
            sleep(wait).await;
            assert!(now() - before >= wait);
        });
    }
}
