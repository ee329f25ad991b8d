//! Tasks that live as long as the executor they run on.

use std::future::Future;
use std::rc::{Rc, Weak};

use async_executor::LocalExecutor;

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
        self.0.run(main).await
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
