//! An actor that is the child of a supervisor, which decides itself what its end means.

use std::cell::OnceCell;
use std::fmt;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::rc::Rc;

use treewright_supervisors::spec::{EnvInherit, Shutdown};

use super::builder::{ActorBuilder, Launched};
use super::life::Facts;
use crate::error::{CancelOrigin, CancelReason, Result};
use crate::portal::{Peer, Portal};
use crate::process::{Cgroup, Child, Exit, Mark, Output};
use crate::rt::Latch;
use crate::scope::Urgency;

/// What a supervisor wants of an actor beyond what everybody can say of one.
pub(crate) struct Supervision {
    /// What the actor and all that it starts is found by.
    pub(crate) mark: Mark,
    pub(crate) cgroup: Option<Cgroup>,
    pub(crate) env_inherit: EnvInherit,
    /// How what it leaves behind is ended, and it itself before it is up.
    pub(crate) shutdown: Shutdown,
    pub(crate) stdout: Output,
    pub(crate) attendant: Rc<dyn Attendant>,
}

/// Sees to the process of an actor from its start on.
pub(crate) trait Attendant {
    /// The process has just been started, with these reading ends of its output. After an
    /// error it is killed.
    fn started(
        &self,
        child: &Child,
        stdout: Option<OwnedFd>,
        stderr: Option<OwnedFd>,
    ) -> Result<()>;

    /// Waits until what the process has written is passed on, and not for ever.
    fn drained(&self) -> Pin<Box<dyn Future<Output = ()> + '_>>;

    /// What the process wrote last to its standard error.
    fn last_words(&self) -> Vec<u8>;
}

/// How an actor ended.
#[derive(Debug, Clone)]
pub(crate) struct ActorEnd {
    pub(crate) exit: Exit,
    pub(crate) facts: Facts,
    /// What it said before it ended on its own account.
    pub(crate) goodbye: Option<CancelReason>,
}

/// The supervisor's half of an actor, as its owner has it.
pub(super) struct Supervisor {
    pub(super) supervision: Supervision,
    pub(super) news: Rc<EndNews>,
}

/// Where the end of an actor is told.
#[derive(Debug, Default)]
pub(super) struct EndNews {
    end: OnceCell<ActorEnd>,
    is_known: Latch,
}

impl EndNews {
    pub(super) fn tell(&self, end: ActorEnd) {
        // Told once, by its only owner.
        let _only_once = self.end.set(end);
        self.is_known.set();
    }
}

/// An actor that is the child of a supervisor. Dropped before it has ended, it is killed.
pub(crate) struct SupervisedActor {
    launched: Launched,
    news: Rc<EndNews>,
}

impl ActorBuilder<'_> {
    /// Starts it for a supervisor. Its end is no failure of the nursery, and it is ended when
    /// and as its supervisor says: asked to end, it may take for ever.
    ///
    /// # Errors
    ///
    /// As [`start`](ActorBuilder::start), but for what happens after the start.
    pub(crate) fn supervised(self, supervision: Supervision) -> Result<SupervisedActor> {
        let news = Rc::<EndNews>::default();
        let supervisor = Supervisor {
            supervision,
            news: Rc::clone(&news),
        };
        let launched = self.launch(Some(supervisor))?;
        Ok(SupervisedActor { launched, news })
    }
}

impl SupervisedActor {
    /// Waits until it is up, or known never to be. Dropping the future loses nothing.
    pub(crate) async fn up(&self) -> Result<()> {
        self.launched.booted.wait().await
    }

    /// The link to it.
    pub(crate) fn peer(&self) -> &Rc<Peer> {
        &self.launched.peer
    }

    /// A handle of it.
    pub(crate) fn portal(&self) -> Portal {
        Portal::new(Rc::clone(self.peer()), self.launched.ear())
    }

    /// Asks it to end.
    pub(crate) fn ask(&self, reason: CancelReason) {
        self.launched.node.cancel(reason, Urgency::InOrder);
    }

    /// Kills it with all that is in its scope.
    pub(crate) fn kill(&self) {
        let reason = CancelReason::new(CancelOrigin::Request);
        self.launched.node.cancel(reason, Urgency::AtOnce);
    }

    /// Waits until it is reaped and nothing of it is left. Dropping the future loses nothing.
    pub(crate) async fn ended(&self) -> ActorEnd {
        self.news.is_known.wait().await;
        let end = self.news.end.get().cloned();
        end.expect("invariant: the end is set before the latch")
    }
}

impl Drop for SupervisedActor {
    fn drop(&mut self) {
        if self.news.end.get().is_none() {
            self.kill();
        }
    }
}

impl fmt::Debug for SupervisedActor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SupervisedActor")
            .field("id", self.peer().id())
            .field("end", &self.news.end.get())
            .finish_non_exhaustive()
    }
}
