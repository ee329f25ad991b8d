//! Serving the calls that come in on one link.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;
use std::future::pending;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_lite::future::or;

use super::Actor;
use crate::dialog::Dialog;
use crate::error::{
    CancelOrigin, CancelReason, Error, ErrorContext, ErrorKind, RemoteError, Result,
};
use crate::id::ContextId;
use crate::portal::Peer;
use crate::rt;
use crate::scope::{Kind as NodeKind, Node, Urgency, guarded};
use crate::tasks::{
    Begin, FunctionKind, RunningTask, TaskEntry, TaskFailure, arguments_of_text, registry,
};
use crate::time::Time;
use crate::undertaker::Undertaker;
use crate::wire::{CodecError, Encoded, Frame, Kind, StartHead};

/// How many bytes may wait for who is refused and does not read.
const MOST_UNREAD: usize = 1024 * 1024;

/// What the other side of a link may do here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// It started us: it may call whatever is registered, and end us.
    Parent,
    /// Another actor of the tree, and not one below: it may call what is public or exposed, and
    /// end us.
    Peer,
    /// We started it: it may call what is public or exposed.
    Child,
    /// Any other: it may call what is public or exposed.
    Guest,
}

/// How long the calls that came in together are run on the spot.
const TURN: Duration = Duration::from_micros(100);

/// Serves the calls of one link. Each is a task of the actor, under `node`.
pub(crate) struct Server {
    actor: Rc<Actor>,
    peer: Rc<Peer>,
    trust: Trust,
    node: Rc<Node>,
    undertaker: Rc<Undertaker>,
    served: Rc<RefCell<HashMap<ContextId, Rc<Node>>>>,
    /// Until when calls of this turn are run on the spot; set by the first of them.
    turn: Cell<Option<Time>>,
}

impl Server {
    /// Serves `peer`; `node` is what the calls are cancelled with.
    pub(crate) fn new(
        actor: Rc<Actor>,
        peer: Rc<Peer>,
        trust: Trust,
        node: Rc<Node>,
        undertaker: Rc<Undertaker>,
    ) -> Self {
        Self {
            actor,
            peer,
            trust,
            node,
            undertaker,
            served: Rc::default(),
            turn: Cell::new(None),
        }
    }

