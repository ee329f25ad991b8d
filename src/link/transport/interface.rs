//! What a link asks of the way its bytes go.

use std::io::{self, IoSlice};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::task::{Context, Poll};

/// A way for bytes to go both ways between two ends, in order and without loss.
///
/// Reading and writing take `&self`, because the reader and the writer of a link are two
/// tasks. Each direction has one task at most that waits, so one waker each is enough.
/// Dropping it closes both directions.
pub(crate) trait Transport: 'static {
    /// Reads some bytes, of which there are 0 only at the peer's end. Waits if there are
    /// none yet. `buffer` is never empty.
    fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Writes some of `slices`, at least one byte. Waits if there is room for none.
    /// `slices` are never all empty.
    fn poll_write(&self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>>;

    /// The same without waiting: [`io::ErrorKind::WouldBlock`] if there is room for none.
    fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Writes no more: the peer reads an end after what was written. Doing it twice is
    /// doing it once.
    fn shutdown(&self);

    /// Whether file descriptors can go with the bytes.
    fn passes_descriptors(&self) -> bool {
        false
    }

    /// Like [`poll_write`](Self::poll_write), with a descriptor that goes with the first byte.
    /// [`io::ErrorKind::Unsupported`] if none can, and then nothing was written.
    fn poll_write_with(
        &self,
        _cx: &mut Context<'_>,
        _slices: &[IoSlice<'_>],
        _descriptor: BorrowedFd<'_>,
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }

    /// The next descriptor that came with what was read, in the order of their bytes.
    fn take_descriptor(&self) -> Option<Arrived> {
        None
    }
}

/// A file descriptor that came with bytes.
#[derive(Debug)]
pub(crate) enum Arrived {
    /// It is ours now.
    Open(OwnedFd),
    /// This process has too many open to take it.
    Lost,
}
