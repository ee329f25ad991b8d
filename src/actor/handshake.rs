//! The first words of a new actor, spoken before it has anything but its link.
//!
//! They are read and written by plain blocking calls: what an async runtime needs (a thread,
//! a queue of the kernel's events, handlers for signals) is made after the parent knows that
//! the actor is up, and so costs its start no time.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, read, writev};
use serde::de::DeserializeOwned;

use super::{Boot, Ready, our_hello};
use crate::error::{Error, ErrorContext, ErrorKind, Result};
use crate::id::ContextId;
use crate::link::{Pipes, Socket, Transport};
use crate::process::HeldSignals;
use crate::wire::{Agreed, Codec, Decoder, Encoded, Hello, Kind, negotiate};

/// How long a new actor waits to be told what it is to be.
const BOOT_TIMEOUT: Duration = Duration::from_secs(10);

/// The way to the parent, as a new actor finds it.
#[derive(Debug)]
pub(crate) enum Way {
    /// A connected socket.
    Socket(OwnedFd),
    /// What comes, and what goes.
    Stdio(OwnedFd, OwnedFd),
}

/// What a new actor knows after the first words.
pub(super) struct Introduced {
    pub(super) boot: Boot,
    pub(super) agreed: Agreed,
    /// With whatever came behind the first words.
    pub(super) decoder: Decoder,
}

impl Introduced {
    /// Waits until the parent says more or is gone, or one of the signals that are `held` is
    /// there. Before that there is nothing to do, and a runtime (a thread, a queue of the
    /// kernel's events, timers) would only take processor time from the actors that start
    /// beside this one, and memory for as long as nobody calls it.
    pub(super) fn wait_for_news(&self, way: &Way, held: &HeldSignals) {
        if self.decoder.is_mid_frame() {
            return;
        }
        let (from, held) = (way.ends().0, held.as_fd());
        let ends = [from, held].map(|end| PollFd::from_borrowed_fd(end, PollFlags::IN));
        // Whatever else ends the wait is seen again by the runtime.
        while poll(&mut ends.clone(), None) == Err(Errno::INTR) {}
    }
}

impl Way {
    /// The same for a link.
    pub(super) fn into_transport(self) -> Result<Box<dyn Transport>> {
        Ok(match self {
            Self::Socket(socket) => Box::new(Socket::new(socket)?),
            Self::Stdio(from, to) => Box::new(Pipes::new(from, to)?),
        })
    }

    fn ends(&self) -> (BorrowedFd<'_>, BorrowedFd<'_>) {
        match self {
            Self::Socket(socket) => (socket.as_fd(), socket.as_fd()),
            Self::Stdio(from, to) => (from.as_fd(), to.as_fd()),
        }
    }

    /// Is told what to be, becomes that by `become_it`, and says that we are up.
    pub(super) fn shake_hands(&self, become_it: impl FnOnce(&Boot)) -> Result<Introduced> {
        let told = self.hear_and_answer(become_it);
        told.context("cannot become an actor")
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "no runtime runs yet, and no clock of one"
    )]
    fn hear_and_answer(&self, become_it: impl FnOnce(&Boot)) -> Result<Introduced> {
        let deadline = Instant::now() + BOOT_TIMEOUT;
        let mut decoder = Decoder::new();
        let theirs: Hello = self.expect(&mut decoder, Kind::Hello, deadline)?;
        let ours = our_hello();
        let agreed = negotiate(&ours, &theirs).context("cannot agree with the parent")?;
        let boot: Boot = self.expect(&mut decoder, Kind::Boot, deadline)?;
        become_it(&boot);
        let ready = Ready {
            process: std::process::id(),
        };
        let hello = Encoded::new(Codec::Cbor, Kind::Hello, ContextId::LINK, &ours);
        let ready = Encoded::new(agreed.codec, Kind::Ready, ContextId::LINK, &ready);
        self.send(
            &[
                hello.context("cannot say hello")?,
                ready.context("cannot say ready")?,
            ],
            deadline,
        )
        .context("cannot reach the parent")?;
        Ok(Introduced {
            boot,
            agreed,
            decoder,
        })
    }

    fn expect<T: DeserializeOwned>(
        &self,
        decoder: &mut Decoder,
        kind: Kind,
        deadline: Instant,
    ) -> Result<T> {
        loop {
            if let Some(frame) = decoder.next().context("the parent sent no frame")? {
                if frame.kind != kind {
                    let message = format!("the parent sent {:?} instead of {kind:?}", frame.kind);
                    return Err(Error::new(ErrorKind::Broken, message));
                }
                let body = frame.decode(Codec::Cbor);
                return body.with_context(|| format!("cannot read the {kind:?} of the parent"));
            }
            let from = self.ends().0;
            wait(from, PollFlags::IN, deadline)?;
            match read(from, decoder.room()) {
                Ok(0) => return Err(Error::new(ErrorKind::Broken, "the parent is gone")),
                Ok(length) => decoder.advance(length),
                Err(Errno::INTR | Errno::WOULDBLOCK) => {}
                Err(errno) => return Err(Error::from(errno).context("cannot hear the parent")),
            }
        }
    }

    fn send(&self, frames: &[Encoded], deadline: Instant) -> Result<()> {
        let to = self.ends().1;
        let bytes: Vec<u8> = frames
            .iter()
            .flat_map(Encoded::slices)
            .flatten()
            .copied()
            .collect();
        let mut left = bytes.as_slice();
        while !left.is_empty() {
            wait(to, PollFlags::OUT, deadline)?;
            match writev(to, &[IoSlice::new(left)]) {
                Ok(length) => left = &left[length..],
                Err(Errno::INTR | Errno::WOULDBLOCK) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }
}

/// Waits until `descriptor` is ready, or for nothing else than the deadline.
#[expect(
    clippy::disallowed_methods,
    reason = "no runtime runs yet, and no clock of one"
)]
fn wait(descriptor: BorrowedFd<'_>, flags: PollFlags, deadline: Instant) -> Result<()> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let left =
            Timespec::try_from(left).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        match poll(
            &mut [PollFd::from_borrowed_fd(descriptor, flags)],
            Some(&left),
        ) {
            Ok(0) => return Err(Error::new(ErrorKind::TimedOut, "the parent says nothing")),
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}
