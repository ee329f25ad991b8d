//! The tree of whoever waits for whom, down which a cancellation goes.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::{Rc, Weak};
use std::task::Waker;
use std::time::Duration;

use slab::Slab;

use super::open::Shared;
use crate::error::{CancelOrigin, CancelReason};
use crate::rt::{self, Latch};
use crate::time::Time;

/// How long work that may not be dropped at once gets when it is cancelled.
pub(crate) const DEFAULT_GRACE: Duration = Duration::from_secs(10);

thread_local! {
    /// The node whose future is being polled on this thread.
    static CURRENT: RefCell<Option<Rc<Node>>> = const { RefCell::new(None) };
}

/// What a node stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An open scope. Its tasks and its body are below it.
    Scope,
    /// A future that is dropped when it is cancelled: a task, or the body of a scope.
    Task,
    /// A future that is dropped when its time is up, and not before.
    Deadline,
    /// A future that a cancellation reaches only after the grace.
    Shield,
}

/// How hard a cancellation presses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Urgency {
    /// Shielded work and processes get their grace.
    InOrder,
    /// Nothing gets any grace.
    AtOnce,
}

/// One who can be cancelled, with those below who are cancelled with it.
///
/// A *hold* is something that ends in its own time when it is cancelled: shielded work,
/// or a process. It counts on every node above it, and nothing above it may be dropped
/// or come to its end before.
#[derive(Debug)]
pub(crate) struct Node {
    kind: Kind,
    parent: Option<(Rc<Node>, usize)>,
    children: RefCell<Slab<Weak<Node>>>,
    holds: Cell<usize>,
    grace: Duration,
    reason: RefCell<Option<CancelReason>>,
    urgency: Cell<Option<Urgency>>,
    /// When the grace began to run.
    cancelled_at: Cell<Time>,
    cancelled: Latch,
    /// Set once all grace is used up.
    pressed: Latch,
    /// Of the one future that drives this node.
    waker: RefCell<Option<Waker>>,
    /// When its time is up, if that is limited.
    deadline: Cell<Time>,
    /// The scope that it stands for, if it has one to join.
    scope: OnceCell<Weak<Shared>>,
}

impl Node {
    /// A node below `parent`; one below a cancelled parent is born cancelled.
    pub(crate) fn new(kind: Kind, parent: Option<Rc<Node>>) -> Rc<Self> {
        let grace = parent.as_ref().map_or(DEFAULT_GRACE, |parent| parent.grace);
        Self::with_grace(kind, parent, grace)
    }

    /// The same with a grace of its own, which those below inherit.
    pub(crate) fn with_grace(kind: Kind, parent: Option<Rc<Node>>, grace: Duration) -> Rc<Self> {
        Rc::new_cyclic(|me: &Weak<Node>| {
            let parent = parent.map(|parent| {
                let key = parent.children.borrow_mut().insert(me.clone());
                (parent, key)
            });
            let node = Self {
                kind,
                parent,
                children: RefCell::default(),
                holds: Cell::new(0),
                grace,
                reason: RefCell::default(),
                urgency: Cell::new(None),
                cancelled_at: Cell::new(Time::MAX),
                cancelled: Latch::new(),
                pressed: Latch::new(),
                waker: RefCell::default(),
                deadline: Cell::new(Time::MAX),
                scope: OnceCell::new(),
            };
            node.inherit();
            node
        })
    }

    fn inherit(&self) {
        let Some((parent, _)) = &self.parent else {
            return;
        };
        if let Some(urgency) = parent.passed_on() {
            let reason = parent.reason_for_children();
            self.cancel_as_of(parent.cancelled_at.get(), reason, urgency);
        }
    }

    /// The node whose future is being polled on this thread.
    pub(crate) fn current() -> Option<Rc<Self>> {
        CURRENT.with_borrow(Clone::clone)
    }

    /// Says when its time is up. Whoever drives it sees to that.
    pub(crate) fn set_deadline(&self, deadline: Time) {
        self.deadline.set(deadline);
    }

