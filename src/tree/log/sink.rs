//! One place lines are written to: its backlog, its back-pressure and the task that writes.

use std::cell::{Cell, RefCell};
use std::io;
use std::pin::pin;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use event_listener::Event;
use treewright_supervisors::spec::OnFull;

use super::backlog::Backlog;
use super::error::{LogReport, LogTarget, Report};
use super::format::LineFormat;
use super::health::{Health, HealthChange};
use super::line::Run;
use super::writer::{Progress, Writer};
use crate::rt::{self, Latch};
use crate::time::Time;

/// How long a child is held up for a writer that makes no progress before lines are dropped.
pub const PATIENCE: Duration = Duration::from_millis(250);

/// Writes of one place are so far apart, unless enough waits: a child that writes line by line
/// costs at most so many system calls and wake-ups. The first line after a silence goes at once.
const PACE: Duration = Duration::from_millis(2);
/// Enough to be written without waiting for more, in bytes.
const ENOUGH: usize = 64 * 1024;

/// What is known of the writer by those who have lines for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    /// It makes progress.
    Moving,
    /// It made none for [`PATIENCE`].
    Stalled,
    /// Its last write failed.
    Failing,
}

/// One place lines are written to, shared by all who write there.
///
/// The last handle that is dropped ends the task that writes, after all that waits is written.
#[derive(Debug)]
pub(crate) struct Sink {
    shared: Rc<Shared>,
}

#[derive(Debug)]
struct Shared {
    target: LogTarget,
    backlog: RefCell<Backlog>,
    flow: Cell<Flow>,
    /// Notified when there is something to write, and when it is time to end.
    work: Event,
    /// Notified when enough waits to be written at once, and when it is time to end.
    enough: Event,
    /// Notified when there is room again, and when there will be none.
    room: Event,
    closing: Latch,
    finished: Latch,
}

impl Sink {
    /// A sink, and the task that writes; `opening_fault` is why its file could not be opened yet.
    pub(crate) fn new(
        target: LogTarget,
        capacity: usize,
        writer: Writer,
        opening_fault: Option<io::Error>,
        report: Report,
    ) -> (Self, impl Future<Output = ()> + 'static) {
        let shared = Rc::new(Shared {
            target,
            backlog: RefCell::new(Backlog::new(capacity)),
            flow: Cell::new(Flow::Moving),
            work: Event::new(),
            enough: Event::new(),
            room: Event::new(),
            closing: Latch::new(),
            finished: Latch::new(),
        });
        let mut task = WriteTask {
            shared: Rc::clone(&shared),
            batch: Vec::new(),
            health: Health::default(),
            rotation_health: Health::default(),
            last_write: Time::ORIGIN,
            report,
        };
        if let Some(error) = opening_fault {
            task.note_write(Some(error));
        }
        (Self { shared }, task.run(writer))
    }

    /// Waits for room as the policy says. True: the next run is taken; false: it is lost.
    ///
    /// A failing writer holds up nobody, whatever the policy: a full disk must not stop a child.
    /// Dropping the future forgets the wait and nothing else.
    pub(crate) async fn room(&self, on_full: OnFull) -> bool {
        let shared = &self.shared;
        loop {
            if !shared.backlog.borrow().is_full() {
                return true;
            }
            match (shared.flow.get(), on_full) {
                (Flow::Failing, _) | (Flow::Stalled, OnFull::Drop) => return false,
                (_, OnFull::Block) => shared.room.listen().await,
                (Flow::Moving, OnFull::Drop) => {
                    let waited = rt::within(PATIENCE, shared.room.listen()).await;
                    if waited.is_err() && shared.flow.get() == Flow::Moving {
                        shared.set_flow(Flow::Stalled);
                    }
                }
            }
        }
    }

    /// Takes the run, which there is room for.
    pub(crate) fn push(&self, format: &LineFormat, run: &Run<'_>, time: SystemTime) {
        let mut backlog = self.shared.backlog.borrow_mut();
        backlog.push(format, run, time);
        let is_enough = backlog.len() >= ENOUGH;
        drop(backlog);
        self.shared.work.notify(1);
        if is_enough {
            self.shared.enough.notify(1);
        }
    }

    /// Counts the run as lost.
    pub(crate) fn lose(&self, format: &Rc<LineFormat>, run: &Run<'_>) {
        self.shared.backlog.borrow_mut().lose(format, run);
        self.shared.work.notify(1);
    }

    /// The task that writes, for whoever waits for its end.
    pub(crate) fn writing(&self) -> Writing {
        Writing(Rc::downgrade(&self.shared))
    }
}

/// The task of a sink, which lasts longer than the sink's last handle.
#[derive(Debug)]
pub(crate) struct Writing(Weak<Shared>);

