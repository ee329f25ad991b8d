//! The frames that come over a link.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use crate::wire::{Agreed, Assembler, Decoder, Frame};

use super::LinkError;
use super::shared::Shared;

/// The messages that come over a link, each one whole.
pub(crate) struct Incoming {
    shared: Rc<Shared>,
    decoder: Decoder,
    assembler: Assembler,
    agreed: Option<Agreed>,
    is_over: bool,
}

impl Incoming {
    pub(super) fn new(shared: Rc<Shared>, decoder: Decoder) -> Self {
        let assembler = Assembler::new(shared.limits());
        Self {
            shared,
            decoder,
            assembler,
            agreed: None,
            is_over: false,
        }
    }

    /// Waits for the next message. `None` is a clean end: the peer closed the link between
    /// two messages. After an end or an error there is nothing more.
    ///
    /// A link that cannot be written to any more is still read to its end, for the last
    /// words of a peer that is gone.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Option<Result<Frame, LinkError>> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// The next message, if all of it has been received already. Never waits, and never
    /// looks whether more has come.
    pub(crate) fn try_next(&mut self) -> Option<Result<Frame, LinkError>> {
        if self.is_over {
            return None;
        }
        let next = self.take().transpose()?;
        Some(next.map_err(|error| self.fail(error)))
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, LinkError>>> {
        loop {
            if self.is_over {
                return Poll::Ready(None);
            }
            if let Some(next) = self.try_next() {
                return Poll::Ready(Some(next));
            }
            if self.shared.is_aborted() {
                let why = self.shared.over().unwrap_or(LinkError::Closed);
                return Poll::Ready(Some(Err(self.fail(why))));
            }
            match ready!(self.poll_read(cx)) {
                Ok(0) => return Poll::Ready(self.end()),
                Ok(length) => self.decoder.advance(length),
                Err(error) => {
                    let error = LinkError::io("read from", error);
                    return Poll::Ready(Some(Err(self.fail(error))));
                }
            }
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<usize>> {
        let read = self.shared.transport.poll_read(cx, self.decoder.room());
        if read.is_pending() {
            self.decoder.rest();
            self.shared.rest();
            self.shared.remember_reader(cx);
        }
        read
    }

    /// The next message of what has been received.
    fn take(&mut self) -> Result<Option<Frame>, LinkError> {
        self.adopt_agreement();
        while let Some(frame) = self.decoder.next()? {
            if frame.flags.has_descriptor() {
                self.shared.receive_descriptor()?;
            }
            if let Some(message) = self.assembler.take(frame)? {
                return Ok(Some(message));
            }
        }
        Ok(None)
    }

    fn adopt_agreement(&mut self) {
        if self.agreed.is_none()
            && let Some(agreed) = self.shared.agreed()
        {
            self.agreed = Some(agreed);
            self.decoder.set_max_frame(agreed.max_frame);
            self.assembler.set_max_message(agreed.max_message);
        }
    }

    fn end(&mut self) -> Option<Result<Frame, LinkError>> {
        if self.decoder.is_mid_frame() || self.assembler.is_mid_message() {
            return Some(Err(self.fail(LinkError::EndedMidMessage)));
        }
        self.fail(LinkError::Ended);
        None
    }

    /// The link is over. What is told is why reading ended, even if writing had before.
    fn fail(&mut self, error: LinkError) -> LinkError {
        self.is_over = true;
        self.shared.finish(error.clone());
        error
    }
}
