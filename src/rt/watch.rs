//! Sockets that are looked at again for a moment before the thread sleeps.

use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::thread::sched_yield;

use super::Async;
use super::patience::{MOMENT, Patience};
use crate::time::Clock;

/// How many are looked at. Where more wait, news is likely for one of the others.
const MAX_WATCHED: usize = 16;

/// How much a thread writes before it looks for what has come meanwhile, in bytes. A look is
/// two system calls at most, and so much takes dozens of microseconds to write.
const WRITTEN_A_LOOK: usize = 128 * 1024;

/// How many of those that the kernel is to tell about are looked at by a thread that is busy.
const MAX_HANDED_OVER: usize = 64;

thread_local! {
    static WATCH: RefCell<Watch> = const { RefCell::new(Watch::new()) };
}

/// Those of this thread that wait for news.
#[derive(Debug)]
struct Watch {
    /// Whether somebody looks, before this thread sleeps.
    is_kept: bool,
    /// Those that have not yet asked the kernel for it.
    waiting: Vec<Rc<Source>>,
    /// Those that have, and a few that need it no more.
    handed_over: Vec<Rc<Source>>,
    patience: Patience,
    /// How many bytes were written since the last look for that reason.
    written: usize,
}

impl Watch {
    const fn new() -> Self {
        Self {
            is_kept: false,
            waiting: Vec::new(),
            handed_over: Vec::new(),
            patience: Patience::new(),
            written: 0,
        }
    }

    /// Says whether so much has been written with these bytes that it is time for a look.
    fn note_written(&mut self, bytes: usize) -> bool {
        self.written += bytes;
        let is_time_to_look = self.is_kept && self.written >= WRITTEN_A_LOOK;
        if is_time_to_look {
            self.written = 0;
        }
        is_time_to_look
    }

    /// Notes one whose news the kernel tells.
    fn note_handed_over(&mut self, source: &Rc<Source>) {
        if source.is_listed.get() || source.state.get() != State::HandedOver {
            return;
        }
        if self.handed_over.len() >= MAX_HANDED_OVER {
            self.forget_the_told();
        }
        if self.handed_over.len() < MAX_HANDED_OVER {
            source.is_listed.set(true);
            self.handed_over.push(Rc::clone(source));
        }
    }

    fn forget_the_told(&mut self) {
        self.handed_over.retain(|source| {
            let is_waiting = source.state.get() == State::HandedOver;
            source.is_listed.set(is_waiting);
            is_waiting
        });
    }
}

/// Takes out those that have something to read.
fn take_readable(sources: &mut Vec<Rc<Source>>) -> Vec<Rc<Source>> {
    if sources.is_empty() {
        return Vec::new();
    }
    let mut fds: Vec<_> = sources.iter().map(|source| source.poll_fd()).collect();
    let at_once = Timespec::default();
    let ready = rustix::event::poll(&mut fds, Some(&at_once));
    if !ready.is_ok_and(|count| count > 0) {
        return Vec::new();
    }
    let is_readable: Vec<_> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
    drop(fds);
    let mut is_readable = is_readable.into_iter();
    let found = |_: &mut Rc<Source>| is_readable.next().unwrap_or(false);
    sources.extract_if(.., found).collect()
}

/// Lets sockets of this thread be watched or not, until the guard is dropped.
#[derive(Debug)]
pub(super) struct Keeping {
    was_kept: bool,
}

impl Keeping {
    pub(super) fn set(is_kept: bool) -> Self {
        let was_kept =
            WATCH.with_borrow_mut(|watch| std::mem::replace(&mut watch.is_kept, is_kept));
        if !is_kept {
            hand_over();
        }
        Self { was_kept }
    }
}

impl Drop for Keeping {
    fn drop(&mut self) {
        WATCH.with_borrow_mut(|watch| watch.is_kept = self.was_kept);
        if !self.was_kept {
            hand_over();
        }
    }
}

/// Looks whether anything has come in; wakes whom it is for, and says whether there is one.
pub(super) fn look() -> bool {
    let found = WATCH.with_borrow_mut(|watch| take_readable(&mut watch.waiting));
    for source in &found {
        source.turn(State::Readable);
    }
    !found.is_empty()
}

/// Looks, also at those the kernel was asked to tell about: for a thread that is busy.
///
/// Its reactor may be in the hands of the thread that async-io has for when nobody else
/// looks. That one waits for a core of its own while this one has always something to do.
pub(super) fn look_at_all() {
    look();
    let found = WATCH.with_borrow_mut(|watch| {
        watch.forget_the_told();
        take_readable(&mut watch.handed_over)
    });
    for source in &found {
        source.is_listed.set(false);
        source.turn(State::Readable);
    }
}

