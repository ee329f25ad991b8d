//! Finding the actor that is the pool, and opening the conversation with it.

use std::time::Duration;

use treewright_supervisors::duration::Written;

use crate::context::{OpenContext, StreamReceiver, StreamSender};
use crate::discovery::{find_actor, wait_for_actor};
use crate::error::{Error, ErrorKind, Result};
use crate::pool::service::{Welcome, jobs};
use crate::portal::Portal;
use crate::rt;
use bytes::Bytes;

/// Who is looked for, and where.
#[derive(Debug)]
pub(super) struct Seeker {
    pub(super) name: String,
    /// An actor in whose tree it is; else it is the own one.
    pub(super) through: Option<Portal>,
    /// How long one that was there is waited for.
    pub(super) patience: Duration,
}

/// An open conversation with a pool.
pub(super) struct Conversation {
    pub(super) welcome: Welcome,
    pub(super) ctx: OpenContext<jobs>,
    pub(super) sender: StreamSender<Bytes>,
    pub(super) receiver: StreamReceiver<Bytes>,
}

impl Seeker {
    /// The pool that there is now.
    pub(super) async fn find(&self) -> Result<Conversation> {
        let found = match &self.through {
            Some(portal) => portal.find_actor(&self.name).await?,
            None => find_actor(&self.name).await?,
        };
        let portal = found.ok_or_else(|| {
            Error::other(format!("there is no pool `{}`", self.name))
                .with_hint("is it in this tree, and has it started? `wait` waits for it")
        })?;
        let opened = open(&portal).await;
        opened.map_err(|error| error.context(format!("cannot reach pool `{}`", self.name)))
    }

    /// The pool as soon as there is one.
    pub(super) async fn wait(&self) -> Result<Conversation> {
        loop {
            let portal = match &self.through {
                Some(portal) => portal.wait_for_actor(&self.name).await?,
                None => wait_for_actor(&self.name).await?,
            };
            match open(&portal).await {
                Err(error) if is_end(&error) => {}
                opened => {
                    return opened.map_err(|error| {
                        error.context(format!("cannot reach pool `{}`", self.name))
                    });
                }
            }
        }
    }

    /// The pool that was there before, in its next life.
    pub(super) async fn find_again(&self) -> Result<Conversation> {
        let patience = self.patience;
        rt::within(patience, self.wait()).await.unwrap_or_else(|_| {
            let (name, patience) = (&self.name, Written(patience));
            let text = format!("pool `{name}` is gone, and has not come back within {patience}");
            Err(Error::new(ErrorKind::LostProcess, text))
        })
    }
}

async fn open(portal: &Portal) -> Result<Conversation> {
    let (ctx, welcome) = portal.open_context(jobs()).await?;
    let (sender, receiver) = ctx.open_stream().await?.split();
    Ok(Conversation {
        welcome,
        ctx,
        sender,
        receiver,
    })
}

/// Whether it tells of an actor that ends or has ended; another life of it may come.
fn is_end(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Broken | ErrorKind::LostProcess | ErrorKind::Closed | ErrorKind::Cancelled
    )
}
