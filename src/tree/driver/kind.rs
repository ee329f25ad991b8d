//! What all kinds of children have in common: how a life of one begins, is waited for, is
//! stopped, and what its supervisor is told in the end.

use std::rc::Rc;

use futures_lite::future;
use treewright_supervisors::spec::Shutdown;

use super::life::{Life, Verdict};
use super::orders::Orders;

/// A kind of child, with what it takes to start one.
pub(in crate::tree) trait Kind {
    /// A child of this kind that runs.
    type Running: Running;

    /// Starts a child. Where that fails nothing of it is left.
    async fn start(&self, life: &Rc<Life>) -> Result<Self::Running, Verdict>;
}

/// A child that runs.
pub(in crate::tree) trait Running {
    /// What is known of it when nothing of it is left.
    type Exit;

    /// Waits until it comes to its end by itself, and tells its supervisor how it fares until
    /// then. It is asked once; dropped before its end, the child runs on.
    async fn exited(&mut self, life: &Life);

    /// Stops it, or sees to what it has left behind if it came to its end by itself, and waits
    /// until nothing of it is left.
    ///
    /// # Cancel safety
    ///
    /// Dropped and asked again, perhaps more strictly, it goes on where it was.
    async fn stop(&mut self, how: &Shutdown) -> Self::Exit;

    /// What its supervisor makes of its end; `ordered` is how it was ordered to stop at first,
    /// if it was.
    fn verdict(self, life: &Life, ordered: Option<&Shutdown>, exit: Self::Exit) -> Verdict;
}

/// Lives the life of a child, and tells its supervisor what became of it.
pub(super) async fn run(kind: impl Kind, life: Rc<Life>, orders: Orders) {
    let verdict = live(&kind, &life, &orders).await;
    life.end(verdict);
}

/// One life: a start, then whichever comes first of its end and an order, then its stop.
pub(super) async fn live(kind: &impl Kind, life: &Rc<Life>, orders: &Orders) -> Verdict {
    let mut child = match kind.start(life).await {
        Ok(child) => child,
        Err(verdict) => return verdict,
    };
    let ended = async {
        child.exited(life).await;
        None
    };
    let ordered = async { Some(orders.next().await) };
    // An end that is seen together with an order is an end. Who waits for orders loses none.
    let ordered = future::or(ended, ordered).await;
    let how = ordered.as_ref().unwrap_or(&life.spec.shutdown);
    // Boxed, so that a child that runs takes no memory for its end.
    let exit = Box::pin(stop(&mut child, how.clone(), orders)).await;
    child.verdict(life, ordered.as_ref(), exit)
}

/// Stops the child, more strictly if that is ordered meanwhile.
async fn stop<R: Running>(child: &mut R, mut how: Shutdown, orders: &Orders) -> R::Exit {
    loop {
        let stopped = async { Ok(child.stop(&how).await) };
        let ordered = async { Err(orders.next().await) };
        match future::or(stopped, ordered).await {
            Ok(exit) => return exit,
            Err(stricter) => how = stricter,
        }
    }
}

#[cfg(test)]
#[path = "kind_tests.rs"]
mod tests;