    /// Whether the other side may end this actor; one that is not might have known.
    pub(crate) fn obeys_peer(&self) -> Result<bool, &'static str> {
        match self.trust {
            Trust::Parent | Trust::Peer => Ok(true),
            Trust::Guest => Ok(false),
            Trust::Child => Err("a request to end from who may not ask"),
        }
    }

    /// Tells the other side that it may not end this actor.
    pub(crate) fn refuse_to_end(&self) {
        if self.peer.link().pending_bytes() > MOST_UNREAD {
            // It asks and does not read.
            self.peer.link().abort();
            return;
        }
        let message = format!("actor `{}` is not ended by this one", self.actor.id.name());
        let error = Error::new(ErrorKind::Refused, message)
            .with_hint("an actor is ended by those of its tree that are not below it");
        self.share().answer(ContextId::LINK, Err(error.into()));
    }

    /// What comes now has come in together.
    pub(crate) fn begin_turn(&self) {
        self.turn.set(None);
    }

    /// Begins a call; what keeps it from running is answered. An error says how the other
    /// side broke the protocol.
    pub(crate) fn start(&self, frame: &Frame) -> Result<(), &'static str> {
        let context = frame.context;
        self.peer.see(context)?;
        if let Err(error) = self.begin(frame) {
            self.share().answer(context, Err(error.into()));
        }
        Ok(())
    }

    fn begin(&self, frame: &Frame) -> Result<()> {
        let (context, codec) = (frame.context, self.peer.link().codec());
        let (head, args) = StartHead::split(codec, &frame.body)
            .map_err(|error| Error::wrap(ErrorKind::Broken, error).context("cannot read a call"))?;
        let entry = registry()?.find(head.task, head.signature)?;
        self.check_access(entry)?;
        let node = Node::new(NodeKind::Task, Some(Rc::clone(&self.node)));
        // Whatever comes between, what was noted of the call goes with this.
        let answering = Answering {
            server: self.share(),
            context,
        };
        let running = match head.from_file {
            true => self.start_from_file(entry, context, args, &node)?,
            false => self.start_encoded(entry, context, args, &node)?,
        };
        let limit = head.limit.map(Duration::from_micros);
        if let Some(limit) = limit {
            node.set_deadline(rt::now() + limit);
        }
        let mut work = guarded(Rc::clone(&node), running);
        // One whose start is waited for may block this thread, and that it has started must leave
        // before.
        if !head.from_file
            && let Some(outcome) = self.run_on_the_spot(entry, &mut work)
        {
            answering.end(flat(outcome));
            return Ok(());
        }
        self.served.borrow_mut().insert(context, Rc::clone(&node));
        self.undertaker.take_charge(entry.path(), async move {
            let outcome = match limit {
                Some(limit) => or(work, time_up(&node, limit)).await,
                None => work.await,
            };
            answering.end(flat(outcome));
        });
        Ok(())
    }

    fn start_encoded(
        &self,
        entry: &TaskEntry,
        context: ContextId,
        args: &[u8],
        node: &Rc<Node>,
    ) -> Result<RunningTask> {
        let running = match entry.begin() {
            Begin::Task { start, .. } => start(self.peer.link().codec(), context, args),
            Begin::Context { start, .. } => start(self.serve_dialog(entry, context, node), args),
        };
        running.map_err(|error| unreadable(entry, error))
    }

    /// Starts a function for who knows its path only: what comes first is the same whether
    /// it is a task or a context.
    fn start_from_file(
        &self,
        entry: &TaskEntry,
        context: ContextId,
        args: &[u8],
        node: &Rc<Node>,
    ) -> Result<RunningTask> {
        let codec = self.peer.link().codec();
        let text: String = codec
            .decode(args)
            .map_err(|error| unreadable(entry, error))?;
        let args = arguments_of_text(&text)?;
        match entry.begin() {
            Begin::Task {
                start_from_file, ..
            } => {
                let running = start_from_file(codec, context, args)?;
                let started = Encoded::new(codec, Kind::Started, context, &());
                self.peer.send(started.context("cannot encode nothing")?)?;
                Ok(running)
            }
            Begin::Context { .. } if entry.kind() == FunctionKind::Stream => {
                let message = format!(
                    "`{}` is a stream, for which a reader is needed",
                    entry.path()
                );
                Err(Error::new(ErrorKind::Refused, message)
                    .with_hint("mark it `#[treewright::task]` or `#[treewright::context]`"))
            }
            Begin::Context {
                start_from_file, ..
            } => Ok(start_from_file(
                self.serve_dialog(entry, context, node),
                args,
            )?),
        }
    }

    fn serve_dialog(&self, entry: &TaskEntry, context: ContextId, node: &Rc<Node>) -> Rc<Dialog> {
        let dialog = self.peer.serve_dialog(context, entry.path());
        dialog.runs_under(Rc::clone(node));
        dialog.came_with(self.peer.link().take_descriptor());
        dialog
    }

    /// Runs a task to where it waits for the first time: many never do, and need to be no
    /// tasks of the runtime. Not if those before it took long, so that who else is at work
    /// here has a turn.
    fn run_on_the_spot<T>(
        &self,
        entry: &TaskEntry,
        work: &mut (impl Future<Output = T> + Unpin),
    ) -> Option<T> {
        let now = rt::now();
        let end = self.turn.get().unwrap_or(now + TURN);
        self.turn.set(Some(end));
        if now > end || !matches!(entry.begin(), Begin::Task { .. }) {
            return None;
        }
        // Whoever polls it next is who is to be woken.
        let cx = &mut Context::from_waker(Waker::noop());
        match Pin::new(work).poll(cx) {
            Poll::Ready(outcome) => Some(outcome),
            Poll::Pending => None,
        }
    }

    fn check_access(&self, entry: &TaskEntry) -> Result<()> {
        let is_open = self.trust == Trust::Parent
            || entry.is_public()
            || self.actor.exposed.contains(entry.path());
        if is_open {
            return Ok(());
        }
        let (task, actor) = (entry.path(), self.actor.id.name());
        let message = format!("task `{task}` of actor `{actor}` may be called by its parent only");
        Err(Error::new(ErrorKind::Refused, message)
            .with_hint("mark it `#[task(public)]`, or start the actor with `.expose::<..>()`"))
    }

    /// Cancels one call. One that has ended is fine.
    pub(crate) fn cancel(&self, context: ContextId, reason: CancelReason) {
        let node = self.served.borrow().get(&context).cloned();
        if let Some(node) = node {
            node.cancel(reason, Urgency::InOrder);
        }
    }

    /// Nobody waits for what is still served.
    pub(crate) fn caller_is_gone(&self) {
        let served: Vec<_> = self.served.borrow().values().cloned().collect();
        for node in served {
            let reason = CancelReason::new(CancelOrigin::Dropped)
                .with_message(format!("actor `{}` is gone", self.peer.id().name()));
            node.cancel(reason, Urgency::InOrder);
        }
    }

    fn share(&self) -> Shared {
        Shared {
            actor: Rc::clone(&self.actor),
            peer: Rc::clone(&self.peer),
            served: Rc::clone(&self.served),
        }
    }
}

