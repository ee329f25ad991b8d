//! The plainest programs that do the same work: this image started again with a socket as
//! standard input, which says that it is ready, or answers messages in CBOR.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command};
use std::rc::Rc;
use std::time::Instant;

use bytes::Bytes;
use futures_lite::{AsyncReadExt, AsyncWriteExt};
use serde::{Deserialize, Serialize};
use smol::io::BufReader;
use smol::{Async, LocalExecutor};

use crate::streams::Item;

type Socket = Async<UnixStream>;

/// A small message with an id, as a request or an answer.
#[derive(Serialize, Deserialize)]
struct Message {
    id: u64,
    verb: u64,
    #[serde(with = "serde_bytes")]
    body: Vec<u8>,
}

impl Message {
    fn new(id: u64) -> Self {
        Self {
            id,
            verb: 7,
            body: vec![5; 48],
        }
    }
}

/// Starts this image again in `role`, with one end of a socket pair as its input.
pub(crate) fn start(role: &str) -> (Child, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let mut command = Command::new("/proc/self/exe");
    command
        .arg(format!("floor={role}"))
        .stdin(OwnedFd::from(theirs));
    (command.spawn().unwrap(), ours)
}

/// What a process does that was started by [`start`].
pub(crate) fn play(role: &str) {
    let socket = std::io::stdin().as_fd().try_clone_to_owned().unwrap();
    let mut socket = UnixStream::from(socket);
    match role {
        "ready" => {
            socket.write_all(b"r").unwrap();
            // Until the parent closes it.
            let _ = socket.read(&mut [0]).unwrap();
        }
        "sink" => smol::block_on(sink(socket)),
        "raw sink" => raw_sink(socket),
        "source" => smol::block_on(source(socket)),
        _ => smol::block_on(serve(socket)),
    }
}

fn frame(buffer: &mut Vec<u8>, message: &impl Serialize) {
    let at = buffer.len();
    buffer.extend_from_slice(&[0; 4]);
    serde_cbor::to_writer(&mut *buffer, message).unwrap();
    let length = u32::try_from(buffer.len() - at - 4).unwrap();
    buffer[at..at + 4].copy_from_slice(&length.to_le_bytes());
}

async fn read_frame<R: AsyncReadExt + Unpin>(reader: &mut R, body: &mut Vec<u8>) -> bool {
    let mut length = [0; 4];
    if reader.read_exact(&mut length).await.is_err() {
        return false;
    }
    body.resize(u32::from_le_bytes(length) as usize, 0);
    reader.read_exact(body).await.is_ok()
}

/// Answers each message, and writes when nothing more has come in.
async fn serve(socket: UnixStream) {
    let socket = Async::new(socket).unwrap();
    let (mut reader, mut writer) = (BufReader::with_capacity(65536, &socket), &socket);
    let (mut body, mut out) = (Vec::new(), Vec::new());
    while read_frame(&mut reader, &mut body).await {
        let message: Message = serde_cbor::from_slice(&body).unwrap();
        frame(&mut out, &message);
        if reader.buffer().len() < 4 || out.len() > 65536 {
            if writer.write_all(&out).await.is_err() {
                return;
            }
            out.clear();
        }
    }
}

/// Many callers on one connection: a reader and a writer that gathers, answers by id.
struct Client {
    waiting: RefCell<HashMap<u64, smol::channel::Sender<Message>>>,
    outbox: RefCell<Vec<u8>>,
    kick: smol::channel::Sender<()>,
    next: Cell<u64>,
}

impl Client {
    async fn call(&self) {
        let id = self.next.replace(self.next.get() + 1);
        let (tell, told) = smol::channel::bounded(1);
        self.waiting.borrow_mut().insert(id, tell);
        frame(&mut self.outbox.borrow_mut(), &Message::new(id));
        let _ = self.kick.try_send(());
        assert_eq!(told.recv().await.unwrap().id, id);
    }
}

/// How long each of `total` calls takes, in microseconds, with `callers` at a time; and all.
pub(crate) fn calls(callers: usize, total: usize) -> (Vec<f64>, f64) {
    let (mut child, socket) = start("serve");
    let socket: Rc<Socket> = Rc::new(Async::new(socket).unwrap());
    let executor = LocalExecutor::new();
    let (kick, kicked) = smol::channel::bounded(1);
    let client = Rc::new(Client {
        waiting: RefCell::default(),
        outbox: RefCell::default(),
        kick,
        next: Cell::new(0),
    });
    let (writer, of_writer) = (Rc::clone(&socket), Rc::clone(&client));
    executor
        .spawn(async move {
            let mut writer: &Socket = &writer;
            while kicked.recv().await.is_ok() {
                let bytes = std::mem::take(&mut *of_writer.outbox.borrow_mut());
                if writer.write_all(&bytes).await.is_err() {
                    return;
                }
            }
        })
        .detach();
    let (reader, of_reader) = (Rc::clone(&socket), Rc::clone(&client));
    executor
        .spawn(async move {
            let mut reader = BufReader::with_capacity(65536, &*reader);
            let mut body = Vec::new();
            while read_frame(&mut reader, &mut body).await {
                let message: Message = serde_cbor::from_slice(&body).unwrap();
                let tell = of_reader.waiting.borrow_mut().remove(&message.id).unwrap();
                let _ = tell.try_send(message);
            }
        })
        .detach();
    let times = Rc::new(RefCell::new(Vec::with_capacity(total)));
    let left = Rc::new(Cell::new(total));
    let begin = Instant::now();
    let tasks: Vec<_> = (0..callers)
        .map(|_| {
            let (client, times, left) = (Rc::clone(&client), Rc::clone(&times), Rc::clone(&left));
            executor.spawn(async move {
                while left.get() > 0 {
                    left.set(left.get() - 1);
                    let begin = Instant::now();
                    client.call().await;
                    times.borrow_mut().push(begin.elapsed().as_secs_f64() * 1e6);
                }
            })
        })
        .collect();
    smol::block_on(executor.run(async {
        for task in tasks {
            task.await;
        }
    }));
    let seconds = begin.elapsed().as_secs_f64();
    let _ = socket.get_ref().shutdown(std::net::Shutdown::Both);
    child.wait().unwrap();
    (times.take(), seconds)
}

