//! Connected ends of every kind, for the tests of links.

use std::time::Duration;

use bytes::Bytes;
use futures_lite::future::zip;
use rustix::pipe::pipe;

use super::transport::{Fault, Faulty, Plan};
use super::*;
use crate::id::ContextId;
use crate::rt::{LocalExecutor, block_on, within};
use crate::time::Clock;
use crate::wire::{Encoded, Frame, Kind, Limits};

pub(super) const LONG_ENOUGH: Duration = Duration::from_secs(20);

pub(super) type Ends = (Box<dyn Transport>, Box<dyn Transport>);

/// One pair of connected ends of each kind, with a name for the message of a failure.
pub(super) fn all_transports() -> Vec<(&'static str, Ends)> {
    vec![
        ("memory", memory(64 * 1024)),
        ("memory of a few bytes", memory(1021)),
        ("socket pair", socket_pair()),
        ("pipes", pipes()),
        ("named socket", named_socket()),
        ("TCP", tcp()),
        ("short and late", short_and_late()),
    ]
}

pub(super) fn memory(capacity: usize) -> Ends {
    let (near, far) = memory_pair(capacity);
    (Box::new(near), Box::new(far))
}

pub(super) fn socket_pair() -> Ends {
    let (near, far) = Socket::pair().unwrap();
    (Box::new(near), Box::new(Socket::new(far).unwrap()))
}

pub(super) fn pipes() -> Ends {
    let (near_reads, far_writes) = pipe().unwrap();
    let (far_reads, near_writes) = pipe().unwrap();
    (
        Box::new(Pipes::new(near_reads, near_writes).unwrap()),
        Box::new(Pipes::new(far_reads, far_writes).unwrap()),
    )
}

fn named_socket() -> Ends {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("closed");
    block_on(&Clock::Monotonic, async {
        let listener = NamedListener::bind(&path, "link.sock").await.unwrap();
        let (near, far) = zip(connect_named(listener.path()), listener.accept()).await;
        (Box::new(near.unwrap()) as _, Box::new(far.unwrap()) as _)
    })
}

fn tcp() -> Ends {
    block_on(&Clock::Monotonic, async {
        let door = TcpDoor::open("127.0.0.1:0").await.unwrap();
        let address = door.address().unwrap().to_string();
        let (near, far) = zip(connect_tcp(&address), door.accept()).await;
        (Box::new(near.unwrap()) as _, Box::new(far.unwrap()) as _)
    })
}

/// A way that reads and writes as little as it may, and waits whenever it may.
fn short_and_late() -> Ends {
    let (near, far) = socket_pair();
    let faulty = |inner| {
        let mut faulty = Faulty::new(inner);
        let faults = [
            Fault::Short(701),
            Fault::Delay,
            Fault::Short(9),
            Fault::Short(3001),
        ];
        faulty.reads = Plan::cycle(faults);
        faulty.writes = Plan::cycle(faults);
        faulty.tries = Plan::cycle([Fault::Short(1), Fault::Delay, Fault::Short(20)]);
        Box::new(faulty) as Box<dyn Transport>
    };
    (faulty(near), faulty(far))
}

/// An end of a link with its writer running.
pub(super) struct End {
    pub(super) link: Link,
    pub(super) incoming: Incoming,
}

impl End {
    pub(super) fn send(&self, kind: Kind, context: u64, body: &[u8]) {
        let body = Bytes::copy_from_slice(body);
        let frame = Encoded::raw(kind, ContextId::new(context), body).unwrap();
        self.link.send(frame).unwrap();
    }

    pub(super) async fn next(&mut self) -> Frame {
        self.incoming.next().await.expect("a frame").unwrap()
    }
}

/// Runs `test` with two ends over each kind of transport.
pub(super) fn over_all(test: impl AsyncFn(End, End)) {
    for (name, (near, far)) in all_transports() {
        let finished = finishes(async |executor| {
            let near = end(executor, near);
            let far = end(executor, far);
            test(near, far).await;
        });
        assert!(finished, "over {name}: it hangs");
    }
}

/// Runs `test`, with the executor that the writers run on.
pub(super) fn run(test: impl AsyncFnOnce(&LocalExecutor<'_>)) {
    assert!(finishes(test), "it hangs");
}

fn finishes(test: impl AsyncFnOnce(&LocalExecutor<'_>)) -> bool {
    block_on(&Clock::Monotonic, async {
        let executor = LocalExecutor::new();
        within(LONG_ENOUGH, executor.run(test(&executor)))
            .await
            .is_ok()
    })
}

pub(super) fn end<'env>(executor: &LocalExecutor<'env>, transport: Box<dyn Transport>) -> End {
    let (link, incoming, writer) = open(transport, Limits::default());
    executor.spawn(writer.run()).detach();
    End { link, incoming }
}
