//! What the parts of one link share: what waits, and how it stands.

use std::cell::{Cell, RefCell};
use std::io::{self, IoSlice};
use std::os::fd::OwnedFd;
use std::task::{Context, Poll, Waker};

use event_listener::Event;

use crate::id::ContextId;
use crate::rt::Latch;
use crate::wire::{Agreed, Codec, Encoded, Limits, fragments};

use super::LinkError;
use super::outbox::Outbox;
use super::transport::{Arrived, Transport};

/// How many bytes of answers may wait for a peer that asks and does not read.
const MAX_ANSWERS: usize = 1024 * 1024;

/// So much may gather before it is written, if the sender never pauses.
const GATHERED: usize = 64 * 1024;

/// What the handles, the reader and the writer of one link share.
pub(super) struct Shared {
    pub(super) transport: Box<dyn Transport>,
    outbox: RefCell<Outbox>,
    limits: Limits,
    agreed: Cell<Option<Agreed>>,
    /// No task has been asked to write since the last time all had been written, and then
    /// there was one message, so a frame may leave at once and not wait for others.
    is_quiet: Cell<bool>,
    /// How many messages were sent since nothing waited.
    sent: Cell<u32>,
    /// When so much waits it is time to write, though nobody has paused.
    flush_at: Cell<usize>,
    /// The last time several gathered, so the next ones probably will.
    gathers: Cell<bool>,
    corks: Cell<usize>,
    is_closing: Cell<bool>,
    is_aborted: Cell<bool>,
    end: RefCell<Option<LinkError>>,
    ended: Latch,
    /// Something has been written.
    drained: Event,
    writer: RefCell<Option<Waker>>,
    reader: RefCell<Option<Waker>>,
    /// What came with the frame that was read last, if it had announced any.
    descriptor: RefCell<Option<OwnedFd>>,
}

