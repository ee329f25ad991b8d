//! From the order to start an actor until it is ready, and what it takes of memory.

use std::io::{Read, Write};
use std::time::Instant;

use treewright::{Portal, open_actor_cluster, open_nursery};

use crate::{floor, median, print_line};

const ROUNDS: usize = 200;
const BURST: usize = 100;

#[treewright::task]
async fn process_id() -> u32 {
    std::process::id()
}

pub(crate) fn measure() {
    let (mut floors, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        floors.push(floor_start());
        ours.push(start());
    }
    let floor = median(&mut floors);
    println!("\nstart to ready, one after the other; medians of {ROUNDS}");
    print_line("floor: this image started again", floor, "µs", floor);
    print_line("ours: start_actor", median(&mut ours), "µs", floor);

    let (mut floors, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..10 {
        floors.push(floor_burst());
        ours.push(burst());
    }
    let floor = median(&mut floors);
    println!("\n{BURST} at once, all ready; medians of 10");
    print_line("floor: this image started again", floor, "ms", floor);
    print_line("ours: open_actor_cluster", median(&mut ours), "ms", floor);

    let (floor, ours) = (floor_memory(), memory());
    println!("\nmemory of one of 20 that are ready (proportional set size)");
    print_line("floor: this image started again", floor, "KiB", floor);
    print_line("ours: an actor", ours, "KiB", floor);
}

fn floor_start() -> f64 {
    let begin = Instant::now();
    let (mut child, mut socket) = floor::start("ready");
    socket.read_exact(&mut [0]).unwrap();
    let time = begin.elapsed().as_secs_f64() * 1e6;
    socket.write_all(b"e").unwrap();
    child.wait().unwrap();
    time
}

fn start() -> f64 {
    treewright::run(async || {
        open_nursery(async |n| {
            let begin = Instant::now();
            let portal = n.start_actor("ready").await?;
            let time = begin.elapsed().as_secs_f64() * 1e6;
            portal.cancel_actor().await?;
            Ok(time)
        })
        .await
    })
    .unwrap()
}

fn floor_burst() -> f64 {
    let begin = Instant::now();
    let mut all: Vec<_> = (0..BURST).map(|_| floor::start("ready")).collect();
    for (_, socket) in &mut all {
        socket.read_exact(&mut [0]).unwrap();
    }
    let time = begin.elapsed().as_secs_f64() * 1e3;
    for (mut child, socket) in all {
        drop(socket);
        child.wait().unwrap();
    }
    time
}

fn burst() -> f64 {
    treewright::run(async || {
        let begin = Instant::now();
        open_actor_cluster(BURST, async |_| Ok(begin.elapsed().as_secs_f64() * 1e3)).await
    })
    .unwrap()
}

fn floor_memory() -> f64 {
    let mut all: Vec<_> = (0..20).map(|_| floor::start("ready")).collect();
    for (_, socket) in &mut all {
        socket.read_exact(&mut [0]).unwrap();
    }
    let mut sizes: Vec<f64> = all.iter().map(|(child, _)| share_of(child.id())).collect();
    for (mut child, socket) in all {
        drop(socket);
        child.wait().unwrap();
    }
    median(&mut sizes)
}

fn memory() -> f64 {
    treewright::run(async || {
        open_actor_cluster(20, async |portals: Vec<Portal>| {
            let mut sizes = Vec::new();
            for portal in &portals {
                sizes.push(share_of(portal.run(process_id()).await?));
            }
            Ok(median(&mut sizes))
        })
        .await
    })
    .unwrap()
}

/// The proportional set size of a process, in KiB.
fn share_of(pid: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
    let line = text.lines().find(|line| line.starts_with("Pss:")).unwrap();
    line.split_ascii_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap()
}
