//! The handle of a link.

use std::os::fd::OwnedFd;
use std::rc::Rc;

use crate::id::ContextId;
use crate::wire::{Agreed, Codec, Encoded};

use super::LinkError;
use super::shared::Shared;

/// One connection to a peer. Clones are the same link; the last one that is dropped
/// closes it, and what was sent before is still written by the link's writer.
#[derive(Clone)]
pub(crate) struct Link(Rc<CloseOnDrop>);

struct CloseOnDrop(Rc<Shared>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Link {
    pub(super) fn new(shared: Rc<Shared>) -> Self {
        Self(Rc::new(CloseOnDrop(shared)))
    }

    pub(super) fn shared(&self) -> &Rc<Shared> {
        &self.0.0
    }

    /// Sends a message; never waits. Control leaves before data, and the contexts that
    /// have data take turns; a long message leaves in several frames. How much may wait
    /// is for the caller to bound, by the credit of its streams.
    ///
    /// # Errors
    ///
    /// [`LinkError::TooLong`] if the peer does not take so much at once; any other means
    /// that the link is over, and why.
    pub(crate) fn send(&self, message: Encoded) -> Result<(), LinkError> {
        self.shared().send(message)
    }

    /// Sends a message with a file descriptor, which is the peer's then. Where none can go
    /// the message goes alone, and the peer sees in its flags that none came.
    ///
    /// # Errors
    ///
    /// That the link is over, and why.
    pub(crate) fn send_with(&self, message: Encoded, descriptor: OwnedFd) -> Result<(), LinkError> {
        self.shared().send_with(message, descriptor)
    }

    /// The descriptor that came with the message that was received last, once. There is none
    /// if none was announced, or if this process could not take it.
    pub(crate) fn take_descriptor(&self) -> Option<OwnedFd> {
        self.shared().take_descriptor()
    }

    /// Whether descriptors can go over it.
    pub(crate) fn passes_descriptors(&self) -> bool {
        self.shared().transport.passes_descriptors()
    }

    /// The codec of the bodies: CBOR until both ends have said hello.
    pub(crate) fn codec(&self) -> Codec {
        self.shared().codec()
    }

    /// What both ends have agreed upon, once they have.
    pub(crate) fn agreed(&self) -> Option<Agreed> {
        self.shared().agreed()
    }

    /// Goes by what both ends have agreed upon from now on.
    pub(crate) fn set_agreed(&self, agreed: Agreed) {
        self.shared().set_agreed(agreed);
    }

    /// How many bytes wait to be written.
    pub(crate) fn pending_bytes(&self) -> usize {
        self.shared().pending_bytes()
    }

    /// How many bytes of data of `context` wait to be written.
    pub(crate) fn waiting_of(&self, context: ContextId) -> usize {
        self.shared().waiting_of(context)
    }

    /// Waits until at most so many bytes of data of `context` wait to be written, or the link
    /// is over. Dropping the future forgets the wait.
    pub(crate) async fn room(&self, context: ContextId, most: usize) {
        self.shared().wait_room(context, most).await;
    }

    /// Whether it is at work right now, further down the stack, so that nothing can be sent.
    pub(crate) fn is_busy(&self) -> bool {
        self.shared().is_busy()
    }

    /// Writes at once what the peer has room for, and does not wait for the writer's turn.
    pub(crate) fn flush(&self) {
        self.shared().flush();
    }

    /// The same, if so much has gathered that it is time to: for whoever sends much and does
    /// not pause.
    pub(crate) fn flush_gathered(&self) {
        self.shared().flush_gathered();
    }

    /// Closes the link: no more is sent, what waits is written, then the peer reads an
    /// end. What the peer still sends is read on.
    pub(crate) fn close(&self) {
        self.shared().close();
    }

    /// Ends the link now: what waits is not written, and nothing more is read.
    pub(crate) fn abort(&self) {
        self.shared().abort();
    }

    /// Whether nothing can be sent any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.shared().end().is_some()
    }

    /// Waits until the link is over, and says why. Dropping the future forgets the wait.
    pub(crate) async fn closed(&self) -> LinkError {
        self.shared().wait_end().await
    }

    /// Holds back what is sent until the last cork is dropped, and then writes it at once.
    /// For whoever handles many frames in a row, whose answers so leave together.
    pub(crate) fn cork(&self) -> Cork {
        self.shared().cork();
        Cork(Rc::clone(self.shared()))
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link")
            .field("pending_bytes", &self.pending_bytes())
            .field("end", &self.shared().end())
            .finish()
    }
}

/// Nothing is written while one of these lives; see [`Link::cork`].
#[must_use = "dropping it takes the cork out"]
pub(crate) struct Cork(Rc<Shared>);

impl Drop for Cork {
    fn drop(&mut self) {
        self.0.uncork();
    }
}
