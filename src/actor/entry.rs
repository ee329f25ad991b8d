//! The life of an actor from its first to its last instruction.

use std::cell::OnceCell;
use std::io::{self, Write};
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures_lite::future;

use super::logging::Relay;
use super::{Actor, Boot, Conversation, Heard, Server, Trust, Way, logging};
use crate::discovery;
use crate::error::{CancelOrigin, CancelReason, Error, ErrorContext, ErrorKind, Result};
use crate::id::{ContextId, Side};
use crate::link::{self, Incoming, Link, LinkError, Writer};
use crate::portal::Peer;
use crate::process::{self, ActorRole, HeldSignals};
use crate::rt::{self, Latch};
use crate::runtime::{Runtime, hold_signals};
use crate::scope::{Kind as NodeKind, Node, Urgency, shielded};
use crate::undertaker::{self, Undertaker};
use crate::wire::{Encoded, Kind, Limits};

/// The exit code of a process that should have become an actor and could not.
const NOT_BOOTED: i32 = 70;

/// What an actor lives in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Body {
    /// A process of its own.
    Process,
    /// A thread of its parent's process.
    Thread,
}

/// Becomes an actor and never returns, if this process was started to be one.
pub(crate) fn play_actor() {
    let Some(role) = process::take_actor_role() else {
        return;
    };
    let code = match way(role) {
        Ok(way) => live(way, Body::Process),
        Err(error) => {
            complain(&error);
            NOT_BOOTED
        }
    };
    std::process::exit(code);
}

fn way(role: ActorRole) -> Result<Way> {
    match role {
        ActorRole::Link => {
            let socket = process::take_stdin().context("cannot take the link from stdin")?;
            Ok(Way::Socket(socket))
        }
        ActorRole::Stdio => {
            let (from, to) = process::take_stdio().context("cannot take the link from stdio")?;
            Ok(Way::Stdio(from, to))
        }
    }
}

/// Lives as an actor, until the parent or a signal ends it. Gives the code to exit with.
pub(crate) fn live(way: Way, body: Body) -> i32 {
    let mut held = None;
    let introduced = way.shake_hands(|boot| held = become_it(boot, body));
    if let (Ok(introduced), Some(held)) = (&introduced, &held) {
        introduced.wait_for_news(&way, held);
    }
    let opened = introduced.and_then(|introduced| {
        let limits = Limits::default();
        let (agreed, decoder) = (introduced.agreed, introduced.decoder);
        let link = link::open_agreed(way.into_transport()?, limits, agreed, decoder);
        Ok((introduced.boot, link))
    });
    let (boot, (link, incoming, writer)) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            complain(&error);
            return NOT_BOOTED;
        }
    };
    let actor = Rc::new(Actor {
        id: boot.id,
        parent: Some(boot.parent),
        exposed: boot.exposed.into_iter().collect(),
        log_level: Some(boot.log_level),
    });
    let relay = match body {
        Body::Process => Some(Relay::install(&actor.id, boot.log_level)),
        // What it logs, and what is logged below it, goes by the process it is in.
        Body::Thread => None,
    };
    let runtime = Runtime::builder()
        .grace(boot.grace)
        .handle_signals(body == Body::Process);
    let outcome = runtime.run_as(Rc::clone(&actor), held, async || {
        serve(actor, link, incoming, writer, relay).await
    });
    match outcome {
        Ok(code) => code,
        Err(error) => {
            complain(&error);
            1
        }
    }
}

/// Does what must be done before anybody relies on the actor. Signals wait from here on for
/// the runtime of a process.
fn become_it(boot: &Boot, body: Body) -> Option<HeldSignals> {
    if body == Body::Thread {
        return None;
    }
    process::set_title(boot.id.name());
    // Without it the runtime is made at once.
    let held = hold_signals().ok();
    if let Some(parent) = boot.parent_process {
        process::die_with_parent(parent, boot.grace);
    }
    held
}

/// Why the actor ends.
#[derive(Debug, Clone)]
enum End {
    /// The parent asked.
    Asked(CancelReason),
    /// The parent is gone, or cannot be understood.
    Orphaned(CancelReason),
    /// Something here asked: a signal.
    Own(CancelReason),
}

