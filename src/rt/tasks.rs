//! Tasks that live as long as the executor they run on.

use std::future::Future;
use std::rc::{Rc, Weak};
use std::time::Duration;

use async_executor::LocalExecutor;
use futures_lite::future;

use super::Isolated;
use super::timer::now;

/// How long one executor runs its tasks before all others have their turn.
const TURN: Duration = Duration::from_micros(100);
/// After how many tasks it looks at the clock, which costs as much as a short one.
const TASKS_A_LOOK: u32 = 4;
/// How many tasks it runs at most in a turn; on a virtual clock no time passes.
const TASKS: u32 = 200;

/// The owner of tasks: dropping it drops them.
#[derive(Debug, Default)]
pub(crate) struct Tasks<'env>(Rc<LocalExecutor<'env>>);

/// A weak handle to start tasks with. A strong one, held by a task, would keep its
/// owner, and so the task itself, alive for ever.
#[derive(Debug, Clone)]
pub(crate) struct TaskStarter<'env>(Weak<LocalExecutor<'env>>);

impl<'env> Tasks<'env> {
    /// No tasks yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A handle to start tasks with.
    pub(crate) fn starter(&self) -> TaskStarter<'env> {
        TaskStarter(Rc::downgrade(&self.0))
    }

    /// Runs the tasks for as long as `main` runs.
    pub(crate) async fn run<T>(&self, main: impl Future<Output = T>) -> T {
        // Isolated, or each step of each task would poll `main` for nothing.
        future::or(Isolated::new(main), self.run_in_turns()).await
    }

    /// Runs the tasks, in turns with everything else that runs on this thread.
    ///
    /// Executors stand in each other: one that never runs out of tasks keeps all those above it,
    /// and the kernel's events with them, waiting as long as its turn lasts. Some tasks take
    /// long, as who starts a process does, so it is the time that counts.
    async fn run_in_turns<T>(&self) -> T {
        loop {
            self.0.tick().await;
            // A turn begins with the first task, and not with the wait for it.
            let begun = now();
            let mut count = 1;
            while self.0.try_tick() {
                count += 1;
                let is_time_to_look = count % TASKS_A_LOOK == 0;
                if count == TASKS || (is_time_to_look && now() - begun >= TURN) {
                    future::yield_now().await;
                    break;
                }
            }
        }
    }
}

impl<'env> TaskStarter<'env> {
    /// Whether the owner is gone.
    pub(crate) fn is_closed(&self) -> bool {
        self.0.strong_count() == 0
    }

    /// Starts `task`; gives it back if the owner is gone.
    pub(crate) fn start<F: Future<Output = ()> + 'env>(&self, task: F) -> Result<(), F> {
        match self.0.upgrade() {
            // It is the executor that owns the task now, not the handle.
            Some(executor) => {
                executor.spawn(task).detach();
                Ok(())
            }
            None => Err(task),
        }
    }
}
