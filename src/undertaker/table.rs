//! The table of one runtime, and the work on it.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use futures_lite::future::or;
use slab::Slab;

use super::keeping::Keeping;
use crate::error::{Error, ErrorKind, Result};
use crate::process::{Mark, TreeId};
use crate::rt::{Latch, TaskStarter};

thread_local! {
    static CURRENT: RefCell<Option<Rc<Undertaker>>> = const { RefCell::new(None) };
}

/// Sees to it that what was begun on one runtime comes to its end.
#[derive(Debug)]
pub(crate) struct Undertaker {
    pub(super) starter: TaskStarter<'static>,
    pub(super) keeping: Keeping,
    /// What all processes of the runtime are marked with.
    pub(super) tree: TreeId,
    marks: Cell<u64>,
    /// What is still going on, by name.
    table: RefCell<Slab<Cow<'static, str>>>,
    /// How many of these end only when they are told to.
    untold: Cell<usize>,
    /// Of the runtime, which waits for the table to be empty.
    waker: RefCell<Option<Waker>>,
    /// What the runtime was there for has ended.
    is_ending: Latch,
}

/// The undertaker of this thread's runtime.
///
/// # Errors
///
/// If no runtime runs on this thread.
pub(crate) fn current() -> Result<Rc<Undertaker>> {
    CURRENT.with_borrow(Clone::clone).ok_or_else(|| {
        Error::new(
            ErrorKind::Closed,
            "no treewright runtime runs on this thread",
        )
        .with_hint("enter one with `treewright::run` or `#[treewright::main]`")
    })
}

impl Undertaker {
    /// One whose work runs on the runtime's own tasks.
    pub(crate) fn new(starter: TaskStarter<'static>) -> Rc<Self> {
        Rc::new(Self {
            starter,
            keeping: Keeping::default(),
            tree: TreeId::new("treewright"),
            marks: Cell::new(0),
            table: RefCell::default(),
            untold: Cell::new(0),
            waker: RefCell::default(),
            is_ending: Latch::new(),
        })
    }

    /// Makes this the one of this thread until the guard is dropped.
    ///
    /// # Errors
    ///
    /// If the thread has one already.
    pub(crate) fn enter(self: &Rc<Self>) -> Result<Entered> {
        if current().is_ok() {
            let message = "a treewright runtime already runs on this thread";
            return Err(Error::other(message).with_hint("call `open_nursery` inside of it"));
        }
        CURRENT.set(Some(Rc::clone(self)));
        Ok(Entered)
    }

    /// Runs `work` to its end, whoever stops waiting for it; `name` is for people.
    pub(crate) fn take_charge(
        self: &Rc<Self>,
        name: impl Into<Cow<'static, str>>,
        work: impl Future<Output = ()> + 'static,
    ) {
        let entry = self.enter_work(name.into(), false);
        // Refused only after the runtime has ended, which waits for an empty table; then
        // dropping the work drops the entry.
        let _refused = self.starter.start(Charge { work, entry });
    }

    fn enter_work(self: &Rc<Self>, name: Cow<'static, str>, is_untold: bool) -> Entry {
        self.untold.update(|count| count + usize::from(is_untold));
        Entry {
            key: self.table.borrow_mut().insert(name),
            is_untold,
            undertaker: Rc::clone(self),
        }
    }

    /// Runs `work` as long as the runtime runs, which does not wait for it.
    pub(crate) fn run_beside(&self, work: impl Future<Output = ()> + 'static) {
        // Refused only after the runtime has ended.
        let _refused = self.starter.start(work);
    }

    /// Runs `work` until [`end`](Self::end) is said, and drops it while there is still somebody
    /// to see to what it leaves.
    pub(crate) fn run_until_the_end(
        self: &Rc<Self>,
        name: impl Into<Cow<'static, str>>,
        work: impl Future<Output = ()> + 'static,
    ) {
        let undertaker = Rc::clone(self);
        let entry = self.enter_work(name.into(), true);
        let work = async move { or(undertaker.is_ending.wait(), work).await };
        // Refused as in `take_charge`.
        let _refused = self.starter.start(Charge { work, entry });
    }

    /// What the runtime was there for has ended.
    pub(crate) fn end(&self) {
        self.is_ending.set();
    }

