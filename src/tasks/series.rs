//! Many calls of one task in a row, without a box or an allocation for each.

use std::rc::Rc;

use futures_core::future::LocalBoxFuture;

use super::{Function, Task, TaskFailure};
use crate::error::{Error, ErrorKind};
use crate::wire::{Codec, CodecError};

/// Where the calls of a series come from, and where what comes of them goes.
pub(crate) trait Calls {
    /// Has the arguments of the next call read; `false` if there is none.
    fn next(&self, read: &mut dyn FnMut(&[u8])) -> bool;

    /// The call that was read last has ended; `write` appends its value to a buffer.
    fn answer(&self, write: &mut dyn FnMut(&mut Vec<u8>) -> Result<(), TaskFailure>);
}

/// Runs the calls of `T` that there are, one after the other.
pub(super) fn run_series<T: Task>(
    codec: Codec,
    calls: Rc<dyn Calls>,
) -> LocalBoxFuture<'static, ()> {
    Box::pin(async move {
        let mut args = None;
        while calls.next(&mut |bytes| args = Some(codec.decode::<T::Args>(bytes))) {
            let outcome = match args.take() {
                Some(Ok(args)) => T::outcome(T::call(args).await),
                Some(Err(error)) => Err(unreadable::<T>(error)),
                None => continue,
            };
            let mut outcome = Some(outcome);
            calls.answer(&mut |buffer| match outcome.take() {
                Some(Ok(value)) => codec.encode(&value, buffer).map_err(unwritable::<T>),
                Some(Err(failure)) => Err(failure),
                None => Ok(()),
            });
        }
    })
}

fn unreadable<F: Function>(error: CodecError) -> TaskFailure {
    Error::wrap(ErrorKind::Broken, error)
        .context(format!(
            "cannot read the arguments of {} `{}`",
            F::KIND,
            F::PATH
        ))
        .into()
}

fn unwritable<F: Function>(error: CodecError) -> TaskFailure {
    Error::wrap(ErrorKind::Other, error)
        .context(format!(
            "cannot return the value of {} `{}`",
            F::KIND,
            F::PATH
        ))
        .into()
}
