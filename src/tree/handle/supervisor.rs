//! What can be asked of one supervisor while it runs: OTP's calls.

use std::fmt;
use std::sync::Arc;

use treewright_supervisors::spec::{ChildName, ChildSpec};
use treewright_supervisors::supervisor::{
    Answer, ChildCounts, ChildInfo, ChildRef, Incarnation, Request, RequestError,
};

use super::tree::TreeHandle;

/// Asks things of one supervisor, or one pool, of a tree that runs: OTP's calls, with OTP's
/// results. Made by [`TreeHandle::supervisor`]; cheap to clone.
///
/// It goes by the supervisor's name, and so holds through its restarts. What it asks is
/// answered at once, also while children hang in their start or stop, or fail again and
/// again; only what starts or stops a child waits for just that.
///
/// # Errors
///
/// Besides what each call says, every call fails with [`RequestError::ShuttingDown`] (OTP's
/// `noproc`) while the supervisor does not run.
///
/// # Cancel safety
///
/// Each call is carried out whether it is awaited to its end or not, once it has been polled.
///
/// # Examples
///
/// ```no_run
/// use treewright::spec::{ChildKind, ChildSpec, ProcessSpec};
/// use treewright::{Tree, open_nursery};
///
/// # fn mailer() -> ProcessSpec { unimplemented!() }
/// # async fn f() -> treewright::Result<()> {
/// open_nursery(async |n| {
///     let tree = n.supervise(Tree::load("shop.toml")?).await?;
///     let shop = tree.supervisor("shop")?;
///     let mailer = ChildSpec::new("mailer", ChildKind::Process(Box::new(mailer())));
///     shop.start_child(mailer).await?;
///     for child in shop.which_children().await? {
///         println!("{}: {:?}", child.name, child.status);
///     }
///     shop.terminate_child("mailer").await?;
///     shop.delete_child("mailer").await?;
///     Ok(())
/// })
/// .await
/// # }
/// ```
#[derive(Clone)]
pub struct SupervisorHandle {
    tree: TreeHandle,
    name: ChildName,
}

