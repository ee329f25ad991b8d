//! A future that is polled only when it was itself woken.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

pin_project_lite::pin_project! {
    /// A future that is polled only when it was itself woken, and not whenever its
    /// neighbours in the same task were.
    ///
    /// Polling a future for nothing is allowed, and for one that waits for the kernel it
    /// costs several system calls: it asks again and registers again.
    #[derive(Debug)]
    pub(crate) struct Isolated<F> {
        #[pin]
        future: F,
        doorbell: Arc<Doorbell>,
        waker: Waker,
    }
}

#[derive(Debug, Default)]
struct Doorbell {
    is_rung: AtomicBool,
    /// Of the task around.
    outer: Mutex<Option<Waker>>,
}

impl Wake for Doorbell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_rung.store(true, Ordering::Release);
        let outer = self.outer.lock().unwrap_or_else(PoisonError::into_inner);
        let outer = outer.clone();
        if let Some(outer) = outer {
            outer.wake();
        }
    }
}

impl<F> Isolated<F> {
    pub(crate) fn new(future: F) -> Self {
        let doorbell = Arc::new(Doorbell::default());
        // It has never been polled, so it waits for nothing that would wake it.
        doorbell.is_rung.store(true, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(&doorbell));
        Self {
            future,
            doorbell,
            waker,
        }
    }
}

impl<F: Future> Future for Isolated<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        // The waker is there before the question, so that a ring in between is not lost.
        let mut outer = this
            .doorbell
            .outer
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if !outer
            .as_ref()
            .is_some_and(|outer| outer.will_wake(cx.waker()))
        {
            *outer = Some(cx.waker().clone());
        }
        drop(outer);
        if !this.doorbell.is_rung.swap(false, Ordering::AcqRel) {
            return Poll::Pending;
        }
        this.future.poll(&mut Context::from_waker(this.waker))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::future::poll_fn;

    use futures_lite::future::{block_on, or, poll_once};

    use super::*;

    #[test]
    fn future_is_not_polled_when_only_its_neighbour_was_woken() {
        let polls = Cell::new(0);
        let waker = RefCell::new(None);
        let mut isolated = std::pin::pin!(Isolated::new(poll_fn(|cx| {
            polls.set(polls.get() + 1);
            waker.replace(Some(cx.waker().clone()));
            Poll::<()>::Pending
        })));
        block_on(async {
            assert!(poll_once(isolated.as_mut()).await.is_none());
            assert!(poll_once(isolated.as_mut()).await.is_none());
            assert_eq!(polls.get(), 1);
            waker.take().unwrap().wake();
            assert!(poll_once(isolated.as_mut()).await.is_none());
            assert_eq!(polls.get(), 2);
        });
    }

    #[test]
    fn ring_from_another_thread_wakes_the_task_around() {
        let (ring, rung) = std::sync::mpsc::channel::<Waker>();
        std::thread::spawn(move || rung.recv().unwrap().wake());
        let is_first = Cell::new(true);
        let isolated = Isolated::new(poll_fn(|cx| match is_first.replace(false) {
            true => {
                ring.send(cx.waker().clone()).unwrap();
                Poll::Pending
            }
            false => Poll::Ready(()),
        }));
        block_on(or(isolated, std::future::pending()));
    }
}
