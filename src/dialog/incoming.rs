//! What comes from the other side of a context: its frames, and its end.

use bytes::Bytes;

use super::handle::{Dialog, wake};
use super::phases::Event;
use super::state::End;
use crate::error::{Error, Result};
use crate::wire::{Frame, Kind};

impl Dialog {
    /// Takes in a frame of this context, and says how it breaks the protocol, if so.
    pub(crate) fn hear(&self, frame: Frame) -> Result<(), &'static str> {
        let mut state = self.state.borrow_mut();
        match frame.kind {
            Kind::Data | Kind::Raw => {
                let back = state.received(frame, self.peer.growth())?;
                let reader = state.reader.take();
                drop(state);
                self.give(back);
                wake(reader);
            }
            Kind::Started => {
                state.started(frame.body)?;
                let waiter = state.first_waker.take();
                drop(state);
                wake(waiter);
            }
            Kind::Credit => {
                let more = frame.decode(self.codec());
                state.may_send_more(more.map_err(|_| "credit that cannot be read")?)?;
                let sender = state.sender.take();
                drop(state);
                wake(sender);
            }
            Kind::EndOfStream => {
                state.stream_ended()?;
                let reader = state.reader.take();
                drop(state);
                wake(reader);
            }
            _ => return Err("a frame that has no place in a context"),
        }
        Ok(())
    }

    /// The function there has ended.
    pub(crate) fn peer_ended(&self, outcome: Result<Bytes>) -> Result<(), &'static str> {
        let end = End {
            outcome,
            is_loss: false,
        };
        self.finish(Event::PeerEnded, end)
    }

    /// Nobody is there any more.
    pub(crate) fn lose(&self, error: &Error) {
        let end = End {
            outcome: Err(error.clone()),
            is_loss: true,
        };
        let _never_refused = self.finish(Event::Lost, end);
    }

    /// The function here has ended.
    pub(crate) fn end(&self) {
        let end = End {
            outcome: Ok(Bytes::new()),
            is_loss: false,
        };
        let _never_refused = self.finish(Event::End, end);
    }

    fn finish(&self, event: Event, end: End) -> Result<(), &'static str> {
        let mut state = self.state.borrow_mut();
        if state.finish(event, end)? {
            self.peer.growth().give_back(state.growth());
            let wakers = [
                state.first_waker.take(),
                state.reader.take(),
                state.sender.take(),
            ];
            drop(state);
            self.over.set();
            wakers.into_iter().for_each(wake);
        }
        Ok(())
    }
}