    /// A mark that no other process of this runtime has.
    pub(crate) fn new_mark(&self, name: &str) -> Mark {
        self.marks.set(self.marks.get() + 1);
        Mark::new(&self.tree, name, self.marks.get())
    }

    /// What is still going on.
    #[cfg(test)]
    pub(crate) fn names(&self) -> Vec<String> {
        self.table
            .borrow()
            .iter()
            .map(|(_, name)| name.to_string())
            .collect()
    }

    /// Waits until nothing is going on.
    pub(crate) async fn empty(&self) {
        self.until(|| self.table.borrow().is_empty()).await;
    }

    /// Waits until nothing is going on but what ends only when it is told to, and ends that.
    pub(crate) async fn wind_up(&self) {
        self.until(|| self.is_settled()).await;
        self.end();
        self.empty().await;
    }

    fn is_settled(&self) -> bool {
        self.table.borrow().len() == self.untold.get()
    }

    async fn until(&self, is_so: impl Fn() -> bool) {
        std::future::poll_fn(|cx| {
            if is_so() {
                return Poll::Ready(());
            }
            self.waker.replace(Some(cx.waker().clone()));
            Poll::Pending
        })
        .await;
    }
}

pin_project_lite::pin_project! {
    /// Work with its entry, which goes when the work has ended or is dropped. (A struct, since an
    /// async block would keep room for the work twice.)
    struct Charge<F> {
        #[pin]
        work: F,
        entry: Entry,
    }
}

impl<F: Future<Output = ()>> Future for Charge<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.project().work.poll(cx)
    }
}

struct Entry {
    undertaker: Rc<Undertaker>,
    key: usize,
    is_untold: bool,
}

impl Drop for Entry {
    fn drop(&mut self) {
        let undertaker = &self.undertaker;
        undertaker.table.borrow_mut().remove(self.key);
        let untold = usize::from(self.is_untold);
        undertaker.untold.update(|count| count - untold);
        if undertaker.is_settled()
            && let Some(waker) = self.undertaker.waker.take()
        {
            waker.wake();
        }
    }
}

/// While it lives, the thread has an undertaker.
#[derive(Debug)]
pub(crate) struct Entered;

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.take();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::rt::{Tasks, block_on, sleep};
    use crate::time::{Clock, VirtualClock};

    #[test]
    fn undertaker_is_empty_when_all_its_work_has_ended() {
        let tasks = Tasks::new();
        let undertaker = Undertaker::new(tasks.starter());
        let ended = Rc::new(Cell::new(0));
        for seconds in [3, 1] {
            let ended = Rc::clone(&ended);
            undertaker.take_charge(format!("work of {seconds} s"), async move {
                sleep(Duration::from_secs(seconds)).await;
                ended.set(ended.get() + 1);
            });
        }
        assert_eq!(undertaker.names(), ["work of 3 s", "work of 1 s"]);
        let clock = Clock::Virtual(VirtualClock::new());
        block_on(&clock, tasks.run(undertaker.empty()));
        assert_eq!(ended.get(), 2);
    }

    #[test]
    fn what_ends_when_it_is_told_to_is_told_when_all_else_has_ended() {
        let tasks = Tasks::new();
        let undertaker = Undertaker::new(tasks.starter());
        let ended = Rc::new(Cell::new(false));
        undertaker.run_until_the_end("line", std::future::pending());
        let (work, starter) = (Rc::clone(&ended), Rc::clone(&undertaker));
        undertaker.take_charge("work", async move {
            sleep(Duration::from_secs(1)).await;
            assert_eq!(starter.names(), ["line", "work"]);
            work.set(true);
        });
        let clock = Clock::Virtual(VirtualClock::new());
        block_on(&clock, tasks.run(undertaker.wind_up()));
        assert!(ended.get() && undertaker.names().is_empty());
    }

    #[test]
    fn undertaker_of_a_thread_is_refused_twice_and_gone_after_its_guard() {
        let tasks = Tasks::new();
        let undertaker = Undertaker::new(tasks.starter());
        let entered = undertaker.enter().unwrap();
        assert!(undertaker.enter().is_err());
        drop(entered);
        assert!(current().unwrap_err().is_closed());
    }
}