/// So much gathers before it is written.
const GATHERED: usize = 32 * 1024;

/// How many bytes there will be, or how many items, as the first thing said.
fn announce(socket: &mut UnixStream, count: u64) {
    socket.write_all(&count.to_le_bytes()).unwrap();
}

async fn announced(reader: &mut (impl AsyncReadExt + Unpin)) -> u64 {
    let mut count = [0; 8];
    reader.read_exact(&mut count).await.unwrap();
    u64::from_le_bytes(count)
}

/// Takes in items, and says when the last one is there.
async fn sink(socket: UnixStream) {
    let socket = Async::new(socket).unwrap();
    let count = announced(&mut &socket).await;
    take_items(&socket, count).await;
}

async fn take_items(mut socket: &Socket, count: u64) {
    let mut reader = BufReader::with_capacity(65536, socket);
    let mut body = Vec::new();
    for seq in 0..count {
        assert!(read_frame(&mut reader, &mut body).await);
        let item: Item = serde_cbor::from_slice(&body).unwrap();
        assert_eq!(item.seq, seq);
    }
    socket.write_all(b"e").await.unwrap();
}

fn raw_sink(mut socket: UnixStream) {
    let mut count = [0; 8];
    socket.read_exact(&mut count).unwrap();
    let mut left = u64::from_le_bytes(count);
    let mut buffer = vec![0; 1 << 18];
    while left > 0 {
        let most = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        left -= socket.read(&mut buffer[..most]).unwrap() as u64;
    }
    socket.write_all(b"e").unwrap();
}

/// How many seconds `count` items of `size` bytes take, each encoded, some to a write.
pub(crate) fn stream(size: usize, count: u64) -> f64 {
    let (mut child, mut socket) = start("sink");
    announce(&mut socket, count);
    let socket = Async::new(socket).unwrap();
    let begin = Instant::now();
    smol::block_on(send_items(&socket, size, count));
    let seconds = begin.elapsed().as_secs_f64();
    child.wait().unwrap();
    seconds
}

async fn send_items(mut socket: &Socket, size: usize, count: u64) {
    let data = Bytes::from(vec![5; size]);
    let mut out = Vec::with_capacity(size + 2 * GATHERED);
    for seq in 0..count {
        let data = data.clone();
        frame(&mut out, &Item { seq, data });
        if out.len() > GATHERED || seq + 1 == count {
            socket.write_all(&out).await.unwrap();
            out.clear();
        }
    }
    socket.read_exact(&mut [0]).await.unwrap();
}

/// How many seconds `count` times `size` bytes take, nothing encoded, one write each.
pub(crate) fn raw_stream(size: usize, count: u64) -> f64 {
    let (mut child, mut socket) = start("raw sink");
    announce(&mut socket, count * size as u64);
    let data = vec![5; size];
    let begin = Instant::now();
    for _ in 0..count {
        socket.write_all(&data).unwrap();
    }
    socket.read_exact(&mut [0]).unwrap();
    let seconds = begin.elapsed().as_secs_f64();
    child.wait().unwrap();
    seconds
}

/// Sends as many items as it is asked for.
async fn source(socket: UnixStream) {
    let socket = Async::new(socket).unwrap();
    let count = announced(&mut &socket).await;
    send_items(&socket, 64, count).await;
}

/// How many seconds it takes to get `count` items from each of so many processes.
pub(crate) fn fan_in(sources: usize, count: u64) -> f64 {
    let started: Vec<_> = (0..sources).map(|_| start("source")).collect();
    let executor = LocalExecutor::new();
    let begin = Instant::now();
    let (mut readers, mut children) = (Vec::new(), Vec::new());
    for (child, mut socket) in started {
        announce(&mut socket, count);
        children.push(child);
        let socket = Async::new(socket).unwrap();
        readers.push(executor.spawn(async move { take_items(&socket, count).await }));
    }
    smol::block_on(executor.run(async {
        for reader in readers {
            reader.await;
        }
    }));
    let seconds = begin.elapsed().as_secs_f64();
    children.iter_mut().for_each(|child| drop(child.wait()));
    seconds
}
