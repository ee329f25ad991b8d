//! One link as both sides see it: who is at the other end, and the calls made over it.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use super::reply::{Reply, ReplySlot};
use crate::error::{
    CancelOrigin, CancelReason, Error, ErrorContext, ErrorKind, RemoteError, Result,
};
use crate::id::{ActorId, ContextId, Side};
use crate::link::{Link, LinkError};
use crate::tasks::{Call, Task};
use crate::wire::{self, Encoded, Frame, Kind, StartHead};

/// The actor at the other end of a link, and the calls made to it.
#[derive(Debug)]
pub(crate) struct Peer {
    id: ActorId,
    link: Link,
    /// Which side of the link we are.
    side: Side,
    opened: Cell<u64>,
    calls: RefCell<HashMap<ContextId, Rc<ReplySlot>>>,
    /// Why nobody is there any more.
    lost: OnceCell<Error>,
}

impl Peer {
    /// The actor `id` behind `link`, of which we are `side`.
    pub(crate) fn new(id: ActorId, link: Link, side: Side) -> Rc<Self> {
        Rc::new(Self {
            id,
            link,
            side,
            opened: Cell::new(0),
            calls: RefCell::default(),
            lost: OnceCell::new(),
        })
    }

    /// Who it is.
    pub(crate) fn id(&self) -> &ActorId {
        &self.id
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

    /// Sends what begins a call.
    fn start<T: Task>(self: &Rc<Self>, call: &Call<T>) -> Result<OpenCall> {
        if let Some(error) = self.lost.get() {
            return Err(error.clone());
        }
        self.opened.set(self.opened.get() + 1);
        let context = ContextId::of(self.side, self.opened.get());
        let codec = self.link.codec();
        let head = StartHead {
            task: T::PATH,
            signature: T::SIGNATURE,
        };
        let frame = wire::start(codec, context, &head, call.args())
            .with_context(|| format!("cannot send the arguments of task `{}`", T::PATH))?;
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

    /// Sends a frame; an error says why nobody is there to read it.
    pub(crate) fn send(&self, frame: Encoded) -> Result<()> {
        self.link
            .send(frame)
            .map_err(|error| match (self.lost.get(), &error) {
                (Some(lost), _) => lost.clone(),
                (None, LinkError::TooLong { .. }) => Error::wrap(ErrorKind::Other, error).context(
                    format!("cannot send a message to actor `{}`", self.id.name()),
                ),
                (None, _) => Error::wrap(ErrorKind::Broken, error)
                    .context(format!("cannot reach actor `{}`", self.id.name())),
            })
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

    /// Takes in the end of a call. It is an error of the protocol if no such call was made;
    /// one that nobody waits for any more is dropped.
    pub(crate) fn ended(&self, frame: &Frame) -> Result<(), &'static str> {
        let context = frame.context;
        if context.side() != self.side || !(1..=self.opened.get()).contains(&context.count()) {
            return Err("an end of a context that was not opened");
        }
        let Some(slot) = self.calls.borrow_mut().remove(&context) else {
            return Ok(());
        };
        let reply: Reply = match frame.kind {
            Kind::Error => Err(self.unpack(frame)),
            _ => Ok(frame.body.clone()),
        };
        slot.end(reply);
        Ok(())
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

    /// Nobody is there any more: every call ends with `error`, and so does each later one.
    pub(crate) fn lose(&self, error: &Error) {
        let _first_stays = self.lost.set(error.clone());
        let calls = std::mem::take(&mut *self.calls.borrow_mut());
        for slot in calls.into_values() {
            slot.end(Err(error.clone()));
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
        let is_open = self.peer.calls.borrow_mut().remove(&self.context).is_some();
        if is_open {
            let reason = CancelReason::new(CancelOrigin::Dropped);
            self.peer.send_cancel(self.context, &reason);
        }
    }
}
