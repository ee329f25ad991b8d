//! What an actor runs in: a process, or a thread of this one.

use std::thread::JoinHandle;

use treewright_supervisors::spec::Shutdown;

use crate::nursery::running::Running;
use crate::process::{Child, Exit, ExitStatus};
use crate::rt::channel::Receiver;

/// What an actor runs in.
#[derive(Debug)]
pub(super) enum ActorBody {
    Process(Box<Child>),
    Thread(ActorThread),
}

/// A thread that is an actor. It cannot be killed: it ends when it sees that it shall.
#[derive(Debug)]
pub(super) struct ActorThread {
    /// Gives the code it exits with.
    ended: Receiver<i32>,
    thread: Option<JoinHandle<()>>,
    code: Option<i32>,
}

impl ActorThread {
    /// The thread, and where its exit code comes from.
    pub(super) fn new(thread: JoinHandle<()>, ended: Receiver<i32>) -> Self {
        Self {
            ended,
            thread: Some(thread),
            code: None,
        }
    }

    async fn wait(&mut self) -> ExitStatus {
        if self.code.is_none() {
            // A thread that gives no code has panicked on its way out.
            self.code = Some(self.ended.recv().await.unwrap_or(101));
        }
        if let Some(thread) = self.thread.take() {
            // It has said its last word, so this takes no time; a panic was its last word.
            let _panicked = thread.join();
        }
        self.code.map_or(ExitStatus::Lost, ExitStatus::Code)
    }
}

impl Running for ActorBody {
    async fn wait(&mut self) -> ExitStatus {
        match self {
            Self::Process(child) => child.wait().await,
            Self::Thread(thread) => thread.wait().await,
        }
    }

    async fn stop(&mut self, how: &Shutdown) -> Exit {
        match self {
            Self::Process(child) => child.stop(how).await,
            Self::Thread(thread) => Exit {
                reason: thread.wait().await,
                stopped: None,
                left_behind: None,
            },
        }
    }
}
