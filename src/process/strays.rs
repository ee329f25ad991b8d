//! Orphans that this process adopts because it is a subreaper or PID 1.

use std::io;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, getpid, set_child_subreaper, waitid};

use super::world::get_ready;
use super::{procfs, registry};
use crate::rt;

/// How long an orphan that has ended may wait to be reaped.
///
/// All children are listed to find it. When a thousand end together, one look is enough.
const GATHER: Duration = Duration::from_millis(20);

/// Makes this process the one that orphans of its descendants come to.
///
/// For a program that has no other children than those started here: who adopts has to
/// reap, see [`reap_strays`].
///
/// # Errors
///
/// What the kernel says; it has no reason to refuse.
pub fn adopt_orphans() -> io::Result<()> {
    // Whoever adopts has to look who is there, also before it has a child of its own.
    get_ready();
    Ok(set_child_subreaper(Some(getpid()))?)
}

/// Reaps adopted orphans as they end, for ever.
///
/// Only for a process that adopts orphans and whose children are all started here: any
/// other child that ends is taken for an orphan, and its status is thrown away. It never
/// waits for "any child".
///
/// # Errors
///
/// When this process cannot listen for `SIGCHLD`.
///
/// # Cancel safety
///
/// Safe: what ends while nobody runs it is reaped when it is run again.
pub async fn reap_strays() -> io::Result<std::convert::Infallible> {
    let mut ended = rt::Signals::new(&[Signal::CHILD])?;
    loop {
        reap_strays_now();
        ended.next().await?;
        rt::sleep(GATHER).await;
    }
}

/// Reaps the adopted orphans that have ended by now.
pub(super) fn reap_strays_now() {
    // Held all along, so that no child of ours is reaped here that was just started.
    let owned = registry::lock();
    for pid in procfs::own_children() {
        if !owned.contains(pid) {
            reap(pid);
        }
    }
}

fn reap(pid: Pid) {
    // It is our child, or was: then its number is free and there is nothing to reap.
    let _ = waitid(
        WaitId::Pid(pid),
        WaitIdOptions::EXITED | WaitIdOptions::NOHANG,
    );
}
