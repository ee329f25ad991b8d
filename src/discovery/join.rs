//! Joining the tree of another program.

use std::rc::Rc;

use super::address::socket_path;
use super::direct::{HELLO, broken, lost, server};
use super::door::{introduce_oneself, introduced};
use super::here::here;
use super::membership::Membership;
use crate::actor::{self, Conversation, Trust, our_hello};
use crate::error::{Error, ErrorContext, ErrorKind, Result};
use crate::id::Side;
use crate::link::{self, Incoming, NamedError, connect_named, greet};
use crate::portal::{Peer, Portal};
use crate::undertaker;
use crate::wire::Limits;

/// Joins the tree of another program of this user, and gives the handle of its root.
///
/// That program has said [`Runtime::builder().listen(name)`](crate::RuntimeBuilder::listen). By
/// the handle other actors of that tree are found: [`Portal::find_actor`]. Over all these
/// handles the functions may be called that are `#[task(public)]` or that the actors were
/// started with [exposed](crate::ActorBuilder::expose); who has joined can end nobody there, and
/// is itself not found there.
///
/// The tree is left when this runtime ends.
///
/// # Errors
///
/// If no program listens by this name, if the one that does is not of this user or refuses, or
/// if no runtime runs on this thread.
///
/// # Cancel safety
///
/// Safe: the tree is not joined then.
///
/// # Examples
///
/// ```no_run
/// # #[treewright::task(public)]
/// # async fn price(of: String) -> u32 { 3 }
/// #[treewright::main]
/// async fn main() -> treewright::Result<()> {
///     let shop = treewright::join("shop").await?;
///     let till = shop.wait_for_actor("till").await?;
///     println!("{}", till.run(price("nails".to_owned())).await?);
///     Ok(())
/// }
/// ```
pub async fn join(name: &str) -> Result<Portal> {
    let cannot = || format!("cannot join tree `{name}`");
    enter_tree(name).await.with_context(cannot)
}

async fn enter_tree(name: &str) -> Result<Portal> {
    let (here, actor, undertaker) = (here()?, actor::here()?, undertaker::current()?);
    let path = socket_path(name)?;
    let socket = connect_named(&path).await.map_err(|error| {
        let is_nobody = matches!(error, NamedError::Socket { .. });
        let error = Error::wrap(ErrorKind::Io, error);
        match is_nobody {
            true => error.with_hint(
                "does the program run, and does its root say `Runtime::builder().listen(..)`?",
            ),
            false => error,
        }
    })?;
    let (link, mut incoming, writer) = link::open(Box::new(socket), Limits::default());
    undertaker.run_beside(writer.run());
    // Dropped before the end of this, the link is closed, and nobody has joined.
    let greeted = greet(&link, &mut incoming, &our_hello(), HELLO).await;
    greeted.map_err(broken)?;
    introduce_oneself(&link, &actor.id)?;
    let root = introduced(&link, &mut incoming).await?;
    let node = here.own().node();
    let membership = Membership::new(&actor, true, true, &node);
    let peer = Peer::new(root, actor.id.clone(), link, Side::Starter);
    membership.set_above(&peer, &node);
    here.add_joined(Rc::clone(&membership));
    undertaker.run_beside(stay(Rc::clone(&membership), Rc::clone(&peer), incoming));
    Ok(membership.portal_above(peer))
}

/// Talks with the root of the tree until the end of the link.
async fn stay(membership: Rc<Membership>, peer: Rc<Peer>, incoming: Incoming) {
    let Ok(undertaker) = undertaker::current() else {
        return;
    };
    let server = server(&membership, &peer, Trust::Guest, &undertaker);
    let mut conversation = Conversation::new(Rc::clone(&peer), incoming, server);
    let outcome = conversation.run(|_| {}).await;
    peer.lose(&lost(&peer, outcome));
    membership.above_gone();
    membership.close();
    if let Ok(here) = here() {
        here.remove_joined(&membership);
    }
}
