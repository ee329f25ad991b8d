//! Attending to one worker, from its start to its end.

use std::cell::{Cell, OnceCell};
use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use futures_lite::future::{or, zip};
use futures_sink::Sink as _;

use super::core::Death;
use super::thread::Driver;
use super::workers::Wishes;
use crate::context::{OpenContext, StreamReceiver, StreamSender};
use crate::error::{Error, ErrorContext, RemoteKind, Result};
use crate::nursery::{Nursery, open_nursery};
use crate::pool::ledger::Ledger;
use crate::pool::machine::{Event, WorkerKey};
use crate::pool::worker::{Setup, serve};
use crate::portal::Portal;
use crate::rt::channel::{self, Sender};

/// What is heard of a worker that is up.
type Line = (OpenContext<serve>, StreamReceiver<Bytes>);

/// One worker.
struct Attendant {
    driver: Rc<Driver>,
    key: WorkerKey,
    name: String,
    wishes: Rc<Wishes>,
    portal: OnceCell<Portal>,
    /// It has run its initializer.
    is_up: Cell<bool>,
    /// Its initializer has failed.
    has_refused: Cell<bool>,
}

/// Starts a worker, and attends to it until its process is reaped.
pub(super) async fn attend(driver: Rc<Driver>, key: WorkerKey, name: String, wishes: Rc<Wishes>) {
    let me = Attendant {
        driver,
        key,
        name,
        wishes,
        portal: OnceCell::new(),
        is_up: Cell::new(false),
        has_refused: Cell::new(false),
    };
    let (tell, line) = channel::bounded(1);
    let living = async {
        let outcome = open_nursery(async |n| me.live(n, &tell).await).await;
        drop(tell);
        outcome
    };
    // The last words are heard also when the process has ended.
    let hearing = async {
        if let Ok((ctx, receiver)) = line.recv().await {
            or(me.hear(receiver), me.write()).await;
            drop(ctx);
        }
    };
    let (outcome, ()) = zip(living, hearing).await;
    let death = Death {
        exit: me.portal.get().and_then(Portal::try_wait),
        error: outcome.err(),
    };
    let (is_up, has_refused) = (me.is_up.get(), me.has_refused.get());
    me.driver
        .happen(|core| core.bury(key, is_up, has_refused, death));
}

impl Attendant {
    async fn live(&self, n: Nursery<'_>, tell: &Sender<Line>) -> Result<()> {
        let work = async {
            self.begin(&n, tell).await?;
            self.wishes.stop.wait().await;
            Ok(())
        };
        let killed = async {
            self.wishes.kill.wait().await;
            Ok(())
        };
        let stopped = async {
            self.wishes.stop.wait().await;
            Ok(())
        };
        let outcome: Result<()> = or(or(killed, stopped), work).await;
        let Some(portal) = self.portal.get() else {
            outcome?;
            return Err(Error::cancelled("the worker is not needed any more".into()));
        };
        match self.wishes.kill.is_set() {
            true => portal.kill("what it runs is not wanted any more".into()),
            false => drop(portal.cancel_actor()),
        }
        or(
            async {
                portal.wait().await;
            },
            async {
                self.wishes.kill.wait().await;
                portal.kill("the pool ends at once".into());
                pending().await
            },
        )
        .await;
        outcome
    }

    /// Starts the process and the loop in it.
    async fn begin(&self, n: &Nursery<'_>, tell: &Sender<Line>) -> Result<()> {
        let config = &self.driver.config;
        let portal = config.actor(n, &self.name).start().await?;
        let portal = self.portal.get_or_init(|| portal);
        let (ledger, file) = Ledger::create().context("cannot make memory for a worker")?;
        let setup = Setup {
            initializer: config.initializer.clone(),
        };
        let ctx = portal.begin_context(&serve(setup), Some(file))?;
        let shares_memory = ctx.first_value().await.inspect_err(|error| {
            let kind = error.remote().map(crate::error::RemoteError::kind);
            let is_its_own = matches!(kind, Some(RemoteKind::Error | RemoteKind::Panic));
            self.has_refused.set(is_its_own);
        });
        let shares_memory = shares_memory.context(match &config.initializer {
            Some(_) => "the initializer of a worker failed",
            None => "a worker could not begin",
        })?;
        let (sender, receiver) = ctx.open_stream().await?.split();
        let ledger = shares_memory.then(|| Arc::new(ledger));
        self.is_up.set(true);
        // There is room for the one there is.
        let _sent = tell.try_send((ctx, receiver));
        self.up(ledger, sender);
        Ok(())
    }

    fn up(&self, ledger: Option<Arc<Ledger>>, sender: StreamSender<Bytes>) {
        let (worker, knows_begun) = (self.key, ledger.is_some());
        self.driver.happen(|core| {
            let data = &mut core.workers[worker];
            data.ledger = ledger;
            data.sender = Some(sender);
            core.step(Event::WorkerUp {
                worker,
                knows_begun,
            });
        });
    }

    /// Takes in all that it says, to its end.
    async fn hear(&self, mut receiver: StreamReceiver<Bytes>) {
        while let Some(Ok(message)) = receiver.next().await {
            let heard = self.driver.happen(|core| {
                if !message.is_empty() {
                    core.hear(self.key, message)?;
                }
                core.look(self.key)
            });
            match heard {
                Ok(true) => drop(self.driver.look_soon.notify(usize::MAX)),
                Ok(false) => {}
                Err(error) => {
                    log::error!("worker `{}` cannot be understood: {error:?}", self.name);
                    self.wishes.kill.set();
                }
            }
        }
    }

    /// Sends what it had no room for, when it has.
    async fn write<T>(&self) -> T {
        loop {
            // Listens before it looks: what is wished for in between is not missed.
            let wish = self.wishes.write.listen();
            while poll_fn(|cx| self.poll_room(cx)).await {}
            wish.await;
        }
    }

    /// Waits for room, and sends. `false` if there is nothing more to send.
    fn poll_room(&self, cx: &mut std::task::Context<'_>) -> std::task::Poll<bool> {
        let mut core = self.driver.core();
        let Some(data) = core.workers.get_mut(self.key) else {
            return std::task::Poll::Ready(false);
        };
        let Some(sender) = data.sender.as_mut().filter(|_| !data.outgoing.is_empty()) else {
            return std::task::Poll::Ready(false);
        };
        let ready = std::task::ready!(Pin::new(sender).poll_ready(cx));
        std::task::Poll::Ready(ready.is_ok() && !data.flush())
    }
}
