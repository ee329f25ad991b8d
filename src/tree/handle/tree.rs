//! What can be asked of a tree while it runs.

use std::fmt;
use std::rc::Rc;

use treewright_supervisors::reload::Plan;
use treewright_supervisors::spec::{ChildName, TreeSpec};
use treewright_supervisors::supervisor::{Event, Reply, Request, RequestError};

use super::actor::{SupervisedActor, is_actor};
use super::supervisor::SupervisorHandle;
use crate::error::{Error, ErrorKind, Result};
use crate::rt::channel;
use crate::tree::beginning::StartProgress;
use crate::tree::driver::{Caller, Mail, TreeOutcome};
use crate::tree::place::{Role, pool_of};
use crate::tree::reload::{ReloadError, ReloadOrder};
use crate::tree::reports::Reports;
use crate::tree::shared::{Shared, failure};

/// Asks things of a tree while it runs, and waits for what becomes of it. Cheap to clone; keeps
/// no process alive.
#[derive(Clone)]
pub struct TreeHandle(Rc<Shared>);

impl fmt::Debug for TreeHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TreeHandle")
            .field("tree", &self.0.wanted().spec.name)
            .field("living", &self.living())
            .finish_non_exhaustive()
    }
}

impl TreeHandle {
    pub(in crate::tree) fn new(shared: Rc<Shared>) -> Self {
        Self(shared)
    }

    /// The children that have a process at the moment, in the order in which they were started.
    #[must_use]
    pub fn living(&self) -> Vec<ChildName> {
        self.0.living.names()
    }

    /// The spec the tree has now: the one it was made with, or that of the last reload. What was
    /// added while it runs is in none.
    #[must_use]
    pub fn spec(&self) -> TreeSpec {
        self.0.wanted().spec.clone()
    }

    /// Whether the first start of all children is done.
    #[must_use]
    pub fn is_started(&self) -> bool {
        self.0.is_started()
    }

    /// How far the first start has come; empty once it is done.
    #[must_use]
    pub fn start_progress(&self) -> StartProgress {
        match self.is_started() {
            true => StartProgress::default(),
            false => self
                .0
                .beginning
                .progress(&self.0.wanted().spec, self.living()),
        }
    }

    /// Waits until the first start of all children is done.
    ///
    /// # Errors
    ///
    /// When the tree ended before: why it did not start, or an error for which
    /// [`Error::is_closed`] holds if it was stopped, or nobody runs it.
    ///
    /// # Cancel safety
    ///
    /// Safe.
    pub async fn started(&self) -> Result<()> {
        self.0.started_or_ended().await;
        if self.is_started() {
            return Ok(());
        }
        let name = self.0.wanted().spec.name.clone();
        match self.0.ended().await? {
            TreeOutcome::StartFailed { reason, .. } => {
                Err(failure(&name, ErrorKind::Spawn, reason))
            }
            TreeOutcome::GaveUp { reason } => Err(failure(&name, ErrorKind::GaveUp, reason)),
            TreeOutcome::Stopped | TreeOutcome::Ended { .. } => {
                let message = format!("tree `{name}` was stopped before it had started");
                Err(Error::new(ErrorKind::Closed, message))
            }
        }
    }

    /// Waits until the tree has ended and nothing of it is left.
    ///
    /// # Errors
    ///
    /// As [`Tree::run`](crate::Tree::run); an error for which [`Error::is_closed`] holds when
    /// nobody runs it any more.
    ///
    /// # Cancel safety
    ///
    /// Safe.
    pub async fn ended(&self) -> Result<TreeOutcome> {
        self.0.ended().await
    }

    /// Stops the children in reverse order, each as its spec says, and ends the tree.
    pub fn shut_down(&self) {
        self.0.root.tell(Event::Shutdown);
    }

    /// Kills every child at once, and ends the tree.
    pub fn kill(&self) {
        self.0.root.tell(Event::Kill);
    }

    /// Starts a child that is down, wherever it is in the tree, and waits until it has started.
    /// One that waits for its backoff does not wait any longer. A pool's member is called
    /// `pool@index`.
    ///
    /// # Errors
    ///
    /// [`RequestError::NotFound`] when no child is called so,
    /// [`RequestError::AlreadyStarted`] when it runs, [`RequestError::Failed`] when it does not
    /// start, [`RequestError::ShuttingDown`] when its supervisor does not run.
    ///
    /// # Cancel safety
    ///
    /// It is carried out whether it is awaited or not.
    pub async fn start(&self, child: &str) -> Result<(), RequestError> {
        let request = Request::Start(child.into());
        self.ask_owner(child, request).await.map(drop)
    }

    /// Stops a child, wherever it is in the tree, and waits until nothing of it is left. It is
    /// held down, also when its group is restarted, until it is [started](Self::start) again.
    ///
    /// # Errors
    ///
    /// [`RequestError::NotFound`] when no child is called so;
    /// [`RequestError::ShuttingDown`] when its supervisor does not run.
    ///
    /// # Cancel safety
    ///
    /// It is carried out whether it is awaited or not.
    pub async fn stop(&self, child: &str) -> Result<(), RequestError> {
        let request = Request::Stop(child.into());
        self.ask_owner(child, request).await.map(drop)
    }

    /// Stops a child, if it runs, and starts it; waits until it has started. That counts for no
    /// limit.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start), except that it may run.
    ///
    /// # Cancel safety
    ///
    /// It is carried out whether it is awaited or not.
    pub async fn restart(&self, child: &str) -> Result<(), RequestError> {
        let request = Request::Restart(child.into());
        self.ask_owner(child, request).await.map(drop)
    }

