//! A tree as a member of a nursery.

use std::rc::Rc;

use futures_lite::future;

use super::driver::TreeOutcome;
use super::front::Tree;
use super::handle::TreeHandle;
use super::shared::failure;
use crate::error::{CancelOrigin, CancelReason, Error, ErrorKind, Result};
use crate::nursery::Nursery;
use crate::scope::{Ending, Hold, Kind, Node, Urgency, closed};
use crate::undertaker;

impl Nursery<'_> {
    /// Runs a tree in this nursery, and returns when its children have started.
    ///
    /// The tree is a member of the nursery. When the nursery is cancelled the tree is stopped
    /// in order, in the times its spec gives, and the nursery ends when nothing of it is left.
    /// When the tree gives up, the nursery fails. When it ends by itself, or by its handle, that
    /// is a value: [`TreeHandle::ended`].
    ///
    /// # Errors
    ///
    /// When it holds what cannot be run yet; when a child does not start, and then what was
    /// started before it is stopped again; when the nursery has ended or is cancelled; when
    /// no runtime runs on this thread; and as [`Tree::run`]. None of them fails the nursery by
    /// itself.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops what was started; the nursery waits for that.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use treewright::{Tree, open_nursery};
    ///
    /// fn main() -> treewright::Result<()> {
    ///     treewright::bootstrap();
    ///     treewright::run(async || {
    ///         open_nursery(async |n| {
    ///             let shop = n.supervise(Tree::load("shop.toml")?).await?;
    ///             // Everything is up. Do what is to be done with it, and take it down again.
    ///             shop.restart("web").await?;
    ///             shop.shut_down();
    ///             shop.ended().await?;
    ///             Ok(())
    ///         })
    ///         .await
    ///     })
    /// }
    /// ```
    pub async fn supervise(&self, tree: impl Into<Tree>) -> Result<TreeHandle> {
        let tree = tree.into();
        let handle = tree.handle();
        let mut guard = StopOnDrop(Some(self.hand_over(tree)?));
        handle.started().await?;
        guard.0 = None;
        Ok(handle)
    }

    /// Gives the tree to the undertaker, which runs it whoever stops waiting for it.
    fn hand_over(&self, tree: Tree) -> Result<Rc<Node>> {
        let scope = self.scope();
        let undertaker = undertaker::current()?;
        if scope.is_closed() {
            return Err(closed());
        }
        if let Some(reason) = scope.node().reason() {
            return Err(Error::cancelled(reason));
        }
        let node = Node::new(Kind::Task, Some(Rc::clone(scope.node())));
        let (member, hold) = (scope.member_started(), Hold::new(scope.node()));
        let (name, told) = (tree.spec().name.clone(), Rc::clone(&node));
        undertaker.take_charge(format!("tree `{name}`"), async move {
            let handle = tree.handle();
            let run = async { Some(tree.run().await) };
            // The orders never end; dropped, they have nothing to lose.
            let outcome = future::or(run, pass_orders(&told, &handle)).await;
            if let Some(outcome) = outcome {
                member.ended(ending(&name, outcome, &handle));
            }
            drop(hold);
        });
        Ok(node)
    }
}

/// Passes on what the nursery is told.
async fn pass_orders<T>(node: &Node, handle: &TreeHandle) -> Option<T> {
    node.cancelled().await;
    handle.shut_down();
    node.pressed().await;
    handle.kill();
    future::pending().await
}

/// How a nursery takes the end of a tree. Whoever started it is told why it did not start.
fn ending(name: &str, outcome: Result<TreeOutcome>, handle: &TreeHandle) -> Ending {
    match outcome {
        Ok(TreeOutcome::GaveUp { reason }) => {
            Ending::Failed(failure(name, ErrorKind::GaveUp, reason))
        }
        Ok(_) => Ending::Done,
        Err(error) if handle.is_started() => Ending::Failed(error),
        Err(_) => Ending::Done,
    }
}

/// Stops a tree that nobody waits for any more, unless it was let go.
struct StopOnDrop(Option<Rc<Node>>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        if let Some(node) = &self.0 {
            node.cancel(CancelReason::new(CancelOrigin::Dropped), Urgency::InOrder);
        }
    }
}
