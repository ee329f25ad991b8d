//! The jobs of one of those who have found the pool by its name.

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use bytes::Bytes;
use futures_lite::future::or;
use serde::{Deserialize, Serialize};

use super::counter;
use super::terms::Terms;
use crate::actor::here;
use crate::context::{Context, StreamReceiver, StreamSender};
use crate::error::{Error, ErrorKind, Result};
use crate::id::ActorId;
use crate::pool::answers::{Answers, Part};
use crate::pool::fault;
use crate::pool::functions;
use crate::pool::handle::ProcessPool;
use crate::pool::inbox::{Request, Submission};
use crate::pool::ledger::pack_time;
use crate::pool::message::{Incoming, Item, Outgoing, Subject};
use crate::pool::ready::Ready;
use crate::pool::slot::Slot;
use crate::pool::statistics::PoolStatistics;
use crate::tasks::{Function, TaskEntry};
use crate::wire::Codec;

/// So many jobs one side may have open.
const JOBS: u32 = 4096;
/// Arguments of so many bytes may be open, unless they are those of one job.
const BYTES: u64 = 64 * 1024 * 1024;
/// So many functions one side may tell of.
const FUNCTIONS: usize = 64 * 1024;

/// What whoever found the pool is told first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::pool) struct Welcome {
    /// The most workers.
    pub(in crate::pool) workers: u64,
    /// So many jobs may be open.
    pub(in crate::pool) jobs: u32,
    /// Arguments of so many bytes may be open, unless they are those of one job.
    pub(in crate::pool) bytes: u64,
    pub(in crate::pool) statistics: PoolStatistics,
}

/// Takes in jobs, and answers them. Whoever has opened it keeps to what was said first, so that
/// a word to cancel never waits behind jobs.
///
/// It is public so that an actor that is no pool says so itself; one that is to be a pool is started
/// with it exposed, and therefore knows what it is before it is told to begin.
#[crate::context(public, name = "treewright::pool::jobs", crate = crate)]
pub(in crate::pool) async fn jobs(ctx: Context<Welcome, Bytes, Bytes>) -> Result<()> {
    let actor = here()?;
    if !actor.exposed.contains(jobs_path()) {
        return Err(no_pool(&actor.id));
    }
    let pool = counter::pool().await;
    let welcome = Welcome {
        workers: pool.workers() as u64,
        jobs: JOBS,
        bytes: BYTES,
        statistics: pool.statistics(),
    };
    let ctx = ctx.started(welcome).await?;
    let (sender, receiver) = ctx.open_stream().await?.split();
    let desk = Desk {
        state: RefCell::new(State::new(pool, actor.id.clone())),
        ready: Ready::default(),
    };
    or(desk.take_in(receiver), desk.give_out(sender)).await
}

struct Desk {
    state: RefCell<State>,
    ready: Ready,
}

struct State {
    pool: ProcessPool,
    here: ActorId,
    incoming: Incoming,
    outgoing: Outgoing,
    functions: Vec<Result<&'static TaskEntry>>,
    terms: Terms,
    open: HashMap<u32, Open>,
    /// Of the arguments of all that are open.
    bytes: u64,
}

/// A job that has not ended. Dropped before that, it is cancelled.
struct Open {
    slot: Arc<Slot>,
    bytes: u64,
    pool: ProcessPool,
    is_over: bool,
}

impl Drop for Open {
    fn drop(&mut self) {
        if !self.is_over {
            self.cancel();
        }
    }
}

impl Open {
    fn cancel(&self) {
        let inbox = self.pool.inbox();
        inbox.ask(Request::Cancel(Arc::clone(&self.slot)));
    }
}

impl Desk {
    /// Takes in what comes, until the other side wants no more.
    async fn take_in(&self, mut receiver: StreamReceiver<Bytes>) -> Result<()> {
        while let Some(message) = receiver.try_next().await? {
            let begun = self.state.borrow_mut().hear(message)?;
            for number in begun {
                // It is looked at once, and from then on when it wakes.
                self.ready.waker(number as usize).wake();
            }
        }
        Ok(())
    }

    /// Sends answers as jobs end.
    async fn give_out(&self, mut sender: StreamSender<Bytes>) -> Result<()> {
        loop {
            let woken = poll_fn(|cx| self.ready.poll(cx)).await;
            self.state.borrow_mut().collect(&woken, &self.ready);
            while let Some(message) = self.next_message() {
                sender.send(message).await?;
            }
            sender.flush_now();
        }
    }

    fn next_message(&self) -> Option<Bytes> {
        self.state.borrow_mut().outgoing.pop()
    }
}

