//! What sees to the end of a context that was opened here.

use std::rc::Rc;
use std::time::Duration;

use treewright_supervisors::duration::Written;

use crate::dialog::Dialog;
use crate::error::{CancelOrigin, CancelReason, Error, ErrorKind, Result};
use crate::rt;
use crate::scope::{DEFAULT_GRACE, EnclosingScope, Ending, Member, Node};
use crate::undertaker::{self, Undertaker};

/// What the records about contexts are from.
const LOG_TARGET: &str = "treewright::context";

/// A context that was opened here. Dropped, it asks the function there to end; the scope in
/// which it was opened waits for that, and fails of an error that nobody was told of.
#[derive(Debug)]
pub(super) struct Charge {
    pub(super) dialog: Rc<Dialog>,
    scope: Option<EnclosingScope>,
    undertaker: Rc<Undertaker>,
    grace: Duration,
}

impl Charge {
    /// Takes charge for the scope of whoever calls.
    pub(super) fn new(dialog: Rc<Dialog>, undertaker: Rc<Undertaker>) -> Self {
        Self {
            dialog,
            scope: EnclosingScope::of_caller(),
            undertaker,
            grace: Node::current().map_or(DEFAULT_GRACE, |node| node.grace()),
        }
    }

    /// The undertaker there must be before anything is opened.
    pub(super) fn undertaker() -> Result<Rc<Undertaker>> {
        undertaker::current()
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        let dialog = Rc::clone(&self.dialog);
        dialog.cancel(&CancelReason::new(CancelOrigin::Dropped));
        if dialog.outcome().is_some() {
            if let Some(error) = untold(&dialog) {
                report(self.join(), &dialog, error);
            }
            return;
        }
        let (member, grace) = (self.join(), self.grace);
        let name = dialog.task();
        self.undertaker.take_charge(name, async move {
            let ended = rt::within(grace, dialog.over()).await.is_ok();
            let failure = match ended {
                true => untold(&dialog),
                false => Some(late(&dialog, grace)),
            };
            match failure {
                Some(error) => report(member, &dialog, error),
                None => member
                    .into_iter()
                    .for_each(|member| member.ended(Ending::Done)),
            }
        });
    }
}

impl Charge {
    fn join(&self) -> Option<Member> {
        self.scope.as_ref()?.join()
    }
}

/// The error that the context ended with, if nobody was told of it and it is none that was
/// asked for.
fn untold(dialog: &Dialog) -> Option<Error> {
    let error = dialog.outcome()?.err()?;
    let is_asked_for = dialog.was_cancelled() && (dialog.is_lost() || error.is_cancelled());
    (!dialog.was_told() && !is_asked_for).then_some(error)
}

fn report(member: Option<Member>, dialog: &Dialog, error: Error) {
    match member {
        Some(member) => member.ended(Ending::Failed(error)),
        None => log::error!(
            target: LOG_TARGET,
            "context `{}` failed and nobody was told: {error:?}",
            dialog.task()
        ),
    }
}

fn late(dialog: &Dialog, grace: Duration) -> Error {
    let (task, actor) = (dialog.task(), dialog.peer_id().name());
    let message = format!(
        "context `{task}` with actor `{actor}` had not ended {} after it was cancelled",
        Written(grace)
    );
    Error::new(ErrorKind::TimedOut, message)
}
