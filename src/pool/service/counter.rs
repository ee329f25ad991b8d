//! Where those who have jobs find the pool of this process.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use event_listener::Event;

use crate::actor::here;
use crate::error::{Error, ErrorKind, Result};
use crate::pool::handle::ProcessPool;
use crate::rt;

/// An actor is up a moment before it is told to be a pool. One that has not been told for so
/// long is none.
const PATIENCE: Duration = Duration::from_secs(5);

thread_local! {
    static COUNTER: Rc<Counter> = Rc::default();
}

#[derive(Debug, Default)]
struct Counter {
    pool: RefCell<Option<ProcessPool>>,
    opened: Event,
}

/// Lets this pool be found as the one of this actor until the guard is dropped.
pub(super) fn open(pool: ProcessPool) -> impl Drop {
    struct Close(Rc<Counter>);
    impl Drop for Close {
        fn drop(&mut self) {
            self.0.pool.take();
        }
    }
    let counter = COUNTER.with(Rc::clone);
    counter.pool.replace(Some(pool));
    counter.opened.notify(usize::MAX);
    Close(counter)
}

/// The pool of this actor.
///
/// # Errors
///
/// If the actor is no pool.
pub(super) async fn pool() -> Result<ProcessPool> {
    let counter = COUNTER.with(Rc::clone);
    let waiting = async {
        loop {
            // It listens before it looks, so that nothing comes in between.
            let opened = counter.opened.listen();
            if let Some(pool) = counter.pool.borrow().clone() {
                return pool;
            }
            opened.await;
        }
    };
    let found = rt::within(PATIENCE, waiting).await;
    found.map_err(|_| {
        let name = here().map_or_else(|_| "?".to_owned(), |here| here.id.name().to_owned());
        Error::new(ErrorKind::Refused, format!("actor `{name}` is no pool"))
            .with_hint("a pool is `[pool.NAME]` with neither `run` nor `task`")
    })
}
