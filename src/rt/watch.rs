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

thread_local! {
    static WATCH: RefCell<Watch> = const { RefCell::new(Watch::new()) };
}

/// Those of this thread that wait for news and have not yet asked the kernel for it.
#[derive(Debug)]
struct Watch {
    /// Whether somebody looks, before this thread sleeps.
    is_kept: bool,
    waiting: Vec<Rc<Source>>,
    patience: Patience,
}

impl Watch {
    const fn new() -> Self {
        Self {
            is_kept: false,
            waiting: Vec::new(),
            patience: Patience::new(),
        }
    }

    /// Takes out those that have something to read.
    fn take_readable(&mut self) -> Vec<Rc<Source>> {
        let mut fds: Vec<_> = self.waiting.iter().map(|source| source.poll_fd()).collect();
        let at_once = Timespec::default();
        let ready = rustix::event::poll(&mut fds, Some(&at_once));
        if !ready.is_ok_and(|count| count > 0) {
            return Vec::new();
        }
        let is_readable: Vec<_> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        drop(fds);
        let mut is_readable = is_readable.into_iter();
        let found = |_: &mut Rc<Source>| is_readable.next().unwrap_or(false);
        self.waiting.extract_if(.., found).collect()
    }
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
    let found = WATCH.with_borrow_mut(|watch| match watch.waiting.is_empty() {
        true => Vec::new(),
        false => watch.take_readable(),
    });
    for source in &found {
        source.turn(State::Readable);
    }
    !found.is_empty()
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
            State::Idle | State::HandedOver => ready!(source.socket.poll_readable(cx))?,
            State::Readable => {}
            State::Watched => {
                source.remember(cx.waker());
                return Poll::Pending;
            }
        }
        source.state.set(State::Idle);
        Poll::Ready(Ok(()))
    }

    /// Waits until there is room to write.
    pub(crate) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.socket.poll_writable(cx)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if self.0.state.get() == State::Watched {
            // Refused only while the thread ends, and its list with it.
            let _refused = WATCH.try_with(|watch| {
                let mut watch = watch.borrow_mut();
                watch.waiting.retain(|other| !Rc::ptr_eq(other, &self.0));
            });
        }
    }
}

impl Source {
    fn begin_to_wait(self: &Rc<Self>) {
        let state = WATCH.with_borrow_mut(|watch| {
            if !watch.is_kept || watch.waiting.len() >= MAX_WATCHED {
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
            self.turn_back(waker);
        }
    }

    fn turn_back(&self, waker: Waker) {
        self.state.set(State::Readable);
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;
    use std::thread;

    use futures_lite::future::{or, yield_now};

    use super::super::block_on;
    use super::*;

    fn on_real_time<T>(future: impl Future<Output = T>) -> T {
        block_on(&Clock::Monotonic, future)
    }

    fn pair() -> (Watched, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (Watched::new(ours.into()).unwrap(), theirs)
    }

    fn waiting() -> usize {
        WATCH.with_borrow(|watch| watch.waiting.len())
    }

    async fn read(socket: &Watched) -> u8 {
        let mut byte = [0];
        loop {
            poll_fn(|cx| socket.poll_readable(cx)).await.unwrap();
            match rustix::io::read(socket.get_ref(), &mut byte) {
                Ok(length) => {
                    assert_eq!(length, 1);
                    return byte[0];
                }
                Err(error) => assert_eq!(error, rustix::io::Errno::WOULDBLOCK),
            }
        }
    }

    /// Answers each byte with itself, until the end.
    fn echo(mut socket: UnixStream) {
        let mut byte = [0];
        while socket.read(&mut byte).unwrap() > 0 {
            socket.write_all(&byte).unwrap();
        }
    }

    #[test]
    fn answers_come_through_whether_the_thread_sleeps_or_looks() {
        let (ours, theirs) = pair();
        let echo = thread::spawn(move || echo(theirs));
        on_real_time(async move {
            for is_worth_it in [false, true].into_iter().cycle().take(2000) {
                WATCH.with_borrow_mut(|watch| watch.patience.looked(is_worth_it));
                rustix::io::write(ours.get_ref(), &[7]).unwrap();
                assert_eq!(read(&ours).await, 7);
            }
        });
        echo.join().unwrap();
    }

    #[test]
    fn socket_is_read_while_there_is_always_something_else_to_do() {
        let (ours, mut theirs) = pair();
        theirs.write_all(&[7]).unwrap();
        let busy = async {
            loop {
                yield_now().await;
            }
        };
        assert_eq!(on_real_time(or(read(&ours), busy)), 7);
    }

    #[test]
    fn socket_that_is_dropped_while_it_waits_is_watched_no_more() {
        let _kept = Keeping::set(true);
        let (ours, _theirs) = pair();
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(ours.poll_readable(cx).is_pending());
        assert_eq!(waiting(), 1);
        drop(ours);
        assert_eq!(waiting(), 0);
    }

    #[test]
    fn sockets_beyond_those_watched_are_the_kernels_at_once() {
        let _kept = Keeping::set(true);
        let sockets: Vec<_> = (0..=MAX_WATCHED).map(|_| pair()).collect();
        let cx = &mut Context::from_waker(Waker::noop());
        for (ours, _) in &sockets {
            assert!(ours.poll_readable(cx).is_pending());
        }
        assert_eq!(waiting(), MAX_WATCHED);
        assert_eq!(sockets[MAX_WATCHED].0.0.state.get(), State::HandedOver);
    }

    #[test]
    fn moment_in_which_nothing_comes_ends_and_is_in_vain() {
        let _kept = Keeping::set(true);
        let (ours, mut theirs) = pair();
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(ours.poll_readable(cx).is_pending());
        WATCH.with_borrow_mut(|watch| watch.patience.looked(true));
        assert!(!look_for_a_moment(|| false));
        assert!(!WATCH.with_borrow(|watch| watch.patience.is_worth_looking()));
        theirs.write_all(&[7]).unwrap();
        assert!(look() && ours.poll_readable(cx).is_ready());
    }
}
