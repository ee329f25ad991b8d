//! A link that is cut after every single byte of a dialog: neither side ever waits for ever.

#![expect(
    unsafe_code,
    reason = "in other crates the attribute may name the section of the list; here it is not another's"
)]

use std::cell::Cell;
use std::io::{self, IoSlice};
use std::rc::Rc;
use std::task::{self, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_lite::future::zip;

use super::{Actor, Conversation, Server, Trust, here, our_hello};
use crate as treewright;
use crate::context::{Context, MsgStream, StreamSender};
use crate::error::{CancelReason, Error, ErrorKind, Result};
use crate::id::Side;
use crate::link::{self, Memory, Transport, memory_pair};
use crate::nursery::open_nursery;
use crate::portal::{Lifeline, Peer, Portal};
use crate::process::Exit;
use crate::rt;
use crate::runtime::Runtime;
use crate::scope::{Kind as NodeKind, Node, fail_after, shielded};
use crate::time::VirtualClock;
use crate::undertaker;
use crate::wire::{Agreed, Decoder, Limits, negotiate};

/// Far beyond anything that is bounded; the clock goes there at once when nothing can run.
const FOR_EVER: Duration = Duration::from_secs(24 * 60 * 60);

/// A message of this length takes two frames.
const LONG: usize = 1_100;

/// And this is one that takes one.
const SHORT: usize = 100;

thread_local! {
    static RUNNING: Cell<i32> = const { Cell::new(0) };
}

/// That a function runs.
struct Running;

impl Running {
    fn new() -> Self {
        RUNNING.set(RUNNING.get() + 1);
        Self
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.set(RUNNING.get() - 1);
    }
}

/// Sends back what comes, and a message of this length first. In its shield, only the stream says that
/// nobody is there any more.
#[treewright::context(crate = treewright)]
async fn mirror(
    ctx: Context<String, Bytes, Bytes>,
    length: usize,
    is_shielded: bool,
) -> Result<u32> {
    let _running = Running::new();
    let ctx = ctx.started("first".into()).await?;
    let mut stream = ctx.open_stream().await?;
    let talk = async {
        stream.send(Bytes::from(vec![7; length])).await?;
        let mut count = 0;
        while let Some(message) = stream.try_next().await? {
            stream.send(message).await?;
            count += 1;
        }
        Ok(count)
    };
    match is_shielded {
        true => shielded(talk).await,
        false => talk.await,
    }
}

#[treewright::stream(crate = treewright)]
async fn count(mut out: StreamSender<u64>, upto: u64) -> Result<()> {
    let _running = Running::new();
    for number in 0..upto {
        out.send(number).await?;
    }
    Ok(())
}

/// A transport that breaks when so many bytes were written.
struct Cut {
    inner: Box<dyn Transport>,
    left: Rc<Cell<usize>>,
    /// Nothing is read after it, either.
    is_both_ways: bool,
}

impl Cut {
    /// What may still be written of `slices`.
    fn allowed<'a>(&self, slices: &'a [IoSlice<'_>]) -> io::Result<Vec<IoSlice<'a>>> {
        let mut room = self.left.get();
        if room == 0 {
            self.inner.shutdown();
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let mut allowed = Vec::new();
        for slice in slices {
            let part = &slice[..slice.len().min(room)];
            room -= part.len();
            allowed.push(IoSlice::new(part));
        }
        Ok(allowed)
    }

    fn count(&self, written: usize) -> usize {
        self.left.set(self.left.get() - written);
        if self.left.get() == 0 {
            self.inner.shutdown();
        }
        written
    }
}

impl Transport for Cut {
    fn poll_read(&self, cx: &mut task::Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        match self.is_both_ways && self.left.get() == 0 {
            true => Poll::Ready(Ok(0)),
            false => self.inner.poll_read(cx, buffer),
        }
    }

    fn poll_write(
        &self,
        cx: &mut task::Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let allowed = self.allowed(slices)?;
        let written = self.inner.poll_write(cx, &allowed);
        written.map_ok(|written| self.count(written))
    }

    fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let allowed = self.allowed(slices)?;
        let written = self.inner.try_write(&allowed)?;
        Ok(self.count(written))
    }

    fn shutdown(&self) {
        self.inner.shutdown();
    }
}

/// Nobody looks after these actors.
#[derive(Debug)]
struct Nobody;

impl Lifeline for Nobody {
    fn as_any(&self) -> &dyn std::any::Any {
        self
    }

    fn cancel(&self, _: CancelReason) {}

    fn is_cancelled(&self) -> bool {
        false
    }

    fn ended(&self) -> std::pin::Pin<Box<dyn Future<Output = Exit> + '_>> {
        Box::pin(std::future::pending())
    }

    fn try_ended(&self) -> Option<Exit> {
        None
    }
}

/// One end of a link, and what it serves.
struct End {
    peer: Rc<Peer>,
    conversation: Conversation,
}

impl End {
    fn new(transport: Box<dyn Transport>, side: Side, there: &Actor) -> Result<Self> {
        let agreed = negotiate(&our_hello(), &our_hello()).unwrap();
        let agreed = Agreed {
            max_frame: 1024,
            ..agreed
        };
        let limits = Limits::default();
        let (link, incoming, writer) = link::open_agreed(transport, limits, agreed, Decoder::new());
        let undertaker = undertaker::current()?;
        undertaker.run_beside(writer.run());
        let me = here()?;
        let peer = Peer::new(there.id.clone(), me.id.clone(), link, side);
        let node = Node::new(NodeKind::Scope, Node::current());
        let server = Server::new(me, Rc::clone(&peer), Trust::Parent, node, undertaker);
        let conversation = Conversation::new(Rc::clone(&peer), incoming, server);
        Ok(Self { peer, conversation })
    }

    /// Talks until the link ends, and no longer.
    async fn talk(mut self) {
        let outcome = self.conversation.run(|_| {}).await;
        let gone = || Error::new(ErrorKind::Broken, "the link ended");
        self.peer.lose(&outcome.err().unwrap_or_else(gone));
    }
}

/// Where a link is cut.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// By what this side writes.
    of: Side,
    /// After so many bytes.
    at: usize,
    is_both_ways: bool,
    /// How much is on its way at most.
    capacity: usize,
}

