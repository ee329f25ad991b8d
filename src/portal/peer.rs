//! One link as both sides see it: who is at the other end, and the calls made over it.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use event_listener::{Event, EventListener};

use super::reply::{Reply, ReplySlot};
use crate::dialog::{Dialog, Growth, Role};
use crate::error::{
    CancelOrigin, CancelReason, Error, ErrorContext, ErrorKind, RemoteError, Result,
};
use crate::id::{ActorId, ContextId, CountHashing, Side};
use crate::link::{Link, LinkError};
use crate::scope::time_left;
use crate::tasks::{Call, Function, Task, arguments_as_text};
use crate::wire::{self, Encoded, Frame, Kind, StartHead};

/// The actor at the other end of a link, the calls made to it, and the contexts of both
/// sides.
#[derive(Debug)]
pub(crate) struct Peer {
    id: ActorId,
    /// Who we are.
    here: ActorId,
    link: Link,
    /// Which side of the link we are.
    side: Side,
    opened: Cell<u64>,
    /// Calls of ours, so that nobody else chooses the keys.
    calls: RefCell<HashMap<ContextId, Rc<ReplySlot>, CountHashing>>,
    /// How many contexts the other side has opened.
    seen: Cell<u64>,
    dialogs: RefCell<HashMap<ContextId, Rc<Dialog>>>,
    /// The dialog that was heard of last: who hears much hears it in a row.
    recent: RefCell<Option<Rc<Dialog>>>,
    growth: Growth,
    /// Somebody wants to know when a call or a context of ours has ended.
    is_watched: Cell<bool>,
    freed: Event,
    /// Why nobody is there any more.
    lost: OnceCell<Error>,
}

impl Peer {
    /// The actor `id` behind `link`, of which the actor `here` is `side`.
    pub(crate) fn new(id: ActorId, here: ActorId, link: Link, side: Side) -> Rc<Self> {
        Rc::new(Self {
            id,
            here,
            link,
            side,
            opened: Cell::new(0),
            calls: RefCell::default(),
            seen: Cell::new(0),
            dialogs: RefCell::default(),
            recent: RefCell::default(),
            growth: Growth::default(),
            is_watched: Cell::new(false),
            freed: Event::new(),
            lost: OnceCell::new(),
        })
    }

    /// Who it is.
    pub(crate) fn id(&self) -> &ActorId {
        &self.id
    }

    /// Who we are.
    pub(crate) fn here(&self) -> &ActorId {
        &self.here
    }

    /// The link to it.
    pub(crate) fn link(&self) -> &Link {
        &self.link
    }

    /// Which side of the link we are.
    pub(crate) fn side(&self) -> Side {
        self.side
    }

    /// Runs a function there and gives its value. Dropping the future cancels the function.
    pub(crate) async fn call<T: Task>(self: &Rc<Self>, call: Call<T>) -> Result<T::Value> {
        let open = self.start::<T>(&call)?;
        let body = open.slot.ended().await?;
        drop(open);
        self.link.codec().decode(&body).with_context(|| {
            format!(
                "cannot read what task `{}` of actor `{}` returned",
                T::PATH,
                self.id.name()
            )
        })
    }

    /// By how much the windows of its streams have grown.
    pub(crate) fn growth(&self) -> &Growth {
        &self.growth
    }

    /// Sends what begins a call.
    fn start<T: Task>(self: &Rc<Self>, call: &Call<T>) -> Result<OpenCall> {
        let (context, frame) = self.start_frame(call)?;
        // The guard is there before what it guards.
        let slot = Rc::new(ReplySlot::default());
        self.calls.borrow_mut().insert(context, Rc::clone(&slot));
        let open = OpenCall {
            peer: Rc::clone(self),
            context,
            slot,
        };
        self.send(frame)?;
        Ok(open)
    }

    /// What begins a call or a context, and its number.
    fn start_frame<T: Function>(&self, call: &Call<T>) -> Result<(ContextId, Encoded)> {
        let context = self.next_context()?;
        let head = StartHead {
            task: T::PATH,
            signature: T::SIGNATURE,
            limit: time_left().map(|left| u64::try_from(left.as_micros()).unwrap_or(u64::MAX)),
            from_file: false,
        };
        let frame = wire::start(self.link.codec(), context, &head, call.args())
            .with_context(|| format!("cannot send the arguments of task `{}`", T::PATH))?;
        Ok((context, frame))
    }