    /// When its time or that of one above is up, whichever is first; [`Time::MAX`] is never.
    /// Shielded work has its own time.
    pub(crate) fn deadline(&self) -> Time {
        let mut first = Time::MAX;
        let mut is_shielded = false;
        self.with_ancestors(|node| {
            is_shielded |= node.kind == Kind::Shield;
            if !is_shielded {
                first = first.min(node.deadline.get());
            }
        });
        first
    }

    /// Says which scope it stands for.
    pub(super) fn set_scope(&self, scope: Weak<Shared>) {
        let _only_once = self.scope.set(scope);
    }

    /// The nearest scope, of this node or of one above.
    pub(super) fn nearest_scope(&self) -> Option<Weak<Shared>> {
        let mut found = None;
        self.with_ancestors(|node| {
            if found.is_none() {
                found = node.scope.get().cloned();
            }
        });
        found
    }

    /// Runs `f` with this as the current node.
    pub(crate) fn enter<R>(self: &Rc<Self>, f: impl FnOnce() -> R) -> R {
        struct Restore(Option<Rc<Node>>);
        impl Drop for Restore {
            fn drop(&mut self) {
                CURRENT.set(self.0.take());
            }
        }
        let _restore = Restore(CURRENT.replace(Some(Rc::clone(self))));
        f()
    }

    /// Cancels this node and those below. The first reason stays; a later, more urgent
    /// cancellation only takes away the grace.
    pub(crate) fn cancel(&self, reason: CancelReason, urgency: Urgency) {
        self.cancel_as_of(rt::now(), reason, urgency);
    }

    fn cancel_as_of(&self, at: Time, reason: CancelReason, urgency: Urgency) {
        if self.urgency.get() >= Some(urgency) {
            return;
        }
        self.urgency.set(Some(urgency));
        self.cancelled_at.set(self.cancelled_at.get().min(at));
        self.reason.borrow_mut().get_or_insert(reason);
        self.cancelled.set();
        if urgency == Urgency::AtOnce {
            self.pressed.set();
        }
        self.wake();
        self.pass_on();
    }

    fn pass_on(&self) {
        let Some(urgency) = self.passed_on() else {
            return;
        };
        // Collected first: a waker may run code that adds or removes children.
        let children: Vec<_> = self
            .children
            .borrow()
            .iter()
            .filter_map(|(_, child)| child.upgrade())
            .collect();
        for child in children {
            let at = self.cancelled_at.get();
            child.cancel_as_of(at, self.reason_for_children(), urgency);
        }
    }

    /// How urgently those below are cancelled; a shield lets nothing through in order.
    fn passed_on(&self) -> Option<Urgency> {
        match (self.kind, self.urgency.get()) {
            (Kind::Shield, Some(Urgency::InOrder)) => None,
            (_, urgency) => urgency,
        }
    }

    fn reason_for_children(&self) -> CancelReason {
        let reason = self
            .reason()
            .unwrap_or(CancelReason::new(CancelOrigin::Enclosing));
        match (self.kind, reason.origin()) {
            // The tasks of a scope are told what the scope was told, and a signal is meant
            // for all of the process.
            (Kind::Scope, _) | (_, CancelOrigin::Enclosing | CancelOrigin::Signal(_)) => reason,
            (_, _) => CancelReason::new(CancelOrigin::Enclosing).with_message(reason.to_string()),
        }
    }

    /// Why it was cancelled, if it was.
    pub(crate) fn reason(&self) -> Option<CancelReason> {
        self.reason.borrow().clone()
    }

