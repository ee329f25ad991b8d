//! The work over a link.

use smol::LocalExecutor;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};
use treewright::internals::{Incoming, Link, block_on, open};

use super::{
    CALLS, Item, PARALLEL, PARALLEL_CALLS, Read64, Request, Times, median, per_second, window,
};

/// Opens a link and runs `work` beside its writer.
async fn linked<T>(socket: UnixStream, work: impl AsyncFnOnce(&Link, &mut Incoming) -> T) -> T {
    let executor = LocalExecutor::new();
    let (link, mut incoming, writer) = open(socket).unwrap();
    let writer = executor.spawn(writer);
    executor
        .run(async {
            let result = work(&link, &mut incoming).await;
            link.close();
            writer.await;
            result
        })
        .await
}

/// Answers calls until the caller ends.
pub(super) fn serve(socket: UnixStream) {
    block_on(linked(socket, async |link, incoming| {
        while let Some(first) = incoming.next().await {
            let _cork = link.cork();
            let mut next = Some(first);
            while let Some(message) = next {
                let request: Request = message.decode().unwrap();
                let answer = Request {
                    verb: request.verb + 1,
                    ..request
                };
                link.call(message.context, &answer).unwrap();
                next = incoming.try_next();
            }
        }
    }));
}

pub(super) async fn one(socket: UnixStream) -> f64 {
    linked(socket, async |link, incoming| {
        let mut times = Times::new();
        for id in 0..CALLS as u64 {
            let began = Instant::now();
            link.call(id, &Request::new(id)).unwrap();
            let message = incoming.next().await.unwrap();
            let answer: Request = message.decode().unwrap();
            assert_eq!(answer.id, id);
            times.push(began);
        }
        median(times.0)
    })
    .await
}

pub(super) async fn many(socket: UnixStream) -> f64 {
    linked(socket, async |link, incoming| {
        let began = Instant::now();
        let mut sent = 0;
        let mut send = |link: &Link| {
            link.call(sent as u64, &Request::new(sent as u64)).unwrap();
            sent += 1;
        };
        for _ in 0..PARALLEL {
            send(link);
        }
        let mut answered = 0;
        while answered < PARALLEL_CALLS {
            let mut next = Some(incoming.next().await.unwrap());
            let _cork = link.cork();
            while let Some(message) = next {
                let answer: Request = message.decode().unwrap();
                assert_eq!(answer.id, message.context);
                answered += 1;
                if answered + PARALLEL <= PARALLEL_CALLS {
                    send(link);
                }
                next = incoming.try_next();
            }
        }
        per_second(PARALLEL_CALLS, began)
    })
    .await
}

/// Reads a stream and tells of every so many messages that they are read.
pub(super) fn sink(socket: UnixStream) {
    block_on(linked(socket, async |link, incoming| {
        let mut read = 0u64;
        while let Some(message) = incoming.next().await {
            let item: Read64<'_> = message.decode().unwrap();
            assert_eq!((item.seq, item.data[0]), (read, 5));
            read += 1;
            if read.is_multiple_of(window(item.data.len()) as u64 / 2) {
                link.call(0, &read).unwrap();
            }
        }
    }));
}

pub(super) async fn stream(socket: UnixStream, size: usize, count: usize) -> Duration {
    linked(socket, async |link, incoming| {
        let data = vec![5; size];
        let (window, credit) = (window(size), window(size) / 2);
        let began = Instant::now();
        let (mut sent, mut read) = (0, 0);
        while read < count - count % credit {
            while sent < count && sent - read < window {
                let seq = sent as u64;
                link.data(1, &Item { seq, data: &data }).unwrap();
                sent += 1;
                if link.pending_bytes() > 1 << 20 {
                    smol::future::yield_now().await;
                }
            }
            read = incoming.next().await.unwrap().decode::<u64>().unwrap() as usize;
        }
        began.elapsed()
    })
    .await
}
