//! Supervisors, at the root or as children of another.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use treewright_supervisors::spec::{ChildKind, ChildName, Shutdown, ShutdownMode};
use treewright_supervisors::supervisor::{Event, ExitReason, SupervisorState};

use super::context::{Membership, TreeContext};
use super::kind::{Kind, Running};
use super::life::{Life, Verdict};
use super::mail::{MailQueue, Mailbox};
use super::supervisor::Driver;
use crate::nursery::open_nursery;
use crate::tree::isolated;

/// Runs the supervisor at the root of a tree.
pub(in crate::tree) async fn run_root(
    context: Rc<TreeContext>,
    mail: (Mailbox, MailQueue),
) -> crate::Result<ExitReason> {
    let wanted = context.wanted();
    let root = &wanted.spec.root;
    let state = SupervisorState::new(root)
        .end_when_idle()
        .with_seed(context.next_seed())
        .with_links(context.shared.links(&root.name));
    let membership = context.enter(&root.name, &mail.0);
    run_supervisor(context, state, mail, membership, None).await
}

/// Runs a supervisor in a scope of its own until it has ended.
///
/// Boxed, since a supervisor may run supervisors.
fn run_supervisor(
    context: Rc<TreeContext>,
    state: SupervisorState,
    mail: (Mailbox, MailQueue),
    membership: Membership,
    parent: Option<Rc<Life>>,
) -> Pin<Box<dyn Future<Output = crate::Result<ExitReason>>>> {
    Box::pin(async move {
        open_nursery(async |nursery| {
            Ok(
                Driver::new(context, nursery, state, mail, membership, parent)
                    .run()
                    .await,
            )
        })
        .await
    })
}

/// Runs a child that is a supervisor or a pool to its end.
pub(in crate::tree) async fn run(
    context: Rc<TreeContext>,
    life: Rc<Life>,
    mail: (Mailbox, MailQueue),
    membership: Membership,
) -> Verdict {
    let Some(state) = state(&context, &life) else {
        return Verdict::not_started("it is no supervisor".to_owned());
    };
    match run_supervisor(context, state, mail, membership, Some(life)).await {
        Ok(reason @ ExitReason::FailedToStart { .. }) => Verdict::StartFailed(reason),
        Ok(reason) => Verdict::Exited(reason),
        Err(error) => Verdict::Exited(ExitReason::Failed {
            message: error.to_string(),
            cause: None,
        }),
    }
}

fn state(context: &TreeContext, life: &Life) -> Option<SupervisorState> {
    let name: &ChildName = &life.spec.name;
    let state = match &life.spec.kind {
        ChildKind::Supervisor(spec) => SupervisorState::new(spec),
        ChildKind::Pool(spec) => SupervisorState::pool(name.clone(), spec),
        _ => return None,
    };
    Some(
        state
            .with_seed(context.next_seed())
            .with_links(context.shared.links(name)),
    )
}

/// Children that are supervisors or pools, each with a way into its loop. The one whose life
/// begins here.
pub(super) struct Supervisors {
    context: Rc<TreeContext>,
    mail: Cell<Option<(Mailbox, MailQueue, Membership)>>,
}

impl Supervisors {
    /// One that is entered at once, with the way into its loop: whoever looks for it from now on
    /// finds this life of it.
    pub(super) fn enter(context: &Rc<TreeContext>, name: &ChildName) -> (Self, Mailbox) {
        let (mailbox, mail) = Mailbox::new();
        let membership = context.enter(name, &mailbox);
        let entered = Self {
            context: Rc::clone(context),
            mail: Cell::new(Some((mailbox.clone(), mail, membership))),
        };
        (entered, mailbox)
    }
}

impl Kind for Supervisors {
    type Running = RunningSupervisor;

    async fn start(&self, life: &Rc<Life>) -> Result<RunningSupervisor, Verdict> {
        let Some((mailbox, mail, membership)) = self.mail.take() else {
            return Err(Verdict::not_started("it has begun before".to_owned()));
        };
        let (context, life) = (Rc::clone(&self.context), Rc::clone(life));
        let is_isolated = matches!(&life.spec.kind, ChildKind::Supervisor(spec) if spec.isolated);
        let run: Pin<Box<dyn Future<Output = Verdict>>> = match is_isolated {
            true => Box::pin(isolated::run(context, life, mail, membership)),
            false => Box::pin(run(context, life, (mailbox.clone(), mail), membership)),
        };
        Ok(RunningSupervisor {
            run,
            mailbox,
            verdict: None,
        })
    }
}

/// A supervisor that runs. It tells by itself how it fares.
pub(super) struct RunningSupervisor {
    run: Pin<Box<dyn Future<Output = Verdict>>>,
    mailbox: Mailbox,
    verdict: Option<Verdict>,
}

impl Running for RunningSupervisor {
    type Exit = Verdict;

    async fn exited(&mut self, _: &Life) {
        self.verdict = Some(self.run.as_mut().await);
    }

    async fn stop(&mut self, how: &Shutdown) -> Verdict {
        if let Some(verdict) = self.verdict.take() {
            return verdict;
        }
        self.mailbox.tell(match how.mode {
            ShutdownMode::BrutalKill => Event::Kill,
            ShutdownMode::Timeout(_) | ShutdownMode::Infinity => Event::Shutdown,
        });
        self.run.as_mut().await
    }

    /// Its own: a supervisor that was ordered to stop may have given up before it came to that.
    fn verdict(self, _: &Life, _: Option<&Shutdown>, verdict: Verdict) -> Verdict {
        verdict
    }
}
