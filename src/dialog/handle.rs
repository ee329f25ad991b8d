//! One side of a context: what its frames do, and what is sent and waited for.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell, RefCell};
use std::fmt;
use std::future::poll_fn;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

use super::backlog::Backlog;
use super::phases::{Event, Misuse, Role, Verdict};
use super::state::{Next, State};
use crate::error::{CancelReason, Error, ErrorKind, Result};
use crate::id::{ActorId, ContextId};
use crate::portal::Peer;
use crate::rt::Latch;
use crate::scope::{Node, Urgency};
use crate::wire::{Codec, CreditBody, Encoded, Frame, Kind};

/// One side of a context.
pub(crate) struct Dialog {
    pub(super) peer: Rc<Peer>,
    pub(super) context: ContextId,
    /// The path of the function.
    task: Cow<'static, str>,
    pub(super) state: RefCell<State>,
    pub(super) backlog: Backlog,
    /// The context has ended.
    pub(super) over: Latch,
    /// The sender was dropped, and the other side was not told yet.
    pub(super) was_dropped: Cell<bool>,
    /// The user of this side was told of the error that ended it.
    was_told: Cell<bool>,
    /// With what the function is cancelled, where it runs.
    pub(super) node: OnceCell<Rc<Node>>,
    /// What came with the start of the function.
    descriptor: RefCell<Option<OwnedFd>>,
}

impl Dialog {
    /// The context `context` with `peer`, in which the function `task` runs.
    pub(crate) fn new(
        peer: Rc<Peer>,
        context: ContextId,
        task: impl Into<Cow<'static, str>>,
        role: Role,
    ) -> Rc<Self> {
        Rc::new(Self {
            peer,
            context,
            task: task.into(),
            state: RefCell::new(State::new(role)),
            backlog: Backlog::default(),
            over: Latch::new(),
            was_dropped: Cell::new(false),
            was_told: Cell::new(false),
            node: OnceCell::new(),
            descriptor: RefCell::new(None),
        })
    }

    /// This came with the start of the function.
    pub(crate) fn came_with(&self, descriptor: Option<OwnedFd>) {
        self.descriptor.replace(descriptor);
    }

    /// The descriptor that came with the start of the function, once.
    pub(crate) fn take_descriptor(&self) -> Option<OwnedFd> {
        self.descriptor.take()
    }

    /// Writes at once what the other side has room for, and does not wait for the writer's turn.
    pub(crate) fn flush(&self) {
        self.peer.link().flush();
    }

    /// Waits until nothing of this context waits to be written, or the link is over.
    pub(crate) async fn written(&self) {
        self.peer.link().room(self.context, 0).await;
    }

    /// The function here is cancelled with `node`.
    pub(crate) fn runs_under(&self, node: Rc<Node>) {
        let _first_stays = self.node.set(node);
    }

    /// The actor on the other side.
    pub(crate) fn peer_id(&self) -> &ActorId {
        self.peer.id()
    }

    /// The actor on this side.
    pub(crate) fn here(&self) -> &ActorId {
        self.peer.here()
    }