impl fmt::Debug for SupervisorHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SupervisorHandle")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl SupervisorHandle {
    pub(super) fn new(tree: TreeHandle, name: ChildName) -> Self {
        Self { tree, name }
    }

    /// The supervisor's name.
    #[must_use]
    pub fn name(&self) -> &ChildName {
        &self.name
    }

    /// Adds a child behind the others, and waits until it has started. Gives its life; none if it
    /// did not want to run (OTP's `ignore`).
    ///
    /// It is checked as the children of a file are, and may depend on its siblings. From now
    /// on it is a child like any other, except that it is in no spec: it is gone when its
    /// supervisor is restarted, [`TreeHandle::spec`] does not have it, and a reload does not
    /// touch it, unless the new spec has a child of its name in this place. Its name is its
    /// own in the whole tree.
    ///
    /// # Errors
    ///
    /// [`RequestError::AlreadyStarted`] and [`RequestError::AlreadyPresent`] when the supervisor
    /// has a child of this name that runs, or one that does not; [`RequestError::Invalid`] when
    /// its spec breaks a rule, or one of its names is taken elsewhere in the tree;
    /// [`RequestError::Failed`] when it does not start, and then it is forgotten;
    /// [`RequestError::Superseded`] when it is stopped before it has started.
    pub async fn start_child(&self, spec: ChildSpec) -> Result<Option<Incarnation>, RequestError> {
        self.ask(Request::StartChild(Box::new(spec)))
            .await
            .map(life)
    }

    /// Adds a member to a pool, with these arguments behind the template's, and waits until it
    /// has started (OTP's `start_child` on `simple_one_for_one`). It is counted by
    /// [`scale`](Self::scale) like all others.
    ///
    /// # Errors
    ///
    /// [`RequestError::NotAPool`]; [`RequestError::MaxChildren`] when there is no room;
    /// [`RequestError::Failed`] when it does not start, and then it is forgotten.
    pub async fn start_member(
        &self,
        args: impl IntoIterator<Item = toml::Value>,
    ) -> Result<Option<Incarnation>, RequestError> {
        let args = args.into_iter().collect();
        self.ask(Request::StartMember { args }).await.map(life)
    }

    /// Stops a child, and waits until nothing of it is left. It stays down until it is
    /// restarted by a request or with its group; a temporary one, and a pool's member, is
    /// forgotten. A child that is being restarted again and again is left alone.
    ///
    /// A member of a pool is named by its [key](ChildInfo::key).
    ///
    /// # Errors
    ///
    /// [`RequestError::NotFound`]; [`RequestError::SimpleOneForOne`] for a pool's member by name.
    pub async fn terminate_child(&self, child: impl Into<ChildRef>) -> Result<(), RequestError> {
        let request = Request::TerminateChild(child.into());
        self.ask(request).await.map(drop)
    }

    /// Starts a child that is down, and waits until it has started. Gives its life; none if it
    /// did not want to run.
    ///
    /// # Errors
    ///
    /// [`RequestError::NotFound`], [`RequestError::Running`], [`RequestError::Restarting`],
    /// [`RequestError::SimpleOneForOne`] on a pool; [`RequestError::Failed`] when it does not
    /// start, and then it stays down.
    pub async fn restart_child(
        &self,
        child: impl Into<ChildName>,
    ) -> Result<Option<Incarnation>, RequestError> {
        self.ask(Request::RestartChild(child.into()))
            .await
            .map(life)
    }

    /// Forgets a child that is down.
    ///
    /// # Errors
    ///
    /// [`RequestError::NotFound`], [`RequestError::Running`], [`RequestError::Restarting`],
    /// [`RequestError::SimpleOneForOne`] on a pool.
    pub async fn delete_child(&self, child: impl Into<ChildName>) -> Result<(), RequestError> {
        self.ask(Request::DeleteChild(child.into())).await.map(drop)
    }

    /// The children, the last in start order first.
    ///
    /// # Errors
    ///
    /// None but [`RequestError::ShuttingDown`].
    pub async fn which_children(&self) -> Result<Vec<ChildInfo>, RequestError> {
        match self.ask(Request::WhichChildren).await? {
            Answer::Children(children) => Ok(children),
            other => unreachable!("invariant: a list is answered with one, not {other:?}"),
        }
    }

    /// One child.
    ///
    /// # Errors
    ///
    /// [`RequestError::NotFound`], [`RequestError::SimpleOneForOne`] on a pool.
    pub async fn which_child(
        &self,
        child: impl Into<ChildName>,
    ) -> Result<ChildInfo, RequestError> {
        match self.ask(Request::WhichChild(child.into())).await? {
            Answer::Children(mut children) => children.pop().ok_or(RequestError::NotFound),
            other => unreachable!("invariant: a list is answered with one, not {other:?}"),
        }
    }

    /// How many children there are.
    ///
    /// # Errors
    ///
    /// None but [`RequestError::ShuttingDown`].
    pub async fn count_children(&self) -> Result<ChildCounts, RequestError> {
        match self.ask(Request::CountChildren).await? {
            Answer::Counts(counts) => Ok(counts),
            other => unreachable!("invariant: a count is answered with one, not {other:?}"),
        }
    }

    /// The spec of a child as it is now. A member of a pool is named by its
    /// [key](ChildInfo::key), and has its template's.
    ///
    /// # Errors
    ///
    /// [`RequestError::NotFound`].
    pub async fn get_childspec(
        &self,
        child: impl Into<ChildRef>,
    ) -> Result<Arc<ChildSpec>, RequestError> {
        match self.ask(Request::GetChildspec(child.into())).await? {
            Answer::Spec(spec) => Ok(spec),
            other => unreachable!("invariant: a spec is answered with one, not {other:?}"),
        }
    }

    /// Changes the number of a pool's members, and waits until those that come have started and
    /// those that go are gone.
    ///
    /// # Errors
    ///
    /// [`RequestError::NotAPool`], [`RequestError::MaxChildren`]; [`RequestError::Failed`] when
    /// a member does not start.
    pub async fn scale(&self, members: u32) -> Result<(), RequestError> {
        self.ask(Request::Scale(members)).await.map(drop)
    }

    async fn ask(&self, request: Request) -> Result<Answer, RequestError> {
        self.tree.ask(&self.name, request).await
    }
}

fn life(answer: Answer) -> Option<Incarnation> {
    match answer {
        Answer::Child(life) => life,
        other => unreachable!("invariant: a start is answered with a life, not {other:?}"),
    }
}
