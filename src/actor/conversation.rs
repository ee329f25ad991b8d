//! The loop over what comes in on one link: each frame to whom it is for.

use std::rc::Rc;

use futures_lite::future::yield_now;

use super::{Server, logging};
use crate::discovery;
use crate::error::{CancelOrigin, CancelReason, Error, ErrorKind, RemoteError};
use crate::id::{ContextId, Side};
use crate::link::{Incoming, LinkError};
use crate::portal::Peer;
use crate::wire::{Encoded, Frame, Kind};

/// After how many receptions the others of this thread have a turn: a peer that never stops
/// sending shall not hold them up.
const TURNS: u32 = 32;

/// What came in that is for the owner of the link.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Heard {
    /// The other side asks the whole actor to end.
    Cancel(CancelReason),
    /// It has seen our request to end.
    CancelAck,
    /// It does not end when it is asked to, and this is why.
    Refused(Box<RemoteError>),
    /// It ends on its own account, and this is why.
    Goodbye(CancelReason),
}

/// One link as its two halves are used: answers to our calls go to who waits for them,
/// calls from there are served.
pub(crate) struct Conversation {
    peer: Rc<Peer>,
    incoming: Incoming,
    server: Server,
}

impl Conversation {
    pub(crate) fn new(peer: Rc<Peer>, incoming: Incoming, server: Server) -> Self {
        Self {
            peer,
            incoming,
            server,
        }
    }

    /// Runs until the link ends, and cancels what it still serves then. An error says that
    /// it did not end between two frames, or that the other side broke the protocol.
    ///
    /// # Cancel safety
    ///
    /// Safe at any point: what was read and not yet dealt with is dealt with next time.
    pub(crate) async fn run(&mut self, mut tell: impl FnMut(Heard)) -> Result<(), Error> {
        let mut turns = 0_u32;
        let ended = loop {
            turns = turns.wrapping_add(1);
            if turns.is_multiple_of(TURNS) {
                yield_now().await;
            }
            let Some(frame) = self.incoming.next().await else {
                break Ok(());
            };
            if let Err(error) = self.hear_all(frame, &mut tell) {
                break Err(error);
            }
        };
        self.server.caller_is_gone();
        ended
    }

    /// Deals with a frame and with those that came in with it; what is sent meanwhile
    /// leaves in one piece.
    fn hear_all(
        &mut self,
        first: Result<Frame, LinkError>,
        tell: &mut impl FnMut(Heard),
    ) -> Result<(), Error> {
        let _cork = self.peer.link().cork();
        self.server.begin_turn();
        let mut next = Some(first);
        while let Some(frame) = next {
            self.hear(frame.map_err(broken)?, tell)?;
            next = self.incoming.try_next();
        }
        Ok(())
    }

    fn hear(&self, frame: Frame, tell: &mut impl FnMut(Heard)) -> Result<(), Error> {
        match frame.kind {
            Kind::Start => self.server.start(&frame).map_err(violation),
            Kind::Started | Kind::Data | Kind::Raw | Kind::Credit | Kind::EndOfStream => {
                self.peer.hear(frame).map_err(violation)
            }
            Kind::Error if frame.context == ContextId::LINK => {
                tell(Heard::Refused(self.refusal(&frame)?));
                Ok(())
            }
            Kind::Result | Kind::Error => self.peer.ended(frame).map_err(violation),
            Kind::Cancel if frame.context == ContextId::LINK => self.hear_to_end(&frame, tell),
            Kind::Cancel => {
                self.server.cancel(frame.context, self.reason(&frame));
                Ok(())
            }
            Kind::CancelAck => {
                tell(Heard::CancelAck);
                Ok(())
            }
            Kind::Goodbye => {
                tell(Heard::Goodbye(self.reason(&frame)));
                Ok(())
            }
            Kind::Ping => {
                // Nobody there means that the link ends, which is seen at the next read.
                if let Ok(pong) = Encoded::raw(Kind::Pong, frame.context, frame.body) {
                    let _gone = self.peer.send(pong);
                }
                Ok(())
            }
            Kind::Pong => Ok(()),
            Kind::Log => self.hear_log(&frame).map_err(violation),
            Kind::Find | Kind::Found | Kind::Introduce => {
                discovery::hear(&self.peer, &frame).map_err(violation)
            }
            _ => Err(violation("a frame that has no place here")),
        }
    }

    /// The other side asks the whole actor to end.
    fn hear_to_end(&self, frame: &Frame, tell: &mut impl FnMut(Heard)) -> Result<(), Error> {
        match self.server.obeys_peer().map_err(violation)? {
            true => {
                tell(Heard::Cancel(self.reason(frame)));
                let _gone = self
                    .peer
                    .send(Encoded::empty(Kind::CancelAck, frame.context));
            }
            false => self.server.refuse_to_end(),
        }
        Ok(())
    }

    fn refusal(&self, frame: &Frame) -> Result<Box<RemoteError>, Error> {
        let refusal = frame.decode(self.peer.link().codec()).map(Box::new);
        refusal.map_err(|_| violation("a refusal that cannot be read"))
    }

    /// A record of an actor below, which is on its way up.
    fn hear_log(&self, frame: &Frame) -> Result<(), &'static str> {
        if self.peer.side() != Side::Starter {
            return Err("a log record from above");
        }
        let record = frame.decode(self.peer.link().codec());
        logging::pass_on(record.map_err(|_| "a log record that cannot be read")?);
        Ok(())
    }

    /// Who asked, and why: the other side, unless it passes on whom it was asked by.
    fn reason(&self, frame: &Frame) -> CancelReason {
        let reason = frame.decode::<CancelReason>(self.peer.link().codec());
        match reason {
            Ok(reason) => match reason.origin() {
                CancelOrigin::Actor(_) | CancelOrigin::Signal(_) => reason,
                _ => by(&self.peer).with_message(reason.to_string()),
            },
            Err(_) => by(&self.peer),
        }
    }
}

fn by(peer: &Peer) -> CancelReason {
    CancelReason::new(CancelOrigin::Actor(peer.id().clone()))
}

fn broken(error: LinkError) -> Error {
    Error::wrap(ErrorKind::Broken, error)
}

fn violation(what: &'static str) -> Error {
    Error::new(
        ErrorKind::Broken,
        format!("the peer broke the protocol: {what}"),
    )
}
