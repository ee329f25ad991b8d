//! Links that a hop cannot pass a descriptor for: over that hop their bytes go as the stream of
//! a context between its two ends.
#![expect(
    unsafe_code,
    reason = "the entries of functions are gathered by the linker"
)]

use std::cell::RefCell;
use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use bytes::Bytes;
use treewright_macros::context;

use super::directory::Way;
use super::here::here;
use super::introduction::{refuse, socket_pair};
use super::membership::Membership;
use super::pump::pump;
use crate::context::{Context, OpenContext};
use crate::error::{Error, ErrorContext, ErrorKind, Result};
use crate::portal::Peer;
use crate::undertaker;
use crate::wire::Introduce;

/// How many links may be relayed over one hop at once.
const MOST_RELAYED: usize = 1024;

/// What the records about relays are from.
const LOG_TARGET: &str = "treewright::discovery";

/// How many links are relayed over each hop.
#[derive(Debug, Default)]
pub(super) struct Relays(Rc<RefCell<HashMap<Way, usize>>>);

impl Relays {
    /// Counts one more over this hop, until the guard is dropped.
    fn begin(&self, way: Way) -> Result<Relayed> {
        let mut counts = self.0.borrow_mut();
        let count = counts.entry(way).or_default();
        if *count >= MOST_RELAYED {
            let message = format!("{MOST_RELAYED} links are relayed there");
            return Err(Error::new(ErrorKind::Refused, message));
        }
        *count += 1;
        let counts = Rc::clone(&self.0);
        Ok(Relayed { counts, way })
    }
}

/// One link that is relayed.
struct Relayed {
    counts: Rc<RefCell<HashMap<Way, usize>>>,
    way: Way,
}

impl Drop for Relayed {
    fn drop(&mut self) {
        let mut counts = self.counts.borrow_mut();
        if let Some(count) = counts.get_mut(&self.way) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.way);
            }
        }
    }
}

/// Takes in an introduction from over a hop, whose link comes as the stream of this context.
///
/// It is public because a child opens it at its parent; who is neither is refused.
#[context(public, name = "treewright::relay", crate = crate)]
async fn relay(ctx: Context<(), Bytes, Bytes>, body: Introduce) -> Result<()> {
    let tree = Rc::clone(here()?.own());
    let way = tree.way_to_neighbour(ctx.peer()).ok_or_else(|| {
        let message = format!(
            "actor `{}` is no parent and no child of this one",
            ctx.peer()
        );
        Error::new(ErrorKind::Refused, message)
    })?;
    let _relayed = tree.relays().begin(way)?;
    let (ours, theirs) = socket_pair()?;
    let taken = tree.pass_on(way, body, Some(theirs));
    taken.map_err(|breach| Error::new(ErrorKind::Broken, breach))?;
    let ctx = ctx.started(()).await?;
    // Where one side is gone the other one sees its end, which is all there is to tell.
    let _broken = pump(ours, ctx.open_stream().await?).await;
    Ok(())
}

impl Membership {
    /// Takes an introduction and its link on over the hop to `peer`, which cannot pass it.
    pub(super) fn relay_on(
        self: &Rc<Self>,
        way: Way,
        peer: &Rc<Peer>,
        body: Introduce,
        link: OwnedFd,
    ) {
        let Ok(undertaker) = undertaker::current() else {
            return;
        };
        let (tree, peer) = (Rc::clone(self), Rc::clone(peer));
        undertaker.run_beside(async move { tree.relay_over(way, peer, body, link).await });
    }

    async fn relay_over(self: Rc<Self>, way: Way, peer: Rc<Peer>, body: Introduce, link: OwnedFd) {
        let name = peer.id().name().to_owned();
        let opened = async {
            let relayed = self.relays().begin(way)?;
            let hop = self.portal_above(peer);
            let (ctx, ()) = hop.open_context(relay(body)).await?;
            Ok((relayed, ctx))
        };
        let opened: Result<(Relayed, OpenContext<relay>)> = opened.await;
        let opened = opened.with_context(|| format!("cannot relay a link over actor `{name}`"));
        let (_relayed, ctx) = match opened {
            Ok(opened) => opened,
            // Nothing has gone over it: this is read in place of a hello.
            Err(error) => return refuse(&link, &error, &self.actor().id),
        };
        if let Err(error) = run(&ctx, link).await {
            log::debug!(target: LOG_TARGET, "a link relayed over actor `{name}` broke: {error:?}");
            // Its end is told to the other side of the hop, too.
            let _told = ctx.cancel().await;
        }
    }
}

async fn run(ctx: &OpenContext<relay>, link: OwnedFd) -> Result<()> {
    pump(link, ctx.open_stream().await?).await?;
    ctx.result().await
}
