//! Readiness of file descriptors: pidfds, pipes, sockets.
//!
//! A descriptor can be registered once; whoever needs a second `Async` over the same
//! one duplicates it first.

use std::io;
use std::os::fd::AsFd;

/// A descriptor whose readiness can be awaited.
///
/// `Async::new` puts it into non-blocking mode (which the other holders of the same open
/// file see too); `Async::new_nonblocking` leaves the mode alone, as for a pidfd.
pub(crate) use smol::Async;

/// Waits until `source` is readable: for a pidfd, until its process has ended.
///
/// Dropping the future forgets the wait and nothing else.
pub(crate) async fn readable<T: AsFd>(source: &Async<T>) -> io::Result<()> {
    source.readable().await
}

/// Waits until `source` is writable. Dropping the future forgets the wait and nothing else.
pub(crate) async fn writable<T: AsFd>(source: &Async<T>) -> io::Result<()> {
    source.writable().await
}
