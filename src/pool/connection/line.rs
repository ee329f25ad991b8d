//! Speaks with a pool of another process: one task of the runtime on which it was found.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use bytes::Bytes;
use event_listener::Event;
use futures_lite::future::{or, yield_now};

use super::core::Core;
use super::seek::{Conversation, Seeker};
use crate::context::{StreamReceiver, StreamSender};
use crate::error::{Error, ErrorKind, Result};
use crate::pool::inbox::Inbox;
use crate::pool::job_data::{Closing, JobData};
use crate::rt::channel::Sender;
use crate::rt::{self, Latch};

/// So long a conversation that has broken off may take to end.
const END: Duration = Duration::from_secs(5);

/// Speaks with a pool, from when it is looked for until nobody has a handle of it.
pub(super) struct Line {
    seeker: Seeker,
    inbox: Arc<Inbox>,
    core: RefCell<Core>,
    /// A pool is wanted.
    wanted: Event,
    /// Something is to be sent.
    write: Event,
    ended: Latch,
}

impl Line {
    pub(super) fn new(seeker: Seeker, inbox: Arc<Inbox>) -> Rc<Self> {
        Rc::new(Self {
            core: RefCell::new(Core::new(seeker.name.clone())),
            seeker,
            inbox,
            wanted: Event::new(),
            write: Event::new(),
            ended: Latch::new(),
        })
    }

    /// Looks for the pool, says how that went and how many workers it has, and goes on until
    /// nobody needs it any more.
    pub(super) async fn run(self: Rc<Self>, waits: bool, tell: Sender<Result<usize>>) {
        let _closing = Closing(Arc::clone(&self.inbox));
        let conversing = async {
            let found = match waits {
                true => self.seeker.wait().await,
                false => self.seeker.find().await,
            };
            let told = match &found {
                Ok(conversation) => {
                    Ok(usize::try_from(conversation.welcome.workers).unwrap_or(usize::MAX))
                }
                Err(error) => Err(error.clone()),
            };
            // Whoever waits for it may have been dropped, and the handle with it.
            let _gone = tell.try_send(told);
            self.converse(found).await
        };
        // All of them only wait, and what they have taken in is in the core.
        or(self.ended.wait(), or(self.take_requests(), conversing)).await;
    }

    /// Takes in what has happened, and does all that follows from it.
    fn happen<R>(&self, what: impl FnOnce(&mut Core) -> R) -> R {
        let mut core = self.core.borrow_mut();
        let result = what(&mut core);
        if core.wants_pool {
            self.wanted.notify(usize::MAX);
        }
        if !core.outgoing.is_empty() {
            self.write.notify(usize::MAX);
        }
        if core.has_ended {
            self.ended.set();
        }
        // Whoever waits for a job sees it counted.
        self.inbox.note(core.ended.len(), core.statistics);
        let wakers: Vec<Waker> = core.ended.drain(..).filter_map(JobData::end).collect();
        drop(core);
        wakers.into_iter().for_each(Waker::wake);
        result
    }

    /// Takes in what handles ask for, batch by batch.
    async fn take_requests(&self) {
        let mut requests = Vec::new();
        loop {
            poll_fn(|cx| self.inbox.poll_take(cx, &mut requests)).await;
            self.happen(|core| requests.drain(..).for_each(|request| core.ask(request)));
            yield_now().await;
        }
    }

    /// Speaks with one life of the pool after the other.
    async fn converse(&self, mut found: Result<Conversation>) {
        loop {
            match found {
                Ok(conversation) => {
                    let why = self.talk(conversation).await;
                    self.happen(|core| core.lost(why));
                }
                Err(error) => self.happen(|core| core.not_found(error)),
            }
            self.pool_is_wanted().await;
            found = self.seeker.find_again().await;
        }
    }

    async fn pool_is_wanted(&self) {
        loop {
            // It listens before it looks, so that nothing comes in between.
            let wanted = self.wanted.listen();
            if std::mem::take(&mut self.core.borrow_mut().wants_pool) {
                return;
            }
            wanted.await;
        }
    }

    /// Speaks with the pool until it ends, and gives the reason.
    async fn talk(&self, conversation: Conversation) -> Error {
        let Conversation {
            welcome,
            ctx,
            sender,
            receiver,
        } = conversation;
        self.happen(|core| core.up(&welcome));
        let why = or(self.hear(receiver), self.write(sender)).await;
        // It is over in most cases; else what was heard made no sense, and the pool shall know.
        let _told = rt::within(END, ctx.cancel()).await;
        why
    }

    async fn hear(&self, mut receiver: StreamReceiver<Bytes>) -> Error {
        loop {
            let heard = match receiver.try_next().await {
                Ok(Some(message)) => self.happen(|core| core.hear(message)),
                Ok(None) => Err(Error::new(ErrorKind::Broken, "the pool has ended")),
                Err(error) => Err(error),
            };
            if let Err(error) = heard {
                return error;
            }
        }
    }

    async fn write(&self, mut sender: StreamSender<Bytes>) -> Error {
        loop {
            // It listens before it looks, so that nothing comes in between.
            let write = self.write.listen();
            while let Some(message) = self.next_message() {
                if let Err(error) = sender.send(message).await {
                    return error;
                }
            }
            sender.flush_now();
            write.await;
        }
    }

    fn next_message(&self) -> Option<Bytes> {
        self.core.borrow_mut().outgoing.pop()
    }
}
