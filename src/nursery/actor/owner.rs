//! The loop that looks after one actor from its start to its end.

use std::any::Any;
use std::cell::{OnceCell, RefCell};
use std::future::pending;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use futures_lite::future::or;
use treewright_supervisors::spec::{KillScope, Shutdown, ShutdownMode, Signal};

use super::body::ActorBody;
use super::life::{Action, Event, How, LINGER, Life};
use super::stderr::StderrRelay;
use super::supervised::{ActorEnd, Supervisor};
use super::talk::Overheard;
use super::verdict::Obituary;
use crate::discovery;
use crate::error::{CancelReason, Result};
use crate::id::ContextId;
use crate::nursery::running::{Owner, Running, stop};
use crate::portal::{Lifeline, Peer};
use crate::process::{Exit, Outcome, Rung};
use crate::rt::channel::Receiver;
use crate::rt::{self, Latch};
use crate::scope::{DEFAULT_GRACE, Ending, Node, Urgency};

/// What the records about the lives of actors are from.
const LOG_TARGET: &str = "treewright::actor";

/// One who looks after an actor.
pub(super) struct ActorOwner {
    pub(super) owner: Owner,
    pub(super) body: ActorBody,
    pub(super) peer: Rc<Peer>,
    pub(super) booted: Rc<Booted>,
    pub(super) news: Receiver<Event>,
    pub(super) overheard: Rc<RefCell<Overheard>>,
    pub(super) stderr: Option<StderrRelay>,
    /// Whose child it is, if it is that of a supervisor.
    pub(super) supervisor: Option<Supervisor>,
    pub(super) grace: Duration,
    pub(super) boot_timeout: Duration,
}

/// Whether an actor is up, for who started it.
#[derive(Debug, Default)]
pub(super) struct Booted {
    outcome: OnceCell<Result<()>>,
    is_known: Latch,
}

impl Booted {
    fn tell(&self, outcome: Result<()>) {
        // The first stays: an actor that was up is up for who started it.
        let _first_stays = self.outcome.set(outcome);
        self.is_known.set();
    }

    /// Waits until it is up, or known never to be.
    pub(super) async fn wait(&self) -> Result<()> {
        self.is_known.wait().await;
        let outcome = self.outcome.get().cloned();
        outcome.expect("invariant: the outcome is set before the latch")
    }
}

/// What the handle of an actor needs of its owner.
#[derive(Debug)]
pub(super) struct OwnersEar {
    pub(super) node: Rc<Node>,
    pub(super) outcome: Rc<Outcome>,
}

impl Lifeline for OwnersEar {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn cancel(&self, reason: CancelReason) {
        self.node.cancel(reason, Urgency::InOrder);
    }

    fn kill(&self, reason: CancelReason) {
        self.node.cancel(reason, Urgency::AtOnce);
    }

    fn is_cancelled(&self) -> bool {
        self.node.is_cancelled()
    }

    fn ended(&self) -> Pin<Box<dyn Future<Output = Exit> + '_>> {
        Box::pin(self.outcome.wait())
    }

    fn try_ended(&self) -> Option<Exit> {
        self.outcome.get()
    }
}

impl ActorOwner {
    /// Looks after the actor until its process is reaped, then tells everybody.
    pub(super) async fn look_after(mut self) {
        // A supervisor says itself when it is enough.
        let grace = self.supervisor.is_none().then_some(self.grace);
        let mut life = Life::new(self.boot_timeout, grace, rt::now());
        let how = self.live(&mut life).await;
        let exit = self.end(how, &life).await;
        self.hear_out().await;
        log::debug!(target: LOG_TARGET, "actor `{}` {exit}", self.peer.id());
        let obituary = self.obituary(&life, exit);
        let end = ActorEnd {
            exit,
            facts: life.facts(),
            goodbye: obituary.goodbye.clone(),
        };
        let error = obituary.error();
        let is_supervised = self.supervisor.is_some();
        let is_told = is_supervised || life.facts().was_asked || !life.facts().was_up;
        self.peer.lose(&error);
        discovery::child_gone(&self.peer, exit);
        self.booted.tell(Err(error.clone()));
        self.owner.outcome.set(exit);
        if let Some(supervisor) = &self.supervisor {
            supervisor.news.tell(end);
        }
        self.owner.member.ended(match is_told {
            // Who started an actor that was never up is told of it there.
            true => Ending::Cancelled,
            false => Ending::Failed(error),
        });
        drop(self.owner.hold);
    }

