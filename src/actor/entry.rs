//! The life of an actor from its first to its last instruction.

use std::cell::RefCell;
use std::io::{self, Write};
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures_lite::future;

use super::logging::Relay;
use super::{Actor, Boot, Conversation, Heard, Ready, Server, Trust, expect, logging, our_hello};
use crate::error::{CancelOrigin, CancelReason, Error, ErrorContext, ErrorKind, Result};
use crate::id::{ContextId, Side};
use crate::link::{self, Incoming, Link, Pipes, Socket, Transport, Writer};
use crate::portal::Peer;
use crate::process::{self, ActorRole};
use crate::rt::{self, Latch};
use crate::runtime::Runtime;
use crate::scope::{Kind as NodeKind, Node, Urgency, shielded};
use crate::time::Clock;
use crate::undertaker;
use crate::wire::{Codec, Encoded, Hello, Kind, Limits, negotiate};

/// How long a new actor waits to be told what it is to be.
const BOOT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the last words may take to leave, when the other side does not read.
const FAREWELL: Duration = Duration::from_secs(1);

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
    let code = match transport(role) {
        Ok(transport) => live(transport, Body::Process),
        Err(error) => {
            complain(&error);
            NOT_BOOTED
        }
    };
    std::process::exit(code);
}

fn transport(role: ActorRole) -> Result<Box<dyn Transport>> {
    match role {
        ActorRole::Link => {
            let socket = process::take_stdin().context("cannot take the link from stdin")?;
            Ok(Box::new(Socket::new(socket)?))
        }
        ActorRole::Stdio => {
            let (from, to) = process::take_stdio().context("cannot take the link from stdio")?;
            Ok(Box::new(Pipes::new(from, to)?))
        }
    }
}

/// Lives as an actor on the link `transport`, until the parent or a signal ends it. Gives
/// the code to exit with.
pub(crate) fn live(transport: Box<dyn Transport>, body: Body) -> i32 {
    let (link, mut incoming, writer) = link::open(transport, Limits::default());
    let booted = rt::block_on(&Clock::Monotonic, boot(&link, &mut incoming));
    let boot = match booted {
        Ok(boot) => boot,
        Err(error) => {
            complain(&error);
            return NOT_BOOTED;
        }
    };
    if body == Body::Process {
        process::set_title(boot.id.name());
        if let Some(parent) = boot.parent_process {
            process::die_with_parent(parent, boot.grace);
        }
    }
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
    let outcome = runtime.run_as(Rc::clone(&actor), async || {
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

/// Is told what to be, and answers who we are.
async fn boot(link: &Link, incoming: &mut Incoming) -> Result<Boot> {
    let told = async {
        let hello: Hello = expect(incoming, Kind::Hello, Codec::Cbor).await?;
        let ours = our_hello();
        let agreed = negotiate(&ours, &hello).context("cannot agree with the parent")?;
        let encoded = Encoded::new(Codec::Cbor, Kind::Hello, ContextId::LINK, &ours);
        let boot: Boot = expect(incoming, Kind::Boot, Codec::Cbor).await?;
        // Said in one write with what follows, which is the first word after it.
        let _cork = link.cork();
        link.send(encoded.context("cannot say hello")?)
            .context("cannot reach the parent")?;
        link.set_agreed(agreed);
        let ready = Ready {
            process: std::process::id(),
        };
        let ready = Encoded::new(link.codec(), Kind::Ready, ContextId::LINK, &ready);
        link.send(ready.context("cannot say that we are ready")?)
            .context("cannot reach the parent")?;
        Ok(boot)
    };
    let told = rt::within(BOOT_TIMEOUT, told).await;
    told.unwrap_or_else(|elapsed| Err(Error::wrap(ErrorKind::TimedOut, elapsed)))
        .context("cannot become an actor")
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
    let peer = Peer::new(parent, link.clone(), Side::Started);
    let node = Node::new(NodeKind::Scope, Node::current());
    let server = Server::new(
        actor,
        Rc::clone(&peer),
        Trust::Parent,
        Rc::clone(&node),
        Rc::clone(&undertaker),
    );
    let mut conversation = Conversation::new(Rc::clone(&peer), incoming, server);
    // What ends it shall not cut off the orderly end.
    shielded(async {
        let (end, ended) = (RefCell::new(None), Latch::new());
        let note = |why: End| {
            // A signal may have begun it before this was seen.
            let why = node.reason().map_or(why, End::Own);
            end.borrow_mut().get_or_insert(why);
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
            note(End::Orphaned(orphaned(&peer, outcome)));
            future::pending().await
        };
        let own = async {
            node.cancelled().await;
            note(End::Own(CancelReason::new(CancelOrigin::Enclosing)));
            future::pending().await
        };
        let wind_up = async {
            ended.wait().await;
            if let Some(End::Asked(reason) | End::Orphaned(reason)) = end.borrow().clone() {
                node.cancel(reason, Urgency::InOrder);
            }
            undertaker.empty().await;
        };
        // Only the first ever ends; the others are there to be polled.
        let others = pin!(future::or(talk, own));
        future::or(wind_up, others).await;
        let end = end.take();
        if let Some(relay) = relay {
            relay.send_the_rest(peer.link());
        }
        say_goodbye(&peer, end.as_ref(), FAREWELL.min(node.grace() / 2)).await;
        Ok(exit_code(end.as_ref()))
    })
    .await
}

fn orphaned(peer: &Peer, outcome: Result<()>) -> CancelReason {
    let name = peer.id().name();
    let message = match outcome {
        Ok(()) => format!("actor `{name}` is gone"),
        Err(error) => format!("actor `{name}` cannot be understood: {error:?}"),
    };
    CancelReason::new(CancelOrigin::Enclosing).with_message(message)
}

/// Tells the parent why, if it does not know, and lets all that was said leave.
async fn say_goodbye(peer: &Peer, end: Option<&End>, patience: Duration) {
    if let Some(End::Own(reason)) = end {
        let codec = peer.link().codec();
        let goodbye = Encoded::new(codec, Kind::Goodbye, ContextId::LINK, reason);
        if let Ok(goodbye) = goodbye {
            let _gone = peer.send(goodbye);
        }
    }
    peer.link().close();
    let _late = rt::within(patience, peer.link().closed()).await;
}

fn exit_code(end: Option<&End>) -> i32 {
    match end {
        Some(End::Own(reason)) => match reason.origin() {
            CancelOrigin::Signal(number) => 128 + number,
            _ => 1,
        },
        _ => 0,
    }
}

/// Tells a person; the parent keeps it as the last words of this process.
fn complain(error: &Error) {
    let _nobody_reads = writeln!(io::stderr(), "treewright: {error:?}");
}
