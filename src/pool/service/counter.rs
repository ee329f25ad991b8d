//! Where those who have jobs find the pool of this process.

use std::cell::RefCell;
use std::rc::Rc;

use event_listener::Event;

use crate::pool::handle::ProcessPool;

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

/// The pool of this actor, which is to be one: it is up a moment before it is told so. If it never
/// is, it ends, and whoever waits here with it.
pub(super) async fn pool() -> ProcessPool {
    let counter = COUNTER.with(Rc::clone);
    loop {
        // It listens before it looks, so that nothing comes in between.
        let opened = counter.opened.listen();
        if let Some(pool) = counter.pool.borrow().clone() {
            return pool;
        }
        opened.await;
    }
}