    /// Takes in what happens until the process is to come to its end.
    async fn live(&mut self, life: &mut Life) -> How {
        loop {
            let event = self.next_event(life).await;
            let action = life.step(event, rt::now());
            if event == Event::Ready {
                log::debug!(target: LOG_TARGET, "actor `{}` is up", self.peer.id());
                self.booted.tell(Ok(()));
            }
            match action {
                Some(Action::Ask) => {
                    let reason = self.owner.node.reason();
                    let reason = reason.unwrap_or_else(|| "the nursery ends".into());
                    self.peer.send_cancel(ContextId::LINK, &reason);
                }
                Some(Action::End(how)) => return how,
                None => {}
            }
        }
    }

    /// Waits for whatever happens next. Nothing is lost of what does not come first: a
    /// process stays ended, a node cancelled, and news stay in their queue.
    async fn next_event(&mut self, life: &Life) -> Event {
        let (node, news, stderr) = (&self.owner.node, &self.news, &self.stderr);
        let (was_asked, deadline) = (life.facts().was_asked, life.deadline());
        let exited = async {
            self.body.wait().await;
            Event::Exited
        };
        let told = async {
            match news.recv().await {
                Ok(event) => event,
                // Nobody talks any more, and said so before.
                Err(_) => pending().await,
            }
        };
        let pressed = async {
            node.pressed().await;
            Event::Pressed
        };
        let asked = async {
            match was_asked {
                true => pending().await,
                false => node.cancelled().await,
            }
            Event::CancelAsked
        };
        let time_up = async {
            match deadline {
                Some(deadline) => rt::sleep_until(deadline).await,
                None => pending().await,
            }
            Event::TimeUp
        };
        let relayed = async {
            if let Some(relay) = stderr {
                relay.run().await;
            }
            pending().await
        };
        or(
            or(told, exited),
            or(or(pressed, asked), or(time_up, relayed)),
        )
        .await
    }

    async fn end(&mut self, how: How, life: &Life) -> Exit {
        let status = match how {
            How::Reap => Some(self.body.wait().await),
            How::Ladder | How::Kill => None,
        };
        // An actor that ended well has seen to all that it started; of any other, all that
        // carries its mark is ended.
        let is_clean = status.is_some_and(|status| status.is_zero()) && life.facts().was_asked;
        let shutdown = match &self.supervisor {
            Some(supervisor) => in_supervision(&supervisor.supervision.shutdown, how, life),
            None => Shutdown {
                mode: match how {
                    How::Kill => ShutdownMode::BrutalKill,
                    How::Reap | How::Ladder => ShutdownMode::Timeout(self.grace),
                },
                signal: Signal::TERM,
                scope: match is_clean {
                    true => KillScope::Process,
                    false => KillScope::Tree,
                },
            },
        };
        if let ActorBody::Thread(_) = self.body {
            // A thread cannot be sent a signal; that its link ends is all it can be told.
            self.peer.link().close();
        }
        let mut exit = stop(&mut self.body, &self.owner.node, shutdown).await;
        if life.facts().was_asked {
            exit.stopped.get_or_insert(Rung::Asked);
        }
        exit
    }

    /// Hears what the actor said last, which may still be on its way. What holds its link or
    /// its standard error open beyond its death is not waited for.
    async fn hear_out(&mut self) {
        let link_ended = async {
            while let Ok(event) = self.news.recv().await {
                if matches!(event, Event::LinkEnded | Event::Refused) {
                    break;
                }
            }
        };
        let _late = rt::within(LINGER, link_ended).await;
        if let Some(relay) = &self.stderr {
            relay.pass_on_what_is_there();
        }
        if let Some(supervisor) = &self.supervisor {
            supervisor.supervision.attendant.drained().await;
        }
    }

    fn last_words(&self) -> Vec<u8> {
        match (&self.stderr, &self.supervisor) {
            (Some(relay), _) => relay.words().get(),
            (None, Some(supervisor)) => supervisor.supervision.attendant.last_words(),
            (None, None) => Vec::new(),
        }
    }

    fn obituary(&self, life: &Life, exit: Exit) -> Obituary {
        let overheard = self.overheard.take();
        Obituary {
            id: self.peer.id().clone(),
            facts: life.facts(),
            exit,
            reason: self.owner.node.reason(),
            goodbye: overheard.goodbye,
            breach: overheard.breach,
            stderr: self.last_words(),
        }
    }
}

/// How the process of a supervisor's child is ended. One that was asked to end has the time
/// that its supervisor gives it, and is pressed when that is over.
fn in_supervision(wanted: &Shutdown, how: How, life: &Life) -> Shutdown {
    let mode = match (how, wanted.mode) {
        (How::Kill, _) => ShutdownMode::BrutalKill,
        (How::Ladder, _) if life.facts().was_asked => ShutdownMode::Infinity,
        (_, ShutdownMode::Infinity) => ShutdownMode::Timeout(DEFAULT_GRACE),
        (_, mode) => mode,
    };
    Shutdown {
        mode,
        ..wanted.clone()
    }
}
