//! Memory that two processes share, and that outlives either.

use std::io;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::ptr::NonNull;
use std::slice;
use std::sync::atomic::AtomicU64;

use rustix::fs::{
    MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, fstat, ftruncate, memfd_create,
};

/// What keeps whoever shares the memory from taking it away under the others.
const SEALS: SealFlags = SealFlags::SHRINK
    .union(SealFlags::GROW)
    .union(SealFlags::SEAL);

/// Words of memory that another process may have, too. They live as long as anybody has them.
#[derive(Debug)]
pub(crate) struct SharedWords {
    start: NonNull<AtomicU64>,
    count: NonZeroUsize,
}

impl SharedWords {
    /// New words, all 0, and the descriptor by which others get them.
    pub(crate) fn create(count: NonZeroUsize) -> io::Result<(Self, OwnedFd)> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let file = memfd_create(c"treewright", flags)?;
        ftruncate(&file, byte_length(count)? as u64)?;
        fcntl_add_seals(&file, SEALS)?;
        Ok((Self::map(file.as_fd(), count)?, file))
    }

    /// The words that another process has made.
    ///
    /// # Errors
    ///
    /// If they are not that many, or could be taken away.
    pub(crate) fn open(file: BorrowedFd<'_>, count: NonZeroUsize) -> io::Result<Self> {
        let length = u64::try_from(fstat(file)?.st_size).unwrap_or(0);
        if length != byte_length(count)? as u64 || !fcntl_get_seals(file)?.contains(SEALS) {
            let text = "what was passed is not the memory that was announced";
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        Self::map(file, count)
    }

    fn map(file: BorrowedFd<'_>, count: NonZeroUsize) -> io::Result<Self> {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping at a place of the kernel's choice touches no memory of ours.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                byte_length(count)?,
                protection,
                libc::MAP_SHARED,
                file.as_raw_fd(),
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { start, count })
    }

    /// The words.
    pub(crate) fn words(&self) -> &[AtomicU64] {
        // SAFETY: the mapping is of this length, aligned to a page, and lives as long as
        // `self`; the file is sealed, so that it stays behind it. Every bit pattern is a
        // valid word, and atomics may be changed by others, in whatever process, meanwhile.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.count.get()) }
    }
}

fn byte_length(count: NonZeroUsize) -> io::Result<usize> {
    let length = count.get().checked_mul(size_of::<AtomicU64>());
    length.ok_or_else(|| io::ErrorKind::OutOfMemory.into())
}

impl Drop for SharedWords {
    fn drop(&mut self) {
        let length = self.count.get() * size_of::<AtomicU64>();
        // SAFETY: the mapping was made by `map` with this length, and no reference to it
        // outlives `self`.
        unsafe { libc::munmap(self.start.as_ptr().cast(), length) };
    }
}

// SAFETY: the words are atomics, which any thread may use, and unmapping is bound to none.
unsafe impl Send for SharedWords {}
// SAFETY: as above; nothing here changes but by atomics.
unsafe impl Sync for SharedWords {}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;

    const COUNT: NonZeroUsize = NonZeroUsize::new(100).unwrap();

    #[test]
    fn words_are_seen_by_whoever_opens_the_descriptor() {
        let (ours, file) = SharedWords::create(COUNT).unwrap();
        let theirs = SharedWords::open(file.as_fd(), COUNT).unwrap();
        ours.words()[99].store(7, Ordering::Release);
        assert_eq!(theirs.words()[99].load(Ordering::Acquire), 7);
    }

    #[test]
    fn memory_of_another_length_or_without_seals_is_refused() {
        let (_ours, file) = SharedWords::create(COUNT).unwrap();
        let more = NonZeroUsize::new(101).unwrap();
        assert!(SharedWords::open(file.as_fd(), more).is_err());
        let open = memfd_create(c"open", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING).unwrap();
        ftruncate(&open, 800).unwrap();
        assert!(SharedWords::open(open.as_fd(), COUNT).is_err());
    }
}
