//! The log of one child: every run it writes goes to its sink, its ring and its followers.

use std::cell::RefCell;
use std::os::fd::OwnedFd;
use std::rc::{Rc, Weak};
use std::time::SystemTime;

use treewright_supervisors::spec::{ChildName, OnFull};

use super::error::{LogError, Report};
use super::format::LineFormat;
use super::line::{OutputStream, Run};
use super::pipe::{Pipe, Scratch};
use super::ring::{Record, Ring};
use super::sink::Sink;
use super::subscription::{Queue, Subscription};
use super::watch::{LogWatch, Watch};
use crate::rt::LocalExecutor;

/// Where the lines of a child go.
#[derive(Debug)]
pub(crate) enum Route {
    /// Nowhere.
    Null,
    /// Each stream to a sink, in a format.
    To {
        stdout: Outlet,
        stderr: Outlet,
        on_full: OnFull,
    },
}

/// A sink, and how one stream of one child is written there.
#[derive(Debug)]
pub(crate) struct Outlet {
    pub(crate) sink: Rc<Sink>,
    pub(crate) format: Rc<LineFormat>,
}

/// All that is shared between a child's log and its pipes.
pub(crate) struct Channel {
    pub(crate) name: ChildName,
    pub(crate) report: Report,
    route: Route,
    ring: RefCell<Ring>,
    watches: RefCell<Vec<Weak<Watch>>>,
    followers: RefCell<Vec<Weak<Queue>>>,
}

impl Channel {
    pub(crate) fn new(name: ChildName, route: Route, ring: usize, report: Report) -> Self {
        Self {
            name,
            report,
            route,
            ring: RefCell::new(Ring::new(ring)),
            watches: RefCell::default(),
            followers: RefCell::default(),
        }
    }

    /// Waits, as the policy says, until what is read next can be kept. True: it is kept;
    /// false: the sink loses it. Called before the read, so that a wait holds nothing.
    pub(crate) async fn room(&self, stream: OutputStream) -> bool {
        match self.outlet(stream) {
            None => true,
            Some((outlet, on_full)) => outlet.sink.room(on_full).await,
        }
    }

    /// Passes a run on; never waits.
    pub(crate) fn deliver(&self, stream: OutputStream, run: &Run<'_>, has_room: bool) {
        let time = SystemTime::now();
        self.ring.borrow_mut().push(run, stream, time);
        for_each_alive(&self.watches, |watch| watch.look(run));
        for_each_alive(&self.followers, |queue| queue.push(run, stream, time));
        if let Some((outlet, _)) = self.outlet(stream) {
            if has_room {
                outlet.sink.push(&outlet.format, run, time);
            } else {
                outlet.sink.lose(&outlet.format, run);
            }
        }
    }

    fn outlet(&self, stream: OutputStream) -> Option<(&Outlet, OnFull)> {
        match (&self.route, stream) {
            (Route::Null, _) => None,
            (
                Route::To {
                    stdout, on_full, ..
                },
                OutputStream::Stdout,
            ) => Some((stdout, *on_full)),
            (
                Route::To {
                    stderr, on_full, ..
                },
                OutputStream::Stderr,
            ) => Some((stderr, *on_full)),
        }
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        for_each_alive(&self.followers, |queue| queue.end());
    }
}

/// Calls `f` with each that is still wanted, and forgets the others.
fn for_each_alive<T>(list: &RefCell<Vec<Weak<T>>>, mut f: impl FnMut(&T)) {
    let mut list = list.borrow_mut();
    if list.is_empty() {
        return;
    }
    list.retain(|item| match item.upgrade() {
        Some(item) => {
            f(&item);
            true
        }
        None => false,
    });
}

/// The log of one child, over all its incarnations.
///
/// It is dropped when the child is removed from the tree. Pipes that are still open (held by
/// a process that outlived the child) are read on until they end or the [`Logs`](super::Logs)
/// are dropped.
pub struct ChildLog {
    pub(crate) channel: Rc<Channel>,
    pub(crate) executor: Weak<LocalExecutor<'static>>,
    pub(crate) pipes: Rc<RefCell<Vec<Weak<Pipe>>>>,
    pub(crate) scratch: Scratch,
}

