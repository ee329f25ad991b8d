//! How a tree ended, and the exit code that says so.

use std::cell::RefCell;
use std::collections::HashSet;

use treewright_supervisors::spec::{ChildName, TreeSpec};
use treewright_supervisors::supervisor::ExitReason;

/// How a tree ended.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum TreeOutcome {
    /// It was asked to stop.
    Stopped,
    /// It ended by itself: nothing ran or waited any more, or a significant child ended.
    Ended {
        /// The code of the child that `exit_code_from` names (128 + n for a signal); without
        /// one 0 if every child that ended by itself did so in success, else 1.
        code: u8,
        /// The significant child whose end ended it; none when nothing ran or waited any more.
        significant: Option<ChildName>,
    },
    /// It gave up: a restart was one too many.
    GaveUp {
        /// What happened, with its causes.
        reason: ExitReason,
    },
    /// A child did not start, and everything started before it was stopped.
    StartFailed {
        /// What happened, with its causes.
        reason: ExitReason,
        /// The code of the child that `exit_code_from` names, if it is that one.
        code: Option<u8>,
    },
}

impl TreeOutcome {
    /// The exit code of a program that only runs this tree.
    ///
    /// 0 stopped on request; the child's or 0 or 1 when it ended by itself; 1 gave up; 3 a child
    /// did not start.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Stopped => 0,
            Self::Ended { code, .. } => *code,
            Self::GaveUp { .. } => 1,
            Self::StartFailed { code, .. } => code.unwrap_or(3),
        }
    }
}

/// How the children ended by themselves, as far as the tree's exit code needs it.
#[derive(Debug, Default)]
pub(super) struct Ends {
    /// Whose last end was no success.
    failed: RefCell<HashSet<ChildName>>,
    /// The last code of the child `exit_code_from` names.
    code: RefCell<Option<u8>>,
}

impl Ends {
    pub(super) fn note(
        &self,
        tree: &TreeSpec,
        child: &ChildName,
        code: Option<u8>,
        is_success: bool,
    ) {
        if is_success {
            self.failed.borrow_mut().remove(child);
        } else {
            self.failed.borrow_mut().insert(child.clone());
        }
        if tree.exit_code_from.as_ref() == Some(child) && code.is_some() {
            *self.code.borrow_mut() = code;
        }
    }

    /// What the end of the root supervisor is for the tree.
    pub(super) fn outcome(&self, tree: &TreeSpec, reason: ExitReason) -> TreeOutcome {
        match reason {
            ExitReason::Shutdown => TreeOutcome::Stopped,
            ExitReason::Normal | ExitReason::AutoShutdown { .. } => {
                let code = match &tree.exit_code_from {
                    Some(_) => self.code.borrow().unwrap_or(1),
                    None => u8::from(!self.failed.borrow().is_empty()),
                };
                let significant = match reason {
                    ExitReason::AutoShutdown { child } => Some(child),
                    _ => None,
                };
                TreeOutcome::Ended { code, significant }
            }
            ExitReason::FailedToStart { .. } => {
                let named = tree.exit_code_from.as_ref();
                let is_that_one = named.is_some() && named == culprit(&reason);
                let code = self.code.borrow().filter(|code| is_that_one && *code != 0);
                TreeOutcome::StartFailed { reason, code }
            }
            reason => TreeOutcome::GaveUp { reason },
        }
    }
}

/// The child at the bottom of a failed start, through all supervisors.
fn culprit(reason: &ExitReason) -> Option<&ChildName> {
    let ExitReason::FailedToStart { child, cause } = reason else {
        return None;
    };
    culprit(cause).or(Some(child))
}

/// The exit code that stands for how a process ended.
pub(super) fn code_of(reason: &ExitReason) -> Option<u8> {
    match reason {
        ExitReason::Normal | ExitReason::Shutdown => Some(0),
        ExitReason::Exited { code } => Some(u8::try_from(*code & 0xff).unwrap_or(u8::MAX)),
        ExitReason::Signalled { signal, .. } => u8::try_from(128 + signal.number()).ok(),
        ExitReason::OutOfMemory => Some(128 + 9),
        _ => None,
    }
}
