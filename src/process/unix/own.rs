//! What this process changes of itself: flags of its descriptors, and its environment.

use std::os::fd::RawFd;

/// Marks every descriptor from 3 up close-on-exec; `false` where the kernel cannot (< 5.11).
pub(in crate::process) fn mark_close_on_exec() -> bool {
    const CLOSE_RANGE_CLOEXEC: u32 = 1 << 2;
    // SAFETY: plain system call; it closes nothing now.
    unsafe { libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, CLOSE_RANGE_CLOEXEC) == 0 }
}

/// Marks one descriptor close-on-exec; nothing happens when it is closed meanwhile.
pub(in crate::process) fn mark_one_close_on_exec(descriptor: RawFd) {
    // SAFETY: plain system call; the flag changes nothing about the open file.
    unsafe { libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC) };
}

/// Takes a variable out of this process's own environment.
///
/// Only for the first thing a program does, before it has a second thread.
pub(in crate::process) fn forget_variable(name: &str) {
    // SAFETY: no other thread reads or writes the environment, since there is none: this is
    // called by `bootstrap`, first thing in `main` or before it.
    unsafe { std::env::remove_var(name) };
}