    /// The path of the function.
    pub(crate) fn task(&self) -> Cow<'static, str> {
        self.task.clone()
    }

    /// Its number on the link.
    pub(crate) fn context(&self) -> ContextId {
        self.context
    }

    /// The codec of what is said in it.
    pub(crate) fn codec(&self) -> Codec {
        self.peer.link().codec()
    }

    /// Waits for the first value, or for the end of the context if that comes before.
    pub(crate) async fn first(&self) -> Result<Bytes> {
        poll_fn(|cx| {
            let mut state = self.state.borrow_mut();
            if let Some(first) = state.take_first() {
                return Poll::Ready(Ok(first));
            }
            if let Some(end) = state.end() {
                self.tell();
                let outcome = end.outcome.clone();
                return Poll::Ready(outcome.and_then(|_| Err(self.never_started())));
            }
            remember(&mut state.first_waker, cx);
            Poll::Pending
        })
        .await
    }

    fn never_started(&self) -> Error {
        let (task, actor) = (&self.task, self.peer.id().name());
        let message = format!("`{task}` of actor `{actor}` returned before it had started");
        Error::new(ErrorKind::Broken, message).with_hint("let it call `ctx.started(..)` first")
    }

    /// Opens the stream of the context, of which there is one.
    pub(crate) fn open_stream(&self) -> Result<()> {
        let opened = self.state.borrow_mut().open_stream();
        let more = opened.map_err(|misuse| self.misuse(misuse, "open the stream of"))?;
        self.give(more);
        Ok(())
    }

    /// Waits for the next message of the stream; `None` when there are no more.
    pub(crate) fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame>>> {
        let mut state = self.state.borrow_mut();
        match state.next(self.peer.growth()) {
            Next::Message(frame, more) => {
                drop(state);
                self.give(more);
                Poll::Ready(Some(Ok(frame)))
            }
            Next::Failed(error) => {
                self.tell();
                Poll::Ready(Some(Err(error)))
            }
            Next::Over => Poll::Ready(None),
            Next::NotYet => {
                remember(&mut state.reader, cx);
                Poll::Pending
            }
        }
    }

    /// Wants no more messages. What comes is dropped, and the other side may go on sending.
    pub(crate) fn close_receiving(&self) {
        let back = self.state.borrow_mut().close_receiving(self.peer.growth());
        back.into_iter().for_each(|more| self.give(Some(more)));
    }

    /// Asks the function to end, for the first time. The end of the context is the answer.
    pub(crate) fn cancel(&self, reason: &CancelReason) {
        let verdict = self.state.borrow_mut().step(Event::Cancel);
        if verdict == Verdict::Do {
            self.peer.send_cancel(self.context, reason);
        }
    }

    /// Ends the function that runs here.
    pub(crate) fn cancel_here(&self, reason: CancelReason) {
        if let Some(node) = self.node.get() {
            node.cancel(reason, Urgency::InOrder);
        }
    }

    /// Whether this side asked the function to end, while it ran.
    pub(crate) fn was_cancelled(&self) -> bool {
        self.state.borrow().was_cancelled()
    }

    /// Waits for the end of the context.
    pub(crate) async fn over(&self) {
        self.over.wait().await;
    }

    /// Waits for the end of the context: the function's value, encoded, or what went wrong.
    pub(crate) async fn ended(&self) -> Result<Bytes> {
        self.over.wait().await;
        self.tell();
        let outcome = self.outcome();
        outcome.expect("invariant: the outcome is set before the latch")
    }

    /// How the context ended, if it has.
    pub(crate) fn outcome(&self) -> Option<Result<Bytes>> {
        let state = self.state.borrow();
        state.end().map(|end| end.outcome.clone())
    }

    /// Waits for the end of the context in place of its reader: what went wrong, if anything.
    pub(crate) fn poll_failed(&self, cx: &mut Context<'_>) -> Poll<Option<Error>> {
        match self.outcome() {
            Some(outcome) => {
                self.tell();
                Poll::Ready(outcome.err())
            }
            None => {
                remember(&mut self.state.borrow_mut().reader, cx);
                Poll::Pending
            }
        }
    }

    /// The user of this side is told how the context ended.
    pub(crate) fn tell(&self) {
        self.was_told.set(true);
    }

    /// Whether the user of this side was told how the context ended.
    pub(crate) fn was_told(&self) -> bool {
        self.was_told.get()
    }

    /// Whether it ended because nobody is there any more.
    pub(crate) fn is_lost(&self) -> bool {
        self.state.borrow().end().is_some_and(|end| end.is_loss)
    }

    pub(super) fn give(&self, more: Option<CreditBody>) {
        let Some(more) = more else { return };
        let frame = Encoded::new(self.codec(), Kind::Credit, self.context, &more);
        if let Ok(frame) = frame {
            let _gone = self.peer.send(frame);
        }
    }

    pub(super) fn misuse(&self, misuse: Misuse, what: &str) -> Error {
        let (task, actor) = (&self.task, self.peer.id().name());
        Error::wrap(ErrorKind::Closed, misuse).context(format!(
            "cannot {what} context `{task}` with actor `{actor}`"
        ))
    }
}

impl fmt::Debug for Dialog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialog")
            .field("task", &self.task)
            .field("peer", self.peer.id())
            .field("context", &self.context)
            .field("has_ended", &self.over.is_set())
            .finish_non_exhaustive()
    }
}

pub(super) fn remember(slot: &mut Option<Waker>, cx: &Context<'_>) {
    match slot {
        Some(waker) => waker.clone_from(cx.waker()),
        None => *slot = Some(cx.waker().clone()),
    }
}

pub(super) fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}
