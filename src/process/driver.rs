//! The driver of async-process, polled here so that it starts no thread of its own.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError, TryLockError};
use std::task::{Context, Waker};

type Driver = Pin<Box<dyn Future<Output = Infallible> + Send>>;

static DRIVER: Mutex<Option<Driver>> = Mutex::new(None);

/// Tells async-process that it is driven. Without it the first spawn starts a thread.
pub(super) fn start() {
    let mut driver = DRIVER.lock().unwrap_or_else(PoisonError::into_inner);
    if driver.is_none() {
        let mut new: Driver = Box::pin(async_process::driver());
        poll_once(&mut new, &mut Context::from_waker(Waker::noop()));
        *driver = Some(new);
    }
}

/// Drives it a step.
///
/// Our own children are not in its care. It reaps what *other* code of this program started
/// with async-process and then dropped, whenever one of our children is being waited for.
pub(super) fn drive(context: &mut Context<'_>) {
    match DRIVER.try_lock() {
        Ok(mut driver) => {
            if let Some(driver) = driver.as_mut() {
                poll_once(driver, context);
            }
        }
        // Another thread drives it at this moment.
        Err(TryLockError::WouldBlock | TryLockError::Poisoned(_)) => {}
    }
}

fn poll_once(driver: &mut Driver, context: &mut Context<'_>) {
    // It never ends, so there is nothing in the answer.
    let _ = driver.as_mut().poll(context);
}
