//! Taking over a new spec while the tree runs: the clerk that carries out one reload after
//! the other.

use std::convert::Infallible;
use std::rc::Rc;

use treewright_supervisors::check::check_with;
use treewright_supervisors::reload::{Plan, What, plan};
use treewright_supervisors::report::Report;
use treewright_supervisors::spec::{ChildName, TreeSpec};
use treewright_supervisors::supervisor::{ReloadMode, Reply, Request, RequestError};

use super::driver::{Caller, Mail, TreeContext};
use super::runnable;
use super::shared::Wanted;
use crate::error::{Error, ErrorKind};
use crate::rt::channel;

/// Why a reload did not come to its end.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReloadError {
    /// The spec breaks the rules of the format, or holds what this program cannot run. Nothing has
    /// changed.
    #[error("the spec is refused")]
    Refused(#[source] Report),
    /// The spec has a name that a child has already which was added while the tree ran, and
    /// not in the same place. Nothing has changed.
    #[error("`{0}` is the name of a child that was added elsewhere")]
    NameTaken(ChildName),
    /// The new spec is in force, but not all of it could be carried out.
    #[error("the reload is not complete")]
    Incomplete(#[source] RequestError),
    /// The tree is ending or has ended.
    #[error("the tree has ended")]
    Ended,
}

impl From<ReloadError> for Error {
    fn from(error: ReloadError) -> Self {
        let kind = match error {
            ReloadError::Refused(_) | ReloadError::NameTaken(_) => ErrorKind::InvalidSpec,
            ReloadError::Incomplete(_) => ErrorKind::Spawn,
            ReloadError::Ended => ErrorKind::Closed,
        };
        Self::wrap(kind, error)
    }
}

/// The wish for a reload, with whom to tell what became of it.
#[derive(Debug)]
pub(super) struct ReloadOrder {
    pub(super) spec: TreeSpec,
    pub(super) caller: channel::Sender<Result<TakenOver, ReloadError>>,
}

/// Carries out reloads, one after the other, for as long as the tree runs.
///
/// It does not wait until all that comes has started: the next reload may be what a child that
/// does not start is waiting for.
pub(super) async fn serve(
    context: &Rc<TreeContext>,
    orders: &channel::Receiver<ReloadOrder>,
) -> Infallible {
    loop {
        let Ok(order) = orders.recv().await else {
            // Nobody can ask any more; the tree runs on.
            return futures_lite::future::pending().await;
        };
        let result = reload(context, order.spec).await;
        // A caller that went away does not want to know any more.
        let _ = order.caller.try_send(result);
    }
}

async fn reload(context: &Rc<TreeContext>, mut spec: TreeSpec) -> Result<TakenOver, ReloadError> {
    let attached = &context.shared.attached;
    let report = check_with(&mut spec, &|spec| runnable::faults(spec, attached));
    if report.has_errors() {
        return Err(ReloadError::Refused(report));
    }
    let wanted = Wanted::new(spec);
    names_are_free(context, &wanted)?;
    let spec = &wanted.spec;
    let former = context.shared.wanted();
    let plan = plan(&former.spec, spec);
    stop_what_goes(context, &plan).await;
    let (before, after) = (&former.spec.root.name, &spec.root.name);
    if before != after {
        context.shared.supervisors.rename(before, after);
    }
    Ok(take_over(context, wanted, plan))
}

/// A name that a child has which was added is that child's. In the same place it may be the
/// spec's: then the spec takes the child over.
fn names_are_free(context: &TreeContext, wanted: &Wanted) -> Result<(), ReloadError> {
    let taken = wanted.places.names().find(|name| {
        let added = context.shared.roster.place(name);
        added.is_some_and(|added| Some(&added) != wanted.places.get(name))
    });
    match taken {
        Some(name) => Err(ReloadError::NameTaken(name.clone())),
        None => Ok(()),
    }
}

/// What goes is gone before anything comes, wherever in the tree either is. It is held down
/// meanwhile: a tree with nothing but held children does not end for that.
async fn stop_what_goes(context: &TreeContext, plan: &Plan) {
    for change in plan
        .changes
        .iter()
        .filter(|change| change.what == What::Remove)
    {
        let Some(child) = &change.child else { continue };
        let (caller, answer) = channel::bounded(1);
        let request = Request::Stop(child.clone());
        let mail = Mail::Request(request, Caller::new(caller));
        context.shared.supervisors.post(&change.supervisor, mail);
        // No answer, or one that there is no such child: it is gone already.
        let _ = answer.recv().await;
    }
}

/// Gives the root its new spec. Each supervisor passes on to those below it what is theirs.
fn take_over(context: &TreeContext, wanted: Rc<Wanted>, plan: Plan) -> TakenOver {
    context.shared.want(Rc::clone(&wanted));
    let root = &wanted.spec.root;
    let request = Request::Reload {
        spec: Box::new(root.clone()),
        links: context.shared.links(&root.name),
        mode: ReloadMode::Act,
    };
    let (caller, of_root) = channel::bounded(1);
    let (below, of_nested) = channel::unbounded();
    let caller = Caller::with_below(caller, below);
    context.shared.root.post(Mail::Request(request, caller));
    context.tell_standings(&root.name, &context.shared.root);
    TakenOver {
        plan,
        of_root,
        of_nested,
    }
}

/// A spec that is in force, and the answers of the supervisors that carry it out.
#[derive(Debug)]
pub(super) struct TakenOver {
    plan: Plan,
    of_root: channel::Receiver<Reply>,
    of_nested: channel::Receiver<Reply>,
}

impl TakenOver {
    /// Waits until all of it is carried out.
    pub(super) async fn carried_out(self) -> Result<Plan, ReloadError> {
        let of_root = self.of_root.recv().await;
        let mut first = Ok(());
        while let Ok(reply) = self.of_nested.recv().await {
            first = first.and(without_ending(reply));
        }
        match of_root.unwrap_or(Err(RequestError::ShuttingDown)) {
            Err(RequestError::ShuttingDown) => Err(ReloadError::Ended),
            Err(error) => Err(ReloadError::Incomplete(error)),
            Ok(_) => first.map_err(ReloadError::Incomplete).map(|()| self.plan),
        }
    }
}

/// A supervisor that is ending comes back, if it does, with the spec its own supervisor has.
fn without_ending(reply: Reply) -> Result<(), RequestError> {
    match reply {
        Ok(_) | Err(RequestError::ShuttingDown) => Ok(()),
        Err(error) => Err(error),
    }
}