impl Place {
    /// The transports of both sides, and what is left to be written before the cut.
    fn transports(self) -> ([Box<dyn Transport>; 2], Rc<Cell<usize>>) {
        let (near, far) = memory_pair(self.capacity);
        let left = Rc::new(Cell::new(self.at));
        let cut = |inner: Memory| {
            Box::new(Cut {
                inner: Box::new(inner),
                left: Rc::clone(&left),
                is_both_ways: self.is_both_ways,
            })
        };
        let both: [Box<dyn Transport>; 2] = match self.of {
            Side::Starter => [cut(near), Box::new(far)],
            Side::Started => [Box::new(near), cut(far)],
        };
        (both, left)
    }
}

/// Has a dialog over a link that is cut in this place: what came of it, and whether it was over
/// before the cut.
fn cut(place: Place, dialog: impl AsyncFnOnce(&Portal) -> Result<()>) -> (Result<()>, bool) {
    let ([near, far], left) = place.transports();
    let clock = VirtualClock::new();
    let runtime = Runtime::builder()
        .virtual_clock(clock)
        .handle_signals(false);
    let outcome = runtime.run(async || {
        let begun = rt::now();
        let outcome = fail_after(FOR_EVER, async {
            let (opener, server) = (Actor::root("opener", None), Actor::root("server", None));
            let near = End::new(near, Side::Starter, &server)?;
            let far = End::new(far, Side::Started, &opener)?;
            let portal = Portal::new(Rc::clone(&near.peer), Rc::new(Nobody));
            let talk = zip(near.talk(), far.talk());
            let work = async {
                let outcome = open_nursery(async |_| dialog(&portal).await).await;
                portal.peer().link().close();
                outcome
            };
            let (outcome, _) = zip(work, talk).await;
            undertaker::current()?.empty().await;
            assert_eq!(RUNNING.get(), 0, "a function runs on, {place:?}");
            Ok(outcome)
        })
        .await;
        // On this clock time passes only when everybody waits.
        assert_eq!(
            rt::now(),
            begun,
            "somebody waited for time to pass, {place:?}"
        );
        outcome
    });
    let outcome = outcome.unwrap_or_else(|error| panic!("{place:?}: {error:?}"));
    (outcome, left.get() > 0)
}

