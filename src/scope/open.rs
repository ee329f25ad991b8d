//! Opening a scope, and starting tasks in it.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, ready};

use super::guard::{Ended, Guarded};
use super::node::{Kind, Node, Urgency};
use super::panics::install_hook;
use super::state::{Action, Ending, Event, ScopeState};
use super::task::{Outlet, TaskHandle, TaskOutput};
use crate::error::{CancelOrigin, CancelReason, Error, ErrorKind, Result};
use crate::rt::{TaskStarter, Tasks};

/// What everybody who has to do with one scope shares.
#[derive(Debug)]
pub(super) struct Shared {
    node: Rc<Node>,
    state: RefCell<ScopeState>,
    /// Its outcome is known, and nobody can join any more.
    is_closed: Cell<bool>,
}

impl Shared {
    fn step(&self, event: Event) {
        let mut state = self.state.borrow_mut();
        // A cancellation from above has reached the members already; the state learns of
        // it before anything that may have come of it.
        if let Some(reason) = self.node.reason() {
            state.step(Event::CancelRequested(reason));
        }
        let action = state.step(event);
        let is_over = state.is_over();
        drop(state);
        if let Some(Action::CancelAll(reason)) = action {
            self.node.cancel(reason, Urgency::InOrder);
        }
        if is_over {
            self.node.wake();
        }
    }

    /// Waits until nothing of the scope is left, processes and shielded work included.
    async fn over(&self) {
        std::future::poll_fn(|cx| {
            self.node.register(cx.waker());
            if self.state.borrow().is_over() && !self.node.is_held() {
                return Poll::Ready(());
            }
            Poll::Pending
        })
        .await;
    }
}

/// A handle on an open scope; of no use once the scope has ended.
#[derive(Debug, Clone)]
pub(crate) struct Scope<'env> {
    starter: TaskStarter<'env>,
    shared: Rc<Shared>,
}

/// Runs `body` in a scope of its own, and returns when all that it started has ended.
///
/// Dropping the future drops body and tasks, and tells whatever holds the scope.
pub(crate) async fn open_scope<'env, R>(
    node: Rc<Node>,
    body: impl AsyncFnOnce(Scope<'env>) -> Result<R>,
) -> Result<R> {
    install_hook();
    // The only strong owner of the tasks: with this future they are dropped.
    let tasks = Tasks::new();
    let shared = Rc::new(Shared {
        node,
        state: RefCell::new(ScopeState::new()),
        is_closed: Cell::new(false),
    });
    shared.node.set_scope(Rc::downgrade(&shared));
    let _abandon = Abandon(&shared.node);
    let scope = Scope {
        starter: tasks.starter(),
        shared: Rc::clone(&shared),
    };
    let main = async {
        let body_node = Node::new(Kind::Task, Some(Rc::clone(&shared.node)));
        // Called inside the guard, in case the closure panics before its future; boxed, so
        // that a nursery in a nursery is no larger than one alone.
        let body = Box::pin(async { body(scope).await });
        let ended = Guarded::new(body_node, body).await;
        let (value, ending) = match ended {
            Ended::Done(result) => split(result),
            Ended::Panicked(error) => (None, Ending::Failed(error)),
            Ended::Cancelled => (None, Ending::Cancelled),
        };
        shared.step(Event::BodyEnded(ending));
        shared.over().await;
        value
    };
    let value = tasks.run(main).await;
    shared.is_closed.set(true);
    shared.state.borrow_mut().outcome(value)
}

fn split<T>(result: Result<T>) -> (Option<T>, Ending) {
    match result {
        Ok(value) => (Some(value), Ending::Done),
        Err(error) => (None, Ending::Failed(error)),
    }
}

/// Tells whatever lives on beside the scope's future that the scope is no more.
struct Abandon<'a>(&'a Node);

impl Drop for Abandon<'_> {
    fn drop(&mut self) {
        self.0
            .cancel(CancelReason::new(CancelOrigin::Dropped), Urgency::InOrder);
    }
}

/// The error for who waits for what was dropped with its scope.
pub(super) fn dropped() -> Error {
    Error::cancelled(CancelReason::new(CancelOrigin::Dropped))
}

/// The error for who uses a scope that has ended.
pub(crate) fn closed() -> Error {
    Error::new(ErrorKind::Closed, "the scope has ended")
}

