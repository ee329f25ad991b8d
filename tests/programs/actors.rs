//! Functions for trees whose actors are of another program, which `exe` names.

use std::future::pending;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::thread;

/// What hears no signal that can be ignored, in a session of its own.
const STAYS: &str = "trap '' TERM INT HUP; while :; do sleep 1; done";

/// Starts something that leaves it, says its own pid, and never hears anything again.
#[treewright::task]
#[expect(clippy::print_stdout, reason = "its output is its log")]
async fn deaf() {
    thread::spawn(|| Command::new("setsid").args(["sh", "-c", STAYS]).status());
    println!("pid {}", std::process::id());
    loop {
        thread::park();
    }
}

/// Tells over the tree's socket that it is ready, and stays.
#[treewright::task]
async fn tell() -> std::io::Result<()> {
    let place = std::env::var_os("NOTIFY_SOCKET").unwrap_or_default();
    UnixDatagram::unbound()?.send_to(b"READY=1", place)?;
    pending().await
}

fn main() {
    treewright::bootstrap();
}