impl std::fmt::Debug for ChildLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChildLog")
            .field("name", &self.channel.name)
            .finish_non_exhaustive()
    }
}

impl ChildLog {
    /// Reads these pipes from now on; they are the reading ends of an incarnation's output.
    ///
    /// # Errors
    ///
    /// When a pipe cannot be registered with the kernel.
    pub fn attach(
        &self,
        stdout: Option<OwnedFd>,
        stderr: Option<OwnedFd>,
    ) -> Result<AttachedOutput, LogError> {
        let mut pipes = Vec::new();
        for (stream, end) in [
            (OutputStream::Stdout, stdout),
            (OutputStream::Stderr, stderr),
        ] {
            let Some(end) = end else { continue };
            let pipe = Pipe::new(Rc::clone(&self.channel), stream, end).map_err(|source| {
                LogError::Pipe {
                    name: self.channel.name.to_string(),
                    stream,
                    source,
                }
            })?;
            pipes.push(Rc::new(pipe));
        }
        let executor = self.executor.upgrade();
        let mut open = self.pipes.borrow_mut();
        if open.len() == open.capacity() {
            // Only when there is no room, so that a look at all is rare for each that is added.
            open.retain(|pipe| pipe.strong_count() > 0);
        }
        for pipe in &pipes {
            open.push(Rc::downgrade(pipe));
            if let Some(executor) = &executor {
                let task = Rc::clone(pipe).read_on(Rc::clone(&self.scratch));
                // The logs own the task; it ends with the pipe or is dropped with them.
                executor.spawn(task).detach();
            }
        }
        Ok(AttachedOutput { pipes })
    }

    /// Watches for a line that contains `text`, from now on. Dropping the watch ends it.
    #[must_use]
    pub fn watch(&self, text: &str) -> LogWatch {
        let watch = Watch::new(text);
        self.channel
            .watches
            .borrow_mut()
            .push(Rc::downgrade(&watch));
        LogWatch(watch)
    }

    /// Follows the output from now on. Dropping the subscription ends it.
    ///
    /// A follower that lags loses lines and is told how many; it never holds up the child.
    #[must_use]
    pub fn subscribe(&self) -> Subscription {
        let queue = Rc::new(Queue::default());
        self.channel
            .followers
            .borrow_mut()
            .push(Rc::downgrade(&queue));
        Subscription(queue)
    }

    /// The last output, oldest first: as much as is kept in memory.
    #[must_use]
    pub fn recent(&self) -> Vec<Record> {
        self.channel.ring.borrow().records().cloned().collect()
    }
}

/// The output of one incarnation of a child.
#[derive(Debug)]
pub struct AttachedOutput {
    pipes: Vec<Rc<Pipe>>,
}

impl AttachedOutput {
    /// Waits until all that was in the pipes at this moment is passed on, and an unfinished
    /// last line with it. Call it when the child has ended.
    ///
    /// It does not wait for the pipes to end: a process that outlived the child and holds
    /// them is read on, without anybody waiting for it. Where `on_full = "block"` and the log
    /// makes no progress this waits as long as the log does, so callers give it a limit.
    ///
    /// # Cancel safety
    ///
    /// Safe: the pipes are read on whether this is awaited or not.
    pub async fn drained(&self) {
        for pipe in &self.pipes {
            pipe.begin_drain();
        }
        for pipe in &self.pipes {
            pipe.drained().await;
        }
    }

    /// Waits until every pipe has ended and all that came from it is passed on. That is not
    /// the end of the child: it may close its output and live, or leave it to others.
    ///
    /// # Cancel safety
    ///
    /// Safe: the pipes are read on whether this is awaited or not.
    pub async fn ended(&self) {
        for pipe in &self.pipes {
            pipe.ended().await;
        }
    }
}