impl<'env> Scope<'env> {
    /// Starts `task`. The handle may be dropped; the scope owns the task.
    pub(crate) fn spawn<F>(&self, task: F) -> TaskHandle<<F::Output as TaskOutput>::Value>
    where
        F: Future<Output: TaskOutput> + 'env,
        <F::Output as TaskOutput>::Value: 'env,
    {
        let node = Node::new(Kind::Task, Some(Rc::clone(&self.shared.node)));
        let (handle, outlet) = TaskHandle::new(Rc::clone(&node));
        let task = MemberTask {
            guarded: Guarded::new(node, task),
            outlet: Some(outlet),
            shared: Rc::clone(&self.shared),
        };
        match self.starter.start(task) {
            Ok(()) => {
                self.shared.step(Event::MemberStarted);
                handle
            }
            Err(_) => TaskHandle::refused(closed()),
        }
    }

    /// Counts a member that is no local task; it must be told ended once.
    pub(crate) fn member_started(&self) -> Member {
        self.shared.step(Event::MemberStarted);
        Member(Some(Rc::clone(&self.shared)))
    }

    /// Cancels the body and everything started.
    pub(crate) fn cancel(&self, reason: CancelReason) {
        self.shared.step(Event::CancelRequested(reason));
    }

    /// Waits until it is cancelled, and gives the reason.
    pub(crate) async fn cancelled(&self) -> CancelReason {
        self.shared.node.cancelled().await;
        let reason = self.shared.node.reason();
        reason.expect("invariant: the reason is set before the latch")
    }

    /// Whether the scope has ended, so that nothing can be started in it.
    pub(crate) fn is_closed(&self) -> bool {
        self.starter.is_closed()
    }

    /// Its place in the tree of cancellations.
    pub(crate) fn node(&self) -> &Rc<Node> {
        &self.shared.node
    }
}

pin_project_lite::pin_project! {
    /// A local task with whom to tell of its end.
    struct MemberTask<F: Future<Output: TaskOutput>> {
        #[pin]
        guarded: Guarded<F>,
        outlet: Option<Outlet<<F::Output as TaskOutput>::Value>>,
        shared: Rc<Shared>,
    }
}

impl<F: Future<Output: TaskOutput>> Future for MemberTask<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let ended = ready!(this.guarded.as_mut().poll(cx));
        if let Some(outlet) = this.outlet.take() {
            let ending = report(ended, this.guarded.node(), outlet);
            this.shared.step(Event::MemberEnded(ending));
        }
        Poll::Ready(())
    }
}

/// Gives the handle what the task came out with, and the scope how it ended.
fn report<T: TaskOutput>(ended: Ended<T>, node: &Node, outlet: Outlet<T::Value>) -> Ending {
    let result = match ended {
        Ended::Done(output) => output.into_result(),
        Ended::Panicked(error) => Err(error),
        Ended::Cancelled => {
            let reason = node.reason();
            outlet.put(Err(reason.map_or_else(dropped, Error::cancelled)));
            return Ending::Cancelled;
        }
    };
    let ending = match &result {
        Ok(_) => Ending::Done,
        // It noticed its own cancellation, which is no failure.
        Err(error) if error.is_cancelled() && node.is_cancelled() => Ending::Cancelled,
        Err(error) => Ending::Failed(error.clone()),
    };
    outlet.put(result);
    ending
}

/// The scope around a piece of code, for what that code leaves to it.
#[derive(Debug, Clone)]
pub(crate) struct EnclosingScope(Weak<Shared>);

impl EnclosingScope {
    /// The nearest scope around whoever calls, if there is one in this process.
    pub(crate) fn of_caller() -> Option<Self> {
        Node::current()?.nearest_scope().map(Self)
    }

    /// Counts one more member, which must be told ended once; unless the scope has ended.
    pub(crate) fn join(&self) -> Option<Member> {
        let shared = self.0.upgrade().filter(|shared| !shared.is_closed.get())?;
        shared.step(Event::MemberStarted);
        Some(Member(Some(shared)))
    }
}

/// One member of a scope that is no local task.
#[derive(Debug)]
pub(crate) struct Member(Option<Rc<Shared>>);

impl Member {
    /// Tells the scope how it ended.
    pub(crate) fn ended(mut self, ending: Ending) {
        if let Some(shared) = self.0.take() {
            shared.step(Event::MemberEnded(ending));
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        if let Some(shared) = self.0.take() {
            shared.step(Event::MemberEnded(Ending::Cancelled));
        }
    }
}