/// Cuts a dialog after every byte that either side writes, until one is over before the cut.
fn cut_everywhere(capacity: usize, dialog: impl AsyncFn(&Portal) -> Result<()>) {
    for of in [Side::Starter, Side::Started] {
        for is_both_ways in [true, false] {
            let mut at = 0;
            loop {
                let place = Place {
                    of,
                    at,
                    is_both_ways,
                    capacity,
                };
                match cut(place, &dialog) {
                    (Ok(()), true) => break,
                    // All that the other side had to hear was said.
                    (Ok(()), false) => {}
                    (Err(error), _) => {
                        let kind = error.kind();
                        assert_eq!(kind, ErrorKind::Broken, "{place:?}: {error:?}");
                    }
                }
                at += 1;
            }
            assert!(at > 40, "a dialog is more than {at} bytes");
        }
    }
}

async fn expect(stream: &mut MsgStream<Bytes, Bytes>, message: Option<Bytes>) -> Result<()> {
    // An end that nobody said would be a lie.
    assert_eq!(stream.try_next().await?, message);
    Ok(())
}

async fn talk(portal: &Portal, length: usize, is_shielded: bool) -> Result<()> {
    let (ctx, first) = portal.open_context(mirror(length, is_shielded)).await?;
    assert_eq!(first, "first");
    let mut stream = ctx.open_stream().await?;
    expect(&mut stream, Some(Bytes::from(vec![7; length]))).await?;
    for text in ["one", "two", "three"] {
        stream.send(Bytes::from(text)).await?;
        expect(&mut stream, Some(Bytes::from(text))).await?;
    }
    let long = Bytes::from(vec![8; length]);
    stream.send(long.clone()).await?;
    stream.close_sending();
    expect(&mut stream, Some(long)).await?;
    expect(&mut stream, None).await?;
    assert_eq!(ctx.result().await?, 4);
    Ok(())
}

#[test]
fn link_cut_at_any_byte_of_a_dialog_hangs_neither_side() {
    cut_everywhere(64 * 1024, async |portal| talk(portal, LONG, false).await);
}

#[test]
fn link_cut_at_any_byte_is_seen_by_a_function_in_its_shield() {
    cut_everywhere(64 * 1024, async |portal| talk(portal, SHORT, true).await);
}

#[test]
fn narrow_link_cut_at_any_byte_of_a_dialog_hangs_neither_side() {
    cut_everywhere(61, async |portal| talk(portal, SHORT, false).await);
}

#[test]
fn link_cut_at_any_byte_of_a_cancellation_hangs_neither_side() {
    cut_everywhere(64 * 1024, async |portal| {
        let (ctx, _) = portal.open_context(mirror(SHORT, false)).await?;
        assert!(ctx.cancel().await?.is_cancelled());
        let (dropped, _) = portal.open_context(mirror(SHORT, false)).await?;
        drop(dropped);
        Ok(())
    });
}

#[test]
fn link_cut_at_any_byte_of_the_strict_form_hangs_neither_side() {
    cut_everywhere(64 * 1024, async |portal| {
        let body = portal.with_context(mirror(SHORT, false), async |ctx, _| {
            let mut stream = ctx.open_stream().await?;
            expect(&mut stream, Some(Bytes::from(vec![7; SHORT]))).await?;
            Ok(5)
        });
        assert_eq!(body.await?, 5);
        Ok(())
    });
}

#[test]
fn link_cut_at_any_byte_of_a_one_way_stream_hangs_neither_side() {
    cut_everywhere(64 * 1024, async |portal| {
        let mut numbers = portal.open_stream_from(count(5)).await?;
        for number in 0..5 {
            assert_eq!(numbers.try_next().await?, Some(number));
        }
        assert_eq!(numbers.try_next().await?, None);
        Ok(())
    });
}
