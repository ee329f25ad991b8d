//! The handle of an actor.

use std::fmt;
use std::panic::Location;
use std::rc::Rc;

use super::{Lifeline, Peer};
use crate::error::{CancelOrigin, CancelReason, Result};
use crate::id::ActorId;
use crate::process::Exit;
use crate::tasks::{Call, Task};

/// A handle of an actor: what runs functions in its process.
///
/// It is cheap to clone, and keeps no actor alive: the nursery that started the actor owns
/// it. Used after the actor has ended, it says how that came. The link to an actor that was
/// [found](crate::find_actor) is there as long as a handle, a call or a context needs it.
#[derive(Clone)]
pub struct Portal {
    peer: Rc<Peer>,
    lifeline: Rc<dyn Lifeline>,
}

impl Portal {
    pub(crate) fn new(peer: Rc<Peer>, lifeline: Rc<dyn Lifeline>) -> Self {
        Self { peer, lifeline }
    }

    /// The link to it, and what goes on over it.
    pub(crate) fn peer(&self) -> &Rc<Peer> {
        &self.peer
    }

    /// What looks after it.
    pub(crate) fn lifeline(&self) -> &dyn Lifeline {
        &*self.lifeline
    }

    /// Which actor it is.
    #[must_use]
    pub fn id(&self) -> &ActorId {
        self.peer.id()
    }

    /// Runs a function in the actor's process, beside whatever else runs there, and gives
    /// its value.
    ///
    /// The parent of an actor may call every registered function there; other actors those that
    /// are `#[task(public)]` or [exposed](crate::ActorBuilder::expose).
    ///
    /// # Errors
    ///
    /// What the function failed with, or its panic, or how the actor died meanwhile: in
    /// each case [`Error::remote`](crate::Error::remote) has the whole of it. An error of
    /// kind [`ErrorKind::Broken`](crate::ErrorKind::Broken) if there is no link any more.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cancels the function there, without waiting for it.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use treewright::open_nursery;
    ///
    /// #[treewright::task]
    /// async fn double(n: u32) -> u32 {
    ///     2 * n
    /// }
    ///
    /// #[treewright::main]
    /// async fn main() -> treewright::Result<()> {
    ///     open_nursery(async |n| {
    ///         let portal = n.start_actor("doubler").await?;
    ///         assert_eq!(portal.run(double(21)).await?, 42);
    ///         portal.cancel_actor().await?;
    ///         Ok(())
    ///     })
    ///     .await
    /// }
    /// ```
    pub async fn run<T: Task>(&self, call: Call<T>) -> Result<T::Value> {
        self.peer.call(call).await
    }

    /// Cancels the actor with all that runs in it, and waits until its process is reaped
    /// and nothing of it is left. An actor that has ended already is fine.
    ///
    /// By who started the actor: that is no failure of its nursery. The actor is asked over its
    /// link; when it has not ended after its grace it gets SIGTERM, and a grace later SIGKILL.
    ///
    /// By another actor of its tree, which has [found](crate::find_actor) it: it is asked, no
    /// more. To its nursery that is a failure, whose
    /// [reason](crate::Error::cancel_reason) names who asked. How its process ended its parent
    /// tells the root, which is asked: it is [`ExitStatus::Lost`](crate::process::ExitStatus::Lost)
    /// only if its parent has ended with it, or the root is not there any more.
    ///
    /// # Errors
    ///
    /// If this actor may not: nobody ends an actor that is above it, nor an actor of a tree that it
    /// has [joined](crate::join). If the link to an actor that was found is lost before
    /// it has ended.
    ///
    /// # Cancel safety
    ///
    /// Safe: it goes on being stopped.
    #[track_caller]
    pub fn cancel_actor(&self) -> impl Future<Output = Result<Exit>> + '_ {
        let reason = CancelReason::new(CancelOrigin::Actor(self.peer.here().clone()));
        self.lifeline.cancel(reason.asked_at(Location::caller()));
        self.lifeline.cancelled()
    }

    /// Cancels the actor, and does not wait.
    pub(crate) fn cancel(&self, reason: CancelReason) {
        self.lifeline.cancel(reason);
    }

    /// Kills the actor, and does not wait.
    pub(crate) fn kill(&self, reason: CancelReason) {
        self.lifeline.kill(reason);
    }

    /// Whether the actor was told to end.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.lifeline.is_cancelled()
    }

    /// Waits until the actor has ended and nothing of it is left.
    ///
    /// # Cancel safety
    ///
    /// Safe; the actor runs on.
    pub async fn wait(&self) -> Exit {
        self.lifeline.ended().await
    }

    /// How the actor ended, if it has. Of an actor that was [found](crate::find_actor) that is
    /// known once the root has told it.
    #[must_use]
    pub fn try_wait(&self) -> Option<Exit> {
        self.lifeline.try_ended()
    }
}

impl fmt::Debug for Portal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Portal")
            .field("actor", self.id())
            .field("exit", &self.try_wait())
            .finish_non_exhaustive()
    }
}
