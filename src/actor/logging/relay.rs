//! The relay of an actor's process: whatever is logged there goes over the link to the
//! parent.

use std::cell::RefCell;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use event_listener::Event;
use log::LevelFilter;

use super::queue::{Next, Queue};
use super::record;
use super::source::{self, Source};
use crate::id::{ActorId, ContextId};
use crate::link::Link;
use crate::wire::{Encoded, Kind, LogRecord};

/// How many bytes of records may wait on the link, so that they hold up no other data.
const WINDOW: usize = 64 * 1024;

/// The relay of this process, if it is an actor's.
static RELAY: OnceLock<Relay> = OnceLock::new();

thread_local! {
    /// The link to the parent, on the one thread that may use it.
    static LINK: RefCell<Option<Link>> = const { RefCell::new(None) };
}

/// What takes the records of this process to its parent.
#[derive(Debug)]
pub(crate) struct Relay {
    actor: ActorId,
    queue: Mutex<Queue>,
    /// Something waits that the thread of the link is to send.
    filled: Event,
}

impl Relay {
    /// The relay of this process.
    pub(super) fn of_this_process() -> Option<&'static Self> {
        RELAY.get()
    }

    /// Makes what this process logs go to its parent from now on, up to `level`. A logger
    /// that the program has installed stays, and is the one that gets it instead.
    pub(crate) fn install(actor: &ActorId, level: LevelFilter) -> &'static Self {
        let relay = RELAY.get_or_init(|| Self {
            actor: actor.clone(),
            queue: Mutex::default(),
            filled: Event::new(),
        });
        if log::set_logger(&RelayLogger).is_ok() {
            log::set_max_level(level);
        }
        relay
    }

    /// Takes in a record, on any thread. On the thread of the link it leaves at once, so
    /// that it is there whatever happens to this process next.
    pub(super) fn push(&self, record: LogRecord<'static>) {
        self.queue().push(record);
        if !self.send_from_here() {
            self.filled.notify(1);
        }
    }

    /// Sends what waits, if this is the thread of the link; whether nothing waits any more.
    fn send_from_here(&self) -> bool {
        let sent = LINK.try_with(|slot| {
            let Ok(slot) = slot.try_borrow() else {
                return false;
            };
            // A record that is made while the link is at work waits until it has done.
            let Some(link) = slot.as_ref().filter(|link| !link.is_busy()) else {
                return false;
            };
            self.send(link, WINDOW);
            link.flush();
            self.queue().is_empty()
        });
        // A thread that is about to end has no link any more.
        sent.unwrap_or(false)
    }

    /// Sends what waits as long as less than `window` bytes of it are on the link.
    fn send(&self, link: &Link, window: usize) {
        while link.waiting_of(ContextId::LINK) < window {
            let Some(next) = self.queue().pop() else {
                return;
            };
            let record = match next {
                Next::Record(record) => record,
                Next::Dropped(count) => record::marker(self.actor.clone(), count),
            };
            let frame = Encoded::new(link.codec(), Kind::Log, ContextId::LINK, &record);
            if let Ok(frame) = frame {
                // A parent that is gone reads nothing any more.
                let _gone = link.send(frame);
            }
        }
    }

    /// Sends what other threads log, and what found no room before, as long as the link
    /// lives.
    pub(crate) async fn run(&self, link: Link) {
        while !link.is_closed() {
            // It listens before it looks, so that nothing comes in between.
            let filled = self.filled.listen();
            self.send(&link, WINDOW);
            let is_empty = self.queue().is_empty();
            match is_empty {
                true => filled.await,
                false => link.room(ContextId::LINK, WINDOW / 2).await,
            }
        }
    }

    /// Sends all that waits, whether there is room or not: the last words of the actor.
    pub(crate) fn send_the_rest(&self, link: &Link) {
        self.send(link, usize::MAX);
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets this thread send its records over `link` itself until the guard is dropped.
pub(crate) fn attach(link: Link) -> impl Drop {
    struct Detach;
    impl Drop for Detach {
        fn drop(&mut self) {
            LINK.take();
        }
    }
    LINK.set(Some(link));
    Detach
}

/// The logger of an actor's process.
struct RelayLogger;

impl log::Log for RelayLogger {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= source::level_here()
    }

    fn log(&self, record: &log::Record<'_>) {
        let Some(relay) = RELAY.get() else {
            return;
        };
        let source = Source::here();
        let level = source.as_ref().map_or_else(log::max_level, Source::level);
        if record.level() <= level {
            let actor = source.map_or_else(|| relay.actor.clone(), |source| source.actor);
            relay.push(record::of(actor, record));
        }
    }

    fn flush(&self) {
        if let Some(relay) = RELAY.get() {
            relay.send_from_here();
        }
    }
}