    /// Changes the number of a pool's members, and waits until those that come have started and
    /// those that go are gone. The number holds until a [reload](Self::reload) that changes the pool.
    ///
    /// # Errors
    ///
    /// [`RequestError::NotAPool`], [`RequestError::NotFound`], [`RequestError::MaxChildren`];
    /// [`RequestError::Failed`] when a member does not start.
    ///
    /// # Cancel safety
    ///
    /// It is carried out whether it is awaited or not.
    pub async fn scale(&self, pool: &str, members: u32) -> Result<(), RequestError> {
        match self.0.place(pool).map(|place| place.role) {
            None => Err(RequestError::NotFound),
            Some(Role::Pool) => {
                let request = Request::Scale(members);
                self.ask(&pool.into(), request).await.map(drop)
            }
            Some(_) => Err(RequestError::NotAPool),
        }
    }

    /// Takes over a new spec: children that are gone from it are stopped, those that must be are
    /// restarted, new ones are started, and all others do not notice. Waits until that is done,
    /// and gives what it was.
    ///
    /// A child that moves from one supervisor to another is gone from the first before the
    /// second starts it. A second reload does not wait for the first to be done: it may be what
    /// a child that does not start is waiting for.
    ///
    /// # Errors
    ///
    /// When the spec is refused, nothing has changed. When a child does not start, the new spec
    /// is in force, and its supervisor goes on with it as with any child that fails.
    ///
    /// # Cancel safety
    ///
    /// It is carried out whether it is awaited or not.
    pub async fn reload(&self, spec: TreeSpec) -> Result<Plan, ReloadError> {
        let (caller, answer) = channel::bounded(1);
        let order = ReloadOrder { spec, caller };
        // Refused only when the tree has ended, and then nobody answers either.
        let _ = self.0.reloads.try_send(order);
        let answer = answer.recv().await;
        answer
            .unwrap_or(Err(ReloadError::Ended))?
            .carried_out()
            .await
    }

    /// The supervisor or the pool of this name, to be asked what OTP's can be asked: to add
    /// children, and to tell what they are doing.
    ///
    /// # Errors
    ///
    /// [`RequestError::NotFound`] when the tree has none of this name at the moment.
    pub fn supervisor(&self, name: &str) -> Result<SupervisorHandle, RequestError> {
        match self.0.place(name).map(|place| place.role) {
            Some(Role::Supervisor | Role::Pool) => {
                Ok(SupervisorHandle::new(self.clone(), name.into()))
            }
            Some(Role::Leaf) | None => Err(RequestError::NotFound),
        }
    }

    /// The way to an actor of the tree that holds through its restarts. A pool's member is
    /// called `pool@index`.
    ///
    /// # Errors
    ///
    /// When no child is called so at the moment, or it is no actor.
    pub fn actor(&self, name: &str) -> Result<SupervisedActor> {
        match is_actor(&self.0, name) {
            Some(true) => Ok(SupervisedActor::new(Rc::clone(&self.0), name.into())),
            Some(false) => Err(Error::other(format!("child `{name}` is no actor"))),
            None => Err(RequestError::NotFound.into()),
        }
    }

    /// What the supervisors have to tell from now on: each start, end and restart of a child, and
    /// their own ends, in order. Anybody may follow; nobody holds the tree up.
    #[must_use]
    pub fn reports(&self) -> Reports {
        self.0.reports.follow()
    }

    /// Asks the root supervisor.
    ///
    /// # Errors
    ///
    /// What the supervisor answers; [`RequestError::ShuttingDown`] when it has ended.
    ///
    /// # Cancel safety
    ///
    /// The request is carried out whether the answer is awaited or not.
    pub async fn request(&self, request: Request) -> Reply {
        let root = self.0.wanted().spec.root.name.clone();
        self.put(&root, request, |mail| self.0.root.post(mail))
            .await
    }

    /// Asks the supervisor or the pool of this name.
    ///
    /// # Errors
    ///
    /// What it answers; [`RequestError::ShuttingDown`] when it does not run.
    ///
    /// # Cancel safety
    ///
    /// The request is carried out whether the answer is awaited or not.
    pub async fn ask(&self, supervisor: &ChildName, request: Request) -> Reply {
        let post = |mail| self.0.supervisors.post(supervisor, mail);
        self.put(supervisor, request, post).await
    }

    async fn put(
        &self,
        supervisor: &ChildName,
        mut request: Request,
        post: impl FnOnce(Mail),
    ) -> Reply {
        let (caller, answer) = channel::bounded(1);
        let mut caller = Caller::new(caller);
        if let Request::StartChild(child) = &mut request {
            let admitted = self.0.admit(supervisor, child);
            caller.claim = admitted.map_err(RequestError::Invalid)?;
        }
        post(Mail::Request(request, caller));
        let answer = answer.recv().await;
        answer.unwrap_or(Err(RequestError::ShuttingDown))
    }

    async fn ask_owner(&self, child: &str, request: Request) -> Reply {
        if let Some(place) = self.0.place(child) {
            return match place.supervisor {
                Some(supervisor) => self.ask(&supervisor, request).await,
                None => Err(RequestError::NotFound),
            };
        }
        let pool = pool_of(child).and_then(|pool| Some((pool, self.0.place(pool)?.role)));
        match pool {
            Some((pool, Role::Pool)) => self.ask(&pool.into(), request).await,
            _ => Err(RequestError::NotFound),
        }
    }
}

impl From<RequestError> for Error {
    fn from(error: RequestError) -> Self {
        let kind = match error {
            RequestError::ShuttingDown => ErrorKind::Closed,
            RequestError::Failed(_) => ErrorKind::Spawn,
            RequestError::Invalid(_) => ErrorKind::InvalidSpec,
            _ => ErrorKind::Other,
        };
        Self::wrap(kind, error)
    }
}