/// Looks for a moment, if that is worth while: until something has come in, or `is_wanted`.
/// False if neither was the case.
///
/// In between it offers the core to whoever needs it, who may be the one it waits for.
pub(super) fn look_for_a_moment(is_wanted: impl Fn() -> bool) -> bool {
    let is_worth_it =
        WATCH.with_borrow(|watch| !watch.waiting.is_empty() && watch.patience.is_worth_looking());
    if !is_worth_it {
        return false;
    }
    let end = Clock::Monotonic.now() + MOMENT;
    loop {
        let came = look();
        let is_late = Clock::Monotonic.now() >= end;
        if came || is_late {
            WATCH.with_borrow_mut(|watch| watch.patience.looked(came && !is_late));
            return came;
        }
        if is_wanted() {
            return true;
        }
        sched_yield();
    }
}

/// The thread is about to sleep: has the kernel tell the news of those that wait, and says
/// whether there are any.
pub(super) fn hand_over() -> bool {
    let waiting = WATCH.with_borrow_mut(|watch| std::mem::take(&mut watch.waiting));
    for source in &waiting {
        source.hand_over();
        WATCH.with_borrow_mut(|watch| watch.note_handed_over(source));
    }
    !waiting.is_empty()
}

/// The thread has slept for so long, with somebody handed over.
pub(super) fn note_sleep(time: Duration) {
    WATCH.with_borrow_mut(|watch| watch.patience.slept(time));
}

/// A socket that can be waited for without asking the kernel at once.
#[derive(Debug)]
pub(crate) struct Watched(Rc<Source>);

#[derive(Debug)]
struct Source {
    socket: Async<OwnedFd>,
    state: Cell<State>,
    /// Whether it is among those handed over that a busy thread looks at.
    is_listed: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nobody waits.
    Idle,
    /// It is among those that are looked at.
    Watched,
    /// It has been looked at, and there was something.
    Readable,
    /// The kernel tells.
    HandedOver,
}

impl Watched {
    /// Makes a connected socket non-blocking.
    pub(crate) fn new(socket: OwnedFd) -> io::Result<Self> {
        Ok(Self(Rc::new(Source {
            socket: Async::new(socket)?,
            state: Cell::new(State::Idle),
            is_listed: Cell::new(false),
            waker: RefCell::default(),
        })))
    }

    /// The socket itself.
    pub(crate) fn get_ref(&self) -> &OwnedFd {
        self.0.socket.get_ref()
    }

    /// Waits until there is something to read. May be wrong about it, so that a read finds
    /// nothing.
    pub(crate) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let source = &self.0;
        if source.state.get() == State::Idle {
            source.begin_to_wait();
        }
        match source.state.get() {
            State::Idle | State::HandedOver => {
                let told = source.socket.poll_readable(cx);
                if told.is_pending() {
                    source.remember(cx.waker());
                }
                ready!(told)?;
            }
            State::Readable => {}
            State::Watched => {
                source.remember(cx.waker());
                return Poll::Pending;
            }
        }
        source.state.set(State::Idle);
        Poll::Ready(Ok(()))
    }

    /// So many bytes were written to it. Who writes much sees in between what has come: a
    /// request to stop, say, must not wait for the end of a turn in which a core can write
    /// megabytes.
    pub(crate) fn note_written(&self, bytes: usize) {
        if WATCH.with_borrow_mut(|watch| watch.note_written(bytes)) {
            look_at_all();
        }
    }

    /// Waits until there is room to write.
    pub(crate) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.socket.poll_writable(cx)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let is_other = |other: &Rc<Source>| !Rc::ptr_eq(other, &self.0);
        let is_listed = self.0.is_listed.get();
        if is_listed || self.0.state.get() == State::Watched {
            // Refused only while the thread ends, and its lists with it.
            let _refused = WATCH.try_with(|watch| {
                let mut watch = watch.borrow_mut();
                watch.waiting.retain(is_other);
                watch.handed_over.retain(is_other);
            });
        }
    }
}

impl Source {
    fn begin_to_wait(self: &Rc<Self>) {
        let state = WATCH.with_borrow_mut(|watch| {
            if !watch.is_kept {
                return State::HandedOver;
            }
            if watch.waiting.len() >= MAX_WATCHED {
                self.state.set(State::HandedOver);
                watch.note_handed_over(self);
                return State::HandedOver;
            }
            watch.waiting.push(Rc::clone(self));
            State::Watched
        });
        self.state.set(state);
    }

    fn poll_fd(&self) -> PollFd<'_> {
        PollFd::new(self.socket.get_ref(), PollFlags::IN)
    }

    fn remember(&self, waker: &Waker) {
        let mut slot = self.waker.borrow_mut();
        match &mut *slot {
            Some(old) => old.clone_from(waker),
            None => *slot = Some(waker.clone()),
        }
    }

    /// Goes on to `state`, and wakes who waits.
    fn turn(&self, state: State) {
        self.state.set(state);
        // Taken out first: a waker may run anything.
        let waker = self.waker.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn hand_over(&self) {
        let waker = self.waker.take();
        self.state.set(State::HandedOver);
        let Some(waker) = waker else { return };
        // There is something, or an error, which the next poll is to see.
        if self
            .socket
            .poll_readable(&mut Context::from_waker(&waker))
            .is_ready()
        {
            self.state.set(State::Readable);
            waker.wake();
        } else {
            self.waker.replace(Some(waker));
        }
    }
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