impl State {
    fn new(pool: ProcessPool, here: ActorId) -> Self {
        Self {
            terms: Terms::from(pool.manner()),
            pool,
            here,
            incoming: Incoming::default(),
            outgoing: Outgoing::default(),
            functions: Vec::new(),
            open: HashMap::new(),
            bytes: 0,
        }
    }

    /// Takes in a message, and gives the numbers of the jobs in it.
    fn hear(&mut self, message: Bytes) -> Result<Vec<u32>> {
        let mut begun = Vec::new();
        self.incoming.push(message);
        while let Some(item) = self.incoming.next()? {
            match item.subject {
                Subject::Function if self.functions.len() < FUNCTIONS => {
                    let found = functions::learn(&item, self.functions.len())?;
                    self.functions.push(found);
                }
                Subject::Terms => self.terms = Terms::read(item.body)?,
                Subject::Job => {
                    begun.push(item.number);
                    self.begin(item)?;
                }
                Subject::Cancel => {
                    if let Some(open) = self.open.get(&item.number) {
                        open.cancel();
                    }
                }
                _ => return Err(broken("a word that nobody says to a pool")),
            }
        }
        Ok(begun)
    }

    fn begin(&mut self, item: Item) -> Result<()> {
        let bytes = item.body.len() as u64;
        let has_room = self.open.len() < JOBS as usize;
        let fits = self.open.is_empty() || self.bytes + bytes <= BYTES;
        if !has_room || !fits || self.open.contains_key(&item.number) {
            return Err(broken("a job out of turn"));
        }
        let function = self.functions.get(item.function as usize);
        let function = function.ok_or_else(|| broken("a job of no function"))?;
        let slot = Slot::new();
        let (number, calls) = (item.number, item.detail);
        let submitted = function.clone().and_then(|entry| {
            let submission = Submission {
                slot: Arc::clone(&slot),
                path: entry.path(),
                signature: entry.signature(),
                args: item.body,
                calls,
                timeout: self.terms.timeout,
                retries: self.terms.retries,
            };
            let submitted = self.pool.inbox().submit(submission);
            submitted.map_err(|_| self.pool.closed())
        });
        if let Err(error) = submitted {
            let mut answers = Answers::default();
            (0..calls.max(1)).for_each(|_| answers.push_fault(error.clone()));
            let _nobody_waits = slot.end(answers);
        }
        let open = Open {
            slot,
            bytes,
            pool: self.pool.clone(),
            is_over: false,
        };
        self.bytes += bytes;
        self.open.insert(number, open);
        Ok(())
    }

    /// Writes the answers of those of these jobs that have ended.
    fn collect(&mut self, numbers: &[usize], ready: &Ready) {
        let mut has_ended = false;
        for number in numbers
            .iter()
            .filter_map(|number| u32::try_from(*number).ok())
        {
            let Some(open) = self.open.get_mut(&number) else {
                continue;
            };
            let waker = ready.waker(number as usize);
            let polled = open.slot.poll(&mut TaskContext::from_waker(&waker));
            let Poll::Ready(answers) = polled else {
                continue;
            };
            open.is_over = true;
            self.bytes -= open.bytes;
            self.open.remove(&number);
            self.answer(number, answers);
            has_ended = true;
        }
        let mut statistics = Vec::new();
        let encoded = Codec::Cbor.encode(&self.pool.statistics(), &mut statistics);
        if has_ended && encoded.is_ok() {
            self.outgoing
                .put((Subject::Statistics, 0, 0, 0), &statistics);
        }
    }

    fn answer(&mut self, number: u32, answers: Answers) {
        let took = u32::from(pack_time(answers.took));
        let (outgoing, here) = (&mut self.outgoing, &self.here);
        answers.hand_on(|part| match part {
            Part::Short(subject, body) => outgoing.put((subject, number, 0, took), body),
            Part::Long(subject, body) => outgoing.put_bytes((subject, number, 0, took), &body),
            Part::Fault(error) => {
                let body = fault::pack(&error, here);
                outgoing.put((Subject::Fault, number, 0, took), &body);
            }
        });
    }
}

/// Where whoever has jobs asks for the pool.
pub(super) fn jobs_path() -> &'static str {
    <jobs as Function>::PATH
}

fn no_pool(actor: &ActorId) -> Error {
    let message = format!("actor `{}` is no pool", actor.name());
    Error::new(ErrorKind::Refused, message)
        .with_hint("a pool is `[pool.NAME]` with neither `run` nor `task`")
}

fn broken(text: &'static str) -> Error {
    Error::new(ErrorKind::Broken, text)
}
