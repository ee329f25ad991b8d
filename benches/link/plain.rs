//! The floor of messages: smol, CBOR, a length in front.

use serde::Serialize;
use smol::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use smol::{Async, LocalExecutor};
use std::cell::RefCell;
use std::collections::HashMap;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::{CALLS, Item, PARALLEL, PARALLEL_CALLS, Read64, Request, Times, median, per_second};

fn append(out: &mut Vec<u8>, message: &impl Serialize) {
    let at = out.len();
    out.extend([0; 4]);
    serde_cbor::to_writer(&mut *out, message).unwrap();
    let length = (out.len() - at - 4) as u32;
    out[at..at + 4].copy_from_slice(&length.to_le_bytes());
}

async fn read_into(reader: &mut (impl AsyncReadExt + Unpin), buffer: &mut Vec<u8>) -> bool {
    let mut length = [0; 4];
    if reader.read_exact(&mut length).await.is_err() {
        return false;
    }
    buffer.resize(u32::from_le_bytes(length) as usize, 0);
    reader.read_exact(buffer).await.is_ok()
}

pub(super) fn serve(socket: UnixStream) {
    let socket = Async::new(socket).unwrap();
    smol::block_on(async {
        let (mut reader, mut writer) = (BufReader::with_capacity(65_536, &socket), &socket);
        let (mut buffer, mut out) = (Vec::new(), Vec::new());
        while read_into(&mut reader, &mut buffer).await {
            let request: Request = serde_cbor::from_slice(&buffer).unwrap();
            let answer = Request {
                verb: request.verb + 1,
                ..request
            };
            append(&mut out, &answer);
            if reader.buffer().len() < 4 {
                writer.write_all(&out).await.unwrap();
                out.clear();
            }
        }
    });
}

/// Callers that share a connection: what waits to be written, and who waits for what.
struct Shared {
    socket: Async<UnixStream>,
    outbox: RefCell<Vec<u8>>,
    kick: smol::channel::Sender<()>,
    waiting: RefCell<HashMap<u64, smol::channel::Sender<Request>>>,
}

impl Shared {
    async fn call(&self, id: u64) -> Request {
        let (answer, answered) = smol::channel::bounded(1);
        self.waiting.borrow_mut().insert(id, answer);
        append(&mut self.outbox.borrow_mut(), &Request::new(id));
        self.kick.try_send(()).ok();
        answered.recv().await.unwrap()
    }

    async fn read(&self) {
        let mut reader = BufReader::with_capacity(65_536, &self.socket);
        let mut buffer = Vec::new();
        while read_into(&mut reader, &mut buffer).await {
            let answer: Request = serde_cbor::from_slice(&buffer).unwrap();
            let waiting = self.waiting.borrow_mut().remove(&answer.id).unwrap();
            waiting.try_send(answer).ok();
        }
    }

    async fn write(&self, kicked: smol::channel::Receiver<()>) {
        while kicked.recv().await.is_ok() {
            let out = self.outbox.take();
            (&self.socket).write_all(&out).await.unwrap();
        }
    }
}

async fn shared<T>(
    socket: UnixStream,
    work: impl AsyncFnOnce(Rc<Shared>, Rc<LocalExecutor<'static>>) -> T,
) -> T {
    let (kick, kicked) = smol::channel::bounded(1);
    let shared = Rc::new(Shared {
        socket: Async::new(socket).unwrap(),
        outbox: RefCell::default(),
        kick,
        waiting: RefCell::default(),
    });
    let executor = Rc::new(LocalExecutor::new());
    let (reading, writing) = (Rc::clone(&shared), Rc::clone(&shared));
    let reader = executor.spawn(async move { reading.read().await });
    let writer = executor.spawn(async move { writing.write(kicked).await });
    let result = executor
        .run(work(Rc::clone(&shared), Rc::clone(&executor)))
        .await;
    executor
        .run(async { (reader.cancel().await, writer.cancel().await) })
        .await;
    result
}

pub(super) async fn one(socket: UnixStream) -> f64 {
    shared(socket, async |shared, _| {
        let mut times = Times::new();
        for id in 0..CALLS as u64 {
            let began = Instant::now();
            assert_eq!(shared.call(id).await.id, id);
            times.push(began);
        }
        median(times.0)
    })
    .await
}

pub(super) async fn many(socket: UnixStream) -> f64 {
    shared(socket, async |shared, executor| {
        let began = Instant::now();
        let callers: Vec<_> = (0..PARALLEL as u64)
            .map(|caller| {
                let shared = Rc::clone(&shared);
                executor.spawn(async move {
                    for turn in 0..(PARALLEL_CALLS / PARALLEL) as u64 {
                        let id = turn * PARALLEL as u64 + caller;
                        assert_eq!(shared.call(id).await.id, id);
                    }
                })
            })
            .collect();
        for caller in callers {
            caller.await;
        }
        per_second(PARALLEL_CALLS, began)
    })
    .await
}

pub(super) fn sink(socket: UnixStream) {
    let socket = Async::new(socket).unwrap();
    smol::block_on(async {
        let mut reader = BufReader::with_capacity(1 << 17, &socket);
        let (mut buffer, mut read) = (Vec::new(), 0);
        while read_into(&mut reader, &mut buffer).await {
            let item: Read64<'_> = serde_cbor::from_slice(&buffer).unwrap();
            assert_eq!((item.seq, item.data[0]), (read, 5));
            read += 1;
        }
    });
}

pub(super) async fn stream(socket: UnixStream, size: usize, count: usize) -> Duration {
    let socket = Async::new(socket).unwrap();
    let (data, mut out, mut writer) = (vec![5; size], Vec::new(), &socket);
    let began = Instant::now();
    for seq in 0..count as u64 {
        append(&mut out, &Item { seq, data: &data });
        if out.len() >= 64 * 1024 || seq + 1 == count as u64 {
            writer.write_all(&out).await.unwrap();
            out.clear();
        }
    }
    began.elapsed()
}