fn unreadable(entry: &TaskEntry, error: CodecError) -> Error {
    let (kind, path) = (entry.kind(), entry.path());
    Error::wrap(ErrorKind::Broken, error)
        .context(format!("cannot read the arguments of {kind} `{path}`"))
}

/// Cancels `node` when the time of the caller is up.
async fn time_up<T>(node: &Node, limit: Duration) -> T {
    rt::sleep(limit).await;
    let reason = CancelReason::new(CancelOrigin::Deadline(limit));
    node.cancel(
        reason.with_message("the time of the caller is up"),
        Urgency::InOrder,
    );
    pending().await
}

/// A panic, or the reason of a cancellation, is a failure as any other.
fn flat<T>(outcome: Result<Result<T, TaskFailure>>) -> Result<T, TaskFailure> {
    outcome.unwrap_or_else(|error| Err(error.into()))
}

/// What the end of a call needs of its server.
struct Shared {
    actor: Rc<Actor>,
    peer: Rc<Peer>,
    served: Rc<RefCell<HashMap<ContextId, Rc<Node>>>>,
}

impl Shared {
    fn failure(&self, context: ContextId, failure: TaskFailure) -> Option<Encoded> {
        let TaskFailure { error, payload } = failure;
        let packed = RemoteError::pack(&error, &self.actor.id).with_payload(payload);
        let codec = self.peer.link().codec();
        let encode = |error: &RemoteError| Encoded::new(codec, Kind::Error, context, error);
        // An error that cannot travel as it is travels as its text.
        let plain = || RemoteError::pack(&Error::other(error.to_string()), &self.actor.id);
        let frame = encode(&packed).or_else(|_| encode(&plain())).ok()?;
        // What the function has sent before it failed comes before the failure. Who has
        // cancelled it wants no more of that.
        Some(match error.is_cancelled() {
            true => frame,
            false => frame.in_turn(),
        })
    }

    fn answer(&self, context: ContextId, outcome: Result<Encoded, TaskFailure>) {
        let frame = outcome.or_else(|failure| self.failure(context, failure).ok_or(()));
        let Ok(frame) = frame else { return };
        if let Err(error) = self.peer.send(frame) {
            // What the link does not take, being too long, is told in few words. A caller
            // that is gone needs no answer.
            let _gone = self
                .failure(context, error.into())
                .map(|frame| self.peer.send(frame));
        }
    }
}

/// A call that is being served. Dropped before its end, which only happens when the whole
/// runtime goes, it is forgotten.
struct Answering {
    server: Shared,
    context: ContextId,
}

impl Answering {
    fn end(self, outcome: Result<Encoded, TaskFailure>) {
        // What is left of its stream ends before the context does.
        self.server.peer.dialog_ended(self.context);
        self.server.answer(self.context, outcome);
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.server.served.borrow_mut().remove(&self.context);
        self.server.peer.dialog_ended(self.context);
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("peer", self.peer.id())
            .field("served", &self.served.borrow().len())
            .finish_non_exhaustive()
    }
}