impl Shared {
    pub(super) fn new(transport: Box<dyn Transport>, limits: Limits) -> Self {
        Self {
            transport,
            outbox: RefCell::default(),
            limits,
            agreed: Cell::new(None),
            is_quiet: Cell::new(true),
            sent: Cell::new(0),
            flush_at: Cell::new(GATHERED),
            gathers: Cell::new(false),
            corks: Cell::new(0),
            is_closing: Cell::new(false),
            is_aborted: Cell::new(false),
            end: RefCell::new(None),
            ended: Latch::new(),
            drained: Event::new(),
            writer: RefCell::new(None),
            reader: RefCell::new(None),
            descriptor: RefCell::new(None),
        }
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn codec(&self) -> Codec {
        self.agreed.get().map_or(Codec::Cbor, |agreed| agreed.codec)
    }

    pub(super) fn agreed(&self) -> Option<Agreed> {
        self.agreed.get()
    }

    pub(super) fn set_agreed(&self, agreed: Agreed) {
        self.agreed.set(Some(agreed));
    }

    pub(super) fn pending_bytes(&self) -> usize {
        self.outbox.borrow().length()
    }

    pub(super) fn waiting_of(&self, context: ContextId) -> usize {
        self.outbox.borrow().waiting_of(context)
    }

    pub(super) async fn wait_room(&self, context: ContextId, most: usize) {
        // One thread only: nothing is written between the look and the listening.
        while self.over().is_none() && self.waiting_of(context) > most {
            self.drained.listen().await;
        }
    }

    /// Whether what waits is being written, further down the stack.
    pub(super) fn is_busy(&self) -> bool {
        self.outbox.try_borrow_mut().is_err()
    }

    /// Why nothing can be sent any more, if so.
    pub(super) fn end(&self) -> Option<LinkError> {
        if let Some(end) = &*self.end.borrow() {
            return Some(end.clone());
        }
        self.is_closing.get().then_some(LinkError::Closed)
    }

    /// Why the link is over, if it is: it is not yet while it only waits to be written out.
    pub(super) fn over(&self) -> Option<LinkError> {
        self.end.borrow().clone()
    }

    pub(super) async fn wait_end(&self) -> LinkError {
        self.ended.wait().await;
        self.over().unwrap_or(LinkError::Closed)
    }

    /// Sends a message: at once if nothing is under way, or else in its turn.
    pub(super) fn send(&self, message: Encoded) -> Result<(), LinkError> {
        if let Some(end) = self.end() {
            return Err(end);
        }
        let length = message.body_length();
        let limit = self
            .agreed
            .get()
            .map_or(self.limits.max_message, |agreed| agreed.max_message);
        if length > limit {
            return Err(LinkError::TooLong { length, limit });
        }
        self.sent.set(self.sent.get().saturating_add(1));
        let longest = self.longest_frame();
        if length > longest {
            for frame in fragments(message, longest) {
                self.queue(frame)?;
            }
            return Ok(());
        }
        if self.is_quiet.get() && self.corks.get() == 0 && self.outbox.borrow().is_empty() {
            return self.write_at_once(message);
        }
        self.queue(message)
    }

    /// Sends a message with a descriptor, which goes with its first byte. Where it cannot,
    /// the message goes without it and does not announce it.
    pub(super) fn send_with(&self, message: Encoded, descriptor: OwnedFd) -> Result<(), LinkError> {
        if let Some(end) = self.end() {
            return Err(end);
        }
        if message.body_length() > self.longest_frame() {
            // Nothing with a descriptor is ever so long but by a name that is absurd.
            return self.send(message);
        }
        self.sent.set(self.sent.get().saturating_add(1));
        self.outbox.borrow_mut().push_with(message, descriptor);
        self.wake_writer();
        Ok(())
    }

    /// Takes in what a frame has announced that was just read.
    pub(super) fn receive_descriptor(&self) -> Result<(), LinkError> {
        let arrived = self.transport.take_descriptor();
        let descriptor = match arrived.ok_or(LinkError::NoDescriptor)? {
            Arrived::Open(descriptor) => Some(descriptor),
            Arrived::Lost => None,
        };
        // One that nobody has asked for is closed by that.
        *self.descriptor.borrow_mut() = descriptor;
        Ok(())
    }

    pub(super) fn take_descriptor(&self) -> Option<OwnedFd> {
        self.descriptor.take()
    }

    fn longest_frame(&self) -> usize {
        let agreed = self
            .agreed
            .get()
            .map_or(Limits::MAX_FRAME_BEFORE_HELLO, |agreed| agreed.max_frame);
        self.limits.fragment.min(agreed as usize)
    }

    /// Writes `frame` from the sender's own poll: a message and its answer then cost no
    /// task switch. What follows it gathers until the writer runs.
    fn write_at_once(&self, frame: Encoded) -> Result<(), LinkError> {
        self.is_quiet.set(false);
        let [head, tail] = frame.slices();
        let slices = [IoSlice::new(head), IoSlice::new(tail)];
        let count = if tail.is_empty() { 1 } else { 2 };
        match self.transport.try_write(&slices[..count]) {
            Ok(written) if written == frame.length() => Ok(()),
            Ok(written) => {
                self.outbox.borrow_mut().push_begun(frame, written);
                self.wake_writer();
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.queue(frame),
            Err(error) => Err(self.finish(LinkError::io("write to", error))),
        }
    }

    fn queue(&self, frame: Encoded) -> Result<(), LinkError> {
        let mut outbox = self.outbox.borrow_mut();
        let was_empty = outbox.is_empty();
        outbox.push(frame);
        if outbox.answers() > MAX_ANSWERS {
            let answers = outbox.answers();
            drop(outbox);
            // It would never come to the end of its asking.
            self.is_aborted.set(true);
            return Err(self.finish(LinkError::Flooded(answers)));
        }
        drop(outbox);
        // If it was not empty the writer has been woken, or waits for room.
        if was_empty && self.corks.get() == 0 {
            self.wake_writer();
        }
        Ok(())
    }

    pub(super) fn cork(&self) {
        self.corks.set(self.corks.get() + 1);
    }

    /// Takes a cork out; what has gathered under the last one leaves in one write.
    pub(super) fn uncork(&self) {
        self.corks.set(self.corks.get() - 1);
        if self.corks.get() == 0 {
            self.flush();
        }
    }

    /// Writes at once what the peer has room for; the writer sees to the rest.
    pub(super) fn flush(&self) {
        if self.outbox.borrow().is_empty() || self.over().is_some() {
            return;
        }
        self.is_quiet.set(false);
        match self.try_write() {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => drop(self.finish(LinkError::io("write to", error))),
        }
        if !self.outbox.borrow().is_empty() {
            self.wake_writer();
        }
    }

    /// Writes at once if much has gathered. Where the peer had no room, only when as much
    /// more has.
    pub(super) fn flush_gathered(&self) {
        if self.pending_bytes() >= self.flush_at.get() {
            self.flush();
            self.flush_at.set(self.pending_bytes() + GATHERED);
        }
    }

    fn try_write(&self) -> io::Result<()> {
        let mut outbox = self.outbox.borrow_mut();
        if outbox.descriptor().is_some() {
            // For the writer, which may wait.
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let mut slices = Vec::new();
        outbox.slices(&mut slices);
        let written = self.transport.try_write(&slices)?;
        drop(slices);
        outbox.advance(written);
        self.drained.notify(usize::MAX);
        Ok(())
    }

    /// The reader is about to wait: whatever it caused has been sent, so the next frame
    /// may leave at once again.
    pub(super) fn rest(&self) {
        if self.outbox.borrow().is_empty() {
            self.be_quiet();
        }
    }

    /// Nothing waits. Whoever sends one message at a time has each leave at once; where
    /// many send, the first would only make the peer answer it alone.
    fn be_quiet(&self) {
        self.flush_at.set(GATHERED);
        let sent = self.sent.replace(0);
        if sent > 0 {
            self.gathers.set(sent > 1);
        }
        self.is_quiet.set(!self.gathers.get());
    }

    /// Writes what waits, until nothing is left and the link is closed, or it is over.
    pub(super) fn poll_writer(&self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if self.over().is_some() {
                return Poll::Ready(());
            }
            if self.outbox.borrow().is_empty() {
                if self.is_closing.get() {
                    self.finish(LinkError::Closed);
                    return Poll::Ready(());
                }
                self.be_quiet();
                remember(&self.writer, cx);
                return Poll::Pending;
            }
            // A close, an end or the last cork wakes it, and the transport does.
            remember(&self.writer, cx);
            if self.corks.get() > 0 {
                return Poll::Pending;
            }
            let mut outbox = self.outbox.borrow_mut();
            let mut slices = Vec::new();
            outbox.slices(&mut slices);
            let written = match outbox.descriptor() {
                None => self.transport.poll_write(cx, &slices),
                Some(descriptor) => self.transport.poll_write_with(cx, &slices, descriptor),
            };
            drop(slices);
            match written {
                Poll::Ready(Err(error))
                    if error.kind() == io::ErrorKind::Unsupported
                        && outbox.descriptor().is_some() =>
                {
                    outbox.give_up_descriptor();
                }
                Poll::Ready(Ok(written)) => {
                    outbox.advance(written);
                    self.drained.notify(usize::MAX);
                }
                Poll::Ready(Err(error)) => {
                    drop(outbox);
                    self.finish(LinkError::io("write to", error));
                    return Poll::Ready(());
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// No more is sent; what waits is still written.
    pub(super) fn close(&self) {
        self.is_closing.set(true);
        self.wake_writer();
    }

    /// The link is over, unless it was before; says why it is.
    pub(super) fn finish(&self, why: LinkError) -> LinkError {
        if let Some(end) = self.over() {
            return end;
        }
        *self.end.borrow_mut() = Some(why.clone());
        *self.outbox.borrow_mut() = Outbox::default();
        self.transport.shutdown();
        self.ended.set();
        self.drained.notify(usize::MAX);
        self.wake_writer();
        why
    }

    /// The link is over, and the reader is not to wait for the peer's end.
    pub(super) fn abort(&self) {
        self.is_aborted.set(true);
        self.finish(LinkError::Closed);
        wake(&self.reader);
    }

    /// Whether the reader is not to wait for the peer's end.
    pub(super) fn is_aborted(&self) -> bool {
        self.is_aborted.get()
    }

    fn wake_writer(&self) {
        wake(&self.writer);
    }

    pub(super) fn remember_reader(&self, cx: &Context<'_>) {
        remember(&self.reader, cx);
    }
}

fn remember(slot: &RefCell<Option<Waker>>, cx: &Context<'_>) {
    let is_known = slot
        .borrow()
        .as_ref()
        .is_some_and(|waker| waker.will_wake(cx.waker()));
    if !is_known {
        // Dropping a waker may run anything, so the slot is free again by then.
        drop(slot.replace(Some(cx.waker().clone())));
    }
}

fn wake(slot: &RefCell<Option<Waker>>) {
    if let Some(waker) = slot.take() {
        waker.wake();
    }
}
