//! The keeper that sweeps up after this program if it is killed.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::table::Undertaker;
use crate::error::{Error, ErrorKind, Result};
use crate::process::{KeeperError, KeptTree, mind_keeper};

/// Whether the processes of one runtime are kept.
#[derive(Debug, Default)]
pub(super) struct Keeping {
    kept: RefCell<Option<KeptTree>>,
    is_minded: Cell<bool>,
}

impl Undertaker {
    /// Sees to it that there is a keeper before there is a process, if this program can be
    /// its own keeper.
    ///
    /// # Errors
    ///
    /// If it could not be started: then nothing that it should sweep up is started either.
    pub(crate) fn be_kept(self: &Rc<Self>) -> Result<()> {
        if self.keeping.kept.borrow().is_some() {
            return Ok(());
        }
        match KeptTree::new(&self.tree) {
            Ok(tree) => {
                self.keeping.kept.replace(Some(tree));
                self.mind();
                Ok(())
            }
            Err(KeeperError::NotBootstrapped) => Ok(()),
            Err(error) => Err(Error::wrap(ErrorKind::Spawn, error)),
        }
    }

    /// Replaces a keeper that was killed. If that fails, the next start tries again, and is
    /// told the reason.
    fn mind(self: &Rc<Self>) {
        if self.keeping.is_minded.replace(true) {
            return;
        }
        let undertaker = Rc::clone(self);
        // Refused only when the runtime has ended, and then there is nothing to keep.
        let _refused = self.starter.start(async move {
            let Err(_told_at_the_next_start) = mind_keeper().await;
            undertaker.keeping.is_minded.set(false);
            undertaker.keeping.kept.take();
        });
    }

    /// Lets go of the keeper and waits for its end, if this was the last runtime it kept.
    pub(crate) async fn let_keeper_go(&self) {
        let kept = self.keeping.kept.take();
        if let Some(kept) = kept {
            kept.close().await;
        }
    }
}
