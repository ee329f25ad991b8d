//! Waiting, and work whose time is limited.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::node::{Kind, Node, Urgency};
use treewright_supervisors::duration::Written;

use crate::error::{CancelOrigin, CancelReason, Error, ErrorKind, Result};
use crate::rt;
use crate::time::Time;

/// Waits for `duration`, on the clock of this thread's runtime.
///
/// One too long for the clock to hold, like [`Duration::MAX`], never ends.
///
/// # Cancel safety
///
/// Safe: dropping the future disarms the timer.
pub async fn sleep(duration: Duration) {
    rt::sleep(duration).await;
}

/// Runs `future` for `limit` at most.
///
/// When the time is up `future` is cancelled in order, and only then dropped: nurseries
/// open in it stop their processes, and shielded work gets its grace. So the return may
/// come later than the limit, but nothing of the work goes on behind it. Work that is
/// ready at the very moment wins; once the time was up the outcome is the error, even
/// if the work came out with a value after that.
///
/// # Errors
///
/// An error for which [`Error::is_timeout`] holds, when the time was up.
///
/// # Cancel safety
///
/// Dropping the future drops `future`.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use treewright::{run, sleep, timeout};
///
/// run(async || {
///     let late = timeout(Duration::from_millis(1), sleep(Duration::MAX)).await;
///     assert!(late.unwrap_err().is_timeout());
///     assert_eq!(timeout(Duration::from_secs(5), async { 7 }).await?, 7);
///     Ok(())
/// })
/// # .unwrap()
/// ```
pub fn timeout<F: Future>(limit: Duration, future: F) -> impl Future<Output = Result<F::Output>> {
    Limited::new(limit, future, |value, limit| {
        value.ok_or_else(|| late(limit))
    })
}

/// Runs work that may fail for `limit` at most: [`timeout`] without a second layer of
/// results.
///
/// # Errors
///
/// What the work failed with, or an error for which [`Error::is_timeout`] holds.
///
/// # Cancel safety
///
/// Dropping the future drops `future`.
pub fn fail_after<T, F: Future<Output = Result<T>>>(
    limit: Duration,
    future: F,
) -> impl Future<Output = Result<T>> {
    let flat = |value: Option<_>, limit| value.unwrap_or_else(|| Err(late(limit)));
    Limited::new(limit, future, flat)
}

/// Runs `future` for `limit` at most, and goes on without its value when the time is up.
/// Otherwise like [`timeout`].
///
/// # Cancel safety
///
/// Dropping the future drops `future`.
pub fn move_on_after<F: Future>(
    limit: Duration,
    future: F,
) -> impl Future<Output = Option<F::Output>> {
    Limited::new(limit, future, |value, _| value)
}

/// How much time the code that runs now has left: what is around it that limits time, in this
/// process and in the actors that called it. `None` if nothing does.
///
/// A call of another actor takes its limit along, so that a function is cancelled when the
/// time of whoever waits for it is up, even if that is far away and stuck.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use treewright::{run, time_left, timeout};
///
/// run(async || {
///     assert_eq!(time_left(), None);
///     let left = timeout(Duration::from_secs(5), async { time_left() }).await?;
///     assert!(left.is_some_and(|left| left <= Duration::from_secs(5)));
///     Ok(())
/// })
/// # .unwrap()
/// ```
#[must_use]
pub fn time_left() -> Option<Duration> {
    match Node::current()?.deadline() {
        Time::MAX => None,
        deadline => Some(deadline - rt::now()),
    }
}

pin_project_lite::pin_project! {
    struct Limited<F, M> {
        #[pin]
        slot: Option<F>,
        limit: Duration,
        node: Option<Rc<Node>>,
        timer: Option<rt::Sleep>,
        is_late: bool,
        // Makes the outcome of the value, or of its absence, and of the limit.
        map: M,
    }
}

impl<F: Future, M> Limited<F, M> {
    fn new<T>(limit: Duration, future: F, map: M) -> Self
    where
        M: Fn(Option<F::Output>, Duration) -> T,
    {
        Self {
            slot: Some(future),
            limit,
            node: None,
            timer: None,
            is_late: false,
            map,
        }
    }
}

impl<F: Future, T, M: Fn(Option<F::Output>, Duration) -> T> Future for Limited<F, M> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let mut this = self.project();
        let limit = *this.limit;
        let node = this.node.get_or_insert_with(|| {
            let node = Node::new(Kind::Deadline, Node::current());
            node.set_deadline(rt::now() + limit);
            node
        });
        let timer = this.timer.get_or_insert_with(|| rt::sleep(*this.limit));
        node.register(cx.waker());
        if let Some(future) = this.slot.as_mut().as_pin_mut()
            && let Poll::Ready(value) = node.enter(|| future.poll(cx))
        {
            let value = (!*this.is_late).then_some(value);
            return Poll::Ready((this.map)(value, *this.limit));
        }
        if !*this.is_late && Pin::new(timer).poll(cx).is_ready() {
            *this.is_late = true;
            let reason = CancelReason::new(CancelOrigin::Deadline(*this.limit));
            node.cancel(reason, Urgency::InOrder);
        }
        if *this.is_late && !node.is_held() {
            node.enter(|| this.slot.set(None));
            return Poll::Ready((this.map)(None, *this.limit));
        }
        Poll::Pending
    }
}

fn late(limit: Duration) -> Error {
    Error::new(
        ErrorKind::TimedOut,
        format!("timed out after {}", Written(limit)),
    )
}
