//! The plainest pool: this image started again, one thread for each worker that writes a
//! task in CBOR and reads its result.

use std::collections::VecDeque;
use std::io::{BufReader, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::is_prime_here;

/// Workers, and the sockets to them.
pub(crate) struct Floor {
    children: Vec<Child>,
    sockets: Vec<UnixStream>,
}

impl Floor {
    pub(crate) fn start(count: usize) -> Self {
        let (children, sockets) = (0..count).map(|_| start()).unzip();
        Self { children, sockets }
    }

    /// Runs tasks of some numbers each, so many ahead. `kind` 0 gives them back, 1 tells primes.
    pub(crate) fn map(&self, kind: u8, tasks: &[Vec<u64>], ahead: usize) -> Vec<u64> {
        let (next, results) = (AtomicUsize::new(0), Mutex::new(vec![vec![]; tasks.len()]));
        std::thread::scope(|scope| {
            for socket in &self.sockets {
                scope.spawn(|| attend(socket, kind, tasks, ahead, &next, &results));
            }
        });
        results.into_inner().unwrap().concat()
    }

    /// Sends these bytes to a worker and reads as many back.
    pub(crate) fn echo(&self, bytes: &[u8]) -> Vec<u8> {
        let mut socket = &self.sockets[0];
        write_frame(&mut socket, &(2_u8, serde_bytes::Bytes::new(bytes)));
        let mut buffer = Vec::new();
        read_frame(&mut socket, &mut buffer);
        let back: serde_bytes::ByteBuf = serde_cbor::from_slice(&buffer).unwrap();
        back.into_vec()
    }
}

impl Drop for Floor {
    fn drop(&mut self) {
        self.sockets.clear();
        for child in &mut self.children {
            child.wait().unwrap();
        }
    }
}

fn start() -> (Child, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let mut command = Command::new("/proc/self/exe");
    command.arg("floor=worker").stdin(OwnedFd::from(theirs));
    (command.spawn().unwrap(), ours)
}

fn attend(
    socket: &UnixStream,
    kind: u8,
    tasks: &[Vec<u64>],
    ahead: usize,
    next: &AtomicUsize,
    results: &Mutex<Vec<Vec<u64>>>,
) {
    let mut reader = BufReader::with_capacity(64 * 1024, socket);
    let (mut out, mut buffer, mut sent) = (Vec::new(), Vec::new(), VecDeque::new());
    loop {
        out.clear();
        while sent.len() < ahead {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(task) = tasks.get(index) else { break };
            write_frame(&mut out, &(kind, task));
            sent.push_back(index);
        }
        let mut writer = socket;
        writer.write_all(&out).unwrap();
        let Some(index) = sent.pop_front() else {
            return;
        };
        read_frame(&mut reader, &mut buffer);
        results.lock().unwrap()[index] = serde_cbor::from_slice(&buffer).unwrap();
    }
}

fn write_frame(writer: &mut impl Write, value: &impl serde::Serialize) {
    let body = serde_cbor::to_vec(value).unwrap();
    let mut frame = u32::try_from(body.len()).unwrap().to_le_bytes().to_vec();
    frame.extend_from_slice(&body);
    writer.write_all(&frame).unwrap();
}

fn read_frame(reader: &mut impl Read, buffer: &mut Vec<u8>) -> bool {
    let mut length = [0; 4];
    if reader.read_exact(&mut length).is_err() {
        return false;
    }
    buffer.resize(u32::from_le_bytes(length) as usize, 0);
    reader.read_exact(buffer).unwrap();
    true
}

/// What a worker of the floor does.
pub(crate) fn play() {
    let socket = std::io::stdin().as_fd().try_clone_to_owned().unwrap();
    let mut writer = UnixStream::from(socket);
    let mut reader = BufReader::with_capacity(64 * 1024, writer.try_clone().unwrap());
    let mut buffer = Vec::new();
    while read_frame(&mut reader, &mut buffer) {
        // The kind is the first thing in an array of two.
        if buffer[1] == 2 {
            let (_, bytes): (u8, serde_bytes::ByteBuf) = serde_cbor::from_slice(&buffer).unwrap();
            write_frame(&mut writer, &bytes);
            continue;
        }
        let (kind, numbers): (u8, Vec<u64>) = serde_cbor::from_slice(&buffer).unwrap();
        let results: Vec<u64> = match kind {
            1 => numbers
                .into_iter()
                .map(|n| is_prime_here(n).into())
                .collect(),
            _ => numbers,
        };
        write_frame(&mut writer, &results);
    }
}
