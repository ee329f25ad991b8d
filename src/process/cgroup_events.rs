//! Waiting until a control group is empty, told by the kernel.

use std::fs;
use std::io;
use std::mem::MaybeUninit;

use rustix::fs::inotify::{CreateFlags, Reader, WatchFlags, add_watch, init};
use rustix::io::Errno;

use super::Cgroup;
use crate::rt;

/// Waits until nobody lives in the group or in one below it.
///
/// # Errors
///
/// Where it cannot be watched: then nothing was waited for.
pub(super) async fn wait_until_empty(cgroup: &Cgroup) -> io::Result<()> {
    let events = cgroup.path().join("cgroup.events");
    // The file itself always counts as readable, so its changes are what is waited for. The
    // watch is there before the first look, so that none is missed.
    let inotify = init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
    add_watch(&inotify, &events, WatchFlags::MODIFY)?;
    let inotify = rt::Async::new_nonblocking(inotify)?;
    while is_populated(&fs::read_to_string(&events)?) {
        rt::readable(&inotify).await?;
        let mut buffer = [MaybeUninit::uninit(); 1024];
        let mut changes = Reader::new(&inotify, &mut buffer);
        loop {
            match changes.next() {
                Ok(_) | Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                Err(errno) => return Err(errno.into()),
            }
        }
    }
    Ok(())
}

/// What `cgroup.events` says of the group and all below it; those that have ended and are not
/// reaped do not count.
fn is_populated(events: &str) -> bool {
    events.lines().any(|line| line == "populated 1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn group_is_populated_when_the_kernel_says_so() {
        assert!(is_populated("populated 1\nfrozen 0\n"));
        assert!(!is_populated("populated 0\nfrozen 1\n"));
        assert!(!is_populated(""));
    }
}
