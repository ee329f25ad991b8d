//! Closures of the program that are children of a tree, by the name of the child.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;

use treewright_supervisors::spec::ChildName;

use crate::error::{CancelReason, Result};
use crate::rt::Latch;
use crate::scope::Node;

/// What one life of a local child runs.
pub(super) type LocalRun = Pin<Box<dyn Future<Output = Result<()>>>>;

/// A closure that is called for each life of its child.
type Closure = Rc<dyn Fn(LocalChild) -> LocalRun>;

/// The closures of a tree.
#[derive(Default)]
pub(super) struct Attached(RefCell<HashMap<ChildName, Closure>>);

impl Attached {
    pub(super) fn insert(
        &self,
        name: ChildName,
        closure: impl AsyncFn(LocalChild) -> Result<()> + 'static,
    ) {
        let closure = Rc::new(closure);
        let run = move |child| -> LocalRun {
            let closure = Rc::clone(&closure);
            Box::pin(async move { closure(child).await })
        };
        self.0.borrow_mut().insert(name, Rc::new(run));
    }

    pub(super) fn has(&self, name: &ChildName) -> bool {
        self.0.borrow().contains_key(name)
    }

    pub(super) fn names(&self) -> Vec<ChildName> {
        self.0.borrow().keys().cloned().collect()
    }

    /// Calls the closure of this name for one more life; `None` if there is none.
    pub(super) fn call(&self, name: &str, child: LocalChild) -> Option<LocalRun> {
        let closure = self.0.borrow().get(name).cloned();
        closure.map(|closure| closure(child))
    }
}

impl fmt::Debug for Attached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

/// One life of a child that is a closure of the program, as the closure has it.
///
/// See [`Tree::attach`](crate::Tree::attach).
#[derive(Clone)]
pub struct LocalChild {
    name: ChildName,
    epoch: u64,
    node: Rc<Node>,
    started: Rc<Latch>,
}

impl LocalChild {
    pub(super) fn new(name: ChildName, epoch: u64, node: Rc<Node>, started: Rc<Latch>) -> Self {
        Self {
            name,
            epoch,
            node,
            started,
        }
    }

    /// Its name in the tree.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Which life of the child this is, from 1: every start counts.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Says that it has started, for which its supervisor waits where its `start` is `ready`.
    /// Said again, or where `start` is `spawned`, it changes nothing.
    pub fn started(&self) {
        self.started.set();
    }

    /// Waits until its supervisor stops it, and gives the reason.
    ///
    /// The closure itself is dropped at that moment, so this is of use inside
    /// [`shielded`](crate::shielded) only, which has the time of the child's `shutdown`.
    ///
    /// # Cancel safety
    ///
    /// Safe.
    pub async fn cancelled(&self) -> CancelReason {
        self.node.cancelled().await;
        let reason = self.node.reason();
        reason.expect("invariant: the reason is set before the latch")
    }

    /// Whether its supervisor stops it.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.node.is_cancelled()
    }
}

impl fmt::Debug for LocalChild {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalChild")
            .field("name", &self.name)
            .field("epoch", &self.epoch)
            .field("is_cancelled", &self.is_cancelled())
            .finish_non_exhaustive()
    }
}
