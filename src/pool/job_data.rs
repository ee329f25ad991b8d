//! Jobs that have not ended, as the thread of a pool has them, or a line to one.

use std::sync::Arc;
use std::task::Waker;

use bytes::{Buf, Bytes};

use super::answers::Answers;
use super::inbox::{Inbox, Request, Submission};
use super::ledger::Ledger;
use super::slot::Slot;
use crate::error::{CancelOrigin, CancelReason, Error};

/// A job that has not ended.
#[derive(Debug)]
pub(super) struct JobData {
    slot: Arc<Slot>,
    /// The number of its function.
    pub(super) function: u32,
    /// What is not answered yet.
    pub(super) args: Bytes,
    /// How many calls that is, or 0 for a bare one.
    pub(super) calls: u32,
    /// How many of these are answered since it was sent.
    pub(super) answered: u32,
    pub(super) answers: Answers,
}

impl JobData {
    pub(super) fn new(submission: Submission, function: u32) -> Self {
        Self {
            slot: submission.slot,
            function,
            args: submission.args,
            calls: submission.calls,
            answered: 0,
            answers: Answers::default(),
        }
    }

    pub(super) fn slot(&self) -> &Arc<Slot> {
        &self.slot
    }

    /// How many calls are not answered.
    pub(super) fn calls_left(&self) -> u32 {
        self.calls.max(1) - self.answered.min(self.calls.max(1))
    }

    pub(super) fn sent(&mut self, ledger: Option<Arc<Ledger>>, number: u32) {
        self.answered = 0;
        self.slot.sent(ledger, number);
    }

    /// Leaves out the calls that are answered.
    pub(super) fn forget_answered(&mut self) {
        let answered = std::mem::take(&mut self.answered);
        for _ in 0..answered {
            self.skip_call();
        }
    }

    /// Leaves out the first call.
    pub(super) fn skip_call(&mut self) {
        if self.calls > 0 {
            self.calls -= 1;
            let length = match self.args.len() {
                0..4 => return,
                _ => self.args.get_u32_le() as usize,
            };
            self.args.advance(length.min(self.args.len()));
        }
    }

    /// The first calls came to nothing, and are left out.
    pub(super) fn fail_first(&mut self, calls: u32, error: &Error) {
        for _ in 0..calls {
            self.answers.push_fault(error.clone());
            self.skip_call();
        }
    }

    /// The calls that are not answered came to nothing.
    pub(super) fn fail(&mut self, error: &Error) {
        for _ in 0..self.calls_left() {
            self.answers.push_fault(error.clone());
        }
        self.answered = self.calls.max(1);
    }

    /// Puts its answers where they are waited for. Who waits is to be woken.
    #[must_use]
    pub(super) fn end(mut self) -> Option<Waker> {
        let answers = std::mem::take(&mut self.answers);
        self.calls = ENDED;
        self.slot.end(answers)
    }
}

/// So many calls has a job that was told.
const ENDED: u32 = u32::MAX;

/// A job that is forgotten is told, too: its pool has come to grief.
impl Drop for JobData {
    fn drop(&mut self) {
        if self.calls != ENDED {
            let reason = CancelReason::new(CancelOrigin::Dropped);
            self.fail(&Error::cancelled(reason.with_message("the pool has ended")));
            let waker = self.slot.end(std::mem::take(&mut self.answers));
            waker.into_iter().for_each(Waker::wake);
        }
    }
}

/// Closes the inbox when it is dropped: whoever waits is told, however that comes about.
pub(super) struct Closing(pub(super) Arc<Inbox>);

impl Drop for Closing {
    fn drop(&mut self) {
        for request in self.0.close() {
            if let Request::Submit(submission) = request {
                drop(JobData::new(submission, 0));
            }
        }
    }
}