    /// Whether it was cancelled.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.is_set()
    }

    /// Whether no grace is left.
    pub(crate) fn is_pressed(&self) -> bool {
        self.pressed.is_set()
    }

    /// Waits until it is cancelled.
    pub(crate) async fn cancelled(&self) {
        self.cancelled.wait().await;
    }

    /// Waits until no grace is left.
    pub(crate) async fn pressed(&self) {
        self.pressed.wait().await;
    }

    /// How long work that may not be dropped at once gets when it is cancelled.
    pub(crate) fn grace(&self) -> Duration {
        self.grace
    }

    /// When the grace is over: counted from the cancellation, so that one shield after
    /// the other gets no more of it than one alone.
    pub(crate) fn end_of_grace(&self) -> Time {
        self.cancelled_at.get() + self.grace
    }

    /// Whether something below ends in its own time.
    pub(crate) fn is_held(&self) -> bool {
        self.holds.get() > 0
    }

    /// Whether it was cancelled and nothing below needs any more time.
    pub(crate) fn may_be_dropped(&self) -> bool {
        self.is_cancelled() && !self.is_held()
    }

    /// Remembers whom to wake when it is cancelled, or when the last hold is gone.
    pub(crate) fn register(&self, waker: &Waker) {
        let mut slot = self.waker.borrow_mut();
        if !slot.as_ref().is_some_and(|old| old.will_wake(waker)) {
            *slot = Some(waker.clone());
        }
    }

    /// Wakes whoever drives this node.
    pub(crate) fn wake(&self) {
        // Taken out first: a waker may run code that looks at this node.
        let waker = self.waker.borrow_mut().take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn with_ancestors(&self, mut f: impl FnMut(&Self)) {
        let mut node = self;
        loop {
            f(node);
            let Some((parent, _)) = &node.parent else {
                return;
            };
            node = parent;
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some((parent, key)) = &self.parent {
            parent.children.borrow_mut().remove(*key);
        }
    }
}

/// Something below a node that ends in its own time; dropping it says it has ended.
#[derive(Debug)]
pub(crate) struct Hold(Rc<Node>);

impl Hold {
    /// Holds `node` and all above it.
    pub(crate) fn new(node: &Rc<Node>) -> Self {
        node.with_ancestors(|node| node.holds.set(node.holds.get() + 1));
        Self(Rc::clone(node))
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.with_ancestors(|node| {
            node.holds.set(node.holds.get() - 1);
            if !node.is_held() {
                node.wake();
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> [Rc<Node>; 4] {
        let scope = Node::new(Kind::Scope, None);
        let task = Node::new(Kind::Task, Some(scope.clone()));
        let shield = Node::new(Kind::Shield, Some(task.clone()));
        let inner = Node::new(Kind::Scope, Some(shield.clone()));
        [scope, task, shield, inner]
    }

    #[test]
    fn cancel_in_order_stops_at_a_shield_and_at_once_passes_it() {
        let [scope, task, shield, inner] = tree();
        scope.cancel("stop".into(), Urgency::InOrder);
        assert!(task.is_cancelled() && shield.is_cancelled() && !inner.is_cancelled());
        scope.cancel("now".into(), Urgency::AtOnce);
        assert!(inner.is_cancelled() && inner.is_pressed());
        assert_eq!(scope.reason().unwrap().message(), Some("stop"));
    }

    #[test]
    fn reason_below_a_task_says_that_the_scope_around_was_cancelled_and_why() {
        let scope = Node::new(Kind::Scope, None);
        let task = Node::new(Kind::Task, Some(scope.clone()));
        let inner = Node::new(Kind::Scope, Some(task.clone()));
        scope.cancel("enough".into(), Urgency::InOrder);
        assert_eq!(task.reason(), scope.reason());
        let reason = inner.reason().unwrap();
        assert_eq!(reason.origin(), &CancelOrigin::Enclosing);
        assert_eq!(reason.message(), Some("cancelled on request: enough"));
    }

    #[test]
    fn node_below_a_cancelled_one_is_born_cancelled_unless_a_shield_is_between() {
        let [scope, task, shield, _] = tree();
        scope.cancel("stop".into(), Urgency::InOrder);
        assert!(Node::new(Kind::Scope, Some(task)).is_cancelled());
        assert!(!Node::new(Kind::Scope, Some(shield)).is_cancelled());
    }

    #[test]
    fn hold_counts_on_every_node_above_until_it_is_dropped() {
        let [scope, task, _, inner] = tree();
        let hold = Hold::new(&inner);
        scope.cancel("stop".into(), Urgency::AtOnce);
        assert!(scope.is_held() && !task.may_be_dropped());
        drop(hold);
        assert!(!scope.is_held() && task.may_be_dropped());
    }

    #[test]
    fn dropped_node_leaves_its_parent() {
        let [scope, ..] = tree();
        assert!(scope.children.borrow().is_empty());
    }
}