    fn next_context(&self) -> Result<ContextId> {
        if let Some(error) = self.lost.get() {
            return Err(error.clone());
        }
        self.opened.set(self.opened.get() + 1);
        Ok(ContextId::of(self.side, self.opened.get()))
    }

    /// Begins a context with a function there that is known by its path only, with arguments
    /// as a file has them. It starts, too, when the function is a task. Whoever has it sees to
    /// its end.
    pub(crate) fn open_dialog_from_file(
        self: &Rc<Self>,
        task: &str,
        args: Option<&toml::Value>,
    ) -> Result<Rc<Dialog>> {
        let context = self.next_context()?;
        let head = StartHead {
            task,
            signature: 0,
            limit: None,
            from_file: true,
        };
        let text = arguments_as_text(args);
        let frame = text.and_then(|text| {
            wire::start(self.link.codec(), context, &head, &text)
                .map_err(|error| Error::wrap(ErrorKind::Other, error))
        });
        self.send(frame.with_context(|| format!("cannot send the arguments of `{task}`"))?)?;
        Ok(self.add_dialog(context, task.to_owned(), Role::Opener))
    }

    /// Begins a context with a function there. Whoever has it sees to its end.
    pub(crate) fn open_dialog<T: Function>(
        self: &Rc<Self>,
        call: &Call<T>,
        descriptor: Option<OwnedFd>,
    ) -> Result<Rc<Dialog>> {
        let (context, frame) = self.start_frame(call)?;
        match descriptor {
            None => self.send(frame)?,
            Some(descriptor) => self
                .link
                .send_with(frame, descriptor)
                .map_err(|error| self.unsent(error))?,
        }
        Ok(self.add_dialog(context, T::PATH, Role::Opener))
    }

    /// Begins a context with a function here, which the other side has asked for.
    pub(crate) fn serve_dialog(
        self: &Rc<Self>,
        context: ContextId,
        task: &'static str,
    ) -> Rc<Dialog> {
        self.add_dialog(context, task, Role::Callee)
    }

    fn add_dialog(
        self: &Rc<Self>,
        context: ContextId,
        task: impl Into<Cow<'static, str>>,
        role: Role,
    ) -> Rc<Dialog> {
        let dialog = Dialog::new(Rc::clone(self), context, task, role);
        let mut dialogs = self.dialogs.borrow_mut();
        dialogs.insert(context, Rc::clone(&dialog));
        dialog
    }

    /// A function here has ended.
    pub(crate) fn dialog_ended(&self, context: ContextId) {
        let dialog = self.remove_dialog(context);
        if let Some(dialog) = dialog {
            dialog.end();
        }
    }

    fn remove_dialog(&self, context: ContextId) -> Option<Rc<Dialog>> {
        let recent = self.recent.take();
        self.recent
            .replace(recent.filter(|recent| recent.context() != context));
        self.dialogs.borrow_mut().remove(&context)
    }

