//! What jobs of the tests do.

use std::time::Duration;

use treewright::{PoolBuilder, ProcessPool};

use crate::actor::support::{pass, say, say_pid};

/// A pool of this many workers, with a name that shows where it is from.
pub(crate) fn pool(workers: usize) -> ProcessPool {
    builder(workers).build().unwrap()
}

pub(crate) fn builder(workers: usize) -> PoolBuilder {
    ProcessPool::builder()
        .name("test")
        .workers(workers)
        .grace(Duration::from_secs(5))
}

#[treewright::task]
pub(crate) async fn double(n: u64) -> u64 {
    2 * n
}

/// A text of this many letters.
#[treewright::task]
pub(crate) async fn text(length: usize) -> String {
    "x".repeat(length)
}

#[treewright::task]
pub(crate) async fn worker_pid() -> u32 {
    std::process::id()
}

#[treewright::task]
pub(crate) async fn die(how: String) {
    match how.as_str() {
        "abort" => std::process::abort(),
        "exit" => std::process::exit(3),
        "not" => {}
        _ => {
            let me = rustix::process::getpid();
            rustix::process::kill_process(me, rustix::process::Signal::KILL).unwrap();
        }
    }
}

/// Dies the first time, for which it leaves a file.
#[treewright::task]
pub(crate) async fn die_once(mark: String) -> u32 {
    if std::fs::File::create_new(&mark).is_ok() {
        std::process::abort();
    }
    7
}

#[treewright::task]
pub(crate) async fn fail(text: String) -> Result<(), String> {
    Err(text)
}

#[treewright::task]
pub(crate) async fn panic(text: String) {
    panic!("{text}")
}

#[treewright::task]
pub(crate) async fn sleep_for_ever() {
    std::future::pending().await
}

#[treewright::task]
#[expect(clippy::empty_loop, reason = "it is to let go of nothing")]
pub(crate) async fn spin_for_ever(post: Option<String>) {
    if let Some(post) = post {
        say_pid(&post);
    }
    loop {}
}

#[treewright::task]
pub(crate) async fn reverse(mut bytes: serde_bytes::ByteBuf) -> serde_bytes::ByteBuf {
    bytes.reverse();
    bytes
}

/// Says that it runs, waits until the gate is open, and gives `n` back.
#[treewright::task]
pub(crate) async fn wait_at(gate: String, post: String, n: u64) -> u64 {
    say(&post, &format!("begun {n}"));
    pass(&gate).await;
    n
}

/// Says that it runs, and gives `n` back.
#[treewright::task]
pub(crate) async fn tell(post: String, n: u64) -> u64 {
    say(&post, &format!("begun {n}"));
    n
}

/// Says which process it runs in, and waits for ever.
#[treewright::task]
pub(crate) async fn tell_pid_and_wait(post: String) {
    say_pid(&post);
    std::future::pending().await
}
