//! What sees to the process of an actor from its start on: its output goes to its log, and
//! what it tells over the notify socket is heard.

use std::cell::{OnceCell, RefCell};
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::rc::Rc;
use std::time::SystemTime;

use super::care::{drain, heard};
use crate::error::{ErrorContext, Result};
use crate::nursery::Attendant;
use crate::process::Child;
use crate::rt::Latch;
use crate::tree::log::{AttachedOutput, ChildLog, OutputStream};
use crate::tree::probe::{NotifyInbox, NotifySocket};

/// How much of what an actor wrote last goes into the error that tells of its end.
const LAST_WORDS: usize = 4096;

/// Sees to the process of one life of an actor.
pub(super) struct LogAttendant {
    log: Rc<ChildLog>,
    socket: Option<Rc<NotifySocket>>,
    since: RefCell<SystemTime>,
    output: OnceCell<AttachedOutput>,
    inbox: OnceCell<NotifyInbox>,
    has_started: Latch,
}

impl LogAttendant {
    pub(super) fn new(log: Rc<ChildLog>, socket: Option<Rc<NotifySocket>>) -> Rc<Self> {
        Rc::new(Self {
            log,
            socket,
            since: RefCell::new(SystemTime::now()),
            output: OnceCell::new(),
            inbox: OnceCell::new(),
            has_started: Latch::new(),
        })
    }

    /// What the actor tells over the notify socket, if it is heard there.
    pub(super) fn inbox(&self) -> Option<&NotifyInbox> {
        self.inbox.get()
    }

    /// The function has started: from now on it is asked how it is.
    pub(super) fn function_started(&self) {
        self.has_started.set();
    }

    /// Waits until the function has started.
    pub(super) async fn function_has_started(&self) {
        self.has_started.wait().await;
    }
}

impl Attendant for LogAttendant {
    fn started(
        &self,
        child: &Child,
        stdout: Option<OwnedFd>,
        stderr: Option<OwnedFd>,
    ) -> Result<()> {
        self.since.replace(SystemTime::now());
        if let Some(socket) = &self.socket {
            // An actor is started once in its life.
            let _only_once = self.inbox.set(heard(socket, child));
        }
        let output = self.log.attach(stdout, stderr);
        let _only_once = self.output.set(output.context("cannot read its output")?);
        Ok(())
    }

    fn drained(&self) -> Pin<Box<dyn Future<Output = ()> + '_>> {
        Box::pin(async {
            if let Some(output) = self.output.get() {
                drain(output).await;
            }
        })
    }

    fn last_words(&self) -> Vec<u8> {
        let since = *self.since.borrow();
        let mut words = Vec::new();
        for record in self.log.recent() {
            if record.stream == OutputStream::Stderr && record.time >= since {
                words.extend_from_slice(&record.bytes);
            }
        }
        words.split_off(words.len().saturating_sub(LAST_WORDS))
    }
}
