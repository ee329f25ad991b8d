//! The life of a supervisor, at the root or as a child of another.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use treewright_supervisors::spec::{ChildKind, ChildName};
use treewright_supervisors::supervisor::{Event, ExitReason, SupervisorState};

use super::context::{Membership, TreeContext};
use super::life::Life;
use super::mail::{MailQueue, Mailbox};
use super::supervisor::Driver;
use crate::nursery::open_nursery;

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

/// Runs a child that is a supervisor or a pool, and tells its parent what becomes of it.
pub(in crate::tree) async fn run(
    context: Rc<TreeContext>,
    life: Life,
    mail: (Mailbox, MailQueue),
    membership: Membership,
) {
    let life = Rc::new(life);
    let Some(state) = state(&context, &life) else {
        return life.start_failed("it is no supervisor".to_owned());
    };
    let ended = run_supervisor(context, state, mail, membership, Some(Rc::clone(&life))).await;
    match ended {
        Ok(reason @ ExitReason::FailedToStart { .. }) => life.start_failed_because(reason),
        Ok(reason) => life.exited(reason),
        Err(error) => life.exited(ExitReason::Failed {
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

/// The order to stop, for a supervisor.
pub(super) fn as_event(how: &treewright_supervisors::spec::Shutdown) -> Event {
    use treewright_supervisors::spec::ShutdownMode;
    match how.mode {
        ShutdownMode::BrutalKill => Event::Kill,
        ShutdownMode::Timeout(_) | ShutdownMode::Infinity => Event::Shutdown,
    }
}