/// Serves until something ends it, then cancels in order what runs, and says goodbye.
async fn serve(
    actor: Rc<Actor>,
    link: Link,
    incoming: Incoming,
    writer: Writer,
    relay: Option<&'static Relay>,
) -> Result<i32> {
    let undertaker = undertaker::current()?;
    undertaker.run_beside(writer.run());
    let _attached = relay.map(|relay| {
        undertaker.run_beside(relay.run(link.clone()));
        logging::attach(link.clone())
    });
    let parent = actor.parent.clone();
    let parent = parent.expect("invariant: whoever serves was started by somebody");
    let peer = Peer::new(parent, actor.id.clone(), link.clone(), Side::Started);
    let node = Node::new(NodeKind::Scope, Node::current());
    discovery::parent_is(&peer, &node);
    let server = Server::new(
        actor,
        Rc::clone(&peer),
        Trust::Parent,
        Rc::clone(&node),
        Rc::clone(&undertaker),
    );
    let conversation = Conversation::new(Rc::clone(&peer), incoming, server);
    // What ends it shall not cut off the orderly end.
    shielded(async {
        let end = until_the_end(&node, &peer, conversation, &undertaker).await;
        if let Some(relay) = relay {
            relay.send_the_rest(peer.link());
        }
        say_goodbye(&peer, &end, patience(&end, node.grace())).await;
        Ok(exit_code(&end))
    })
    .await
}

/// Talks until something ends the actor, and on until all that runs in it has ended.
async fn until_the_end(
    node: &Node,
    peer: &Peer,
    mut conversation: Conversation,
    undertaker: &Undertaker,
) -> End {
    let (end, ended) = (OnceCell::new(), Latch::new());
    let note = |why: End| {
        // A signal may have begun it before this was seen. The first stays.
        let _first_stays = end.set(node.reason().map_or(why, End::Own));
        ended.set();
    };
    let talk = async {
        let outcome = conversation
            .run(|heard| {
                if let Heard::Cancel(reason) = heard {
                    note(End::Asked(reason));
                }
            })
            .await;
        let why = orphaned(peer, outcome);
        // What is shielded from the cancellation is told by its streams.
        peer.lose(&Error::new(ErrorKind::Broken, why.clone()));
        let reason = CancelReason::new(CancelOrigin::Enclosing).with_message(why);
        note(End::Orphaned(reason));
        future::pending().await
    };
    let own = async {
        node.cancelled().await;
        note(End::Own(CancelReason::new(CancelOrigin::Enclosing)));
        future::pending().await
    };
    let wind_up = async {
        ended.wait().await;
        if let Some(End::Asked(reason) | End::Orphaned(reason)) = end.get() {
            node.cancel(reason.clone(), Urgency::InOrder);
        }
        undertaker.wind_up().await;
    };
    // Only the first ever ends; the others are there to be polled.
    let others = pin!(future::or(talk, own));
    future::or(wind_up, others).await;
    let end = end.get().cloned();
    end.expect("invariant: the end is set before the latch")
}

fn orphaned(peer: &Peer, outcome: Result<()>) -> String {
    let name = peer.id().name();
    match outcome {
        Ok(()) => format!("actor `{name}` is gone"),
        // It went before it had read all.
        Err(error) if is_reset(&error) => format!("actor `{name}` is gone"),
        Err(error) => format!("actor `{name}` cannot be understood: {error:?}"),
    }
}

fn is_reset(error: &Error) -> bool {
    matches!(
        error.downcast_ref::<LinkError>(),
        Some(LinkError::Io { source, .. }) if source.kind() == io::ErrorKind::ConnectionReset
    )
}

/// How long the last words may take to leave, when the parent does not read.
///
/// One that has asked for the end waits for it, and its thread may be busy meanwhile: it has the
/// whole grace, after which it sends signals itself. One that has not asked may not even look;
/// what ended this actor then ends it at once when the grace is over.
fn patience(end: &End, grace: Duration) -> Duration {
    match end {
        End::Asked(_) => grace,
        End::Orphaned(_) | End::Own(_) => grace / 2,
    }
}

/// Tells the parent why, if it does not know, and lets all that was said leave.
async fn say_goodbye(peer: &Peer, end: &End, patience: Duration) {
    if let End::Own(reason) = end {
        let codec = peer.link().codec();
        let goodbye = Encoded::new(codec, Kind::Goodbye, ContextId::LINK, reason);
        if let Ok(goodbye) = goodbye {
            let _gone = peer.send(goodbye);
        }
    }
    peer.link().close();
    let _late = rt::within(patience, peer.link().closed()).await;
}

fn exit_code(end: &End) -> i32 {
    match end {
        End::Own(reason) => match reason.origin() {
            CancelOrigin::Signal(number) => 128 + number,
            _ => 1,
        },
        End::Asked(_) | End::Orphaned(_) => 0,
    }
}

/// Tells a person; the parent keeps it as the last words of this process.
fn complain(error: &Error) {
    let _nobody_reads = writeln!(io::stderr(), "treewright: {error:?}");
}