impl Writing {
    /// Whether the task has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.0.strong_count() == 0
    }

    /// Asks the task to write what waits and to end, and waits until it has.
    pub(crate) fn close(&self) -> impl Future<Output = ()> + 'static {
        let shared = self.0.upgrade();
        if let Some(shared) = &shared {
            shared.close();
        }
        async move {
            if let Some(shared) = shared {
                shared.finished.wait().await;
            }
        }
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl Shared {
    fn close(&self) {
        self.closing.set();
        self.work.notify(usize::MAX);
        self.enough.notify(usize::MAX);
    }

    fn set_flow(&self, flow: Flow) {
        self.flow.set(flow);
        self.room.notify(usize::MAX);
    }

    /// Waits for something to write; false when there is nothing and never will be.
    async fn wait_for_work(&self) -> bool {
        while self.backlog.borrow().is_empty() {
            if self.closing.is_set() {
                return false;
            }
            self.work.listen().await;
        }
        true
    }

    /// Lets lines gather until `due`, or until enough wait or none will come.
    async fn gather(&self, due: Time) {
        let enough = async {
            while self.backlog.borrow().len() < ENOUGH && !self.closing.is_set() {
                self.enough.listen().await;
            }
        };
        // Both only wait: whichever is dropped loses nothing.
        futures_lite::future::or(enough, rt::sleep_until(due)).await;
    }
}

/// The one task that writes what a sink holds.
struct WriteTask {
    shared: Rc<Shared>,
    /// What is being written; after a failure, what is still to be written of it.
    batch: Vec<u8>,
    health: Health,
    rotation_health: Health,
    last_write: Time,
    report: Report,
}

impl WriteTask {
    async fn run(mut self, mut writer: Writer) {
        while !self.batch.is_empty() || self.shared.wait_for_work().await {
            let is_last_try = self.wait_for_retry().await;
            if self.batch.is_empty() {
                self.shared.gather(self.last_write + PACE).await;
                let spare = std::mem::take(&mut self.batch);
                self.batch = self
                    .shared
                    .backlog
                    .borrow_mut()
                    .take(spare, SystemTime::now());
                self.shared.room.notify(usize::MAX);
            }
            let batch = std::mem::take(&mut self.batch);
            // The thread owns the writer while it writes: were this future dropped, the write
            // would still be finished and the file closed after it.
            let progress;
            (writer, self.batch, progress) = rt::unblock(move || {
                let progress = writer.write(&batch);
                (writer, batch, progress)
            })
            .await;
            self.last_write = rt::now();
            let failed = progress.fault.is_some();
            self.note(progress);
            if failed && is_last_try {
                break;
            }
        }
        self.shared.finished.set();
    }

    /// Waits until a failing writer may be tried again. True: we are closing, it is the last try.
    async fn wait_for_retry(&self) -> bool {
        let Some(retry_at) = self.health.retry_at() else {
            return false;
        };
        let due = async {
            rt::sleep_until(retry_at).await;
            false
        };
        let closing = async {
            self.shared.closing.wait().await;
            true
        };
        // Both only wait: whichever is dropped loses nothing.
        futures_lite::future::or(pin!(closing), pin!(due)).await
    }

    fn note(&mut self, progress: Progress) {
        let is_whole = progress.fault.is_none();
        self.batch.drain(..progress.written);
        if is_whole {
            release(&mut self.batch, progress.written);
        }
        self.note_rotation(progress.rotation_fault);
        self.note_write(progress.fault);
    }

    fn note_write(&mut self, fault: Option<io::Error>) {
        let change = self.health.step(fault.is_none(), rt::now());
        let target = self.shared.target.clone();
        match (change, fault) {
            (Some(HealthChange::Failed), Some(error)) => (self.report)(LogReport::WriteFailed {
                target,
                error: Arc::new(error),
            }),
            (Some(HealthChange::Recovered), _) => {
                (self.report)(LogReport::WriteRecovered { target });
            }
            _ => {}
        }
        self.shared.set_flow(match self.health {
            Health::Well => Flow::Moving,
            Health::Failing { .. } => Flow::Failing,
        });
    }

    fn note_rotation(&mut self, fault: Option<io::Error>) {
        let change = self.rotation_health.step(fault.is_none(), rt::now());
        let target = self.shared.target.clone();
        match (change, fault) {
            (Some(HealthChange::Failed), Some(error)) => {
                (self.report)(LogReport::RotationFailed {
                    target,
                    error: Arc::new(error),
                });
            }
            (Some(HealthChange::Recovered), _) => {
                (self.report)(LogReport::RotationRecovered { target });
            }
            _ => {}
        }
    }
}

/// Gives back the memory of a large buffer that was last used for little: the flood is over.
fn release(buffer: &mut Vec<u8>, used: usize) {
    const KEPT: usize = 16 * 1024;
    if used < KEPT && buffer.capacity() > 4 * KEPT {
        buffer.shrink_to(KEPT);
    }
}
