//! The thread of a pool.

use std::cell::{Cell, RefCell, RefMut};
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;
use std::thread;

use event_listener::Event;
use futures_lite::future::{or, yield_now};

use super::attendant::attend;
use super::core::Core;
use super::looks::keep_looking;
use crate::error::{ErrorContext, Result};
use crate::pool::builder::Config;
use crate::pool::inbox::Inbox;
use crate::pool::job_data::Closing;
use crate::pool::job_data::JobData;
use crate::pool::machine::{self, Machine};
use crate::pool::statistics::PoolStatistics;
use crate::rt::{self, Latch};
use crate::runtime::Runtime;
use crate::time::Time;
use crate::undertaker::{self, Undertaker};

thread_local! {
    static IS_POOL: Cell<bool> = const { Cell::new(false) };
}

/// Whether this is the thread of a pool, which must not wait for its own jobs.
pub(in crate::pool) fn is_pool_thread() -> bool {
    IS_POOL.get()
}

/// Starts the thread of a pool. It ends when the pool was shut down and the last of its
/// processes is reaped; so the processes end with their parent, and not before.
pub(in crate::pool) fn start(config: Config, inbox: Arc<Inbox>) -> Result<()> {
    thread::Builder::new()
        .name(config.name.clone())
        .spawn(move || {
            let _closing = Closing(Arc::clone(&inbox));
            IS_POOL.set(true);
            let runtime = Runtime::builder()
                .name(config.name.clone())
                .grace(config.settings.grace)
                .handle_signals(false);
            let outcome = runtime.run(async || Driver::new(config, inbox)?.run().await);
            if let Err(error) = outcome {
                log::error!("a pool has ended before its time: {error:?}");
            }
        })
        .context("cannot start the thread of a pool")?;
    Ok(())
}

/// What runs on the thread of a pool.
pub(super) struct Driver {
    pub(super) config: Config,
    inbox: Arc<Inbox>,
    core: RefCell<Core>,
    undertaker: Rc<Undertaker>,
    /// Some workers are to be looked at soon.
    pub(super) look_soon: Event,
    /// When the machine wants to be told of the time.
    deadline: Cell<Option<Time>>,
    deadline_is_nearer: Event,
    ended: Latch,
}

impl Driver {
    fn new(config: Config, inbox: Arc<Inbox>) -> Result<Rc<Self>> {
        let core = Core::new(config.name.clone(), config.settings.clone());
        Ok(Rc::new(Self {
            config,
            inbox,
            core: RefCell::new(core),
            undertaker: undertaker::current()?,
            look_soon: Event::new(),
            deadline: Cell::new(None),
            deadline_is_nearer: Event::new(),
            ended: Latch::new(),
        }))
    }

    async fn run(self: Rc<Self>) -> Result<()> {
        self.happen(|_| {});
        let looking = keep_looking(Rc::clone(&self));
        let ended = self.ended.wait();
        or(
            or(ended, self.take_requests()),
            or(looking, self.tell_time()),
        )
        .await;
        Ok(())
    }

    pub(super) fn core(&self) -> RefMut<'_, Core> {
        self.core.borrow_mut()
    }

    /// Takes in what has happened, and does all that follows from it.
    pub(super) fn happen<R>(self: &Rc<Self>, what: impl FnOnce(&mut Core) -> R) -> R {
        let mut core = self.core.borrow_mut();
        let result = what(&mut core);
        core.settle();
        core.flush();
        let to_start: Vec<_> = core.to_start.drain(..).collect();
        for key in to_start {
            let data = &core.workers[key];
            let work = attend(
                Rc::clone(self),
                key,
                data.name.clone(),
                Rc::clone(&data.wishes),
            );
            self.undertaker
                .take_charge(format!("worker `{}`", data.name), work);
        }
        if core.has_ended {
            self.ended.set();
        }
        // Whoever waits for a job sees it counted.
        self.inbox.note(core.ended.len(), statistics(&core));
        // All answers are there before the first is told: who reads them is woken once.
        let wakers: Vec<Waker> = core.ended.drain(..).filter_map(JobData::end).collect();
        wakers.into_iter().for_each(Waker::wake);
        self.set_deadline(core.machine.deadline());
        result
    }

    fn set_deadline(&self, deadline: Option<Time>) {
        let before = self.deadline.replace(deadline);
        let is_nearer = match (before, deadline) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(before), Some(now)) => now < before,
        };
        if is_nearer {
            self.deadline_is_nearer.notify(usize::MAX);
        }
    }

    /// Takes in what is asked from outside, batch by batch.
    async fn take_requests(self: &Rc<Self>) {
        let mut requests = Vec::new();
        loop {
            poll_fn(|cx| self.inbox.poll_take(cx, &mut requests)).await;
            self.happen(|core| requests.drain(..).for_each(|request| core.ask(request)));
            yield_now().await;
        }
    }

    /// Tells the machine of the time when it wants to be told.
    async fn tell_time<T>(self: &Rc<Self>) -> T {
        loop {
            let nearer = self.deadline_is_nearer.listen();
            let Some(deadline) = self.deadline.get() else {
                nearer.await;
                continue;
            };
            or(rt::sleep_until(deadline), nearer).await;
            if self.deadline.get().is_some_and(|at| rt::now() >= at) {
                self.happen(|core| {
                    core.look_everywhere();
                    core.step(machine::Event::TimeUp);
                });
            }
        }
    }
}

fn statistics(core: &Core) -> PoolStatistics {
    let machine: &Machine = &core.machine;
    let mut statistics = core.statistics;
    machine.count_into(&mut statistics);
    statistics
}