    /// The other side opens a context. Numbers only grow, so that none is ever taken for an
    /// earlier one.
    pub(crate) fn see(&self, context: ContextId) -> Result<(), &'static str> {
        if context.side() == self.side || context.count() <= self.seen.get() {
            return Err("a context that was opened before");
        }
        self.seen.set(context.count());
        Ok(())
    }

    /// Whether the context was opened at some time, by whichever side.
    fn was_opened(&self, context: ContextId) -> bool {
        let opened = match context.side() == self.side {
            true => &self.opened,
            false => &self.seen,
        };
        (1..=opened.get()).contains(&context.count())
    }

    /// Takes in a frame of the stream of a context. One of a context that has ended is
    /// dropped.
    pub(crate) fn hear(&self, frame: Frame) -> Result<(), &'static str> {
        let recent = self.recent.borrow().clone();
        if let Some(dialog) = recent.filter(|dialog| dialog.context() == frame.context) {
            return dialog.hear(frame);
        }
        let dialog = self.dialogs.borrow().get(&frame.context).cloned();
        match dialog {
            Some(dialog) => {
                self.recent.replace(Some(Rc::clone(&dialog)));
                dialog.hear(frame)
            }
            None if self.was_opened(frame.context) => Ok(()),
            None => Err("a message of a context that was not opened"),
        }
    }

    /// Sends a frame; an error says why nobody is there to read it.
    pub(crate) fn send(&self, frame: Encoded) -> Result<()> {
        self.link.send(frame).map_err(|error| self.unsent(error))
    }

    fn unsent(&self, error: LinkError) -> Error {
        match (self.lost.get(), &error) {
            (Some(lost), _) => lost.clone(),
            (None, LinkError::TooLong { .. }) => Error::wrap(ErrorKind::Other, error).context(
                format!("cannot send a message to actor `{}`", self.id.name()),
            ),
            (None, _) => Error::wrap(ErrorKind::Broken, error)
                .context(format!("cannot reach actor `{}`", self.id.name())),
        }
    }

    /// Asks to end `context`, or with [`ContextId::LINK`] the whole actor. Whoever is not
    /// there any more has ended it.
    pub(crate) fn send_cancel(&self, context: ContextId, reason: &CancelReason) {
        let codec = self.link.codec();
        let encoded = Encoded::new(codec, Kind::Cancel, context, reason);
        if let Ok(frame) = encoded {
            let _ = self.link.send(frame);
        }
    }

    /// Whether a call or a context is open that this side has begun.
    pub(crate) fn is_calling(&self) -> bool {
        let is_ours = |context: &ContextId| context.side() == self.side;
        !self.calls.borrow().is_empty() || self.dialogs.borrow().keys().any(is_ours)
    }

    /// Hears of the next end of a call or a context that this side has begun, if it is set to,
    /// and of each [`free`](Self::free).
    pub(crate) fn freed(&self) -> EventListener {
        self.freed.listen()
    }

    /// Wakes who listens to [`freed`](Self::freed). From now on the ends of calls and contexts do
    /// so, too, or do not.
    pub(crate) fn free(&self, is_watched: bool) {
        self.is_watched.set(is_watched);
        self.freed.notify(usize::MAX);
    }

    /// Takes in the end of a call or of a context. It is an error of the protocol if no such
    /// call was made; one that nobody waits for any more is dropped.
    pub(crate) fn ended(&self, frame: Frame) -> Result<(), &'static str> {
        let context = frame.context;
        if context.side() != self.side || !self.was_opened(context) {
            return Err("an end of a context that was not opened");
        }
        if self.is_watched.get() {
            // Who listens looks when this has been dealt with.
            self.freed.notify(usize::MAX);
        }
        let slot = self.calls.borrow_mut().remove(&context);
        if let Some(slot) = slot {
            slot.end(self.reply(frame));
            return Ok(());
        }
        let dialog = self.remove_dialog(context);
        match dialog {
            Some(dialog) => dialog.peer_ended(self.reply(frame)),
            None => Ok(()),
        }
    }

    fn reply(&self, frame: Frame) -> Reply {
        match frame.kind {
            Kind::Error => Err(self.unpack(&frame)),
            _ => Ok(frame.body),
        }
    }

    fn unpack(&self, frame: &Frame) -> Error {
        match frame.decode::<RemoteError>(self.link.codec()) {
            Ok(remote) => remote.into(),
            Err(error) => Error::wrap(ErrorKind::Broken, error).context(format!(
                "cannot read an error of actor `{}`",
                self.id.name()
            )),
        }
    }

    /// Nobody is there any more: every call and context ends with `error`, and so does each later
    /// one.
    pub(crate) fn lose(&self, error: &Error) {
        let _first_stays = self.lost.set(error.clone());
        let calls = std::mem::take(&mut *self.calls.borrow_mut());
        for slot in calls.into_values() {
            slot.end(Err(error.clone()));
        }
        self.recent.take();
        let dialogs = std::mem::take(&mut *self.dialogs.borrow_mut());
        for dialog in dialogs.into_values() {
            dialog.lose(error);
        }
        // Whoever inherited the other end by a fork does not keep us listening.
        self.link.abort();
    }
}

/// A call that was begun. Dropped before its end, it is cancelled.
struct OpenCall {
    peer: Rc<Peer>,
    context: ContextId,
    slot: Rc<ReplySlot>,
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        if self.slot.has_ended() {
            return;
        }
        let is_open = self.peer.calls.borrow_mut().remove(&self.context).is_some();
        if is_open {
            let reason = CancelReason::new(CancelOrigin::Dropped);
            self.peer.send_cancel(self.context, &reason);
        }
    }
}
