//! The floor of bytes: as many of them over a socket, and nothing else.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use super::{CALLS, PARALLEL, PARALLEL_CALLS, Times, median, per_second};

pub(super) fn echo(mut socket: UnixStream) {
    let mut buffer = [0; 65_536];
    loop {
        match socket.read(&mut buffer).unwrap() {
            0 => return,
            length => socket.write_all(&buffer[..length]).unwrap(),
        }
    }
}

pub(super) fn one(mut socket: &UnixStream) -> f64 {
    let mut buffer = [7; 64];
    let mut times = Times::new();
    for _ in 0..CALLS {
        let began = Instant::now();
        socket.write_all(&buffer).unwrap();
        socket.read_exact(&mut buffer).unwrap();
        times.push(began);
    }
    median(times.0)
}

pub(super) fn many(mut socket: &UnixStream) -> f64 {
    let mut buffer = [7; 64 * PARALLEL];
    let (began, mut done, mut free) = (Instant::now(), 0, buffer.len());
    while done < PARALLEL_CALLS * 64 {
        socket.write_all(&buffer[..free]).unwrap();
        free = socket.read(&mut buffer).unwrap();
        done += free;
    }
    per_second(PARALLEL_CALLS, began)
}

pub(super) fn sink(mut socket: UnixStream) {
    let mut buffer = vec![0; 256 * 1024];
    while socket.read(&mut buffer).unwrap() > 0 {}
}

/// Short messages are written together, as any fast program would.
pub(super) fn stream(mut socket: &UnixStream, size: usize, count: usize) -> Duration {
    let buffer = vec![5; size.max(64 * 1024)];
    let began = Instant::now();
    let mut left = size * count;
    while left > 0 {
        let length = left.min(buffer.len());
        socket.write_all(&buffer[..length]).unwrap();
        left -= length;
    }
    began.elapsed()
}
